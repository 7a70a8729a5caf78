"""The moving layer of a model's picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import cast

from ..drawing.frames import Cue, phases, windows
from ..drawing.model.frames import block_cues, reached, reveals, waking, wire_cues
from ..drawing.model.parts import Block, ModelScene, Wire
from ..drawing.scene import Box, Scene
from . import svg_motion as motion
from .svg import n
from .svg_model import path
from .theme import Theme

ASLEEP = 30.0  # side of a cat that sleeps until blame wakes her
BLOCK = '.block[data-ref="{ref}"]'
HIDDEN: dict[str, str] = {
    "strip": ",".join(f"{BLOCK}>.{kind}" for kind in ("heat", "miya", "tap", "strip")),
    "worth": ",".join(f"{BLOCK}>.{kind}" for kind in ("bar", "hatch", "worth")),
    "loss": ".loss>.t-delta",
    "after": ".loss>.t-plain",
    "told": ".speech",
}


def cues(scene: Scene) -> Iterator[Cue]:
    found = cast(ModelScene, scene)
    for _, cue in (*wire_cues(found), *block_cues(found)):
        yield cue
    if "update" in windows(scene):
        yield motion.flash(scene)


def hidden(scene: Scene, root: str) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for reveal in reveals(cast(ModelScene, scene)):
        told = HIDDEN[reveal.part].format(ref=reveal.ref)
        found[motion.ticks(reveal.at)] += [f"{root} {one}" for one in told.split(",")]
    return found


def faint(scene: Scene, root: str) -> dict[int, list[str]]:
    """The boxes, faint until they are computed."""
    found: dict[int, list[str]] = defaultdict(list)
    for block, at in reached(cast(ModelScene, scene)):
        if block.kind != "input":
            found[motion.ticks(at)].append(f"{root} {BLOCK.format(ref=block.ref)}")
    return found


def spans(scene: Scene) -> Iterator[tuple[str, int, int]]:
    yield from motion.captioned(scene)
    for k, at in _sleepers(cast(ModelScene, scene)):
        yield f"w{k}", 0, motion.ticks(at)


def _sleepers(scene: ModelScene) -> Iterator[tuple[int, float]]:
    for k, block in enumerate(scene.blocks):
        at = waking(scene, k)
        if block.cat is not None and at is not None:
            yield k, at


def overlay(scene: Scene, look: Theme, moment: float | None) -> str:
    found = cast(ModelScene, scene)
    parts = [_pulse(look, wire, cue, moment) for wire, cue in wire_cues(found)]
    if "update" in windows(scene):
        bars = [b.bar.box for b in found.blocks if b.bar]
        line = f'fill="none" stroke="{look.accent}" stroke-width="4"'
        parts.append(motion.flashing(scene, moment, line, "".join(map(_around, bars))))
    return "".join(parts)


def over(scene: Scene, look: Theme, moment: float | None, name: str) -> str:
    found = cast(ModelScene, scene)
    parts = [_glow(look, block, cue, moment) for block, cue in block_cues(found)]
    for k, at in _sleepers(found):
        if moment is None or moment < at:
            parts.append(_asleep(found.blocks[k], k, moment, name))
    parts += [
        motion.caption(look, k, text)
        for k, (text, start, end) in enumerate(phases(scene))
        if moment is None or start <= moment < end
    ]
    return "".join(parts)


def _asleep(block: Block, k: int, moment: float | None, name: str) -> str:
    assert block.heat is not None
    b, kind = block.heat.box, f' class="w{k}"' if moment is None else ""
    at = f"translate({n(b.x)} {n(b.y - 0.95 * ASLEEP)}) scale({ASLEEP / 100:.3f})"
    return f'<g{kind}><use href="#{name}z" transform="{at}"/></g>'


def _around(b: Box) -> str:
    return f"M{n(b.x - 3)},{n(b.y - 3)}h{n(b.width + 6)}v{n(b.height + 6)}h{n(-b.width - 6)}z"


def _pulse(look: Theme, wire: Wire, cue: Cue, moment: float | None) -> str:
    colour = look.accent if cue.motion == "back" else look.ink
    long = sum(abs(x - a) + abs(y - b) for (a, b), (x, y) in pairwise(wire.points))
    return motion.pulse(cue, moment, colour, 3.0 + 2.5 * wire.size, path(wire.points), long)


def _glow(look: Theme, block: Block, cue: Cue, moment: float | None) -> str:
    return motion.glowing(look, block.box, cue, moment)
