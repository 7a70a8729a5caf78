"""One step of a model, held number by number against a run of its own in plain autograd (float64):
every value and gradient of the trace, the terms told of sampled elements of each, the updates, and
that nothing of the user's has changed."""

import warnings
from collections import defaultdict
from contextlib import contextmanager
from copy import deepcopy
from functools import partial

import numpy as np
import torch
from models.steps import raw_step, snapshot
from torch.nn.modules.module import register_module_forward_hook
from torch.overrides import TorchFunctionMode

from miya.core.calls import Worked
from miya.core.contributions import contributions
from miya.core.records import RECORDS
from miya.core.records.formula import evaluate
from miya.errors import MiyaWarning
from miya.read.torch.functions import COMPOSITE, opened
from miya.read.torch.step import model_step
from miya.read.torch.values import tensors_in, to_array

GRADIENTS = 1e-12  # relative, of every gradient
TERMS = 1e-10  # relative to the gradient and the sizes of its terms
NOISE = 1e-15  # of the largest gradient: what torch's own rounding leaves where numbers cancel
SAMPLED = 20  # elements of each value of the trace
FEW = 5  # of each value inside an expanded call, and of each result that is made of others

# What the recorder makes beside a change in place: the whole around a changed part, and each view
# of it, seen anew. No tensor of the model's own stands for them.
SEEN_ANEW = {"changed_in_place", "view_again"}


class Watch(TorchFunctionMode):
    """Keeps every float tensor that a function of torch or a module gives, in `seen`: its numbers
    then, the gradient that a hook on it is given (None until then), and what gave it."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func.__name__ in COMPOSITE:
            with self:
                return opened(func)(*args, **(kwargs or {}))
        found = func(*args, **(kwargs or {}))
        self.keep_all(args[0] if func.__name__ == "__setitem__" else found, func.__name__)
        return found

    def keep_all(self, found, by):
        with torch._C.DisableTorchFunction():
            for tensor in tensors_in(found):
                if tensor.is_floating_point() and tensor.requires_grad:
                    self.seen.append([to_array(tensor).copy(), None, by])
                    tensor.register_hook(partial(self.keep, len(self.seen) - 1))

    def keep(self, at, gradient):
        self.seen[at][1] = to_array(gradient).copy()


@contextmanager
def watching():
    """A Watch of all that is made inside."""
    watch = Watch()
    handle = register_module_forward_hook(lambda module, given, out: watch.keep_all(out, module))
    try:
        with watch:
            yield watch
    finally:
        handle.remove()


@contextmanager
def one_thread():
    """Threads only wait for each other over tensors this small."""
    was = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(was)


@one_thread()
def exact(model, inputs=(), target=None, *, loss=None, optimizer=None, steps_before=0, whole=()):
    """The trace of a step of `model`, held against plain autograd.

    optimizer: makes one of a model. steps_before: how many the user has made before. whole: the
    names of the operations, all of them, that are told at the level of tensors here.
    """
    given, other = (inputs, target), deepcopy(model)
    mine, theirs = (optimizer and optimizer(m) for m in (model, other))
    for module, made in ((model, mine), (other, theirs)):
        with drawing(torch.get_rng_state()):
            for _ in range(steps_before):
                raw_step(module, *deepcopy(given), loss, made)
    random, before = torch.get_rng_state(), snapshot(model, mine, given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MiyaWarning)
        trace = model_step(model, inputs, target, loss=loss, optimizer=mine)
    assert snapshot(model, mine, given) == before, "something of the user's has changed"

    inputs, target = deepcopy(given)
    with drawing(random), watching() as watch:
        watched = deepcopy((other, inputs, target))
        raw_step(*watched, loss, None)
    with drawing(random):
        assert trace.loss == raw_step(other, inputs, target, loss, theirs)
    same_gradients(trace, *watched)
    same_updates(trace, other, theirs)
    same_values(trace, watch.seen)
    found = terms_add_up(trace)
    assert found == set(whole), f"told at the level of tensors: {found}"
    return trace


@contextmanager
def drawing(state):
    """Torch's generator in this state, and afterwards as it was."""
    with torch.random.fork_rng(devices=()):
        torch.set_rng_state(state)
        yield


def near(told, real, what):
    np.testing.assert_allclose(told, real, rtol=GRADIENTS, atol=0, err_msg=str(what))


def same_gradients(trace, model, inputs, target):
    """Of every parameter and input; None where autograd has none."""
    given = zip((*trace.inputs, *trace.targets), tensors_in((inputs, target)), strict=True)
    named = dict(model.named_parameters())
    assert set(trace.parameters) == set(named)
    for told, real in (*given, *((trace.parameters[n], p) for n, p in named.items())):
        assert (told.gradient is None) == (real.grad is None), told.name
        if real.grad is not None:
            near(told.gradient, to_array(real.grad), told.name)


def same_updates(trace, model, optimizer):
    """Every parameter after the step and the optimizer's state of it, bit for bit."""
    for name, p in model.named_parameters():
        told = trace.parameters[name]
        assert told.after.tobytes() == to_array(p).tobytes(), name
        for key, now in (optimizer.state.get(p, {}) if optimizer else {}).items():
            same_state(told.state_after.get(key), now)


def same_state(told, real):
    if isinstance(real, torch.Tensor):
        real = real.numpy()
        assert np.asarray(told, real.dtype).tobytes() == real.tobytes()
    elif isinstance(real, (int, float)):
        assert told == real


def distinct(values):
    return {id(v): v for v in values}.values()


def bits(array):
    return array.shape, array.dtype.str, np.ascontiguousarray(array).tobytes()


def same_values(trace, seen):
    """Each value made in the step is one that torch made, with the gradient that autograd gave it;
    and none that has a gradient is missing from the trace."""
    real, told = defaultdict(list), defaultdict(list)
    for array, gradient, by in seen:
        if gradient is not None:
            real[bits(array)].append((gradient, by))
    for value in distinct(trace.values.values()):
        if value.gradient is not None:
            told[bits(value.array)].append(value.gradient)
        if value.kind != "result" or value.gradient is None or value.call.name in SEEN_ANEW:
            continue
        found = real[bits(value.array)]
        assert found, f"{value} is nothing that torch made with a gradient"
        if not any(alike(value.gradient, g) for g, _ in found):
            near(value.gradient, found[0][0], value)
    for key, gradients in real.items():
        for gradient, by in gradients:
            assert any(alike(g, gradient) for g in told[key]), f"not in the trace: {by}, {key[0]}"


def alike(told, real):
    return np.allclose(told, real, rtol=GRADIENTS, atol=0)


def terms_add_up(trace):
    """Compare the sums of the terms told; gives the names of what is told without terms."""
    draw, whole = np.random.default_rng(0), set()
    values, calls = distinct(trace.values.values()), [*trace.calls]
    inside = distinct(made_inside(calls))
    noise = NOISE * max(largest(v.gradient) for v in (*values, *inside))
    for many, some in ((SAMPLED, values), (FEW, inside)):
        for value in some:
            if value.gradient is not None and trace.root not in (value, value.outer):
                for index in sampled(value, many, draw):
                    whole |= one(value, index, noise)
    for call in calls:
        forward_adds_up(call, draw)
    return whole


def made_inside(calls):
    """What is made inside expanded calls, which are added to `calls`."""
    for call in calls:
        if call.inside is not None:
            calls += call.inside.calls
            yield from (v for c in call.inside.calls for v in c.results)


def sampled(value, many, draw):
    picked = draw.choice(value.size, min(many, value.size), replace=False)
    return [tuple(int(k) for k in np.unravel_index(flat, value.shape)) for flat in picked]


def one(value, index, noise):
    """The terms of one element's gradient; gives the operations that tell none."""
    parts = contributions(value, index)
    numbers = [float(n) for c in parts for n in (c.total,) if c.terms is None]
    numbers += [float(n) for c in parts for t in c.terms or () for n in t.values]
    gradient = float(value.gradient[index])
    size = abs(gradient) + sum(map(abs, numbers))
    apart = abs(sum(numbers) - gradient)
    assert apart <= TERMS * size + noise, f"{value}{index}: {sum(numbers)!r}, not {gradient!r}"
    return {c.call.name for c in parts if c.terms is None}


def largest(array):
    return 0.0 if array is None else float(np.abs(array).max(initial=0.0))


def forward_adds_up(call, draw):
    """What one element of a result is said to be made of makes it."""
    record = RECORDS.get(call.name)
    for slot, result in enumerate(call.results if record else ()):
        for index in sampled(result, FEW, draw):
            told, number = record.forward(call, slot, index), float(result.array[index])
            if told is None or not np.isfinite(number):
                continue
            if isinstance(told, Worked):
                names = {name: number for name, (_, _, number) in told.names.items()}
                made = size = float(evaluate(told.formula, names))
            else:
                made = sum(t.total for t in told)
                size = sum(float(np.abs(t.values).sum()) for t in told)
            noise = NOISE * largest(result.array)
            assert abs(made - number) <= TERMS * (abs(size) + abs(number)) + noise, (
                f"{call} {index}: told {made!r}, torch's {number!r}"
            )
