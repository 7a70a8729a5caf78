"""A chain of dense layers is told as the network that it is, with torch's own numbers."""

import json
import warnings

import numpy as np
import pytest
import torch
from arithmetic import check
from torch import nn

import miya
from miya.analysis.as_network import as_network

ACTIVATIONS = [
    nn.ReLU(), nn.ReLU(inplace=True), nn.Sigmoid(), nn.Tanh(), nn.SiLU(), nn.LeakyReLU(0.1), nn.ELU(0.5), nn.GELU(),
    nn.GELU(approximate="tanh"), nn.Softplus(), nn.Softmax(-1), nn.Identity(),
]  # fmt: skip
LOSSES = {
    "cross_entropy": (nn.CrossEntropyLoss(), torch.tensor([0, 1, 1, 0, 2])),
    "probabilities": (nn.CrossEntropyLoss(reduction="sum"), torch.full((5, 3), 1 / 3)),
    "mse": (nn.MSELoss(), torch.linspace(0, 1, 15).reshape(5, 3)),
    "sum": (nn.MSELoss(reduction="sum"), torch.linspace(0, 1, 15).reshape(5, 3)),
    "l1": (nn.L1Loss(), torch.linspace(0, 3, 15).reshape(5, 3)),
    "huber": (nn.HuberLoss(delta=0.5), torch.linspace(0, 3, 15).reshape(5, 3)),
    "bce": (nn.BCEWithLogitsLoss(), torch.linspace(0, 1, 15).reshape(5, 3)),
}


def told(model, x, y, loss, optimizer=None, **options):
    make = optimizer or (lambda p: torch.optim.SGD(p, lr=0.1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", miya.MiyaWarning)
        return miya.explain(model, x, y, loss=loss, optimizer=make, **options)


def chain(activation=None, dtype=torch.float64, seed=0):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 6), activation or nn.Tanh(), nn.Linear(6, 3)).to(dtype)
    return model, torch.randn(5, 4).to(dtype)


def same(told):
    """Every number of the classical trace is torch's own, to the bit."""
    network, model = told.trace, told.model
    assert network.loss == model.loss
    linear = [c for c in model.calls if c.name == "linear"]
    for layer, call in zip(network.layers, linear):
        assert np.array_equal(layer.z, call.results[0].array.reshape(layer.z.shape))
        assert np.array_equal(layer.delta, call.results[0].gradient.reshape(layer.z.shape))
        for update, role in ((layer.weight, "weight"), (layer.bias, "bias")):
            if role not in call.operands:
                continue
            parameter = model.parameters[call.operands[role].name]
            assert np.array_equal(update.before, parameter.before)
            assert np.array_equal(update.after, parameter.after)
            if parameter.gradient is not None:
                assert np.array_equal(update.gradient, parameter.gradient)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_every_activation(activation, dtype):
    model, x = chain(activation, dtype)
    found = told(model, x, LOSSES["cross_entropy"][1], nn.CrossEntropyLoss())
    assert isinstance(found, miya.Explanation)
    same(found)
    for step in json.loads(found.json())["steps"]:
        check(step)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss(name):
    loss, y = LOSSES[name]
    model, x = chain()
    y = y.to(x.dtype) if y.is_floating_point() else y
    found = told(model, x, y, loss)
    assert isinstance(found, miya.Explanation)
    same(found)


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
        lambda p: torch.optim.Adam(p, lr=0.01),
        lambda p: torch.optim.AdamW(p, lr=0.01),
        lambda p: torch.optim.RMSprop(p, lr=0.01),
        lambda p: torch.optim.Adagrad(p, lr=0.1),
    ],
)
def test_every_optimizer_also_after_steps(make):
    model, x = chain()
    optimizer = make(model.parameters())
    for number in (1, 2, 3):
        found = told(
            model, x, LOSSES["cross_entropy"][1], nn.CrossEntropyLoss(), optimizer, apply=True
        )
        assert isinstance(found, miya.Explanation)
        assert found.trace.number == number or isinstance(optimizer, torch.optim.SGD)
        same(found)


def test_frozen_parts_and_one_example():
    model, x = chain()
    model[0].weight.requires_grad_(False)
    found = told(model, x[0], torch.tensor([0.1, 0.2, 0.3]).double(), nn.MSELoss())
    assert isinstance(found, miya.Explanation) and not found.trace.network.batch
    same(found)
    assert "W1 is frozen" in found.text()


def test_flatten_and_dropout_that_do_nothing():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(6, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2)
    ).eval()
    found = told(model, torch.randn(3, 2, 3), torch.tensor([0, 1, 0]), nn.CrossEntropyLoss())
    assert isinstance(found, miya.Explanation)
    same(found)


@pytest.mark.parametrize("make", [torch.optim.SGD, torch.optim.Adam])
def test_a_layer_without_a_bias_has_frozen_zeros(make):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(4, 6, bias=False), nn.Tanh(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3, False)
    ).double()
    x, y = torch.randn(5, 4).double(), torch.tensor([0, 2, 1, 1, 0])
    optimizer = make(model.parameters(), lr=0.05)
    for _ in range(2):
        found = told(model, x, y, nn.CrossEntropyLoss(), optimizer, apply=True)
        assert isinstance(found, miya.Explanation)
        same(found)
        for k, trained in ((1, False), (2, True), (3, False)):
            update = found.trace.updates[f"bias{k}"]
            assert bool(update.mask.all()) == trained
            assert trained or not update.after.any()
        after = model[0].weight.detach().numpy()
        assert (found.trace.updates["weight1"].after == after).all()
    assert "b1 is frozen" in found.text() and "b2 is frozen" not in found.text()


@pytest.mark.parametrize(
    "model",
    [
        nn.Sequential(nn.Linear(4, 6), nn.Mish(), nn.Linear(6, 3)),
        nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.5), nn.Linear(6, 3)),
        nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6), nn.Linear(6, 3)),
        nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.ReLU(), nn.Linear(6, 3)),
    ],
    ids=["mish", "dropout", "norm", "two activations"],
)
def test_what_is_no_such_chain_is_told_as_a_model(model):
    found = told(model, torch.randn(5, 4), LOSSES["cross_entropy"][1], nn.CrossEntropyLoss())
    assert isinstance(found, miya.ModelExplanation)


@pytest.mark.parametrize(
    "loss",
    [
        nn.CrossEntropyLoss(label_smoothing=0.1),
        nn.CrossEntropyLoss(weight=torch.ones(3)),
        nn.MultiMarginLoss(),
    ],
)
def test_a_loss_of_another_kind_is_told_as_a_model(loss):
    model, x = chain(dtype=torch.float32)
    found = told(model, x, LOSSES["cross_entropy"][1], loss)
    assert isinstance(found, miya.ModelExplanation)


def test_other_numbers_are_refused():
    model, x = chain()
    found = told(model, x, LOSSES["cross_entropy"][1], nn.CrossEntropyLoss())
    trace = found.model
    assert as_network(trace) is not None
    call = next(c for c in trace.calls if c.name == "tanh")
    call.results[0].array[0, 0] += 1e-3
    assert as_network(trace) is None
