"""The moving layer of the picture: as CSS that plays by itself, or as one of its moments.

The still picture is whole without it: what moves lies over the edges and is not shown where the
reader prefers reduced motion.
"""

from __future__ import annotations

from ..drawing.frames import SECONDS, Cue, arrival, edge_cues, neuron_cues
from ..drawing.scene import Edge, Neuron, Scene
from .theme import Theme, stroke

FAINT = 0.15
LONG = 14.0  # of a pulse, in per cent of its edge


def rules(scene: Scene, root: str) -> str:
    """One keyframe rule a motion and time; a class `k…` binds each moving part to its own.

    root: the selector of the picture, which the rules are kept to.
    """
    found = {}
    for _, cue in (*edge_cues(scene), *neuron_cues(scene)):
        found[_name(cue)] = _keyframes(cue)
    moving = "".join(
        f"{root} .{name}{{animation:{name} {SECONDS:g}s linear infinite}}" for name in sorted(found)
    )
    frames = "".join(found[name] for name in sorted(found))
    return (
        f"{root} .moving path,{root} .moving rect{{opacity:0}}{frames}"
        f"@media (prefers-reduced-motion:no-preference){{{moving}}}"
        f"{_quiet(root)}{_arrival(scene, root)}"
    )


def _quiet(root: str) -> str:
    return (
        f"@media (prefers-reduced-motion:reduce){{{root} .moving{{display:none}}"
        f"{root} .moving *{{animation:none}}}}"
    )


def _arrival(scene: Scene, root: str) -> str:
    """The numbers after the update stand faint until it comes."""
    cue = arrival(scene)
    if cue is None:
        return ""
    name, a, b = f"{_name(cue)}-after", 100 * cue.start, 100 * cue.end
    return (
        f"@keyframes {name}{{0%,{a:.2f}%{{opacity:{FAINT}}}{b:.2f}%,100%{{opacity:1}}}}"
        f"@media (prefers-reduced-motion:no-preference){{"
        f"{root} .after{{animation:{name} {SECONDS:g}s linear infinite}}}}"
    )


def moment_rules(scene: Scene, look: Theme, moment: float) -> str:
    """The rules of one still moment."""
    cue = arrival(scene)
    if cue is None or moment >= cue.end:
        return ""
    gone = cue.at(moment)
    if gone is None:
        return f".after{{opacity:{FAINT}}}"
    return f".after{{opacity:{FAINT + (1 - FAINT) * gone:.2f};fill:{look.accent}}}"


def overlay(scene: Scene, look: Theme, moment: float | None) -> str:
    """What moves: every part with its animation's class, or only what shows at `moment`."""
    parts = [_pulse(look, edge, cue, moment) for edge, cue in edge_cues(scene)]
    parts += [_glow(look, neuron, cue, moment) for neuron, cue in neuron_cues(scene)]
    if moment is not None:
        parts.append(_clock(scene, look, moment))
    return f'<g class="moving" aria-hidden="true">{"".join(parts)}</g>'


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
    from .svg import curve, n, thickness

    tone = edge.passed if cue.motion == "back" and edge.passed else edge.tone
    colour = look.accent if cue.motion == "update" else look.ink
    if cue.motion == "back":
        colour = stroke(look, tone)
    wide = max(3.0, thickness(tone) + 1.5)
    gone = None if moment is None else cue.at(moment)
    if moment is not None and gone is None:
        return ""
    line = f'fill="none" stroke="{colour}" stroke-width="{n(wide)}" stroke-linecap="round"'
    if cue.motion == "update":
        shown = "" if gone is None else f' opacity="{0.9 * (1 - abs(2 * gone - 1)):.2f}"'
        return _path(edge, cue, moment, f"{line}{shown}", curve(edge))
    dash = f'pathLength="100" stroke-dasharray="{LONG:g} {100 + LONG:g}"'
    at = f' stroke-dashoffset="{_offset(cue, gone):.1f}"' if gone is not None else ""
    return _path(edge, cue, moment, f"{line} {dash}{at}", curve(edge))


def _path(edge: Edge, cue: Cue, moment: float | None, line: str, d: str) -> str:
    kind = f' class="{_name(cue)}"' if moment is None else ""
    return f'<path{kind} d="{d}" {line}/>'


def _glow(look: Theme, neuron: Neuron, cue: Cue, moment: float | None) -> str:
    from .svg import n

    gone = None if moment is None else cue.at(moment)
    if moment is not None and gone is None:
        return ""
    shown = "" if gone is None else f' opacity="{0.9 * (1 - abs(2 * gone - 1)):.2f}"'
    kind = f' class="{_name(cue)}"' if moment is None else ""
    b = neuron.box
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
