"""The legend's samples, drawn with what the figure itself is drawn with."""

from __future__ import annotations

from collections.abc import Callable

from ..drawing.scene import Box, Edge, Sample, Strip, Tone
from . import svg
from .svg_model import SAMPLES
from .theme import Theme, fill

STEPS = 9  # of the colour scale, on either side of zero
KNOWN = {"positive": Tone(1, 0.6), "negative": Tone(-1, 0.6)}


def sample(look: Theme, s: Sample, name: str) -> str:
    labels = "".join(svg._label(label) for label in s.labels)
    drawn = {**DRAWN, **SAMPLES}[s.kind]
    return f'<g class="sample {s.kind}">{drawn(look, s, name)}{labels}</g>'


def _scale(look: Theme, s: Sample, name: str) -> str:
    box, parts = s.box, []
    step = box.width / (2 * STEPS + 1)
    for k in range(-STEPS, STEPS + 1):
        tone = Tone((k > 0) - (k < 0), abs(k) / STEPS)
        x = box.x + (k + STEPS) * step
        at = Box(x, box.y, step + 0.3, box.height)
        parts.append(svg._rect(at, "step", 0, f' fill="{fill(look, tone)}"'))
    half = Box(box.x, box.y, step * STEPS, box.height)
    parts.append(svg._rect(half, "hatch", 0, f' fill="url(#{name}h)"'))
    parts.append(svg._rect(box, "rule", 0))
    return "".join(parts)


def _line(look: Theme, s: Sample, name: str) -> str:
    edge = _edge(s.box, KNOWN[s.kind], None)
    return svg._edge(look, edge).replace('class="edge', 'class="key')


def _thickness(look: Theme, s: Sample, name: str) -> str:
    b, y = s.box, s.box.middle
    left, right = svg.n(b.x), svg.n(b.right)
    wedge = f"M{left},{svg.n(y - 0.5)}L{right},{svg.n(y - 4)}v8L{left},{svg.n(y + 0.5)}z"
    return f'<path d="{wedge}" fill="{look.quiet}"/>'


def _back(look: Theme, s: Sample, name: str) -> str:
    one, other = Box(s.box.x, s.box.y, 20, 14), Box(s.box.x + 20, s.box.y, 20, 14)
    return svg.arrow(look, _edge(one, Tone(), Tone(1, 0.6))) + svg.arrow(
        look, _edge(other, Tone(), Tone(-1, 0.6))
    )


def _edge(box: Box, tone: Tone, passed: Tone | None) -> Edge:
    return Edge(
        "",
        "link" if passed else "weight",
        "",
        0,
        (box.x, box.middle),
        (box.right, box.middle),
        tone,
        passed,
    )


def _pose(look: Theme, s: Sample, name: str) -> str:
    return svg.cat(s.cat) if s.cat else ""


def _frozen(look: Theme, s: Sample, name: str) -> str:
    return svg.lock(Box(s.box.x + 2, s.box.y, 10, 12))


def _strip(look: Theme, s: Sample, name: str) -> str:
    b = s.box
    cells = tuple(Tone(sign, size) for sign, size in ((1, 0.8), (-1, 0.5), (1, 0.3)))
    return svg._strip(look, Strip("", "", b, cells, ())).replace('class="strip"', 'class="key"')


def _framed(look: Theme, s: Sample, name: str) -> str:
    return svg._rect(s.box, "tap", 5)


def _ringed(look: Theme, s: Sample, name: str) -> str:
    return svg.greediest(Box(s.box.right - 14 - 5, s.box.middle - 2, 4, 4))


DRAWN: dict[str, Callable[[Theme, Sample, str], str]] = {
    "scale": _scale,
    "positive": _line,
    "negative": _line,
    "thickness": _thickness,
    "back": _back,
    "pose": _pose,
    "frozen": _frozen,
    "framed": _framed,
    "ringed": _ringed,
    "strip": _strip,
}
