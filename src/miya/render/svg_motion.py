"""The moving layer of the picture: as CSS that plays by itself, or as one of its moments.

The still picture is whole without it: what moves lies over it and is not shown where the reader
prefers reduced motion, and what is hidden at first is hidden by the animation alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..drawing.cat import miya
from ..drawing.frames import (
    SECONDS,
    Cue,
    Reveal,
    edge_cues,
    neuron_cues,
    phases,
    reveals,
    waking,
    windows,
)
from ..drawing.layout import CAT
from ..drawing.model.parts import ModelScene
from ..drawing.scene import Box, Edge, Neuron, Scene
from .theme import Theme, stroke

FAINT = 0.18  # of an edge before its measure is known
LONG = 14.0  # of a pulse, in per cent of its edge
CAPTION = (36.0, 28.0, 18.0)  # x, baseline and size
POSE = ("body", "hatch", "ring", "miya", "sign")
NEURON = '.neuron[data-layer="{layer}"]'
# what a part of the picture is to CSS
HIDDEN: dict[str, str] = {
    "pose": ",".join(f"{NEURON}>.{kind}" for kind in POSE),
    "signal": f"{NEURON}>.t-plain,{NEURON} .carried",
    "loss": ".loss>.t-delta",
    "arrow": '.edge[data-ref="{ref}"]>.back',
    "link arrow": '.link[data-layer="{layer}"]>.back',
    "row": '[data-row="{ref}"]',
    "sum": f"{NEURON}>.rule",
    "delta": f"{NEURON}>.t-delta",
    "gradient": f"{NEURON} .gradient,{NEURON} .measure",
    "after": ".after",
    "told": ".tap,.tapping,.pointing,.greediest,.speech",
}
# what makes an edge's thickness known in each view
MEASURED = {"whole": "gradient", "blame": "gradient", "forward": "signal", "update": "after"}


@dataclass(frozen=True)
class Moves:
    """What moves in a kind of picture. cues: the motions. hidden, faint: by the moment (ticks)
    until which they are, selectors under a root. spans: classes of what shows for a while.
    overlay, over: what lies under and over the cards, of all the round or of one moment."""

    cues: Callable[[Scene], Iterator[Cue]]
    hidden: Callable[[Scene, str], dict[int, list[str]]]
    faint: Callable[[Scene, str], dict[int, list[str]]]
    spans: Callable[[Scene], Iterator[tuple[str, int, int]]]
    overlay: Callable[[Scene, Theme, float | None], str]
    over: Callable[[Scene, Theme, float | None, str], str]


def moves_of(scene: Scene) -> Moves:
    if isinstance(scene, ModelScene):
        from . import svg_model_motion as m

        return Moves(m.cues, m.hidden, m.faint, m.spans, m.overlay, m.over)
    return Moves(_cues, _hidden, _faint, _spans, _overlay, _over)


def rules(scene: Scene, root: str) -> str:
    """One keyframe rule a motion and time; a class `k…` binds each moving part to its own.

    root: the selector of the picture, which the rules are kept to.
    """
    moves = moves_of(scene)
    found = {_name(cue): _keyframes(cue) for cue in moves.cues(scene)}
    moving = [
        f"{root} .{name}{{animation:{name} {SECONDS:g}s linear infinite}}" for name in sorted(found)
    ]
    frames = [found[name] for name in sorted(found)]
    for at, selectors in sorted(moves.hidden(scene, root).items()):
        name = f"r{at}"
        frames.append(f"@keyframes {name}{{0%{{opacity:0}}{at / 100:g}%,100%{{opacity:1}}}}")
        moving.append(f"{','.join(selectors)}{{animation:{name} {SECONDS:g}s step-end infinite}}")
    for at, selectors in sorted(moves.faint(scene, root).items()):
        name = f"f{at}"
        frames.append(f"@keyframes {name}{{0%{{opacity:{FAINT}}}{at / 100:g}%,100%{{opacity:1}}}}")
        moving.append(f"{','.join(selectors)}{{animation:{name} {SECONDS:g}s step-end infinite}}")
    for name, start, end in moves.spans(scene):
        frames.append(
            f"@keyframes {name}{{0%{{opacity:{int(start == 0)}}}{start / 100:g}%{{opacity:1}}"
            f"{end / 100:g}%,100%{{opacity:0}}}}"
        )
        moving.append(f"{root} .{name}{{animation:{name} {SECONDS:g}s step-end infinite}}")
    return (
        f"{root} .moving>*{{opacity:0}}{root} .moving{{pointer-events:none}}{''.join(frames)}"
        f"@media (prefers-reduced-motion:no-preference){{{''.join(moving)}}}{_quiet(root)}"
    )


def _quiet(root: str) -> str:
    return (
        f"@media (prefers-reduced-motion:reduce){{{root} .moving{{display:none}}"
        f"{root} .moving *{{animation:none}}}}"
    )


def _cues(scene: Scene) -> Iterator[Cue]:
    for _, cue in (*edge_cues(scene), *neuron_cues(scene)):
        yield cue
    if "update" in windows(scene):
        yield flash(scene)


def flash(scene: Scene) -> Cue:
    return Cue("update", *windows(scene)["update"])


def ticks(at: float) -> int:
    """A moment in hundredths of a per cent, to a fifth of a per cent: few rules serve many."""
    return round(at * 500) * 20


def _hidden(scene: Scene, root: str) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for reveal in reveals(scene):
        found[ticks(reveal.at)] += _selectors(reveal, root)
    return found


def _selectors(reveal: Reveal, root: str) -> list[str]:
    told = HIDDEN[reveal.part].format(layer=reveal.layer, ref=reveal.ref)
    return [f"{root} {one}" for one in told.split(",")]


def _faint(scene: Scene, root: str) -> dict[int, list[str]]:
    """The edges, faint until their measure is known."""
    found: dict[int, list[str]] = defaultdict(list)
    for reveal in reveals(scene):
        if reveal.part == MEASURED.get(scene.view):
            layer = f'[data-layer="{reveal.layer}"]' if reveal.layer else ""
            found[ticks(reveal.at)].append(f"{root} .edge{layer}>path")
    return found


def _spans(scene: Scene) -> Iterator[tuple[str, int, int]]:
    """The classes of what shows for a while: captions, and the cats asleep until they wake."""
    yield from captioned(scene)
    for layer in range(1, scene.layers + 1):
        at = waking(scene, layer)
        if at is not None:
            yield f"w{layer}", 0, ticks(at)


def captioned(scene: Scene) -> Iterator[tuple[str, int, int]]:
    for k, (_, start, end) in enumerate(phases(scene)):
        yield f"p{k}", ticks(start), ticks(end)


def moment_rules(scene: Scene, look: Theme, moment: float) -> str:
    """The rules of one still moment."""
    moves = moves_of(scene)
    gone, faint = (
        [one for at, some in found(scene, "svg").items() if moment * 1e4 < at for one in some]
        for found in (moves.hidden, moves.faint)
    )
    parts = [(faint, f"opacity:{FAINT}"), (gone, "display:none")]
    if "update" in windows(scene) and flash(scene).at(moment) is not None:
        parts.append((["svg .after"], f"fill:{look.accent}"))
    return "".join(f"{','.join(which)}{{{rule}}}" for which, rule in parts if which)


def overlay(scene: Scene, look: Theme, moment: float | None) -> str:
    """What moves: every part with its animation's class, or only what shows at `moment`."""
    moving = moves_of(scene).overlay(scene, look, moment)
    return f'<g class="moving" aria-hidden="true">{moving}</g>'


def over(scene: Scene, look: Theme, moment: float | None, name: str) -> str:
    """What lies over the cards."""
    moving = moves_of(scene).over(scene, look, moment, name)
    clock = "" if moment is None else _clock(scene, look, moment)
    return f'<g class="moving" aria-hidden="true">{moving}{clock}</g>'


def _overlay(scene: Scene, look: Theme, moment: float | None) -> str:
    parts = [_pulse(look, edge, cue, moment) for edge, cue in edge_cues(scene)]
    parts += [_glow(look, neuron, cue, moment) for neuron, cue in neuron_cues(scene)]
    if "update" in windows(scene):
        parts.append(_edges(scene, look, moment))
    return "".join(parts)


def _over(scene: Scene, look: Theme, moment: float | None, name: str) -> str:
    """The sleeping cats, the rows that change, the caption."""
    parts = [_sleeper(scene, look, neuron, moment, name) for neuron in scene.neurons]
    if "update" in windows(scene):
        parts.append(_rows(scene, look, moment))
    parts += [
        caption(look, k, text)
        for k, (text, start, end) in enumerate(phases(scene))
        if moment is None or start <= moment < end
    ]
    return "".join(parts)


def sleeping(scene: Scene, theme: str, name: str) -> str:
    """The sleeping cat, which every neuron that waits uses."""
    from .svg import shapes

    if not scene.miya:
        return ""
    # a browser matches rules within what is used, so the theme's class has to be there too
    return f'<g id="{name}z" class="miya-{theme}">{shapes(miya("asleep", 1))}</g>'


def _sleeper(scene: Scene, look: Theme, neuron: Neuron, moment: float | None, name: str) -> str:
    from .svg import n

    at = waking(scene, neuron.layer)
    if at is None or (moment is not None and moment >= at):
        return ""
    kind = f' class="w{neuron.layer}"' if moment is None else ""
    b = neuron.circle
    x, y, side = b.x + b.width / 2, b.middle, 0.66 * CAT
    cat = (
        f'<use href="#{name}z" transform="translate({n(x - side / 2)} '
        f'{n(b.bottom + 3 - 0.95 * side)}) scale({side / 100:.3f})"/>'
        if scene.miya
        else ""
    )
    return (
        f'<g{kind}><circle cx="{n(x)}" cy="{n(y)}" r="{n(b.width / 2)}" fill="{look.zero}" '
        f'stroke="{look.outline}" stroke-width="1.2"/>{cat}</g>'
    )


def _rows(scene: Scene, look: Theme, moment: float | None) -> str:
    """The bands of the weights and biases, which flash as they change."""
    from .svg import n

    bands = [
        row.band for neuron in scene.neurons for row in neuron.rows if not row.ref.startswith("n")
    ]
    d = "".join(f"M{n(b.x)},{n(b.y)}h{n(b.width)}v{n(b.height)}h{n(-b.width)}z" for b in bands)
    return flashing(scene, moment, f'fill="{look.accent}" fill-opacity="0.22"', d)


def _edges(scene: Scene, look: Theme, moment: float | None) -> str:
    """The edges of what the update changes."""
    from .svg import curve

    d = "".join(curve(edge) for edge in scene.edges if edge.kind != "link")
    return flashing(scene, moment, f'fill="none" stroke="{look.accent}" stroke-width="4"', d)


def flashing(scene: Scene, moment: float | None, line: str, d: str) -> str:
    cue = flash(scene)
    gone = None if moment is None else cue.at(moment)
    if moment is not None and gone is None:
        return ""
    shown = "" if gone is None else f' opacity="{_swell(gone):.2f}"'
    return _path(cue, moment, line + shown, d)


def caption(look: Theme, k: int, text: str) -> str:
    from html import escape

    x, y, size = CAPTION
    return (
        f'<text class="p{k}" x="{x:g}" y="{y:g}" font-weight="700" '
        f'style="fill:{look.accent};font-size:{size:g}px">{escape(text)}</text>'
    )


def _swell(gone: float) -> float:
    return 0.9 * (1 - abs(2 * gone - 1))


def _name(cue: Cue) -> str:
    return f"k{cue.motion}{round(cue.start * 1e4)}-{round(cue.end * 1e4)}"


def _keyframes(cue: Cue) -> str:
    a, b = 100 * cue.start, 100 * cue.end
    if cue.motion in ("glow", "update"):
        middle = (a + b) / 2
        steps = f"0%,{a:.2f}%,{b:.2f}%,100%{{opacity:0}}{middle:.2f}%{{opacity:0.9}}"
    else:
        first, last = _offset(cue, 0.0), _offset(cue, 1.0)
        steps = (
            f"0%,{a:.2f}%{{opacity:0;stroke-dashoffset:{first:g}}}"
            f"{a + 0.01:.2f}%{{opacity:1;stroke-dashoffset:{first:g}}}"
            f"{b - 0.01:.2f}%{{opacity:1;stroke-dashoffset:{last:g}}}"
            f"{b:.2f}%,100%{{opacity:0;stroke-dashoffset:{last:g}}}"
        )
    return f"@keyframes {_name(cue)}{{{steps}}}"


def _offset(cue: Cue, gone: float) -> float:
    """The dash's offset: from the source to the target, or back."""
    way = gone if cue.motion == "forward" else 1 - gone
    return LONG - way * (100 + LONG)


def _pulse(look: Theme, edge: Edge, cue: Cue, moment: float | None) -> str:
    from .svg import curve, thickness

    tone = edge.passed if cue.motion == "back" and edge.passed else edge.tone
    colour = stroke(look, tone) if cue.motion == "back" else look.ink
    return pulse(cue, moment, colour, max(3.0, thickness(tone) + 1.5), curve(edge))


def pulse(
    cue: Cue, moment: float | None, colour: str, wide: float, d: str, long: float | None = None
) -> str:
    """A dash that runs along a line. long: the line's length, for what knows no `pathLength`."""
    from .svg import n

    gone = None if moment is None else cue.at(moment)
    if moment is not None and gone is None:
        return ""
    line = f'fill="none" stroke="{colour}" stroke-width="{n(wide)}" stroke-linecap="round"'
    unit = 1.0 if gone is None or long is None else long / 100
    dash = f'stroke-dasharray="{LONG * unit:g} {(100 + LONG) * unit:g}"'
    dash = f'pathLength="100" {dash}' if unit == 1.0 else dash
    at = f' stroke-dashoffset="{_offset(cue, gone) * unit:.1f}"' if gone is not None else ""
    return _path(cue, moment, f"{line} {dash}{at}", d)


def _path(cue: Cue, moment: float | None, line: str, d: str) -> str:
    kind = f' class="{_name(cue)}"' if moment is None else ""
    return f'<path{kind} d="{d}" {line}/>'


def _glow(look: Theme, neuron: Neuron, cue: Cue, moment: float | None) -> str:
    return glowing(look, neuron.box, cue, moment)


def glowing(look: Theme, b: Box, cue: Cue, moment: float | None) -> str:
    """A frame around a card, which swells and fades."""
    from .svg import n

    gone = None if moment is None else cue.at(moment)
    if moment is not None and gone is None:
        return ""
    shown = "" if gone is None else f' opacity="{_swell(gone):.2f}"'
    kind = f' class="{_name(cue)}"' if moment is None else ""
    return (
        f'<rect{kind} x="{n(b.x - 4)}" y="{n(b.y - 4)}" width="{n(b.width + 8)}" '
        f'height="{n(b.height + 8)}" rx="18" fill="none" stroke="{look.accent}" '
        f'stroke-width="4"{shown}/>'
    )


def _clock(scene: Scene, look: Theme, moment: float) -> str:
    """A thin line along the foot: how far the round has come."""
    from .svg import n

    wide = scene.width * moment
    return (
        f'<rect x="0" y="{n(scene.height - 3)}" width="{n(wide)}" height="3" fill="{look.accent}"/>'
    )
