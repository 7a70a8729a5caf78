"""When each part moves: a forward wave, blame back term by term, then the weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .scene import Edge, Neuron, Scene

Motion = Literal["forward", "back", "update", "glow"]
SECONDS = 9.0  # of one round
FRAMES = 45
# the parts of a round, from 0 to 1
FORWARD, BACK, UPDATE = (0.03, 0.33), (0.38, 0.74), (0.77, 0.93)
PARTS: dict[str, tuple[Motion, ...]] = {
    "whole": ("forward", "back", "update"),
    "forward": ("forward",),
    "blame": ("back",),
    "update": ("update",),
}


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


def windows(scene: Scene) -> dict[Motion, tuple[float, float]]:
    """Each motion's part of the round; a view of one motion gives it nearly all."""
    told = PARTS[scene.view]
    if len(told) == 1:
        return {told[0]: (0.05, 0.9)}
    return {"forward": FORWARD, "back": BACK, "update": UPDATE}


def arrival(scene: Scene) -> Cue | None:
    """When the numbers that the update brings appear; None where the view has no update."""
    window = windows(scene).get("update")
    return Cue("update", *window) if window else None


def edge_cues(scene: Scene) -> Iterator[tuple[Edge, Cue]]:
    """Every edge's motions. Terms of one layer go back one after another."""
    steps = scene.layers + 1  # the layers, and the links to the loss
    by_layer = {k: [e for e in scene.edges if e.layer == k] for k in range(1, steps + 1)}
    for motion, (low, high) in windows(scene).items():
        span = (high - low) / steps
        for layer, edges in by_layer.items():
            if motion == "update":
                yield from ((e, Cue(motion, low, high)) for e in edges if e.kind != "link")
                continue
            place = layer - 1 if motion == "forward" else steps - layer
            start = low + place * span
            moving = [e for e in edges if motion == "forward" or e.passed is not None or layer == 1]
            for k, edge in enumerate(moving):
                yield edge, _staggered(motion, start, span, k, len(moving))


def _staggered(motion: Motion, start: float, span: float, k: int, count: int) -> Cue:
    if motion == "forward" or count < 2:
        return Cue(motion, start, start + span)
    length = 0.5 * span
    begin = start + (span - length) * k / (count - 1)
    return Cue(motion, begin, begin + length)


def neuron_cues(scene: Scene) -> Iterator[tuple[Neuron, Cue]]:
    """Each neuron glows where the wave, and then the blame, reaches it."""
    steps = scene.layers + 1
    for motion, (low, high) in windows(scene).items():
        if motion == "update":
            continue
        span = (high - low) / steps
        for neuron in scene.neurons:
            place = neuron.layer if motion == "forward" else steps - neuron.layer
            start = low + place * span
            yield neuron, Cue("glow", start, min(start + span, high + 0.04))


def moments(count: int = FRAMES) -> list[float]:
    return [(k + 0.5) / count for k in range(count)]
