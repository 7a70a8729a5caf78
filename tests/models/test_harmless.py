"""A step leaves everything of the user's bit for bit as it was, also when it is broken off; with
apply=True it makes exactly the step that torch would have made."""

import random
import weakref
from copy import deepcopy

import numpy as np
import pytest
import torch
from models.steps import Mlp, bits, data, raw_step, seeded, snapshot, state_bits
from torch import nn

from miya.errors import MiyaInputError
from miya.read.torch.step import model_step

CROSS = nn.CrossEntropyLoss()


def user(make=Mlp, optimizer=lambda p: torch.optim.AdamW(p, lr=0.01)):
    """A model that has been trained for two steps, so that states and gradients are there."""
    model = seeded(make)
    made = optimizer(model.parameters())
    x, y = data()
    for _ in range(2):
        raw_step(model, x, y, CROSS, made)
    return model, made, x, y


class Reads(nn.Module):
    """Draws from every generator and keeps a count."""

    def __init__(self):
        super().__init__()
        self.inner, self.count = Mlp(), 0
        self.register_buffer("seen", torch.zeros(3), persistent=False)

    def forward(self, x):
        self.count += 1
        self.seen += x.detach().mean(0)
        noise = random.random() + float(np.random.rand())
        return self.inner(x * noise + torch.randn_like(x))


@pytest.mark.parametrize("make", [Mlp, Reads])
def test_nothing_of_the_user_s_changes(make):
    model, optimizer, x, y = user(make)
    model.inner.drop.eval() if make is Reads else model.drop.eval()
    before = snapshot(model, optimizer, (x, y))
    trace = model_step(model, x, y, loss=CROSS, optimizer=optimizer)
    assert trace.loss_after != trace.loss
    trace.runner.loss_and_gradients({n: p.after for n, p in trace.parameters.items()})
    for value in trace.values.values():
        value.array, value.gradient  # noqa: B018
    for call in trace.calls:
        for role in call.operands:
            call.passed(role)
    assert snapshot(model, optimizer, (x, y)) == before


class Breaks(nn.Module):
    def __init__(self, error):
        super().__init__()
        self.inner, self.error = Mlp(), error

    def forward(self, x):
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(True)
        random.random(), np.random.rand()
        out = self.inner(x)
        if self.error == "forward":
            raise ZeroDivisionError("in forward")
        if self.error == "interrupt":
            raise KeyboardInterrupt
        if self.error == "backward":
            out.register_hook(self.fail)
        return out

    @staticmethod
    def fail(gradient):
        raise ZeroDivisionError("in backward")


class Failing(torch.optim.SGD):
    def step(self, closure=None):
        super().step()
        raise ZeroDivisionError("in the step")


def bad_loss(output, target):
    raise ZeroDivisionError("in the loss")


@pytest.mark.parametrize("apply", [False, True])
@pytest.mark.parametrize("where", ["forward", "interrupt", "backward", "loss", "optimizer"])
def test_nothing_changes_when_the_step_is_broken_off(where, apply):
    model = seeded(lambda: Breaks(""))
    kind = Failing if where == "optimizer" else torch.optim.SGD
    optimizer = kind(model.parameters(), lr=0.1, momentum=0.9)
    model.error = where
    x, y = data()
    before = snapshot(model, optimizer, (x, y))
    expected = KeyboardInterrupt if where == "interrupt" else MiyaInputError
    with pytest.raises(expected) as raised:
        model_step(
            model,
            x,
            y,
            loss=bad_loss if where == "loss" else CROSS,
            optimizer=optimizer,
            apply=apply,
        )
    assert snapshot(model, optimizer, (x, y)) == before
    if where != "interrupt":
        assert isinstance(raised.value.__cause__, ZeroDivisionError)
        assert raised.value.code == ("E415" if where == "optimizer" else "E416")


def test_apply_is_broken_off_as_a_whole(monkeypatch):
    model, optimizer, x, y = user()
    before = snapshot(model, optimizer)

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("miya.read.torch.applying._apply_optimizer", interrupt)
    with pytest.raises(KeyboardInterrupt):
        model_step(model, x, y, loss=CROSS, optimizer=optimizer, apply=True)
    after = snapshot(model, optimizer)
    for part in before:
        if part == "parameters":  # writing and putting back are two changes more
            assert {n: p[0] for n, p in after[part].items()} == {
                n: p[0] for n, p in before[part].items()
            }
        elif part == "buffers":
            assert {n: b[0] for n, b in after[part].items()} == {
                n: b[0] for n, b in before[part].items()
            }
        else:
            assert after[part] == before[part], part


@pytest.mark.parametrize("make", [Mlp, Reads])
def test_apply_makes_exactly_torch_s_step(make):
    model, optimizer, x, y = user(make)
    other = deepcopy(model)
    theirs = torch.optim.AdamW(other.parameters(), lr=0.01)
    theirs.load_state_dict(deepcopy(optimizer.state_dict()))
    state = random.getstate(), np.random.get_state(), torch.get_rng_state()
    loss = raw_step(other, x, y, CROSS, theirs)
    after = random.random(), float(np.random.rand()), float(torch.rand(()))
    random.setstate(state[0]), np.random.set_state(state[1]), torch.set_rng_state(state[2])
    trace = model_step(model, x, y, loss=CROSS, optimizer=optimizer, apply=True)
    assert trace.loss == loss
    assert (random.random(), float(np.random.rand()), float(torch.rand(()))) == after
    for (name, a), (_, b) in zip(model.named_parameters(), other.named_parameters()):
        assert bits(a) == bits(b) and bits(a.grad) == bits(b.grad), name
        np.testing.assert_array_equal(trace.parameters[name].after, b.detach().numpy())
    for (name, a), (_, b) in zip(model.named_buffers(), other.named_buffers()):
        assert bits(a) == bits(b), name
    assert state_bits(optimizer) == state_bits(theirs)
    assert getattr(model, "count", 0) == getattr(other, "count", 0)


def test_apply_tells_a_scheduler_that_the_optimizer_has_stepped():
    model, optimizer, x, y = user()
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    rate = optimizer.param_groups[0]["lr"]
    model_step(model, x, y, loss=CROSS, optimizer=optimizer, apply=True)
    scheduler.step()  # would warn
    assert optimizer.param_groups[0]["lr"] == rate / 2


def test_a_step_under_a_scheduler_does_not_step_the_user_s_own():
    model, optimizer, x, y = user()
    torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    before = snapshot(model, optimizer)
    model_step(model, x, y, loss=CROSS, optimizer=optimizer)
    assert snapshot(model, optimizer) == before


def test_inputs_that_require_grad_and_that_the_model_changes():
    class Changes(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 2)

        def forward(self, x, scale):
            x += 1
            return self.fc(x) * scale

    model = seeded(Changes)
    x, y = data()
    scale = torch.tensor(2.0, requires_grad=True)
    behind = (scale * 3).exp()
    before = snapshot(model, None, (x, scale, y))
    trace = model_step(model, (x, behind), y, loss=CROSS)
    assert snapshot(model, None, (x, scale, y)) == before
    assert trace.values["input.1"].gradient is not None
    np.testing.assert_array_equal(trace.values["input.0"].array, x.numpy())
    assert trace.loss_after == trace.loss  # no optimizer: nothing moves


def test_hooks_of_the_user_s_run_on_the_copy():
    model, optimizer, x, y = user()
    seen = []
    model.fc1.register_forward_hook(lambda m, a, out: seen.append(m) or out * 2)
    model.fc2.weight.register_hook(lambda g: g * 3)
    before = snapshot(model, optimizer)
    with pytest.warns(UserWarning, match=r"W423 .*fc2\.weight"):
        trace = model_step(model, x, y, loss=CROSS, optimizer=optimizer)
    assert snapshot(model, optimizer) == before
    assert seen[0] is not model.fc1
    raw_step(model, x, y, CROSS, None)
    for name, p in model.named_parameters():
        if "norm" not in name and "fc1" not in name:  # masks differ from step to step
            assert trace.gradients[name].shape == p.shape
    assert "fc1.mul" in trace.values or trace.values["fc1"].call.name == "mul"


def test_nothing_is_kept_alive_but_by_the_trace():
    model, optimizer, x, y = user()
    trace = model_step(model, x, y, loss=CROSS, optimizer=optimizer)
    held = weakref.ref(trace)
    del trace
    import gc

    gc.collect()
    assert held() is None


def test_a_loss_that_reads_the_model_reads_the_copy():
    model, optimizer, x, y = user()
    model.drop.eval()

    def penalty():
        return sum(p.square().sum() for p in model.parameters())

    def loss(output, target):
        return CROSS(output, target) + 0.1 * penalty()

    before = snapshot(model, optimizer)
    trace = model_step(model, x, y, loss=loss, optimizer=optimizer)
    assert snapshot(model, optimizer) == before
    raw_step(model, x, y, loss, None)
    for name, p in model.named_parameters():
        np.testing.assert_array_equal(trace.gradients[name], p.grad.numpy(), err_msg=name)


def test_autocast_inference_mode_and_no_grad_around():
    model, optimizer, x, y = user()
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        before = snapshot(model, optimizer)
        model_step(model, x, y, loss=CROSS, optimizer=optimizer)
        assert snapshot(model, optimizer) == before
    with torch.inference_mode():
        trace = model_step(model, x, y, loss=CROSS, optimizer=optimizer)
        assert torch.is_inference_mode_enabled()
    assert trace.gradients["fc1.weight"] is not None


def test_the_memory_of_a_trace_let_go_is_taken_back_by_the_next_step(monkeypatch):
    monkeypatch.setattr("miya.read.torch.garbage.ENOUGH", 0)
    model, optimizer, x, y = user()
    trace = model_step(model, x, y, loss=CROSS, optimizer=optimizer)
    held = weakref.ref(trace.values["fc1"].tensor)
    del trace
    model_step(model, x, y, loss=CROSS, optimizer=optimizer)
    assert held() is None
