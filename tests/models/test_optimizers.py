"""Updates and states equal torch.optim's bit for bit, for all of its optimizers."""

from copy import deepcopy
from functools import partial

import numpy as np
import pytest
import torch
from models.steps import Mlp, bits, data, plain, raw_step, seeded, snapshot
from torch import nn, optim

import miya
from miya.errors import MiyaInputError
from miya.read.torch.step import model_step

CROSS = nn.CrossEntropyLoss()


def groups(parameters, **other):
    """Two groups with options of their own."""
    every = list(parameters)
    return [{"params": every[:2], **other}, {"params": every[2:]}]


MAKERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "SGD momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.2),
    "SGD nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "SGD maximize": lambda p: optim.SGD(p, lr=0.1, weight_decay=0.1, maximize=True),
    "SGD foreach": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, foreach=True),
    "SGD fused": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, fused=True),
    "Adam": lambda p: optim.Adam(p, lr=0.01),
    "Adam amsgrad": lambda p: optim.Adam(p, lr=0.01, amsgrad=True, weight_decay=0.1),
    "Adam foreach": lambda p: optim.Adam(p, lr=0.01, foreach=True),
    "Adam fused": lambda p: optim.Adam(p, lr=0.01, fused=True),
    "Adam rate as a tensor": lambda p: optim.Adam(p, lr=torch.tensor(0.01)),
    "Adam for loop": lambda p: optim.Adam(p, lr=0.01, foreach=False, maximize=True),
    "AdamW": lambda p: optim.AdamW(p, lr=0.01, weight_decay=0.2),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.01),
    "RMSprop centred": lambda p: optim.RMSprop(p, lr=0.01, centered=True, momentum=0.8),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.01, lr_decay=0.1, initial_accumulator_value=0.2),
    "Adadelta": lambda p: optim.Adadelta(p, lr=0.5),
    "Adamax": lambda p: optim.Adamax(p, lr=0.01),
    "NAdam": lambda p: optim.NAdam(p, lr=0.01, weight_decay=0.01, decoupled_weight_decay=True),
    "RAdam": lambda p: optim.RAdam(p, lr=0.01),
    "Rprop": lambda p: optim.Rprop(p, lr=0.01),
    "ASGD": lambda p: optim.ASGD(p, lr=0.01),
    "Adafactor": lambda p: optim.Adafactor(p, lr=0.01),
    "LBFGS": lambda p: optim.LBFGS(p, lr=0.1, max_iter=4, history_size=3),
    "LBFGS line search": lambda p: optim.LBFGS(p, max_iter=4, line_search_fn="strong_wolfe"),
    "SGD in groups": lambda p: optim.SGD(groups(p, lr=0.5), lr=0.1, momentum=0.9),
    "AdamW in groups": lambda p: optim.AdamW(groups(p, betas=(0.5, 0.6)), lr=0.1),
}


@pytest.mark.parametrize("steps_before", [0, 2])
@pytest.mark.parametrize("name", MAKERS)
def test_updates_are_torch_s_bit_for_bit(name, steps_before):
    make = MAKERS[name]
    model = seeded(Mlp)
    model.drop.eval()  # an optimizer that asks again draws no other mask
    optimizer = make(model.parameters())
    x, y = data()
    for _ in range(steps_before):
        raw_step(model, x, y, CROSS, optimizer)
    before = snapshot(model, optimizer)
    trace = model_step(model, x, y, loss=CROSS, optimizer=optimizer)
    assert snapshot(model, optimizer) == before
    held = {
        n: {k: plain(v) for k, v in optimizer.state[p].items()}
        for n, p in model.named_parameters()
        if p in optimizer.state
    }
    told = {n: dict(p.state_before) for n, p in trace.parameters.items()}
    raw_step(model, x, y, CROSS, optimizer)
    for n, p in model.named_parameters():
        step = trace.parameters[n]
        np.testing.assert_array_equal(step.after, p.detach().numpy(), err_msg=n)
        assert step.after.tobytes() == p.detach().numpy().tobytes()
        assert step.trained
        if "LBFGS" not in name:
            np.testing.assert_array_equal(step.gradient, p.grad.numpy())
        assert set(told[n]) == {k for k, v in held.get(n, {}).items() if v is not None}
        for key, now in optimizer.state.get(p, {}).items():
            compare_state(step.state_after.get(key), now)
    assert trace.optimizer.name == type(optimizer).__name__
    assert [p.group for p in trace.parameters.values()] == [
        k for k, g in enumerate(optimizer.param_groups) for _ in g["params"]
    ]


def compare_state(told, real):
    if isinstance(real, torch.Tensor):
        np.testing.assert_array_equal(told, real.numpy())
    elif isinstance(real, (int, float)):
        assert told == real


def test_state_before_is_that_before_the_step():
    model = seeded(Mlp)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    x, y = data()
    raw_step(model, x, y, CROSS, optimizer)
    trace = model_step(model, x, y, loss=CROSS, optimizer=optimizer)
    step = trace.parameters["fc1.weight"]
    real = optimizer.state[model.fc1.weight]
    np.testing.assert_array_equal(step.state_before["exp_avg"], real["exp_avg"].numpy())
    assert step.state_before["step"] == 1 and step.state_after["step"] == 2
    expected = 0.9 * step.state_before["exp_avg"] + 0.1 * step.gradient
    np.testing.assert_allclose(step.state_after["exp_avg"], expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize(
    "make", [optim.SGD, partial(optim.Adam, lr=0.02), lambda p: optim.SGD(p, lr=0.1)]
)
def test_an_optimizer_may_be_what_makes_one(make):
    model = seeded(Mlp)
    x, y = data()
    state = torch.get_rng_state()
    trace = model_step(model, x, y, loss=CROSS, optimizer=make)
    torch.set_rng_state(state)
    other = deepcopy(model)
    raw_step(other, x, y, CROSS, make(list(other.parameters())))
    for n, p in other.named_parameters():
        np.testing.assert_array_equal(trace.parameters[n].after, p.detach().numpy())


def test_apply_with_what_makes_an_optimizer_moves_the_model():
    model = seeded(Mlp)
    x, y = data()
    trace = model_step(model, x, y, loss=CROSS, optimizer=optim.SGD, apply=True)
    for n, p in model.named_parameters():
        np.testing.assert_array_equal(trace.parameters[n].after, p.detach().numpy())


@pytest.mark.parametrize("name", ["SGD momentum", "LBFGS", "Adafactor", "AdamW in groups"])
def test_steps_made_by_apply_go_on_as_torch_s(name):
    model = seeded(Mlp)
    model.drop.eval()
    other = deepcopy(model)
    mine, theirs = MAKERS[name](model.parameters()), MAKERS[name](other.parameters())
    x, y = data()
    for _ in range(3):
        model_step(model, x, y, loss=CROSS, optimizer=mine, apply=True)
        raw_step(other, x, y, CROSS, theirs)
        for (n, a), b in zip(model.named_parameters(), other.parameters()):
            assert bits(a) == bits(b) and bits(a.grad) == bits(b.grad), n


def test_sparse_gradients():
    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.fc = nn.Embedding(9, 3, sparse=True), nn.Linear(3, 2)

        def forward(self, x):
            return self.fc(self.embedding(x).mean(1))

    model = seeded(Words)
    x, y = torch.randint(0, 9, (4, 5)), torch.tensor([0, 1, 1, 0])
    for make in (
        lambda p: optim.SGD(p, lr=0.1),
        lambda p: optim.SparseAdam([next(iter(p))], lr=0.1),
    ):
        optimizer = make(model.parameters())
        other = deepcopy(model)
        trace = model_step(model, x, y, loss=CROSS, optimizer=optimizer)
        raw_step(other, x, y, CROSS, make(other.parameters()))
        for n, p in other.named_parameters():
            np.testing.assert_array_equal(trace.parameters[n].after, p.detach().numpy())
        np.testing.assert_array_equal(
            trace.gradients["embedding.weight"], other.embedding.weight.grad.to_dense().numpy()
        )
        assert (
            not trace.parameters["fc.weight"].trained
            or len(optimizer.param_groups[0]["params"]) > 1
        )


class Clipped(optim.SGD):
    """An optimizer of a user's own, with an attribute of its own."""

    def __init__(self, parameters, lr, most):
        super().__init__(parameters, lr=lr)
        self.most = most

    def step(self, closure=None):
        for group in self.param_groups:
            nn.utils.clip_grad_norm_(group["params"], self.most)
        return super().step(closure)


def test_an_optimizer_of_the_user_s_own_and_its_hooks():
    model = seeded(Mlp)
    model.drop.eval()
    other = deepcopy(model)
    x, y = data()
    calls = []
    for m in (model, other):
        m.optimizer = Clipped(m.parameters(), 0.5, 0.01)
    model_optimizer, other_optimizer = (
        model.__dict__.pop("optimizer"),
        other.__dict__.pop("optimizer"),
    )
    for found in (model_optimizer, other_optimizer):
        found.register_step_pre_hook(lambda o, args, kwargs: calls.append(o))
    trace = model_step(model, x, y, loss=CROSS, optimizer=model_optimizer)
    assert calls and all(o is not model_optimizer for o in calls)
    raw_step(other, x, y, CROSS, other_optimizer)
    for n, p in other.named_parameters():
        np.testing.assert_array_equal(trace.parameters[n].after, p.detach().numpy())
        assert not np.array_equal(trace.gradients[n], p.grad.numpy()) or not p.grad.any()


def test_frozen_and_unheld_parameters_stay():
    model = seeded(Mlp)
    model.fc1.weight.requires_grad_(False)
    x, y = data()
    optimizer = optim.SGD([model.fc1.weight, model.fc2.weight], lr=0.1, weight_decay=0.1)
    trace = model_step(model, x, y, loss=CROSS, optimizer=optimizer)
    frozen, held, free = (trace.parameters[n] for n in ("fc1.weight", "fc2.weight", "fc2.bias"))
    assert frozen.gradient is None and not frozen.trained and frozen.group == 0
    assert held.trained and held.change.any()
    assert (
        free.gradient is not None
        and not free.trained
        and free.group is None
        and not free.change.any()
    )


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (lambda m: optim.SGD(deepcopy(m).parameters(), lr=0.1), r"E415 .* SGD holds 6 parameters that the model has not, the first of shape \(5, 3\)"),
        (lambda m: "adam", r"E415 the optimizer is 'adam', of type str"),
        (lambda m: lambda p: None, r"E415 the optimizer's maker gave a NoneType"),
        (lambda m: optim.SparseAdam, r"E415 SparseAdam cannot make its step: RuntimeError: SparseAdam does not support dense"),
        (lambda m: lambda p: optim.SGD(p, lr=-1), r"E415 the optimizer cannot be made: ValueError: Invalid learning rate"),
    ],
)  # fmt: skip
def test_an_optimizer_that_does_not_fit(optimizer, message):
    model = seeded(Mlp)
    x, y = data()
    with pytest.raises(MiyaInputError, match=message):
        model_step(model, x, y, loss=CROSS, optimizer=optimizer(model))


@pytest.mark.parametrize("name", ["Adafactor", "LBFGS", "Muon", "SGD of a tensor"])
def test_every_optimizers_options_are_told(name):
    """None in a pair, words, and a learning rate that is a tensor."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4, bias=False), nn.LayerNorm(4, bias=False), nn.GLU())
    model[1].weight.requires_grad_(False)
    make = {
        "Adafactor": lambda p: torch.optim.Adafactor(p, lr=0.02),
        "LBFGS": lambda p: torch.optim.LBFGS(p, lr=0.5, line_search_fn="strong_wolfe"),
        "Muon": lambda p: torch.optim.Muon(p, lr=0.02),
        "SGD of a tensor": lambda p: torch.optim.SGD(p, lr=torch.tensor(0.5)),
    }[name]
    optimizer = make([p for p in model.parameters() if p.requires_grad])
    told = miya.explain(
        model, torch.randn(5, 3), torch.randn(5, 2), loss=nn.MSELoss(), optimizer=optimizer
    )
    said = " ".join(told.text().split())
    assert f"Optimizer: {name.partition(' ')[0]} (" in said
    shown = {
        "Adafactor": "eps = (None, 0.001)",
        "LBFGS": "line_search_fn = strong_wolfe",
        "Muon": "lr = 0.02",
        "SGD of a tensor": "lr = 0.5",
    }[name]
    assert shown in said
    assert told.html() and told.json()
