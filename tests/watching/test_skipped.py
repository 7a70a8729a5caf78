"""Steps that a GradScaler skips are told as such, however the gradients are then thrown away."""

import pytest
import torch
from torch import nn

import miya
from miya.watching.sinks import MemorySink

STEPS, BAD = 12, (0, 3, 4, 8)  # the loss of the bad ones is infinite, so the scaler skips them
TOLD = [1, 1, 2, 3, 3, 3, 4, 5, 6, 6, 7, 8]  # a skipped step is tried again
SKIPPED = [True, False, False, True, True, False, False, False, True, False, False, False]


def trained(zeroed, micro=1, looked=None, watched=True, **options):
    """The records and the parameters. zeroed: (before the passes or after the step, to None).
    looked: what else is done with the model after a step."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=50)
    criterion, sink = nn.CrossEntropyLoss(), MemorySink()
    if options:
        options["loss"] = criterion
    watch = miya.watch(model, optimizer, every=1, sinks=[sink], **options) if watched else None
    when, to_none = zeroed
    for k in range(STEPS):
        if when == "before":
            optimizer.zero_grad(set_to_none=to_none)
        for part in range(micro):
            x, y = torch.randn(8, 6), torch.randint(0, 3, (8,))
            with torch.autocast("cpu", torch.bfloat16):
                loss = criterion(model(x), y) / micro
            bad = k in BAD and part == micro - 1
            scaler.scale(loss * float("inf") if bad else loss).backward()
        scaler.step(optimizer)
        scaler.update()
        if looked is not None:
            looked(model, x)
        if when == "after":
            optimizer.zero_grad(set_to_none=to_none)
    if watch is not None:
        watch.stop()
    return sink.steps, [p.detach().clone() for p in model.parameters()]


WAYS = [(when, to_none) for when in ("before", "after") for to_none in (True, False)]


@pytest.mark.parametrize("zeroed", WAYS, ids=str)
@pytest.mark.parametrize("micro", [1, 3])
def test_every_skipped_step_is_told_and_the_next_attempt_is_whole(zeroed, micro):
    steps, parameters = trained(zeroed, micro)
    assert [r.step for r in steps] == TOLD
    assert [r.skipped for r in steps] == SKIPPED
    assert {r.examples for r in steps} == {8 * micro}
    _, plain = trained(zeroed, micro, watched=False)
    assert all(map(torch.equal, parameters, plain))


@pytest.mark.parametrize("to_none", [True, False])
def test_a_pass_in_between_does_not_hide_it(to_none):
    steps, _ = trained(("before", to_none), looked=lambda model, x: model(x).sum())
    assert [r.step for r in steps] == TOLD and [r.skipped for r in steps] == SKIPPED


@pytest.mark.parametrize("to_none", [True, False])
def test_the_attempt_after_a_skipped_step_has_its_real_change(to_none):
    steps, _ = trained(("before", to_none), real=True)
    assert [r.real is None for r in steps] == SKIPPED


def quiet(kind):
    """Models of which a layer has gradients of 0 on every batch."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8, bias=kind == "silent"), nn.ReLU(), nn.Linear(8, 3))
    with torch.no_grad():
        if kind == "silent":
            model[0].bias -= 99
    return model


@pytest.mark.parametrize("kind", ["silent", "nothing"])
def test_gradients_that_are_0_by_themselves_are_not_thrown_away(kind):
    """A silent layer gets no δ; of inputs that are 0 a weight has a gradient of 0 though δ came."""
    model, sink = quiet(kind), MemorySink()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-2)
    with miya.watch(model, optimizer, every=1, sinks=[sink]):
        for _ in range(4):
            optimizer.zero_grad(set_to_none=False)
            for _ in range(3):
                x = torch.randn(8, 6) if kind == "silent" else torch.zeros(8, 6)
                model(x).pow(2).mean().backward()
            optimizer.step()
    assert [(r.step, r.skipped, r.examples) for r in sink.steps] == [
        (k, False, 24) for k in range(1, 5)
    ]
