"""What is told of each box of a model: δ by neuron, and what its parameters are worth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ...core.calls import Value
from ...core.model import ModelTrace
from ...core.rounding import Array
from .blame import SIZES, Values, measured
from .boxes import Boxes, Unit, parameters_read
from .neurons import UNITS, summed
from .removal import Removals

NOISE = 8  # roundings, of the sum of the terms' sizes, that a sum may keep of terms that cancel
EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}


@dataclass(frozen=True, eq=False)
class Told:
    """unit: the box. delta: δ of its output, summed over everything but its neurons; None where
    the loss has no slope there. size: √Σδ² of the whole output. worth: of its parameters by the
    measure, None where none has a value. parameters: how many numbers; frozen: none is trained.
    tied: names of parameters that it shares with other boxes."""

    unit: Unit
    delta: Array | None
    size: float
    worth: float | None
    parameters: int
    frozen: bool
    tied: tuple[str, ...]


def told(trace: ModelTrace, boxes: Boxes, measure: str) -> list[Told]:
    read = [parameters_read(unit) for unit in boxes.units]
    names = [[n for n in some if n in trace.parameters] for some in read]
    worth = _worth(trace, measure, names)
    uses = {n: sum(n in some for some in names) for some in names for n in some}
    found = []
    for unit, mine, value in zip(boxes.units, names, worth, strict=True):
        steps = [trace.parameters[n] for n in mine]
        found.append(
            Told(
                unit,
                _delta(unit.result),
                _size(unit.result),
                value,
                sum(p.size for p in steps),
                bool(steps) and not any(p.trained for p in steps),
                tuple(n for n in mine if uses[n] > 1),
            )
        )
    return found


def _worth(trace: ModelTrace, measure: str, names: list[list[str]]) -> list[float | None]:
    if measure == "removal":
        with trace.runner.quickly():
            removals = Removals(trace)
            return [removals.layer(some) if some else None for some in names]
    values: Values = measured(trace, measure)
    uses = {n: sum(n in some for some in names) for some in names for n in some}
    found: list[float | None] = []
    for some in names:
        known = [n for n in some if n in values]
        parts = [float(SIZES[measure](values[n]).sum(dtype=np.float64)) / uses[n] for n in known]
        found.append(sum(parts) if parts else None)
    return found


def axis_of(value: Value) -> int:
    """Which axis of a value counts its neurons: by its operation, or as in what it was made of;
    else the channels of pictures, the last axis of all others."""
    seen = 0
    shape = value.shape
    while value.call is not None and seen < 1000:
        unit = UNITS.get(value.call.name)
        if unit is not None and len(value.shape) == len(shape):
            return unit.axes(value.call)[0] % len(shape)
        same = [o for o in value.call.operands.values() if len(o.shape) == len(shape)]
        if not same or value.call.name in ("transpose", "permute", "movedim"):
            break
        value, seen = same[0], seen + 1
    return 1 if len(shape) >= 4 else len(shape) - 1


def _delta(value: Value) -> Array | None:
    """δ by neuron; 0 where it is no more than what rounding leaves of terms that cancel, as
    before a normalisation, which takes every sum away."""
    gradient = value.gradient
    if not value.shape or gradient is None:
        return None
    axis = axis_of(value)
    found = summed(value, (axis,))
    assert found is not None
    rest = tuple(a for a in range(gradient.ndim) if a != axis)
    terms = np.abs(gradient).sum(axis=rest, dtype=np.float64)
    noise = EPSILON.get(value.dtype, EPSILON["float32"]) * NOISE * terms
    return np.where(np.abs(found) <= noise, 0.0, found)


def _size(value: Value) -> float:
    gradient = value.gradient
    if gradient is None:
        return 0.0
    return float(np.sqrt(np.square(gradient, dtype=np.float64).sum()))


def greediest(found: Iterable[Told]) -> tuple[Told, int, float] | None:
    """The neuron that takes the largest share of its box's Σ|δ|, of boxes that have parameters
    and at least two neurons: (box, neuron, share)."""
    best: tuple[Told, int, float] | None = None
    for one in found:
        if one.delta is None or one.delta.size < 2 or not one.parameters:
            continue
        sizes = np.abs(one.delta)
        whole = float(sizes.sum())
        top = int(sizes.argmax())
        if whole and (best is None or float(sizes[top]) / whole > best[2]):
            best = (one, top, float(sizes[top]) / whole)
    return best
