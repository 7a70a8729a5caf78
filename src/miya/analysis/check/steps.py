"""A page's training steps, each after the one before, marked in their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from ...core.network import Network
from ...core.page import Page, Statement
from ...core.rounding import Array
from ...core.step import State, take_step
from ...core.trace import Trace
from ...core.written import Quantity
from .bind import judged, rebound, with_bound
from .exact import table
from .infer import inferred
from .judge import Judge, Mark
from .optimizer import EMA, OTHERS, USUAL
from .world import World

Given = Mapping[Quantity, float]


def mark_steps(
    page: Page, network: Network, infer: bool = True
) -> tuple[Page, tuple[Mark, ...], list[Trace]]:
    """The page with what its numbers bind, the marks in its order, the exact trace of each step.

    infer: whether numbers that no name binds are bound by what agrees.
    Raises MiyaInputError where a step leaves float range.
    """
    found: dict[int, tuple[Statement, Mark]] = {}
    every = sorted((*page.statements, *page.loose), key=lambda s: s.at)
    loose = {id(s) for s in page.loose}
    traces = list(exact_steps(page, network))
    judge: Judge | None = None
    for k, trace in enumerate(traces, 1):
        judge = _judge(page, trace, judge)
        places = [place for place, s in enumerate(every) if s.step == k]
        own = rebound(tuple(every[place] for place in places), judge.exact, judge.truth)
        told = inferred(list(own), judge.exact, judge.truth) if infer else own
        for place, s in zip(places, told, strict=True):
            if s.of is not None or id(every[place]) not in loose:
                found[place] = s, judged(judge, s)
    order = sorted(found)
    kept = tuple(found[place][0] for place in order)
    known = tuple(s for place, s in enumerate(every) if place in found and id(s) in loose)
    return with_bound(page, kept, known), tuple(found[place][1] for place in order), traces


def exact_steps(page: Page, network: Network) -> Iterator[Trace]:
    network, scale = _by_velocity(network, page.velocity)
    state = _state(network, page.data.get(1, {}), scale)
    number = page.first
    if (state is not None or page.velocity == EMA) and network.optimizer.name == "sgd":
        number = max(number, 2)  # a velocity is there before, so it is no first gradient
    for k in range(1, page.steps + 1):
        network = _with_data(network, page.data.get(k, {}))
        trace = take_step(network, number=number + k - 1, state=state)
        yield trace
        network = trace.after
        state = {name: update.state for name, update in trace.updates.items()}


def _judge(page: Page, trace: Trace, previous: Judge | None) -> Judge:
    world = World(trace.network, page.softmax, previous.stated if previous else None)
    world.number, world.late, world.velocity = trace.number, page.late, page.velocity
    if previous is None:
        world.state = {q: v for q, v in page.data.get(1, {}).items() if "_before_" in q.head}
    exact = table(trace, page.softmax)
    if not page.late and page.velocity in ("", USUAL):
        return Judge(world, exact, previous)
    truth = world.copy(previous.truth if previous else None)
    return Judge(world, {of: truth.get(of) for of in exact}, previous)


def _with_data(network: Network, given: Given) -> Network:
    """The network with what the page gives anew for a step."""
    inputs, targets = network.inputs.copy(), network.targets.copy()
    rate = network.learning_rate
    for of, value in given.items():
        index = of.index if network.examples > 1 else (0, *of.index)
        if of.head in ("x", "y"):
            into = inputs if of.head == "x" else targets
            if len(index) == 2 and index < into.shape and index[1] < into.shape[1]:
                into[index] = value
        elif of.head == "η":
            rate = value
    return replace(network, inputs=inputs, targets=targets, learning_rate=rate)


def _by_velocity(network: Network, velocity: str) -> tuple[Network, float]:
    """The network that moves as the page's does, and what its velocity is a multiple of."""
    use, rate = network.optimizer, network.learning_rate
    if velocity == EMA:
        damped = {**use.options, "dampening": use.options["momentum"]}
        return replace(network, optimizer=replace(use, options=damped)), 1.0
    return network, {OTHERS[0]: -1 / rate, OTHERS[1]: 1 / rate}.get(velocity, 1.0) if rate else 1.0


def _state(network: Network, given: Given, scale: float) -> State | None:
    """The optimizer's state that a page starts from; None where it gives none."""
    if not any("_before_" in of.head for of in given):
        return None
    start = network.optimizer.start()
    found: dict[str, dict[str, Array]] = {}
    for name, values in network.parameters().items():
        letter = "W" if name.startswith("weight") else "b"
        layer = int(name.removeprefix("weight").removeprefix("bias"))
        found[name] = {}
        for state, value in start.items():
            array = np.full_like(values, value)
            for index in np.ndindex(values.shape):
                of = Quantity(f"{state}_before_{letter}", layer, index)
                array[index] = given[of] * scale if of in given else value
            found[name][state] = array
    return found
