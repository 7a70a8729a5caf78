"""What a picture is made of, each part in its place. A renderer only writes it down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from . import font
from .cat import Pose

View = Literal["whole", "forward", "blame", "update", "givens"]
VIEWS: tuple[View, ...] = ("whole", "forward", "blame", "update")
Anchor = Literal["start", "middle", "end"]
Style = Literal["title", "name", "delta", "plain", "symbol", "number", "quiet", "head", "speech"]
SIZES: dict[Style, float] = {
    "title": 22.0,
    "name": 13.0,
    "delta": 16.0,
    "plain": 12.0,
    "symbol": 11.5,
    "number": 11.5,
    "quiet": 11.0,
    "head": 10.0,
    "speech": 14.0,
}
BOLD: frozenset[Style] = frozenset({"title", "name", "delta"})


@dataclass(frozen=True)
class Box:
    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    def overlaps(self, other: Box) -> bool:
        return (
            self.x < other.right
            and other.x < self.right
            and self.y < other.bottom
            and other.y < self.bottom
        )

    def holds(self, other: Box) -> bool:
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.right <= self.right
            and other.bottom <= self.bottom
        )


@dataclass(frozen=True)
class Label:
    """Text on its baseline."""

    text: str
    x: float
    y: float
    style: Style = "plain"
    anchor: Anchor = "start"
    moment: str = ""  # what brings a number: "after" the update, with the "gradient", …

    @property
    def size(self) -> float:
        return SIZES[self.style]

    @property
    def box(self) -> Box:
        wide = font.width(self.text, self.size, self.style in BOLD)
        left = self.x - wide * {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor]
        top = self.y - font.ASCENT * self.size
        return Box(left, top, wide, (font.ASCENT + font.DESCENT) * self.size)


@dataclass(frozen=True)
class Tone:
    """Sign and size of a value on a scale centred on zero. size: 0 to 1, √(|value| / largest)."""

    sign: int = 0
    size: float = 0.0


@dataclass(frozen=True)
class Cat:
    """Miya in a square box."""

    pose: Pose
    sign: int
    box: Box
    arm: bool = False
    left: bool = False  # turned left whatever the sign, to point there


@dataclass(frozen=True)
class Row:
    """A line of a card: one incoming weight or bias, or one path that brings blame back."""

    ref: str
    title: str
    labels: tuple[Label, ...]
    band: Box
    tapped: bool = False  # first by the measure: framed
    paw: Box | None = None  # where she taps it
    lock: Box | None = None  # where a frozen one shows a lock


@dataclass(frozen=True)
class Source:
    """An input, or the constant 1 that a bias is the weight of."""

    ref: str
    kind: Literal["input", "constant"]
    title: str
    box: Box
    labels: tuple[Label, ...]


@dataclass(frozen=True)
class Neuron:
    """A card: the neuron with its cat, its numbers, and a row an incoming weight."""

    ref: str
    title: str
    layer: int
    box: Box
    circle: Box
    tone: Tone
    cat: Cat | None
    labels: tuple[Label, ...]
    rows: tuple[Row, ...]
    pointed: Cat | None = None  # where she stands and points at it
    rule: Box | None = None  # the line over the sum of the paths
    ringed: bool = False  # the greediest, where she is not there to point at it


@dataclass(frozen=True)
class Edge:
    """From the source's right to its row. `passed` is what goes back along it, None if nothing."""

    ref: str
    kind: Literal["weight", "bias", "link"]
    title: str
    layer: int
    start: tuple[float, float]
    end: tuple[float, float]
    tone: Tone
    passed: Tone | None
    frozen: bool = False
    tapped: bool = False


@dataclass(frozen=True)
class Loss:
    ref: str
    title: str
    box: Box
    labels: tuple[Label, ...]


@dataclass(frozen=True)
class Strip:
    """A heat strip: a cell a bin of neurons or weights, from top to bottom."""

    ref: str
    title: str
    box: Box
    cells: tuple[Tone, ...]
    labels: tuple[Label, ...]


@dataclass(frozen=True)
class Sample:
    """One entry of the legend: an icon by its kind, and what it means."""

    kind: str
    box: Box
    labels: tuple[Label, ...]
    cat: Cat | None = None


@dataclass(frozen=True)
class Panel:
    """A framed box under the figure: what Miya says, or the legend."""

    box: Box
    labels: tuple[Label, ...]
    samples: tuple[Sample, ...] = ()
    cat: Cat | None = None
    bubble: Box | None = None


@dataclass(frozen=True)
class Scene:
    width: float
    height: float
    title: str
    description: str
    language: str
    view: View
    measure: str
    miya: bool
    layers: int
    labels: tuple[Label, ...]
    sources: tuple[Source, ...]
    neurons: tuple[Neuron, ...]
    edges: tuple[Edge, ...]
    loss: Loss
    panels: tuple[Panel, ...]
    strips: tuple[Strip, ...] = ()
    captions: tuple[tuple[str, str], ...] = ()  # of the parts of an animation, by their motion

    def all_labels(self) -> Iterator[Label]:
        yield from self.labels
        parts: tuple[Source | Neuron | Strip | Loss, ...]
        parts = (*self.sources, *self.neurons, *self.strips, self.loss)
        for part in parts:
            yield from part.labels
        for neuron in self.neurons:
            for row in neuron.rows:
                yield from row.labels
        for panel in self.panels:
            yield from panel.labels
            for sample in panel.samples:
                yield from sample.labels

    def obstacles(self) -> Iterator[Box]:
        """Where no label may be: cats, circles, peeking heads, icons."""
        for neuron in self.neurons:
            yield neuron.circle
            if neuron.cat:
                yield neuron.cat.box
            if neuron.pointed:
                yield neuron.pointed.box
            yield from (box for row in neuron.rows for box in (row.paw, row.lock) if box)
        for panel in self.panels:
            if panel.cat:
                yield panel.cat.box
            yield from (sample.box for sample in panel.samples)
        yield from (strip.box for strip in self.strips)
