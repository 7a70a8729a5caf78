"""What a model's picture is made of, beside what every picture is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ..scene import Box, Cat, Label, Scene, Tone


@dataclass(frozen=True)
class Heat:
    """Cells side by side on a zero line: up for +, down for −."""

    box: Box
    cells: tuple[Tone, ...]


@dataclass(frozen=True)
class Bar:
    """What a box's parameters are worth: long by size, hatched where negative."""

    box: Box
    tone: Tone


@dataclass(frozen=True)
class Block:
    """A box: a module, a single operation, or an input. ringed: the greediest neuron's cell,
    where Miya is not there to sit on it."""

    ref: str
    kind: Literal["module", "operation", "input"]
    title: str
    box: Box
    labels: tuple[Label, ...]
    heat: Heat | None = None
    bar: Bar | None = None
    cat: Cat | None = None
    ringed: Box | None = None
    lock: Box | None = None


@dataclass(frozen=True)
class Wire:
    """A line of level and upright pieces from one box to another. kind: "flow" carries a value on
    (size: of what the view tells of it); "same" joins boxes with the same parameters.
    source, target: places among the blocks, in the order of computation; the loss is the last."""

    kind: Literal["flow", "same"]
    title: str
    points: tuple[tuple[float, float], ...]
    size: float
    source: int = 0
    target: int = 0


@dataclass(frozen=True)
class ModelScene(Scene):
    blocks: tuple[Block, ...] = ()
    wires: tuple[Wire, ...] = ()

    def all_labels(self) -> Iterator[Label]:
        yield from super().all_labels()
        for block in self.blocks:
            yield from block.labels

    def obstacles(self) -> Iterator[Box]:
        yield from super().obstacles()
        for block in self.blocks:
            if block.heat:
                yield block.heat.box
            if block.bar:
                yield block.bar.box
            if block.cat:
                yield block.cat.box
            if block.lock:
                yield block.lock
