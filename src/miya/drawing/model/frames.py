"""When each part of a model's picture moves and appears: box by box as they are computed, back
from the loss, then what the update does."""

from __future__ import annotations

from collections.abc import Iterator

from ..frames import TELL, Cue, Motion, Reveal, windows
from .parts import Block, ModelScene, Wire


def reach(scene: ModelScene, motion: Motion, place: int) -> tuple[float, float]:
    """When the wave is at a block, by its place in the order of computation; the loss is last."""
    low, high = windows(scene)[motion]
    count = len(scene.blocks) + 1
    span = (high - low) / count
    k = place if motion == "forward" else count - 1 - place
    return low + k * span, low + (k + 1) * span


def _middle(scene: ModelScene, motion: Motion, place: int) -> float:
    return sum(reach(scene, motion, place)) / 2


def wire_cues(scene: ModelScene) -> Iterator[tuple[Wire, Cue]]:
    """Every line's motions: from the middle of one box's time to that of the other's."""
    for motion in windows(scene):
        for wire in scene.wires if motion != "update" else ():
            if wire.kind == "flow":
                times = (_middle(scene, motion, k) for k in (wire.source, wire.target))
                yield wire, Cue(motion, *sorted(times))


def block_cues(scene: ModelScene) -> Iterator[tuple[Block, Cue]]:
    """Each box glows while the wave is there; blame does not go back to the inputs."""
    for motion in windows(scene):
        for k, block in enumerate(scene.blocks):
            if motion == "forward" or (motion == "back" and block.kind != "input"):
                yield block, Cue("glow", *reach(scene, motion, k))


def waking(scene: ModelScene, place: int) -> float | None:
    """When the cat of a box leaves her sleep; None where she shows her pose throughout."""
    return _middle(scene, "back", place) if "back" in windows(scene) else None


def reveals(scene: ModelScene) -> Iterator[Reveal]:
    """All that is hidden at first, and when it appears; layer is the block's place."""
    shown = windows(scene)
    updated = sum(shown["update"]) / 2 if "update" in shown else None
    for k, block in enumerate(scene.blocks):
        if block.kind == "input":
            continue
        motion: Motion = "back" if "back" in shown else "forward"
        strip = _middle(scene, motion, k) if motion in shown else updated
        worth = strip if scene.measure == "pressure" or updated is None else updated
        if strip is not None and worth is not None:
            yield Reveal("strip", strip, k, block.ref)
            yield Reveal("worth", worth, k, block.ref)
    if "forward" in shown:
        yield Reveal("loss", _middle(scene, "forward", len(scene.blocks)))
    if updated is not None:
        yield Reveal("after", updated)
    yield Reveal("told", TELL)


def reached(scene: ModelScene) -> Iterator[tuple[Block, float]]:
    """When the forward wave is at each box, which is faint until then."""
    if "forward" in windows(scene):
        for k, block in enumerate(scene.blocks):
            yield block, reach(scene, "forward", k)[0]
