"""Watching step after step: layers with large outputs take turns, and steps are told in time."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import miya
from miya.watching import resting, steps
from miya.watching.capture import STILL, Capture, Waiting
from miya.watching.layers import Held
from miya.watching.rules import APART, EARLY
from miya.watching.sinks import MemorySink

STEPS = 80
LARGE = resting.LARGE // 64  # neurons of a layer that rests, with 64 examples


def trained(every=1, count=STEPS, left_out=(), scaler=None, sizes=(64,)):
    """The records, and in each step δ by the output of every layer, as autograd has it."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, LARGE), nn.Tanh(), nn.Linear(LARGE, LARGE), nn.Tanh())
    model.append(nn.Linear(LARGE, 2))
    outputs, real = [], []

    def keep(module, arguments, out):
        out.retain_grad()
        outputs.append(out)

    for module in model[::2]:
        module.register_forward_hook(keep)
    optimizer, sink = torch.optim.SGD(model.parameters(), lr=0.05), MemorySink()
    with miya.watch(model, optimizer, every=every, sinks=[sink], rules=False):
        for k in range(count):
            outputs.clear()
            size = sizes[k % len(sizes)]
            optimizer.zero_grad()
            x = torch.randn(size, 3)
            y = model[0](x) if k in left_out else model(x)
            loss = y.square().mean()
            if scaler is not None:
                loss = scaler.scale(loss)
            loss.backward()
            factor = 1.0 if scaler is None else scaler.get_scale()
            real.append([float(out.grad.norm()) / factor for out in outputs])
            if scaler is None:
                optimizer.step()
            else:
                scaler.step(optimizer)
                scaler.update()
    return list(sink.steps), real


def told(records, layer):
    return [r.layers[layer].delta for r in records]


def test_large_layers_rest_once_the_rules_look_at_fewer_steps():
    records, real = trained()
    assert [r.examples for r in records] == [64] * STEPS
    for layer in range(3):
        found, expected = told(records, layer), [of[layer] for of in real]
        seen = [math.isclose(a, b, rel_tol=1e-4) for a, b in zip(found, expected, strict=True)]
        if layer == 2:
            assert all(seen), "a small layer is looked at in every step"
            continue
        assert all(seen[:EARLY])
        assert 2 <= sum(seen[EARLY:]) <= 8
        for k in range(EARLY, STEPS):  # between two looks stands the one before
            at = max(j for j in range(k + 1) if seen[j])
            assert k - at < resting.NEAR and found[k] == found[at]
            assert records[k].layers[layer].age == k - at
            assert records[k].neurons[layer].pressure is not None
            pressures = [records[j].neurons[layer].pressure for j in (at, k)]
            np.testing.assert_array_equal(*pressures)
        assert all(r.layers[layer].gradient > 0 and r.layers[layer].step > 0 for r in records)
    gradients = [r.layers[0].gradient for r in records[EARLY:]]
    assert len(set(gradients)) == len(gradients), "parameters are looked at in every step"


def test_what_the_rules_look_at_is_never_the_same_look_twice():
    assert resting.NEAR <= APART


def test_examples_are_counted_also_while_the_first_layer_rests():
    records, _ = trained(sizes=(64, 65, 70))
    assert [r.examples for r in records] == [(64, 65, 70)[k % 3] for k in range(STEPS)]


def test_nothing_rests_where_watched_steps_are_apart():
    records, real = trained(every=resting.NEAR, count=60 * resting.NEAR)
    for layer in range(3):
        expected = [of[layer] for of in real[:: resting.NEAR]]
        np.testing.assert_allclose(told(records, layer), expected, rtol=1e-4)


def test_nothing_rests_where_the_loss_is_scaled():
    scaler = torch.amp.GradScaler("cpu", init_scale=64.0, growth_interval=7)
    records, real = trained(scaler=scaler)
    # the first step that is seen to be scaled is the first one of all
    np.testing.assert_allclose(told(records, 1), [of[1] for of in real], rtol=1e-4)


def test_a_layer_that_is_left_out_of_a_step_is_not_told_as_it_was():
    records, _ = trained(left_out=range(56, 60))
    for k in range(56, 60):
        assert records[k].layers[1].delta is None and records[k].layers[2].delta is None
        assert records[k].layers[0].gradient > 0
    assert records[62].layers[2].delta > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_rows_that_are_zero_or_small_are_told_as_they_are(dtype):
    weight = nn.Parameter(torch.zeros(5, 4, dtype=dtype))
    held = Held(0, "weight", weight, 0, 0, (5, 4), (1,))
    rows = torch.tensor([1.0, 0.0, 1e-30, 1e20, 2.0])[:, None] * torch.tensor([1.0, 2.0, -2.0, 4.0])
    expected = rows.to(dtype).double().norm(dim=1).numpy()
    found = steps.rows_of([rows.to(dtype)], [held]).double().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    silent = rows.to(dtype)
    silent[2:4] = 0
    found = steps.rows_of([silent], [held]).double().numpy()
    np.testing.assert_allclose(found, silent.double().norm(dim=1).numpy(), rtol=1e-6)
    assert found[1] == found[2] == 0


def test_what_waits_is_due_when_the_training_stands_still():
    waiting = Waiting(1.0)
    assert not waiting.is_due(100.0)
    for seconds in (0.0, 0.9):
        waiting.add(Capture((), seconds=seconds))
    assert not waiting.is_due(0.95)
    assert not waiting.is_due(0.9 + STILL), "a step has just come"
    assert waiting.is_due(0.91 + STILL)
    assert waiting.add(Capture((), seconds=1.1)), "the training itself tells them"


def test_a_number_that_is_not_finite_is_told_at_once_without_sinks():
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    with pytest.warns(miya.errors.MiyaWarning, match="W705 step 70: the loss is NaN"):
        watch = miya.watch(model, optimizer, every=1)
        for k in range(1, 135):
            optimizer.zero_grad()
            loss = model(torch.randn(8, 3)).square().mean()
            watch.loss(loss * math.nan if k == 70 else loss)
            loss.backward()
            optimizer.step()
        assert "W705" in watch.teller.said, "before the watch is stopped"
        watch.stop()
