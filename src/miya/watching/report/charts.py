"""Line plots over the steps, as SVG whose texts are HTML: they keep their size on any screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...render.escape import printable
from ...render.mathml_names import element
from ...render.page.blocks import text
from ..shown import short
from .history import Floats, History, Series, buckets
from .scales import Axis, apart, axis, ticks

POINTS = 300  # bucket count of a line: each keeps its smallest and its largest value
WIDTH, HEIGHT = 1000, 100  # of the drawing, which is stretched over its place
LEAST = 9.0  # per cent of the width between two numbers under the plot


@dataclass(frozen=True)
class Line:
    name: str
    values: Series


@dataclass(frozen=True)
class Mark:
    """A vertical line at a step, with a text on it."""

    step: int
    name: str


def chart(
    run: History, title: str, lines: Sequence[Line], *, note: str = "", marks: Sequence[Mark] = ()
) -> str:
    """A figure; what is not finite is a cross at its top, and a line for as long as it lasts."""
    finite = [line.values.values[line.values.finite] for line in lines]
    up = axis(np.concatenate(finite) if finite else np.array([]))
    along = _Along(run.steps[0], run.steps[-1])
    drawn = [_curve(run, line.values, up, along, k) for k, line in enumerate(lines)]
    drawing = element(
        "svg",
        *(_rule(up.at(t)) for t in up.ticks),
        *(_mark(along(mark.step)) for mark in marks),
        *drawn,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        preserveAspectRatio="none",
        aria_hidden="true",
    )
    heads = "".join(_flag(along(mark.step), mark.name) for mark in marks)
    label = f"{title}: {'; '.join(_said(line) for line in lines)}"
    place = element("div", drawing, heads, _left(up), _under(along), class_="chart")
    return element(
        "figure",
        element("figcaption", text(title)),
        _legend(lines) if len(lines) > 1 or lines[0].name != title else "",
        element("div", place, role="img", aria_label=printable(label), class_="around"),
        element("p", text(note), class_="note") if note else "",
        class_="plotted",
    )


@dataclass(frozen=True)
class _Along:
    """Steps as a share of the width, which has a little room at both ends."""

    first: int
    last: int

    def __call__(self, step: float) -> float:
        return float(step - self.first) / max(self.last - self.first, 1)


def _curve(run: History, found: Series, up: Axis, along: _Along, k: int) -> str:
    steps, heights = run.steps, up.place(found.values)
    path: list[str] = []
    crosses: list[str] = []
    pen, was_broken = "M", False
    for part in buckets(len(steps), POINTS):
        if found.broken[part].any():
            at = along(int(steps[part.start + int(np.argmax(found.broken[part]))])) * WIDTH
            crosses.append(f"H{at:.1f}" if was_broken else _cross(at))
        was_broken = bool(found.broken[part].any())
        kept = np.flatnonzero(found.finite[part]) + part.start
        if not kept.size:
            pen = "M"
            continue
        for i in _ends(heights, kept):
            point = f"{along(int(steps[i])) * WIDTH:.1f} {(1 - heights[i]) * HEIGHT:.2f}"
            path.append(f"{pen}{point}{'h0' if pen == 'M' else ''}")  # one alone is a dot
            pen = "L"
    curve = element("path", class_=f"curve s{k % 6}", d="".join(path))
    return curve + element("path", class_=f"cross s{k % 6}", d="".join(crosses))


def _ends(heights: Floats, kept: Floats) -> Iterator[int]:
    """The smallest and the largest of a bucket, in the order in which they come."""
    low = int(kept[np.argmin(heights[kept])])
    high = int(kept[np.argmax(heights[kept])])
    yield from sorted({low, high})


def _cross(x: float) -> str:
    """It ends in its middle, from where a line goes on while there is no finite number."""
    return f"M{x - 4:.1f} 1l8 5m0 -5l-8 5M{x:.1f} 3.5"


def _rule(share: float) -> str:
    return element("path", class_="grid", d=f"M0 {(1 - share) * HEIGHT:.2f}H{WIDTH}")


def _mark(share: float) -> str:
    return element("path", class_="now", d=f"M{share * WIDTH:.1f} 0V{HEIGHT}")


def _flag(share: float, name: str) -> str:
    return element("b", text(name), class_="flag", style=f"left:{share * 100:.2f}%")


def _left(up: Axis) -> str:
    found = [
        element("i", text(short(t)), style=f"top:{(1 - up.at(t)) * 100:.2f}%") for t in up.ticks
    ]
    return element("span", *found, class_="left", aria_hidden="true")


def _under(along: _Along) -> str:
    """Whole steps, the first and the last among them, none on another."""
    first, last = along.first, along.last
    inner = [
        t
        for t in (ticks(first, last) if last > first else [])
        if t == int(t) and LEAST < along(t) * 100 < 100 - LEAST
    ]
    shown = apart([along(t) * 100 for t in inner], LEAST)
    kept = [first, *(int(t) for t, there in zip(inner, shown, strict=True) if there), last]
    found = [
        element("i", str(t), style=f"left:{along(t) * 100:.2f}%")
        for t in dict.fromkeys(int(t) for t in kept)
    ]
    return element("span", *found, class_="under", aria_hidden="true")


def _legend(lines: Sequence[Line]) -> str:
    found = [
        element("li", _sample(k), element("span", text(line.name))) for k, line in enumerate(lines)
    ]
    return element("ul", *found, class_="legend")


def _sample(k: int) -> str:
    path = element("path", class_=f"curve s{k % 6}", d="M0 5H34")
    return element("svg", path, viewBox="0 0 34 10", aria_hidden="true")


def _said(line: Line) -> str:
    kept = line.values.values[line.values.measured]
    if not kept.size:
        return line.name
    return f"{line.name} {short(float(kept[0]))} → {short(float(kept[-1]))}"
