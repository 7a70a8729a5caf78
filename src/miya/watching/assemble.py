"""From what was measured to records of plain numbers, some steps at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import repeat

import numpy as np

from .capture import Capture
from .inputs import input_facts
from .layers import Held, WatchedLayer
from .numbers import Array, Numbers
from .parameters import Parameters, parameter_facts, parameters
from .passes import neuron_lists, of_activations, of_deltas
from .records import GroupRecord, NeuronRecord, StepRecord
from .table import Table

NEURONS = [f.name for f in fields(NeuronRecord)][1:]
EMPTY: Array = np.empty(0)


@dataclass(frozen=True, eq=False)
class Surveyed:
    """What is watched: layers; held, every trained parameter by number, those of a layer side by
    side; groups: the (optimizer, group) of every parameter group."""

    layers: Sequence[WatchedLayer]
    held: Sequence[Held]
    groups: Sequence[tuple[int, int]]

    def of_layer(self) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in self.layers]
        for k, h in enumerate(self.held):
            found[h.layer].append(k)
        return found


@dataclass(frozen=True, eq=False)
class Assembled:
    """records, and the numbers of parameters whose step may be told from the gradient from now
    on, or must not be."""

    records: list[StepRecord]
    resolved: set[int]
    unresolved: set[int]


@np.errstate(over="ignore", invalid="ignore")  # what is not finite is told, not warned of
def assemble(captures: Sequence[Capture], surveyed: Surveyed, first: int) -> Assembled:
    """captures: of steps with one signature. first: the layer whose inputs are told apart."""
    numbers = Numbers(captures)
    scale = numbers.scalar("scale", 0)
    scale = np.ones(numbers.count) if scale is None else scale
    of_layer = surveyed.of_layer()
    table = Table(len(surveyed.layers), numbers.count)
    found = parameters(numbers, surveyed.held)
    if not captures[0].skipped:
        parameter_facts(table, found, surveyed.held, of_layer)
    for k, activity in numbers.activities.items():
        of_activations(table, k, activity)
    of_deltas(table, numbers, scale)
    input_facts(table, first, numbers.columns)
    lists = neuron_lists(numbers, found, of_layer, scale)
    groups = [_group(found, surveyed.held, place) for place in surveyed.groups]
    whole = _total(found.predicted.values())
    losses, reals, lost = (numbers.scalar(name, 0) for name in ("loss", "real", "found_inf"))
    for k in numbers.having("credit"):
        credits = numbers.scalar("credit", k)
        table.column("credit", k, [] if credits is None else credits.tolist())
    for n, layer in enumerate(surveyed.layers):
        for name, value in (("layer", layer.path), ("kind", layer.kind), ("split", layer.split)):
            table.same(name, n, value)
        table.same("held", n, layer.optimized)
        table.same("frozen", n, layer.frozen)
    layers = list(zip(*(table.records(n) for n in range(len(surveyed.layers))), strict=True))
    told = zip(surveyed.layers, lists, strict=True)
    neurons = list(zip(*(_neurons(x.path, of, numbers.count) for x, of in told), strict=True))
    made = [
        StepRecord(
            step=c.step,
            seconds=c.seconds,
            loss=None if losses is None else float(losses[k]),
            predicted=None if whole is None else float(whole[k]),
            real=None if reals is None else float(reals[k]),
            examples=c.examples,
            skipped=c.skipped or (lost is not None and bool(lost[k])),
            layers=layers[k],
            groups=tuple(
                GroupRecord(*place, float(rate), *(_at(v, k) for v in values))
                for place, rate, values in zip(surveyed.groups, c.rates, groups, strict=True)
            ),
            neurons=neurons[k],
        )
        for k, c in enumerate(captures)
    ]
    return Assembled(made, found.resolved, found.unresolved)


def _neurons(path: str, lists: dict[str, Array], steps: int) -> Iterator[NeuronRecord]:
    """One a step. lists: (steps, neurons) each."""
    known = [lists.get(name, EMPTY) for name in NEURONS]
    columns = [repeat(EMPTY, steps) if values is EMPTY else values for values in known]
    return map(NeuronRecord, repeat(path), *columns)


def _at(values: Array | None, step: int) -> float | None:
    return None if values is None else float(values[step])


def _total(parts: Iterable[Array]) -> Array | None:
    """(steps,): their sum, None of nothing."""
    found = list(parts)
    return sum(found[1:], start=found[0]) if found else None


def _group(found: Parameters, held: Sequence[Held], place: tuple[int, int]) -> list[Array | None]:
    """Norms of the gradient, the step and the weight of a parameter group."""
    own = [k for k, h in enumerate(held) if (h.optimizer, h.group) == place]
    return [_norm(squares, own) for squares in (found.gradient, found.step, found.weight)]


def _norm(squares: dict[int, Array], own: Sequence[int]) -> Array | None:
    total = _total(squares[k] for k in own if k in squares)
    return None if total is None else np.sqrt(total)
