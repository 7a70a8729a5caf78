"""What cannot be measured is refused with one message; the model stays as it was, bit for bit."""

import random

import numpy as np
import pytest
import torch
from per_example import zoo
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import miya
from miya.errors import MiyaInputError, MiyaOutputError, MiyaWarning

CROSS = nn.CrossEntropyLoss()


def linear():
    torch.manual_seed(0)
    return nn.Linear(4, 5)


def batch(count=6):
    return torch.randn(count, 4), zoo.classes(count)


class Centred(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, 5)

    def forward(self, x):
        return self.inner(x - x.mean(0))


class Hidden(nn.Module):
    """Mixes the examples where no rule sees it."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, 5)

    def forward(self, x):
        with torch._C.DisableTorchFunction():
            x = x - x.mean(0)
        return self.inner(x.clone())


def frozen():
    return linear().requires_grad_(False)


def bounded():
    table = nn.Embedding(9, 5, max_norm=1.0)
    return nn.Sequential(table, nn.Flatten())


def shuffling():
    return DataLoader(TensorDataset(*batch()), batch_size=2, shuffle=True)


ALIKE = (
    "E762 a batch norm uses the statistics of the batch, which mix its examples: no example has a "
    "loss or a gradient of its own. Call model.eval() first, so that it uses its running "
    "statistics; without any (track_running_stats=False) use GroupNorm"
)
REFUSED = {
    "no parameters": (
        lambda: (nn.ReLU(), batch(), CROSS, {}),
        "E760 the model has no parameters. Give a model that has some",
    ),
    "all frozen": (
        lambda: (frozen(), batch(), CROSS, {}),
        "E760 none of the model's 2 parameters requires a gradient. Call requires_grad_(True) on "
        "those to measure",
    ),
    "batch norm in training": (
        lambda: (nn.Sequential(linear(), nn.BatchNorm1d(5)), batch(), CROSS, {}),
        ALIKE,
    ),
    "batch norm without running statistics": (
        lambda: (
            nn.Sequential(linear(), nn.BatchNorm1d(5, track_running_stats=False)).eval(),
            batch(),
            CROSS,
            {},
        ),
        ALIKE,
    ),
    "frozen batch norm in training": (
        lambda: (nn.Sequential(linear(), nn.BatchNorm1d(5, affine=False)), batch(), CROSS, {}),
        ALIKE,
    ),
    "mixed": (
        lambda: (Centred(), batch(), CROSS, {}),
        "E765 the examples of a batch are mixed: the model mixes the examples (mean over them). "
        "Call model.eval(), or take out what computes over the batch; only then has each example "
        "a gradient of its own",
    ),
    "max_norm": (
        lambda: (bounded(), (zoo.tokens(1, 9), zoo.classes()), CROSS, {}),
        "E417 0 has max_norm: it changes its weights while they are read. Leave max_norm out, and "
        "clip the weights after the step",
    ),
    "a target of another kind": (
        lambda: (linear(), (torch.randn(6, 4), torch.ones(6)), CROSS, {}),
        "E411 cross_entropy: class indices are whole numbers (int64), the target is float32. Use "
        "y.long()",
    ),
    "an input of another width": (
        lambda: (linear(), (torch.randn(6, 3), zoo.classes()), CROSS, {}),
        "E408 the model (linear): the input is (1, 3), its last dimension 3; the weight "
        "(5, 4) takes 4. Give inputs of 4 features, or make the layer with in_features=3",
    ),
    "no number": (
        lambda: (linear(), batch(), lambda out, y: out, {}),
        "E764 the loss of one example is no single number but of shape (1, 5). Let the loss be a "
        "function of output and target that gives one number: .mean()?",
    ),
    "a loader that shuffles": (
        lambda: (linear(), shuffling(), CROSS, {}),
        "E770 the DataLoader shuffles (RandomSampler): an example would have another position each "
        "time. Give it shuffle=False",
    ),
    "no data": (
        lambda: (linear(), 7, CROSS, {}),
        "E761 the data is int. Give (inputs, target), a Dataset, a DataLoader or an iterable of "
        "such batches",
    ),
    "too few targets": (
        lambda: (linear(), (torch.randn(6, 4), zoo.classes(4)), CROSS, {}),
        "E761 the inputs have 6 examples, the target 4. Give one target an example, in the same "
        "order",
    ),
    "three parts": (
        lambda: (linear(), [(*batch(), zoo.classes())], CROSS, {}),
        "E761 a batch is 3 parts, where inputs and target were expected. Let the data give "
        "(inputs, target); several inputs go in a tuple or a dict",
    ),
    "an unknown measure": (
        lambda: (linear(), batch(), CROSS, {"by": "gradiant"}),
        "E772 by is 'gradiant'. Did you mean 'gradient'? known: gradient, loss, and any layer or "
        "parameter",
    ),
    "credit without a step": (
        lambda: (linear(), batch(), CROSS, {"by": "credit"}),
        "E772 by is 'credit'. Credit needs an optimizer or a step; known: gradient, loss, and any "
        "layer or parameter",
    ),
    "top 0": (
        lambda: (linear(), batch(), CROSS, {"top": 0}),
        "E771 top is 0. Give at least 1",
    ),
    "an image of another size": (
        lambda: (linear(), batch(), CROSS, {"image": (3, 3)}),
        "E771 image is (3, 3), an input has 4 values. Give (height, width) or (channels, height, "
        "width)",
    ),
    "two steps": (
        lambda: (linear(), batch(), CROSS, {"optimizer": "sgd", "step": {}}),
        "E776 both an optimizer and a step are given. Give one of them",
    ),
    "a step of nothing": (
        lambda: (linear(), batch(), CROSS, {"step": {"wieght": torch.ones(5, 4)}}),
        "E776 the step moves 'wieght', which is no parameter that is measured. It has weight, bias",
    ),
    "a step that does not fit": (
        lambda: (linear(), batch(), CROSS, {"step": {"weight": torch.ones(4, 5)}}),
        "E776 the step of weight has shape (4, 5), the parameter (5, 4). Fit them",
    ),
    "another's optimizer": (
        lambda: (
            linear(),
            batch(),
            CROSS,
            {"optimizer": torch.optim.SGD(nn.Linear(1, 1).parameters())},
        ),
        "E776 the optimizer holds none of the model's parameters. Make it of model.parameters()",
    ),
    "a generator, twice": (
        lambda: (linear(), iter([batch()]), CROSS, {"optimizer": "sgd"}),
        "E776 credits take a second pass over the data, which goes by only once. Give a Dataset, a "
        "DataLoader or a list of batches",
    ),
    "dropout on the way of a step": (
        lambda: (nn.Sequential(linear(), nn.Dropout(0.5)), batch(), CROSS, {"optimizer": "sgd"}),
        "E775 the model draws random numbers (dropout in training mode): its loss is another at "
        "every place of the step's way, and no credits add up. Call model.eval() first, or leave "
        "optimizer and step out",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_said_what_is_wrong(case):
    make, message = REFUSED[case]
    model, data, loss, options = make()
    with pytest.raises(MiyaInputError) as caught:
        miya.blame_examples(model, data, loss, **options)
    assert str(caught.value) == message


def test_mixing_that_no_rule_sees_is_found_by_single_runs():
    torch.manual_seed(0)
    with pytest.raises(MiyaInputError, match=r"E765 the examples of a batch are mixed: in its batch "
                       r"example 0 has a loss of [0-9.]+, alone of [0-9.]+"):  # fmt: skip
        miya.blame_examples(Hidden(), batch(), CROSS)


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(MiyaOutputError) as caught:
        miya.blame_examples(linear(), batch(), CROSS, out=tmp_path / "file")
    assert (
        str(caught.value) == f"E508 cannot write {tmp_path / 'file'}: it is a file. Name a folder"
    )


def test_a_loss_that_is_not_finite_is_told_first():
    model, (x, y) = linear(), batch(8)
    x[5] = float("inf")
    with pytest.warns(MiyaWarning) as caught:
        found = miya.blame_examples(model, (x, y), CROSS, batch_size=4)
    said = "W774 of 1 of 8 examples the loss or the gradient is not finite: 5"
    assert [str(w.message) for w in caught] == [said]
    assert found.top(1)[0].example == 5 and "example 5   gradient nan" in found.text()
    assert np.isfinite(found.values()[[0, 1, 2, 3, 4, 6, 7]]).all()


class Counting(nn.Module):
    """Draws random numbers of all kinds, counts its calls in a buffer, overwrites its input."""

    def __init__(self):
        super().__init__()
        self.inner, self.drop = nn.Linear(4, 5), nn.Dropout(0.5)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        random.random()
        np.random.rand()
        return self.drop(self.inner(x.mul_(2)))


def test_nothing_of_the_users_changes():
    torch.manual_seed(0)
    model, (x, y) = Counting(), batch()
    model.inner.bias.grad = torch.ones(5)
    given, held = x.clone(), {k: v.clone() for k, v in model.state_dict().items()}
    buffer, grad = model.calls, model.inner.bias.grad
    optimizer = torch.optim.Adam(model.parameters())
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    with torch.no_grad():
        miya.blame_examples(model, (x, y), CROSS, batch_size=4)
        miya.blame_examples(model.eval(), (x, y), CROSS, optimizer=optimizer, batch_size=4)
        assert not torch.is_grad_enabled()
    model.train()
    assert torch.equal(states[0], torch.get_rng_state()) and states[1] == random.getstate()
    assert states[2] == np.random.get_state()[1].tolist()
    assert torch.equal(x, given) and all(
        torch.equal(v, held[k]) for k, v in model.state_dict().items()
    )
    assert (
        model.calls is buffer and model.inner.bias.grad is grad and model.inner.weight.grad is None
    )
    assert torch.equal(grad, torch.ones(5)) and not optimizer.state
    assert all(not m._forward_hooks and not m._backward_hooks for m in model.modules())
    assert not hasattr(x, "_miya_per_example") and not vars(model.inner.weight)


def test_dropout_is_drawn_from_the_seed():
    torch.manual_seed(0)
    model, data = nn.Sequential(nn.Linear(4, 50), nn.Dropout(0.5), nn.Linear(50, 5)), batch(10)
    one, same, other = (
        miya.blame_examples(model, data, CROSS, seed=seed, batch_size=5).values()
        for seed in (0, 0, 1)
    )
    assert (one == same).all() and not (one == other).any()
    assert miya.blame_examples(model, data, CROSS).facts.method == "together"
