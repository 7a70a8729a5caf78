"""What is wrong is said once, and never raised in the training loop."""

import gc
import time
import tracemalloc
import warnings
import weakref

import pytest
import torch
from torch import nn

import miya
from miya.errors import MiyaInputError, MiyaWarning
from miya.watching import seen
from miya.watching.sinks import MemorySink


def mlp():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2))


def sgd(model, rate=0.1):
    return torch.optim.SGD(model.parameters(), lr=rate)


def step(model, optimizer, x=None, backward=True):
    optimizer.zero_grad()
    loss = (model(torch.ones(3, 4) if x is None else x) ** 2).mean()
    if backward:
        loss.backward()
    optimizer.step()
    return loss


def silenced(record):
    return [str(w.message) for w in record if issubclass(w.category, MiyaWarning)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            lambda m: (m.parameters, sgd(m)),
            "E710 the model is a method. Give a torch.nn.Module",
        ),
        (
            lambda m: (nn.Sequential(nn.ReLU()), sgd(m)),
            "E710 the model (Sequential) has no parameters: there is nothing to watch. Give the "
            "module that is trained",
        ),
        (lambda m: (m, []), "E711 no optimizer was given. Give the one that steps"),
        (
            lambda m: (m, "adam"),
            "E711 the optimizer is a str. Give a torch.optim.Optimizer of the model's parameters",
        ),
        (
            lambda m: (m, [sgd(m), sgd(nn.Linear(2, 2))]),
            "E711 optimizer 1 (SGD) holds 2 parameters, none of them the model's. Make the "
            "optimizer of model.parameters(), after the model is where it stays",
        ),
    ],
)
def test_what_cannot_be_watched_is_said_at_once(arguments, message):
    with pytest.raises(MiyaInputError) as error:
        miya.watch(*arguments(mlp()))
    assert str(error.value) == message


@pytest.mark.parametrize("every", [0, -1, 2.5, True, None])
def test_every_is_a_whole_number_from_1(every):
    model = mlp()
    with pytest.raises(MiyaInputError) as error:
        miya.watch(model, sgd(model), every=every)
    assert str(error.value) == (
        f"E712 every is {every!r}. Give a whole number from 1: every so many steps"
    )


MODULE = "give the torch.nn.Module that the loop calls with the output and the target"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"loss": nn.functional.cross_entropy},
            f"E713 loss is a function that takes arguments. {MODULE.capitalize()}, or a function "
            "without arguments, which works the loss out",
        ),
        (
            {"loss": "mse"},
            f"E713 loss is a str. {MODULE.capitalize()}, or a function without arguments, which "
            "works the loss out",
        ),
        ({"real": True}, "E713 real=True needs the loss to be worked out again. "),
        ({"credit": True}, "E713 credit=True needs the loss to be worked out again. "),
    ],
)
def test_a_loss_that_cannot_be_worked_out_again(options, message):
    model = mlp()
    with pytest.raises(MiyaInputError) as error:
        miya.watch(model, sgd(model), **options)
    assert str(error.value).lower().startswith(message.lower())


def test_an_optimizer_that_holds_other_parameters_too_is_said_once():
    model, other = mlp(), nn.Linear(2, 2)
    optimizer = torch.optim.SGD([*model.parameters(), *other.parameters()], lr=0.1)
    message = "W702 2 of the optimizers' 6 parameters are not the model's: not watched"
    with pytest.warns(MiyaWarning) as said:
        watch = miya.watch(model, optimizer, every=1, sinks=[MemorySink()])
    step(model, optimizer)
    watch.stop()
    assert silenced(said) == [message]


def test_a_second_watch_takes_the_place_of_the_first():
    model = mlp()
    optimizer = sgd(model)
    first, second = MemorySink(), MemorySink()
    early = miya.watch(model, optimizer, every=1, sinks=[first])
    step(model, optimizer)
    with pytest.warns(MiyaWarning) as said:
        late = miya.watch(model, optimizer, every=1, sinks=[second])
    step(model, optimizer)
    late.stop()
    assert silenced(said) == ["W703 the model was watched already: that watch has been stopped"]
    assert not early.active and first.closed
    assert [len(first.steps), len(second.steps)] == [1, 1]


def test_steps_without_backward_are_said_once():
    model = mlp()
    optimizer = sgd(model)
    sink = MemorySink()
    with pytest.warns(MiyaWarning) as said:
        watch = miya.watch(model, optimizer, every=1, sinks=[sink], rules=False)
        for _ in range(3):
            step(model, optimizer, backward=False)
        watch.stop()
    assert silenced(said) == [
        "W704 step 1: no parameter has a gradient: was loss.backward() called before the "
        "optimizer's step?"
    ]
    assert [r.layers[0].has_gradient for r in sink.steps] == [False] * 3
    assert sink.steps[0].predicted is None and sink.steps[0].layers[0].gradient is None
    assert sink.steps[1].layers[0].step == 0


def test_a_loss_that_is_not_a_number_is_located_and_said_once():
    model = mlp()
    optimizer = sgd(model)
    x = torch.ones(3, 4)
    x[1, 2] = float("nan")
    with pytest.warns(MiyaWarning) as said:
        watch = miya.watch(model, optimizer, every=1, sinks=[MemorySink()], rules=False)
        for _ in range(2):
            watch.loss(step(model, optimizer, x))
            watch.loss(step(model, optimizer, x))
        watch.stop()
    (message,) = silenced(said)
    assert message == ("W705 step 1: the first layer whose output is not finite is 0"), message
    assert all(p.isnan().any() for p in model[0].parameters()), "the training was left alone"


def test_a_loss_function_that_gives_infinity_is_told_apart():
    model = mlp()
    optimizer = sgd(model)
    with pytest.warns(MiyaWarning) as said:
        watch = miya.watch(model, optimizer, every=1, sinks=[MemorySink()], rules=False)
        watch.loss(torch.tensor(float("inf")))
        step(model, optimizer)
        watch.stop()
    assert silenced(said) == [
        "W705 step 1: the loss is infinite; every layer's output is finite: look at the loss "
        "function and its targets"
    ]


class Broken(MemorySink):
    def step(self, record):
        raise OSError("no space")


BREAKS = {
    "sink": lambda watch, patch: None,
    "before": lambda watch, patch: patch.setattr(watch.steps[0], "before", fails),
    "after": lambda watch, patch: patch.setattr(watch.steps[0], "after", fails),
    "look": lambda watch, patch: patch.setattr(type(watch.sights.seen), "look", fails),
    "delta": lambda watch, patch: patch.setattr(seen, "read", fails),
    "begin": lambda watch, patch: patch.setattr(watch, "_open", fails),
}


def fails(*_, **__):
    raise OSError("no space")


@pytest.mark.parametrize("where", BREAKS)
def test_a_fault_of_its_own_takes_the_watch_off_and_the_training_goes_on(where, monkeypatch):
    def trained(watched):
        model = mlp()
        optimizer = sgd(model)
        if watched:
            sink = Broken() if where == "sink" else MemorySink()
            watch = miya.watch(model, optimizer, every=1, sinks=[sink])
            BREAKS[where](watch, monkeypatch)
        for _ in range(4):
            step(model, optimizer)
        if watched:
            assert not watch.active and sink.closed
            assert not any(m._forward_hooks for m in model.modules())
            assert not optimizer._optimizer_step_pre_hooks
            assert not optimizer._optimizer_step_post_hooks
        return [p.detach().clone() for p in model.parameters()]

    plain = trained(False)
    with pytest.warns(MiyaWarning) as said:
        watched = trained(True)
    assert silenced(said) == ["W701 the watch is off, the training goes on: OSError: no space"]
    assert all(torch.equal(a, b) for a, b in zip(plain, watched, strict=True))


def test_warnings_that_are_errors_are_printed_instead(capsys):
    model = mlp()
    optimizer = sgd(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        miya.watch(model, optimizer, every=1, sinks=[Broken()])
        step(model, optimizer)
    assert "miya: W701 the watch is off" in capsys.readouterr().err


@pytest.mark.parametrize("every", [1, 3])
def test_stopping_removes_every_hook_and_reference(every):
    model = mlp()
    optimizer = sgd(model)
    criterion = nn.MSELoss()
    watch = miya.watch(
        model, optimizer, every=every, sinks=[MemorySink()], loss=criterion, real=True
    )
    for _ in range(5):
        optimizer.zero_grad()
        criterion(model(torch.ones(3, 4)), torch.zeros(3, 2)).backward()
        optimizer.step()
    watch.stop()
    watch.stop()
    for module in (*model.modules(), criterion):
        assert not module._forward_hooks and not module._forward_pre_hooks
        assert not module._forward_hooks_with_kwargs
    assert not optimizer._optimizer_step_pre_hooks and not optimizer._optimizer_step_post_hooks
    assert not any(p._backward_hooks for p in model.parameters())
    held = [weakref.ref(o) for o in (model, optimizer, criterion, *model.parameters())]
    del model, optimizer, criterion, module
    gc.collect()
    assert [r() for r in held] == [None] * len(held)
    gone = weakref.ref(watch)
    del watch
    gc.collect()
    assert gone() is None


def test_a_with_block_stops_it_also_where_the_loop_raises():
    model = mlp()
    optimizer = sgd(model)
    sink = MemorySink()
    with pytest.raises(KeyError), miya.watch(model, optimizer, every=2, sinks=[sink]) as watch:
        step(model, optimizer)
        raise KeyError("the user's")
    assert not watch.active and sink.closed and len(sink.steps) == 1


def test_memory_does_not_grow_with_the_steps():
    model = mlp()
    optimizer = sgd(model)
    watch = miya.watch(model, optimizer, every=2, sinks=[MemorySink(most=1)])
    for _ in range(200):
        step(model, optimizer)
    gc.collect()
    tracemalloc.start()
    for _ in range(50):
        step(model, optimizer)
    watch.flush()
    gc.collect()
    first = tracemalloc.get_traced_memory()[0]
    for _ in range(600):
        step(model, optimizer)
    watch.flush()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - first
    tracemalloc.stop()
    watch.stop()
    assert grown < 8 * 2**20 * 600 / 100_000  # 100,000 steps may take 8 MiB


def test_steps_that_are_not_watched_touch_nothing(monkeypatch):
    """No hook is on the model, and nothing is asked of a tensor."""
    model = mlp()
    optimizer = sgd(model)
    watch = miya.watch(model, optimizer, every=5, sinks=[MemorySink()])
    step(model, optimizer)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    monkeypatch.setattr(watch.steps[0], "before", fails)
    monkeypatch.setattr(watch.steps[0], "after", fails)
    for _ in range(3):
        watch.loss(Untouchable())
        step(model, optimizer)
    assert watch.active
    watch.stop()


class Untouchable:
    def __getattribute__(self, name):
        raise AssertionError(f"{name} was asked for")


def until(true):
    deadline = time.monotonic() + 20
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def test_what_waits_is_told_while_the_training_stands_still():
    model = mlp()
    optimizer = sgd(model)
    sink = MemorySink()
    with miya.watch(model, optimizer, every=1, sinks=[sink]):
        for _ in range(3):
            step(model, optimizer)
        assert until(lambda: len(sink.steps) == 3)


def test_a_fault_met_then_takes_the_watch_off_at_the_next_step(monkeypatch):
    model = mlp()
    optimizer = sgd(model)
    sink = MemorySink()
    with pytest.warns(MiyaWarning) as said:
        watch = miya.watch(model, optimizer, every=1, sinks=[sink])
        step(model, optimizer)
        monkeypatch.setattr(watch.delivery, "tell", fails)
        step(model, optimizer)
        assert until(lambda: watch.fault is not None or not watch.active)
        step(model, optimizer)
    assert silenced(said) == ["W701 the watch is off, the training goes on: OSError: no space"]
    assert not watch.active and sink.closed
