"""The boxes and wires of a model's picture as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape

from ..drawing.model.parts import Bar, Block, Heat, ModelScene, Wire
from ..drawing.scene import Box, Sample, Tone
from . import svg
from .theme import Theme, fill

ROUND = 7.0  # of a wire's corners
THIN, THICK = 1.1, 4.2
Point = tuple[float, float]


def model_parts(look: Theme, scene: ModelScene, name: str, moves: bool = False) -> list[str]:
    """Wires under boxes. moves: what brings a label is told to the animation."""
    wires = sorted(scene.wires, key=lambda wire: wire.kind == "flow")
    blocks = [_block(look, b, name, moves) for b in scene.blocks]
    return [*(_wire(look, w) for w in wires), *blocks]


def _wire(look: Theme, wire: Wire) -> str:
    title = svg._title(wire.title)
    if wire.kind == "same":
        line = f'stroke="{look.accent}" stroke-width="1.6" stroke-dasharray="5 4"'
        return f'<g class="same">{title}<path d="{path(wire.points)}" fill="none" {line}/></g>'
    wide = THIN + (THICK - THIN) * wire.size
    line = f'stroke="{look.quiet}" stroke-width="{wide:.2f}"'
    end = _arrow(look, wire.points[-2], wire.points[-1], wide)
    return f'<g class="wire">{title}<path d="{path(wire.points)}" fill="none" {line}/>{end}</g>'


def path(points: Sequence[Point]) -> str:
    """Straight pieces with rounded corners."""
    n = svg.n
    made = [f"M{n(points[0][0])},{n(points[0][1])}"]
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        start, end = _toward(at, before), _toward(at, after)
        made.append(f"L{n(start[0])},{n(start[1])}Q{n(at[0])},{n(at[1])} {n(end[0])},{n(end[1])}")
    made.append(f"L{n(points[-1][0])},{n(points[-1][1])}")
    return "".join(made)


def _toward(at: Point, to: Point) -> Point:
    dx, dy = to[0] - at[0], to[1] - at[1]
    long = abs(dx) + abs(dy)
    part = min(ROUND, long / 2) / long if long else 0.0
    return at[0] + dx * part, at[1] + dy * part


def _arrow(look: Theme, before: Point, tip: Point, wide: float) -> str:
    long, half = 6 + wide, 3.2 + wide / 2
    dx = (tip[0] > before[0]) - (tip[0] < before[0])
    dy = (tip[1] > before[1]) - (tip[1] < before[1])
    if dx and dy:
        dx = 0
    one = tip[0] - dx * long - dy * half, tip[1] - dy * long - dx * half
    other = tip[0] - dx * long + dy * half, tip[1] - dy * long + dx * half
    corners = "L".join(f"{svg.n(x)},{svg.n(y)}" for x, y in (tip, one, other))
    return f'<path d="M{corners}z" fill="{look.quiet}"/>'


def _block(look: Theme, block: Block, name: str, moves: bool) -> str:
    radius = {"module": 10.0, "operation": 16.0, "input": 20.0}[block.kind]
    parts = [
        svg._title(block.title),
        svg._rect(block.box, "card", radius),
        heat(look, block.heat, name) if block.heat else "",
        bar(look, block.bar, name) if block.bar else "",
        svg._rect(block.ringed, "tap", 3) if block.ringed else "",
        *(svg._label(t if moves else replace(t, moment="")) for t in block.labels),
        svg.lock(block.lock),
        svg.cat(block.cat) if block.cat else "",
    ]
    return f'<g class="block {block.kind}" data-ref="{escape(block.ref)}">{"".join(parts)}</g>'


def heat(look: Theme, found: Heat, name: str) -> str:
    """Cells up for + and down for −, hatched, from a line in the middle."""
    box, step = found.box, found.box.width / max(len(found.cells), 1)
    half, parts = box.height / 2, []
    for k, tone in enumerate(found.cells):
        if not tone.sign:
            continue
        high = max(half * tone.size, 0.7)
        y = box.middle - (high if tone.sign > 0 else 0)
        gap = min(step * 0.12, 1.0)
        at = f'x="{box.x + k * step + gap / 2:.2f}" y="{y:.2f}" width="{step - gap:.2f}"'
        parts.append(f'<rect {at} height="{high:.2f}" fill="{fill(look, tone, True)}"/>')
        if look.plain_fill and tone.sign < 0:
            parts.append(f'<rect {at} height="{high:.2f}" fill="url(#{name}h)"/>')
    middle = svg.n(box.middle)
    line = f'<path class="rule" d="M{svg.n(box.x)},{middle}H{svg.n(box.right)}"/>'
    return f'<g class="heat">{"".join(parts)}{line}</g>'


def bar(look: Theme, found: Bar, name: str) -> str:
    tone = found.tone
    body = svg._rect(found.box, "bar", 2, f' fill="{fill(look, tone, True)}"')
    over = svg._rect(found.box, "hatch", 2, f' fill="url(#{name}h)"') if tone.sign < 0 else ""
    return body + over


def _heat_sample(look: Theme, s: Sample, name: str) -> str:
    sizes = ((1, 0.8), (-1, 0.5), (1, 0.3), (-1, 1.0), (1, 0.6))
    return heat(look, Heat(s.box, tuple(Tone(sign, size) for sign, size in sizes)), name)


def _bar_sample(look: Theme, s: Sample, name: str) -> str:
    b = s.box
    one = bar(look, Bar(Box(b.x, b.y, b.width, 6), Tone(1, 0.8)), name)
    return one + bar(look, Bar(Box(b.x, b.y + 8, b.width * 0.6, 6), Tone(-1, 0.6)), name)


def _wire_sample(look: Theme, s: Sample, name: str) -> str:
    b = s.box
    return _wire(look, Wire("flow", "", ((b.x, b.middle), (b.right, b.middle)), 0.5))


def _same_sample(look: Theme, s: Sample, name: str) -> str:
    b = s.box
    return _wire(look, Wire("same", "", ((b.x, b.middle), (b.right, b.middle)), 0.5))


def _cell_sample(look: Theme, s: Sample, name: str) -> str:
    return svg._rect(Box(s.box.x + 14, s.box.y - 2, 12, s.box.height + 4), "tap", 3)


SAMPLES = {
    "heat": _heat_sample,
    "bar": _bar_sample,
    "wire": _wire_sample,
    "same": _same_sample,
    "cell": _cell_sample,
}
