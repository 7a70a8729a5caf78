"""From numbers to places and classes of colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .history import Floats

WIDE = 20.0  # positive numbers spread wider than this stand on a log scale
OUTLYING = 1000.0  # times their median: numbers of both signs then stand on a signed log scale
TICKS = 4
FARTHEST = 1e300  # of a number on an axis, so that the axis has a length
DEEPEST = -300  # power of ten at the low end of a log axis


@dataclass(frozen=True)
class Axis:
    """low to high, of numbers, of powers of ten (log), or of sign · log10(1 + |number| / unit)
    where there is a unit. ticks are numbers."""

    low: float
    high: float
    log: bool
    ticks: tuple[float, ...]
    unit: float = 0.0

    def place(self, values: Floats) -> Floats:
        """Where they stand, 0 at the low end and 1 at the high one; below a log axis: 0."""
        if self.log:
            with np.errstate(divide="ignore"):
                values = np.log10(np.maximum(values, 0.0))
        elif self.unit:
            values = _signed_log(values, self.unit)
        return np.clip((values - self.low) / (self.high - self.low), 0.0, 1.0)

    def at(self, value: float) -> float:
        return float(self.place(np.array([value]))[0])


def axis(values: Floats) -> Axis:
    """An axis that shows all of the finite values, and 0 where it is no log axis."""
    if values.size and values.min() > 0 and values.max() / WIDE > values.min():
        return log_axis(float(values.min()), float(values.max()))
    kept = np.clip(np.append(values, 0.0), -FARTHEST, FARTHEST)
    sizes = np.abs(kept[kept != 0])
    if sizes.size and sizes.max() > OUTLYING * np.median(sizes):
        return _signed_log_axis(kept, 10.0 ** math.floor(math.log10(np.median(sizes))))
    low, high = float(kept.min()), float(kept.max())
    if high == low:
        low, high = low - 1.0, high + 1.0
    found = ticks(low, high)
    return Axis(low, high, False, tuple(t for t in found if low <= t <= high))


def log_axis(smallest: float, largest: float) -> Axis:
    """From a power of ten to another, both sizes above 0 between them."""
    high = min(math.ceil(math.log10(largest)), 308)
    low = min(max(math.floor(math.log10(smallest)), DEEPEST), high - 1)
    every = max(1, math.ceil((high - low) / TICKS))
    return Axis(low, high, True, tuple(10.0**k for k in range(low, high + 1, every)))


def _signed_log_axis(values: Floats, unit: float) -> Axis:
    ends = _signed_log(np.array([values.min(), values.max()]), unit)
    made = Axis(float(ends[0]), float(ends[1]), False, (), unit)
    powers = range(0, math.ceil(max(-made.low, made.high)) + 1)
    every = max(1, math.ceil((made.high - made.low) / TICKS))
    sizes = [unit * 10.0**k for k in powers if k and k % every == 0]
    found = [*(-s for s in reversed(sizes)), 0.0, *sizes]
    return Axis(
        made.low,
        made.high,
        False,
        tuple(t for t in found if values.min() <= t <= values.max()),
        unit,
    )


def _signed_log(values: Floats, unit: float) -> Floats:
    found: Floats = np.sign(values) * np.log10(1 + np.abs(values) / unit)
    return found


def ticks(low: float, high: float) -> list[float]:
    """Round numbers: multiples of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{k * step:.10g}") for k in range(first, last + 1)]


@dataclass(frozen=True)
class Colours:
    """Classes of colour. name: of the ramp in the style sheet ("h" one way, "d" two ways).
    marks: numbers under the scale, each with its place from 0 to 1. beyond: whether there are
    numbers beyond its low and its high end."""

    name: str
    count: int
    axis: Axis
    root: bool
    marks: tuple[tuple[float, float], ...]
    beyond: tuple[bool, bool] = (False, False)

    def classes(self, values: Floats) -> NDArray[np.int64]:
        share = self.axis.place(values)
        share = np.sqrt(share) if self.root else share
        found: NDArray[np.int64] = np.minimum(share * self.count, self.count - 1).astype(np.int64)
        return found


STEPS = 9
EDGES = (0.02, 0.98)


def one_way(values: Floats) -> Colours:
    """For sizes: a log scale that holds all but the smallest and the largest fiftieth, which
    have the colours of its ends."""
    positive = values[values > 0]
    low, high = np.quantile(positive, EDGES) if positive.size else (1.0, 1.0)
    made = log_axis(float(low), float(high))
    ends = (10.0**made.low, 10.0**made.high)
    beyond = bool((values < ends[0]).any()), bool((values > ends[1]).any())
    return Colours("h", STEPS, made, False, ((ends[0], 0.0), (ends[1], 1.0)), beyond)


def two_ways(middle: float, decades: int) -> Colours:
    """For sizes that are to be near `middle`: a log scale around it."""
    centre = math.log10(middle)
    made = Axis(centre - decades, centre + decades, True, ())
    marks = ((10.0**made.low, 0.0), (middle, 0.5), (10.0**made.high, 1.0))
    return Colours("d", STEPS, made, False, marks, (True, True))


def share() -> Colours:
    """For shares of 1: by their root, so that a few per cent are seen."""
    made = Axis(0.0, 1.0, False, ())
    return Colours("h", STEPS, made, True, ((0.0, 0.0), (0.25, 0.5), (1.0, 1.0)))


def apart(places: Sequence[float], least: float) -> list[bool]:
    """Which of some places in order can have a text, `least` away from each other."""
    shown: list[bool] = []
    last = -math.inf
    for place in places:
        shown.append(place - last >= least)
        last = place if shown[-1] else last
    return shown
