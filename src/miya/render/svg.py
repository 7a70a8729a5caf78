"""The scene as SVG: every text is text, every part a group that names what it shows."""

from __future__ import annotations

from hashlib import sha256
from html import escape

from ..drawing import cat as miya
from ..drawing.model.parts import ModelScene
from ..drawing.scene import (
    Box,
    Cat,
    Edge,
    Label,
    Loss,
    Neuron,
    Panel,
    Row,
    Scene,
    Source,
    Strip,
    Tone,
)
from . import svg_motion
from .theme import Theme, fill, stroke, style, theme_of

THIN, THICK = 0.9, 7.0  # of an edge


def svg(
    scene: Scene, *, theme: str = "light", animate: bool = False, standalone: bool = True
) -> str:
    """The picture as one SVG document, or without the XML declaration as part of a page.

    theme: "light", "dark" or "print". animate: it plays by itself, and stands still where the
    reader prefers reduced motion. Raises MiyaInputError E652.
    """
    return draw(
        scene,
        theme,
        style(theme) + (svg_motion.rules(scene, f".miya-{theme}") if animate else ""),
        animate=animate,
        standalone=standalone,
    )


def _identity(look: Theme, scene: Scene) -> str:
    """What tells a picture from others on the same page. A model's numbers differ in their last
    digits with the number of threads: what is drawn of them does not."""
    return "".join(_model(look, scene, "")) if isinstance(scene, ModelScene) else repr(scene)


def draw(
    scene: Scene,
    theme: str,
    rules: str,
    *,
    animate: bool = False,
    standalone: bool = True,
    moment: float | None = None,
) -> str:
    """`moment`: the still picture of one moment of the animation, from 0 to 1."""
    look = theme_of(theme)
    name = "m" + sha256(f"{theme}{_identity(look, scene)}".encode()).hexdigest()[:10]
    moves = animate or moment is not None
    model = _model(look, scene, name, moves) if isinstance(scene, ModelScene) else []
    waves = svg_motion.overlay(scene, look, moment) if moves else ""
    over = [svg_motion.over(scene, look, moment, name)] if moves else []
    asleep = svg_motion.sleeping(scene, theme, name) if moves else ""
    head = '<?xml version="1.0" encoding="UTF-8"?>\n' if standalone else ""
    size = f'viewBox="0 0 {n(scene.width)} {n(scene.height)}"'
    return (
        f'{head}<svg xmlns="http://www.w3.org/2000/svg" {size} width="{n(scene.width)}" '
        f'height="{n(scene.height)}" class="miya-{theme}" role="img" '
        f'lang="{escape(scene.language)}" '
        f'aria-labelledby="{name}t {name}d">'
        f'<title id="{name}t">{escape(scene.title)}</title>'
        f'<desc id="{name}d">{escape(scene.description)}</desc>'
        f"<style>{rules}</style><defs>{_hatch(look, name)}{asleep}</defs>"
        f'<rect class="page" width="100%" height="100%" fill="{look.page}"/>\n'
        + "\n".join(
            [
                *(_label(label) for label in scene.labels),
                *model,
                *(_edge(look, edge) for edge in scene.edges),
                waves,
                *(_source(source) for source in scene.sources),
                *(_neuron(look, neuron, name) for neuron in scene.neurons),
                *(_strip(look, strip) for strip in scene.strips),
                _loss(scene.loss),
                *(_panel(look, panel, name) for panel in scene.panels),
                *over,
            ]
        )
        + "\n</svg>\n"
    )


def _model(look: Theme, scene: ModelScene, name: str, moves: bool = False) -> list[str]:
    from .svg_model import model_parts

    return model_parts(look, scene, name, moves)


def n(value: float) -> str:
    """A coordinate, to a tenth."""
    return f"{round(value, 1) + 0.0:g}" if abs(value) < 1e5 else f"{value:.1f}"


def _hatch(look: Theme, name: str) -> str:
    return (
        f'<pattern id="{name}h" width="6" height="6" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><path d="M1,0V6" stroke="{look.hatch}" '
        f'stroke-width="{1.4 if look.plain_fill else 1.7}" fill="none"/></pattern>'
    )


def _label(label: Label) -> str:
    anchor = "" if label.anchor == "start" else f' text-anchor="{label.anchor}"'
    moment = f" {label.moment}" if label.moment else ""
    return (
        f'<text class="t-{label.style}{moment}" x="{n(label.x)}" y="{n(label.y)}"{anchor}>'
        f"{escape(label.text)}</text>"
    )


def _rect(box: Box, kind: str, radius: float, extra: str = "") -> str:
    return (
        f'<rect class="{kind}" x="{n(box.x)}" y="{n(box.y)}" width="{n(box.width)}" '
        f'height="{n(box.height)}" rx="{n(radius)}"{extra}/>'
    )


def _title(text: str) -> str:
    return f"<title>{escape(text)}</title>" if text else ""


def curve(edge: Edge) -> str:
    """Leaves level, arrives level."""
    (x1, y1), (x2, y2) = edge.start, edge.end
    bend = (x2 - x1) * 0.5
    return f"M{n(x1)},{n(y1)}C{n(x1 + bend)},{n(y1)} {n(x2 - bend)},{n(y2)} {n(x2)},{n(y2)}"


def thickness(tone: Tone) -> float:
    return THIN + (THICK - THIN) * tone.size


def dash(tone: Tone) -> str:
    """Negative dashed, zero dotted: the sign without its colour."""
    wide = thickness(tone)
    if tone.sign < 0:
        return f' stroke-dasharray="{n(5 + wide)} {n(3 + wide / 4)}"'
    return ' stroke-dasharray="1 4" stroke-linecap="round"' if tone.sign == 0 else ""


def _edge(look: Theme, edge: Edge) -> str:
    kind = {"weight": "edge", "bias": "edge bias", "link": "link"}[edge.kind]
    ref = "" if edge.kind == "link" else f' data-ref="{edge.ref}"'
    layer = f' data-layer="{edge.layer}"' if edge.layer else ""
    sign = {1: "positive", 0: "zero", -1: "negative"}[edge.tone.sign]
    frozen = " frozen" if edge.frozen else ""
    colour, wide = stroke(look, edge.tone), thickness(edge.tone)
    line = f'stroke="{colour}" stroke-width="{n(wide)}"{dash(edge.tone)}'
    if edge.kind == "link":
        line = f'stroke="{look.quiet}" stroke-width="1.4"'
    return (
        f'<g class="{kind} {sign}{frozen}"{ref}{layer}>{_title(edge.title)}'
        f'<path d="{curve(edge)}" fill="none" {line}/>'
        f"{arrow(look, edge)}</g>"
    )


def arrow(look: Theme, edge: Edge) -> str:
    """What is passed back, at the source: filled where positive, hollow where negative."""
    if edge.passed is None or edge.passed.sign == 0:
        return ""
    x, y = edge.start
    long, half = 7 + 7 * edge.passed.size, 2.8 + 4.7 * edge.passed.size
    colour = stroke(look, edge.passed)
    inside = colour if edge.passed.sign > 0 else look.page
    sign = "positive" if edge.passed.sign > 0 else "negative"
    return (
        f'<path class="back {sign}" d="M{n(x + 2)},{n(y)}l{n(long)},{n(-half)}v{n(2 * half)}z" '
        f'fill="{inside}" stroke="{colour}" stroke-width="1.5" stroke-linejoin="round"/>'
    )


def _source(source: Source) -> str:
    box = source.box
    radius = box.height / 2 if source.kind == "input" else 9
    ref = f' data-ref="{source.ref}"' if source.kind == "input" else ""
    labels = "".join(map(_label, source.labels))
    frame = _title(source.title) + _rect(box, "card", radius)
    return f'<g class="{source.kind}"{ref}>{frame}{labels}</g>'


def circle(look: Theme, box: Box, tone: Tone, name: str) -> str:
    """A neuron: coloured and, where negative, hatched, with its sign in a badge."""
    x, y, r = box.x + box.width / 2, box.middle, box.width / 2
    at = f'cx="{n(x)}" cy="{n(y)}" r="{n(r)}"'
    hatch = f'<circle class="hatch" {at} fill="url(#{name}h)"/>' if tone.sign < 0 else ""
    ring = 1.2 + 3.0 * tone.size
    return (
        f'<circle class="body" {at} fill="{fill(look, tone)}"/>{hatch}'
        f'<circle class="ring" {at} stroke-width="{n(ring)}"/>'
    )


def greediest(box: Box) -> str:
    """A ring around a neuron: what says so where Miya does not point."""
    x, y, r = box.x + box.width / 2, box.middle, box.width / 2 + 5
    return f'<circle class="greediest" cx="{n(x)}" cy="{n(y)}" r="{n(r)}"/>'


def badge(box: Box, tone: Tone) -> str:
    if tone.sign == 0:
        return ""
    x, y = box.x + 5, box.bottom - 7
    upright = f"M{n(x)},{n(y - 4.5)}v9" if tone.sign > 0 else ""
    return (
        f'<g class="sign {"positive" if tone.sign > 0 else "negative"}">'
        f'<circle class="badge" cx="{n(x)}" cy="{n(y)}" r="9"/>'
        f'<path class="mark" d="M{n(x - 4.5)},{n(y)}h9{upright}"/></g>'
    )


def cat(who: Cat) -> str:
    scale = who.box.width / 100
    flip = " translate(100 0) scale(-1 1)" if who.left or miya.mirrored(who.pose, who.sign) else ""
    return (
        f'<g class="miya {who.pose}" transform="translate({n(who.box.x)} {n(who.box.y)}) '
        f'scale({scale:.3f}){flip}">{shapes(miya.miya(who.pose, who.sign, arm=who.arm))}</g>'
    )


def shapes(shapes: list[miya.Shape]) -> str:
    return "".join(f'<path class="c-{s.role}" d="{s.d}"/>' for s in shapes)


def _neuron(look: Theme, neuron: Neuron, name: str) -> str:
    ref = neuron.ref
    sum_ = neuron.rule
    rule = f'<path class="rule" d="M{n(sum_.x)},{n(sum_.y)}h{n(sum_.width)}"/>' if sum_ else ""
    parts = [
        _rect(neuron.box, "card", 14),
        greediest(neuron.circle) if neuron.ringed else "",
        circle(look, neuron.circle, neuron.tone, name),
        cat(neuron.cat) if neuron.cat else "",
        badge(neuron.circle, neuron.tone),
        *map(_label, neuron.labels),
        rule,
        *map(_row, neuron.rows),
        f'<g class="pointing">{cat(neuron.pointed)}</g>' if neuron.pointed else "",
    ]
    at = f'data-ref="{ref}" data-layer="{neuron.layer}"'
    return f'<g class="neuron" {at}>{_title(neuron.title)}{"".join(parts)}</g>'


def _row(row: Row) -> str:
    band = _rect(row.band, "tap", 5) if row.tapped else ""
    paw = ""
    if row.paw:
        at = f"translate({n(row.paw.x)} {n(row.paw.y)}) scale({row.paw.width / 40:.3f})"
        paw = f'<g class="tapping" transform="{at}">{shapes(miya.paw())}</g>'
    labels = "".join(map(_label, row.labels))
    return f'<g class="row" data-row="{row.ref}">{band}{labels}{paw}{lock(row.lock)}</g>'


def lock(box: Box | None) -> str:
    if box is None:
        return ""
    x, y = n(box.x), n(box.y + 5)
    return (
        f'<g class="frozen"><path class="lock" d="M{x},{y}h10v7h-10zM{n(box.x + 2)},{y}'
        f'v-2.2a3,3 0 0 1 6,0v2.2"/></g>'
    )


def _loss(loss: Loss) -> str:
    labels = "".join(map(_label, loss.labels))
    return (
        f'<g class="loss" data-ref="{loss.ref}">{_title(loss.title)}'
        f"{_rect(loss.box, 'card', 22)}{labels}</g>"
    )


def _strip(look: Theme, strip: Strip) -> str:
    box, step = strip.box, strip.box.height / max(len(strip.cells), 1)
    half, cells = box.width / 2, []
    for k, tone in enumerate(strip.cells):
        if tone.sign:
            long = max(half * tone.size, 0.6)
            x = box.x + half - (long if tone.sign < 0 else 0)
            at = f'x="{x:.2f}" y="{box.y + k * step:.2f}" width="{long:.2f}"'
            cells.append(f'<rect {at} height="{step:.2f}" fill="{fill(look, tone, True)}"/>')
    middle = n(box.x + half)
    cells.append(f'<path class="rule" d="M{middle},{n(box.y)}V{n(box.bottom)}"/>')
    frame = _rect(box, "card", 3)
    labels = "".join(map(_label, strip.labels))
    return (
        f'<g class="strip" data-strip="{strip.ref}">{_title(strip.title)}{frame}'
        f"{''.join(cells)}{labels}</g>"
    )


def _panel(look: Theme, panel: Panel, name: str) -> str:
    from .svg_legend import sample

    parts = []
    if panel.bubble:
        b = panel.bubble
        tail = f"M{n(b.x + 1)},{n(b.y + 40)}L{n(b.x - 15)},{n(b.y + 58)}L{n(b.x + 1)},{n(b.y + 60)}"
        parts += [_rect(b, "bubble", 16), f'<path class="bubble" d="{tail}"/>']
    else:
        parts.append(_rect(panel.box, "card", 14))
    parts += [cat(panel.cat)] if panel.cat else []
    parts += [sample(look, s, name) for s in panel.samples]
    parts += map(_label, panel.labels)
    kind = "speech" if panel.bubble else "legend"
    return f'<g class="{kind}">{"".join(parts)}</g>'
