"""What a picture of one part of a step shows of a box: what it passes on, what it moves by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...core.model import ParameterStep
from ...core.rounding import Array
from .boxes import Unit
from .summary import EPSILON, NOISE, axis_of


@dataclass(frozen=True, eq=False)
class Carried:
    """What a box gives. means: (neurons,), over examples and positions; low, mean, high, size: of
    all its numbers, size the root of their mean square; all of the finite ones. finite: whether
    all are."""

    means: Array
    low: float
    mean: float
    high: float
    size: float
    finite: bool


@dataclass(frozen=True, eq=False)
class Moved:
    """What the step does to a box's trained parameters. change: (parameters,), Δθ of each;
    before, after, size: √Σθ² before and after it, and √ΣΔθ²."""

    change: Array
    before: float
    after: float
    size: float


def carried(unit: Unit) -> Carried | None:
    """None where there is no finite number to show."""
    array = np.asarray(unit.result.array)
    if array.dtype.kind not in "fiub":
        return None
    found = array.astype(np.float64)
    fine = np.isfinite(found)
    some = found[fine]
    if not some.size:
        return None
    rest: tuple[int, ...] = ()
    if found.ndim:
        axis = axis_of(unit.result)
        rest = tuple(k for k in range(found.ndim) if k != axis)
    known = np.where(fine, found, 0.0)
    noise = EPSILON.get(unit.result.dtype, EPSILON["float32"]) * NOISE
    return Carried(
        np.atleast_1d(_mean(known, fine, rest, noise)),
        float(some.min()),
        float(_mean(some, np.ones(some.shape, bool), None, noise)),
        float(some.max()),
        _length(some) / some.size**0.5,
        bool(fine.all()),
    )


def _mean(
    numbers: Array, fine: NDArray[np.bool_], axes: tuple[int, ...] | None, noise: float
) -> Array:
    """The mean of those that are fine; 0 where it is no more than what rounding leaves of numbers
    that cancel, as after a normalisation."""
    sums, sizes = numbers.sum(axis=axes), np.abs(numbers).sum(axis=axes)
    known = np.where(np.abs(sums) <= noise * sizes, 0.0, sums)
    found: Array = known / np.maximum(fine.sum(axis=axes), 1)
    return found


def moved(steps: Sequence[ParameterStep]) -> Moved | None:
    """None where none of them is trained."""
    trained = [p for p in steps if p.trained]
    if not trained:
        return None
    before, after = (
        np.concatenate([np.asarray(getattr(p, when), np.float64).ravel() for p in trained])
        for when in ("before", "after")
    )
    change = np.concatenate([p.change.ravel() for p in trained])
    return Moved(change, *map(_length, (before, after, change)))


def _length(numbers: Array) -> float:
    """√Σx², also of numbers whose squares are too large or too small."""
    largest = float(np.abs(numbers).max(initial=0.0))
    return largest * float(np.linalg.norm(numbers / largest)) if largest else 0.0
