"""What a page keeps of many steps: up to MOST_STEPS of them, evenly spread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...core.rounding import Array
from ...core.trace import Trace
from ...errors import MiyaInputError

MOST_STEPS = 100  # whose numbers are kept


@dataclass(frozen=True)
class Snapshot:
    """The arrays of one step, by letter and layer; of "W" and "b" a column a table has."""

    number: int
    loss: float
    neurons: Mapping[tuple[str, int], Array]
    parameters: Mapping[tuple[str, int], tuple[Array, Array, Array, Array]]


@dataclass(frozen=True)
class Kept:
    """Steps evenly spread, the first and the last among them, and how many there were.

    told: the step whose story is told.
    """

    snapshots: tuple[Snapshot, ...]
    steps: int
    told: Trace


def keep(traces: Iterable[Trace], story: int | None = None) -> Kept:
    """Goes through the traces once. story: the step to tell, by default the first; the last one
    where the run ends before it. Raises MiyaInputError E645 where there is no step."""
    kept: list[Snapshot] = []
    stride, count = 1, 0
    told = last = None
    for trace in traces:
        if count % stride == 0:
            kept.append(_snapshot(trace))
        if len(kept) > MOST_STEPS:
            kept, stride = kept[::2], stride * 2
        told = trace if told is None and story in (None, trace.number) else told
        last, count = trace, count + 1
    if last is None:
        raise MiyaInputError("E645", "the run has no steps", hint="train for at least 1 step")
    if kept[-1].number != last.number:
        kept.append(_snapshot(last))
    return Kept(tuple(kept), count, told or last)


def _snapshot(trace: Trace) -> Snapshot:
    neurons: dict[tuple[str, int], Array] = {}
    parameters: dict[tuple[str, int], tuple[Array, Array, Array, Array]] = {}
    for layer in trace.layers:
        k = layer.number
        if trace.network.examples == 1:
            neurons |= {("z", k): layer.z[0], ("a", k): layer.a[0]}
        neurons["δ", k] = layer.delta.sum(axis=0)
        for letter, update in (("W", layer.weight), ("b", layer.bias)):
            parameters[letter, k] = (update.before, update.gradient, update.change, update.after)
    return Snapshot(trace.number, trace.loss, neurons, parameters)
