"""When each part moves and appears: forward, blame back term by term, the update, what Miya says.

A round goes from 0 to 1. What a part of the round brings is hidden before it: z and a until the
forward wave is there, δ and Miya's pose until blame is, the new weights until the update.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .scene import Edge, Neuron, Scene

Motion = Literal["forward", "back", "update", "glow"]
SECONDS = 12.0  # of one round
FRAMES, FEW = 48, 20  # of one round; few where each of them is a large picture
LARGE = 1000  # labels of a large picture
# the parts of a round
FORWARD, BACK, UPDATE, TELL = (0.03, 0.26), (0.29, 0.68), (0.71, 0.81), 0.85
ALONE = (0.05, 0.8)  # of a view of one part
PARTS: dict[str, tuple[Motion, ...]] = {
    "whole": ("forward", "back", "update"),
    "forward": ("forward",),
    "blame": ("back",),
    "update": ("update",),
    "givens": (),
}
# of the time that blame takes from a layer to the one before it: until when its terms arrive,
# one after another, then their sum ∂C/∂a, then δ
TERMS, SUM, DELTA = 0.66, 0.74, 0.86


@dataclass(frozen=True)
class Cue:
    """One motion of an edge, from `start` to `end` of the round."""

    motion: Motion
    start: float
    end: float

    def at(self, moment: float) -> float | None:
        """How far it has come, from 0 to 1, or None where it does not move."""
        if not self.start <= moment < self.end:
            return None
        return (moment - self.start) / (self.end - self.start)


@dataclass(frozen=True)
class Reveal:
    """A part of the picture that is hidden until `at`. layer: 0 where it has none; ref: of an
    edge or of a row, where it is one alone."""

    part: str
    at: float
    layer: int = 0
    ref: str = ""


def windows(scene: Scene) -> dict[Motion, tuple[float, float]]:
    """Each motion's part of the round; a view of one motion gives it nearly all."""
    told = PARTS[scene.view]
    if len(told) == 1:
        return {told[0]: ALONE}
    return {"forward": FORWARD, "back": BACK, "update": UPDATE}


def phases(scene: Scene) -> list[tuple[str, float, float]]:
    """What the caption says, from when to when."""
    starts = {motion: start for motion, (start, _) in windows(scene).items()} | {"tell": TELL}
    first = scene.captions[0][0]
    times = [0.0 if motion == first else starts[motion] for motion, _ in scene.captions]
    words = [text for _, text in scene.captions]
    return list(zip(words, times, [*times[1:], 1.0], strict=True))


def step_of(scene: Scene, motion: Motion, layer: int) -> tuple[float, float]:
    """When the motion passes the edges into `layer` (the links to the loss are one more), and
    for how long."""
    low, high = windows(scene)[motion]
    steps = scene.layers + 1
    span = (high - low) / steps
    return low + (layer - 1 if motion == "forward" else steps - layer) * span, span


def edge_cues(scene: Scene) -> Iterator[tuple[Edge, Cue]]:
    """Every edge's motions but the update's, which are all at once.

    The terms of one layer go back one after another.
    """
    by_layer = {k: [e for e in scene.edges if e.layer == k] for k in range(1, scene.layers + 2)}
    for motion in windows(scene):
        for layer, edges in by_layer.items() if motion != "update" else ():
            start, span = step_of(scene, motion, layer)
            moving = [e for e in edges if motion == "forward" or e.passed is not None or layer == 1]
            for k, edge in enumerate(moving):
                yield edge, _staggered(motion, start, span, k, len(moving))


def _staggered(motion: Motion, start: float, span: float, k: int, count: int) -> Cue:
    if motion == "forward":
        return Cue(motion, start, start + span)
    if count < 2:
        return Cue(motion, start, start + TERMS * span)
    length = 0.3 * span
    begin = start + (TERMS * span - length) * k / (count - 1)
    return Cue(motion, begin, begin + length)


def neuron_cues(scene: Scene) -> Iterator[tuple[Neuron, Cue]]:
    """Each neuron glows where the wave, and then the blame, reaches it."""
    for motion in windows(scene):
        if motion == "update":
            continue
        for neuron in scene.neurons:
            yield neuron, Cue("glow", *glow(scene, motion, neuron.layer))


def glow(scene: Scene, motion: Motion, layer: int) -> tuple[float, float]:
    if motion == "forward":
        start, span = step_of(scene, motion, layer)
        return start + 0.8 * span, start + 1.4 * span
    start, span = step_of(scene, motion, layer + 1)
    return start + SUM * span, start + 1.2 * span


def waking(scene: Scene, layer: int) -> float | None:
    """When the cats of a layer leave their sleep; None where they show their pose throughout."""
    shown = windows(scene)
    if "back" in shown:
        start, span = step_of(scene, "back", layer + 1)
        return start + DELTA * span
    if "forward" in shown:
        return sum(step_of(scene, "forward", layer))
    return None


def reveals(scene: Scene) -> Iterator[Reveal]:
    """All that is hidden at first, and when it appears. Nothing is hidden for good."""
    shown = windows(scene)
    layers = range(1, scene.layers + 1)
    for layer in layers:
        at = waking(scene, layer)
        if at is not None:
            yield Reveal("pose", at, layer)
    if "forward" in shown:
        for layer in layers:
            yield Reveal("signal", sum(step_of(scene, "forward", layer)), layer)
        yield Reveal("loss", sum(step_of(scene, "forward", scene.layers + 1)))
    if "back" in shown:
        yield from _back(scene)
    if "update" in shown:
        yield Reveal("after", sum(shown["update"]) / 2)
    yield Reveal("told", TELL)


def _back(scene: Scene) -> Iterator[Reveal]:
    arrived = {e.ref: cue.end for e, cue in edge_cues(scene) if cue.motion == "back"}
    for edge in scene.edges:
        if edge.passed is not None and edge.kind != "link":
            yield Reveal("arrow", arrived[edge.ref], edge.layer, edge.ref)
    for layer in range(1, scene.layers + 1):
        start, span = step_of(scene, "back", layer + 1)
        for part, share in (("sum", SUM), ("delta", DELTA), ("gradient", 1.0)):
            yield Reveal(part, start + share * span, layer)
    start, span = step_of(scene, "back", scene.layers + 1)
    yield Reveal("link arrow", start + TERMS * span, scene.layers + 1)
    for neuron in scene.neurons:
        start, span = step_of(scene, "back", neuron.layer + 1)
        paths = [row.ref for row in neuron.rows if row.ref.startswith(f"{neuron.ref}.")]
        for k, ref in enumerate(paths[:-1]):
            term = f"W{neuron.layer + 1}[{k}][{neuron.ref.partition('.')[2]}]"
            yield Reveal("row", arrived.get(term, start + TERMS * span), neuron.layer, ref)
        if paths:
            yield Reveal("row", start + SUM * span, neuron.layer, paths[-1])


def moments(scene: Scene) -> list[float]:
    """The moments of one round that a GIF shows."""
    count = FEW if is_large(scene) else FRAMES
    return [(k + 0.5) / count for k in range(count)]


def is_large(scene: Scene) -> bool:
    return sum(1 for _ in scene.all_labels()) > LARGE
