"""Names that differ in their numbers alone: what some of them are tells what the others are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ...core.written import Name
from .naming import NEW, OLD

Numbers = tuple[int, ...]
Place = tuple[int, ...]  # layer, and index
Known = tuple[str, "int | None", Place]  # the letter, the layer, the index
OFFSETS = (1, 0)
DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Stem:
    """A name without its numbers."""

    base: str
    low: tuple[str, ...] = ()
    up: tuple[str, ...] = ()
    index: int = 0


def bare(name: Name) -> Name:
    """A name without its marks of new and old."""
    low = tuple(p for p in name.low if p not in NEW and p not in OLD)
    up = tuple(u for u in name.up if u.lstrip("^").isdigit())
    return Name(name.base, low, up, name.index)


def stem(name: Name) -> Stem:
    low = tuple(DIGITS.sub("#", p) for p in _split(name.low))
    return Stem(name.base, low, tuple(DIGITS.sub("#", u) for u in name.up), len(name.index))


def numbers_of(name: Name) -> Numbers:
    """Every number of a name, in its order; 12 below is 1 and 2."""
    low = [int(n[:6]) for p in _split(name.low) for n in DIGITS.findall(p)]
    up = [int(n[:6]) for u in name.up for n in DIGITS.findall(u)]
    return (*low, *up, *name.index)


def _split(low: Iterable[str]) -> Iterator[str]:
    """What stands below, "00" as two numbers: a page with a tenth neuron writes a comma."""
    for piece in low:
        if piece.isdigit() and len(piece) in (2, 3) and (piece[0] == "0" or "0" not in piece):
            yield from piece
        else:
            yield piece


@dataclass
class Stems:
    """The places of names; `every` has all of the page."""

    every: set[Name]
    sizes: Sequence[int] = ()  # neurons of the input and of the layers behind, as far as known
    known: dict[Name, Known] = field(default_factory=dict)

    def put(self, name: Name, head: str, layer: int | None, index: Place) -> None:
        self.known.setdefault(name, (head, layer, index))

    def named(self) -> dict[Name, Name]:
        """Each name that has a place, as the name of that place."""
        found = dict(self.known)
        for by_layer in (False, True):
            groups: dict[tuple[Stem, str, int], list[Name]] = defaultdict(list)
            for name, (head, layer, _) in self.known.items():
                groups[stem(name), head, (layer or 0) * by_layer].append(name)
            heads = {(of, head) for of, head, _ in groups}
            for (of, head, _), members in groups.items():
                if any(s == of and h != head for s, h in heads):
                    continue
                rest = sorted((n for n in self.every - set(found) if stem(n) == of), key=numbers_of)
                self.extend(found, members, rest, by_layer)
        for name in self.every - set(found):
            inside = self.inside(name) or _whole(name, found)
            if inside is not None:
                found[name] = inside
        return {name: _name(*place) for name, place in found.items()}

    def extend(
        self, found: dict[Name, Known], members: list[Name], rest: list[Name], by_layer: bool
    ) -> None:
        """Places for names of the stem of some."""
        taken = set(found.values())
        for name, place in self.others(members, rest) if rest else ():
            if place not in taken and self.may(place):
                found[name] = place
                taken.add(place)
        head, layer, _ = self.known[members[0]]
        if by_layer and head == "W" and layer is not None and 0 < layer < len(self.sizes):
            free = [
                place
                for i in range(self.sizes[layer])
                for j in range(self.sizes[layer - 1])
                if (place := (head, layer, (i, j))) not in taken
            ]
            left = [n for n in rest if n not in found and len(numbers_of(n)) == 1]
            if len(left) == len(free):
                found |= dict(zip(left, free, strict=True))

    def may(self, known: Known) -> bool:
        """Whether a layer is large enough for a place."""
        head, layer, index = known
        if not self.sizes or not index:
            return True
        at = (0 if head == "x" else len(self.sizes)) if layer is None else layer
        tops = [at, at - 1] if head == "W" else [at]
        return all(
            not 0 <= t < len(self.sizes) or i < self.sizes[t]
            for i, t in zip(index, tops, strict=True)
        )

    def others(
        self, members: Sequence[Name], rest: Sequence[Name]
    ) -> Iterator[tuple[Name, tuple[str, int | None, Place]]]:
        """The places of names whose numbers tell them as those of the known ones do."""
        head = self.known[members[0]][0]
        rows = [(numbers_of(n), self.full(n)) for n in members]
        if len({len(p) for _, p in rows}) > 1:
            return
        layer = self.known[members[0]][1]
        ways = _ways(rows, layer is not None, _order(members[0]))
        if ways is None:
            return
        used = {p for p, _ in ways}
        fixed = [p for p in range(len(rows[0][0])) if p not in used]
        for name in rest:
            mine = numbers_of(name)
            if any(all(mine[p] != n[p] for n, _ in rows) for p in fixed):
                continue
            place = tuple(mine[p] - off if p >= 0 else off for p, off in ways)
            if min(place, default=0) < 0:
                continue
            yield name, (head, None if layer is None else place[0], place[layer is not None :])

    def full(self, name: Name) -> Place:
        _, layer, index = self.known[name]
        return index if layer is None else (layer, *index)

    def inside(self, name: Name) -> Known | None:
        """An element of a vector or matrix: u_12 of U, z1[0] of z1."""
        for whole, (head, layer, index) in self.known.items():
            if index or name.base.lower() != whole.base.lower() or name == whole:
                continue
            mine, own = numbers_of(name), numbers_of(whole)
            more = mine[len(own) :]
            if mine[: len(own)] != own or len(more) != 1 + (head == "W"):
                continue
            start = 0 if name.index else self.start(whole)
            if all(n >= start for n in more):
                return head, layer, tuple(n - start for n in more)
        return None

    def start(self, whole: Name) -> int:
        """What the elements of the page's vectors are counted from."""
        every = [numbers_of(n) for n in self.every if n.base.lower() == whole.base.lower()]
        own = len(numbers_of(whole))
        return 0 if any(0 in n[own:] for n in every) else 1


def _order(name: Name) -> list[int]:
    """The places of a name's numbers, those that tell neurons apart first: in brackets, the last
    below, and what stands above last."""
    ups = sum(len(DIGITS.findall(u)) for u in name.up)
    count = len(numbers_of(name))
    low = count - ups - len(name.index)
    return [*range(count - 1, low + ups - 1, -1), *range(low - 1, -1, -1), *range(low, low + ups)]


def _ways(
    rows: Sequence[tuple[Numbers, Place]], layered: bool, order: Sequence[int]
) -> list[tuple[int, int]] | None:
    """Which number tells each part of a place, and what it counts from; -1 and the part itself
    where no number does. What differs is told apart first; one layer is that of all."""
    size = len(rows[0][1])
    found: dict[int, tuple[int, int]] = {}
    same = {part for part in range(size) if len({place[part] for _, place in rows}) == 1}
    for part in sorted(range(size), key=lambda k: (k in same, layered and k == 0)):
        used = {way[0] for way in found.values()}
        tells = [
            (p, off)
            for p in order
            for off in sorted({n[p] - place[part] for n, place in rows}, key=_likely)
            if all(n[p] - off == place[part] for n, place in rows) and p not in used
        ]
        tells.sort(key=lambda way: _likely(way[1]))
        one = part in same
        if tells and not (one and layered and part == 0):
            found[part] = tells[0]
        elif one:
            found[part] = -1, rows[0][1][part]
        else:
            return None
    return [found[part] for part in range(size)]


def _whole(name: Name, found: dict[Name, Known]) -> Known | None:
    """The vector or matrix of which names with brackets are elements."""
    kinds = {
        (head, layer)
        for n, (head, layer, _) in found.items()
        if n.index and replace(n, index=()) == name
    }
    if name.index or len(kinds) != 1:
        return None
    return *kinds.pop(), ()


def _likely(offset: int) -> int:
    return int(offset not in OFFSETS)


def _name(head: str, layer: int | None, index: Place) -> Name:
    return Name(head, up=() if layer is None else (str(layer),), index=index)
