"""Whenever a watch ends, at any step and in the middle of a pass, no hook is left."""

import pytest
import torch
from torch import nn

import miya
from miya.errors import MiyaWarning
from miya.watching.seen import Seen
from miya.watching.sinks import MemorySink


def encoder():
    """Hooks inside an encoder layer are there only while a training pass is under way."""
    layer = nn.TransformerEncoderLayer(6, 2, 8, batch_first=True, dropout=0.0)
    return nn.Sequential(layer, nn.Linear(6, 3))


def dense():
    return nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3))


def hooks(model):
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    found = [
        (type(m).__name__, kind) for m in model.modules() for kind in kinds if getattr(m, kind)
    ]
    return found + [name for name, p in model.named_parameters() if p._backward_hooks]


def step(model, optimizer):
    optimizer.zero_grad()
    model(torch.ones(2, 5, 6)).sum().backward()
    optimizer.step()


@pytest.mark.parametrize("make", [dense, encoder])
@pytest.mark.parametrize("steps", range(5))
def test_after_any_number_of_steps(make, steps):
    model = make()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch = miya.watch(model, optimizer, every=1, sinks=[MemorySink()])
    for _ in range(steps):
        step(model, optimizer)
    assert hooks(model)
    watch.stop()
    assert not hooks(model)
    assert not optimizer._optimizer_step_pre_hooks and not optimizer._optimizer_step_post_hooks


@pytest.mark.parametrize("make", [dense, encoder])
def test_in_the_middle_of_a_pass(make, monkeypatch):
    def fails(self, layer, axis, found, held, bias):
        raise OSError(f"{len(hooks(model))} hooks are there")

    model = make()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch = miya.watch(model, optimizer, every=1, sinks=[MemorySink()])
    monkeypatch.setattr(Seen, "look", fails)
    with pytest.warns(MiyaWarning, match="W701 .* OSError: [1-9][0-9]* hooks are there"):
        model(torch.ones(2, 5, 6)).sum().backward()
    assert not watch.active and not hooks(model)


def test_of_a_compiled_step_too():
    """A hook that was compiled in stays while the watch lasts, and no longer."""
    torch._dynamo.reset()
    model = dense()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loss = torch.compile(lambda x: model(x).sum(), backend="eager")
    with miya.watch(model, optimizer, every=2, sinks=[MemorySink()]) as watch:
        for _ in range(4):
            optimizer.zero_grad()
            loss(torch.ones(5, 6)).backward()
            optimizer.step()
        assert any(place.fixed for place in watch.sights.places)
    assert not hooks(model)
