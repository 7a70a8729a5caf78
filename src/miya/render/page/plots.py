"""Small line plots as SVG: readable without colour, and without a script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...story.numbers import number
from ..mathml_names import element

WIDTH, HEIGHT = 640.0, 260.0
LEFT, RIGHT, TOP, BOTTOM = 70.0, 96.0, 14.0, 34.0
LABEL = 14.0  # between the names at the lines' ends
TICKS = 5


@dataclass(frozen=True)
class Line:
    """name stands at the line's end; "" leaves it out. values: one a step, all finite."""

    name: str
    values: Sequence[float]


def plot(steps: Sequence[int], lines: Sequence[Line], label: str) -> str:
    """The lines over the steps. data-left, data-right: where the first and last step are."""
    low, high = _span([v for line in lines for v in line.values])
    x = _scale(steps[0], steps[-1], LEFT, WIDTH - RIGHT)
    y = _scale(low, high, HEIGHT - BOTTOM, TOP)
    parts = [_grid(tick, y(tick)) for tick in ticks(low, high)]
    parts += [_mark(step, x(step)) for step in _marks(steps)]
    ends = _apart([y(line.values[-1]) for line in lines])
    for k, (line, end) in enumerate(zip(lines, ends, strict=True)):
        points = " ".join(f"{x(s):.1f},{y(v):.1f}" for s, v in zip(steps, line.values, strict=True))
        parts.append(element("polyline", class_=f"curve s{k}", points=points))
        if line.name:
            at = {"x": f"{WIDTH - RIGHT + 8:g}", "y": f"{end + 4:.1f}"}
            parts.append(element("text", line.name, **at))
    first = f"{x(steps[0]):.1f}"
    parts.append(
        element("line", class_="now", x1=first, x2=first, y1=f"{TOP:g}", y2=f"{HEIGHT - BOTTOM:g}")
    )
    return element(
        "svg",
        *parts,
        class_="plot",
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}",
        role="img",
        aria_label=label,
        data_left=first,
        data_right=f"{x(steps[-1]):.1f}",
    )


def _span(values: Sequence[float]) -> tuple[float, float]:
    """From the lowest to the highest, 0 among them."""
    low, high = min(0.0, *values), max(0.0, *values)
    return (low, high) if high > low else (low - 1.0, high + 1.0)


def _scale(low: float, high: float, start: float, end: float) -> _Scale:
    return _Scale(low, (high - low) or 1.0, start, end - start)


@dataclass(frozen=True)
class _Scale:
    low: float
    span: float
    start: float
    long: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / self.span * self.long


def ticks(low: float, high: float) -> list[float]:
    """Round numbers from `low` to `high`: multiples of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [k * step for k in range(first, last + 1)]


def _grid(value: float, y: float) -> str:
    line = element(
        "line", class_="grid", x1=f"{LEFT:g}", x2=f"{WIDTH - RIGHT:g}", y1=f"{y:.1f}", y2=f"{y:.1f}"
    )
    at = {"x": f"{LEFT - 8:g}", "y": f"{y + 4:.1f}"}
    return line + element("text", number(float(f"{value:.6g}"), 3), text_anchor="end", **at)


def _marks(steps: Sequence[int]) -> list[int]:
    """A few whole steps, the first and the last among them."""
    first, last = steps[0], steps[-1]
    between = [int(t) for t in ticks(first, last) if t == int(t)] if last > first else []
    room = (last - first) / 12
    return [first, *(t for t in between if room < t - first and room < last - t), last][
        : None if last > first else 1
    ]


def _mark(step: int, x: float) -> str:
    at = {"x": f"{x:.1f}", "y": f"{HEIGHT - BOTTOM + 20:g}"}
    return element("text", str(step), text_anchor="middle", **at)


def _apart(heights: Sequence[float]) -> list[float]:
    """The heights of the names, moved down where two would lie on each other."""
    placed = list(heights)
    below = -math.inf
    for k in sorted(range(len(heights)), key=lambda k: heights[k]):
        placed[k] = below = max(heights[k], below + LABEL)
    return placed
