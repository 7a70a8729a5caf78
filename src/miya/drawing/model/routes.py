"""The ways of the wires: down a column from box to box, or through lanes between the columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

Point = tuple[float, float]
LANE, FIRST = 9.0, 16.0  # between lanes, and from the column to its first lane
GRID = 10.0  # of the heights of ports; those on a box's left stand half-way between


@dataclass(frozen=True)
class Spot:
    """A placed box: its column, its place in the whole order, and its edges."""

    column: int
    x: float
    y: float
    right: float
    bottom: float


@dataclass
class Gutter:
    """The lanes to the right of a column: taken intervals of height, lane by lane."""

    lanes: list[list[tuple[float, float]]] = field(default_factory=list)

    def take(self, low: float, high: float) -> int:
        """The first lane that is free from low to high."""
        low, high = min(low, high) - 4, max(low, high) + 4
        for k, lane in enumerate(self.lanes):
            if all(high <= a or b <= low for a, b in lane):
                lane.append((low, high))
                return k
        self.lanes.append([(low, high)])
        return len(self.lanes) - 1

    @property
    def width(self) -> float:
        return FIRST * 2 + LANE * max(len(self.lanes) - 1, 1)


class Ports:
    """Heights along the sides of boxes where wires come and go, each used once."""

    def __init__(self) -> None:
        self.used: dict[tuple[int, str], list[float]] = {}

    def take(self, k: int, spot: Spot, side: str, wanted: float) -> float:
        """The free height on the side that is nearest to the one wanted."""
        shift = 0.0 if side == "right" else GRID / 2
        first = spot.y + 12
        low = -(-(first - shift) // GRID) * GRID + shift
        choices = []
        while low < spot.bottom - 8:
            choices.append(low)
            low += GRID
        used = self.used.setdefault((k, side), [])
        free = [y for y in choices if y not in used] or choices
        best = min(free, key=lambda y: abs(y - wanted))
        used.append(best)
        return best


@dataclass(frozen=True)
class Way:
    """How one wire goes, before the lanes have their places. straight: from the bottom of one box
    to the top of the next. lanes: (gutter, lane) pairs; bus: its lane above the columns."""

    source: int
    target: int
    straight: bool
    start: float = 0.0
    end: float = 0.0
    lanes: tuple[tuple[int, int], ...] = ()
    bus: int | None = None


def ways(
    spots: Sequence[Spot], pairs: Sequence[tuple[int, int]], plain: Sequence[bool]
) -> tuple[list[Way], list[Gutter], int]:
    """The way of each pair, the gutters with their lanes, and how many lanes the bus has.

    plain: whether a pair of neighbours may be joined straight down.
    """
    count = max((s.column for s in spots), default=0) + 1
    gutters = [Gutter() for _ in range(count)]
    ports, found, bus = Ports(), [], 0
    for (a, b), direct in zip(pairs, plain, strict=True):
        one, other = spots[a], spots[b]
        if direct and one.column == other.column and b == a + 1:
            found.append(Way(a, b, True))
            continue
        start = ports.take(a, one, "right", one.bottom - 14)
        same = one.column == other.column
        end = ports.take(b, other, "right" if same else "left", other.y + 16)
        if other.column - one.column <= 1:
            lane = gutters[one.column].take(start, end)
            found.append(Way(a, b, False, start, end, ((one.column, lane),)))
        else:
            up = gutters[one.column].take(start, 0.0)
            down = gutters[other.column - 1].take(end, 0.0)
            lanes = ((one.column, up), (other.column - 1, down))
            found.append(Way(a, b, False, start, end, lanes, bus))
            bus += 1
    return found, gutters, bus


def points(
    way: Way, spots: Sequence[Spot], rights: Sequence[float], top: float
) -> tuple[Point, ...]:
    """The corners of a way. rights: of the columns; top: of the bus's lowest lane."""
    one, other = spots[way.source], spots[way.target]
    if way.straight:
        x = one.x + 40
        return (x, one.bottom), (x, other.y)
    xs = [rights[column] + FIRST + LANE * lane for column, lane in way.lanes]
    into = other.right if one.column == other.column else other.x
    if way.bus is None:
        return (one.right, way.start), (xs[0], way.start), (xs[0], way.end), (into, way.end)
    high = top - LANE * way.bus
    return (
        (one.right, way.start),
        (xs[0], way.start),
        (xs[0], high),
        (xs[1], high),
        (xs[1], way.end),
        (into, way.end),
    )
