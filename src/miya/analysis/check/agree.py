"""How many of a page's numbers a network explains, each from the page's own before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ...core.network import Network
from ...core.page import Figure
from ...core.rounding import Array
from ...core.written import Quantity
from .world import World

DIGITS = 3  # significant digits of a number that tells what it is
SMALL = 0.001  # a number to this many decimals was worked out
SLIPS = 3  # numbers that are none of the network's, from which others may follow
CHANCE = 2  # numbers that one taken for a slip explains by chance
FORWARD = 0.6  # of the sums and activations, which must stand on the page
CARRIED = 1.0  # units that rounded numbers, carried on, may move a result by


def telling(figure: Figure) -> bool:
    """Whether a number is written to digits that a worked one has."""
    digits = figure.text.lower().partition("e")[0].replace(".", "").lstrip("-0")
    return bool(figure.unit) and (len(digits) >= DIGITS or figure.unit < SMALL)


class Telling:
    """The numbers of a page that have digits enough to be told by; signed, or their sizes."""

    def __init__(self, figures: Sequence[Figure], *, sizes: bool = False) -> None:
        rows = {(abs(f.value) if sizes else f.value): f.unit for f in figures}
        self.values = np.array(sorted(rows))
        self.half = np.array([0.51 * rows[v] for v in self.values.tolist()])

    def near(self, value: Array, room: float = 0.0) -> Array:
        """The place of a number that each value rounds to; -1 where there is none."""
        found = np.full(value.shape, -1)
        if not len(self.values):
            return found
        at = np.searchsorted(self.values, value)
        for k in (np.maximum(at - 1, 0), np.minimum(at, len(self.values) - 1)):
            good = np.abs(self.values[k] - value) <= self.half[k] * (1 + 2 * room)
            found = np.where(good, k, found)
        return found

    def place(self, value: float, room: float = 0.0) -> int:
        if not len(self.values):
            return -1
        at = int(np.searchsorted(self.values, value))
        near = [k for k in (at - 1, at) if 0 <= k < len(self.values)]
        best = min(near, key=lambda k: abs(self.values[k] - value))
        good = abs(self.values[best] - value) <= self.half[best] * (1 + 2 * room)
        return best if good else -1

    def one(self, value: float, room: float = 0.0) -> float | None:
        """The number that a value rounds to."""
        k = self.place(value, room)
        return float(self.values[k]) if k >= 0 else None


class Explained:
    """The numbers of a page that a network's step gives, slips followed. world: with them set;
    lost: so few sums and activations stand on the page that the rest is not looked at."""

    def __init__(self, network: Network, sizes: Telling) -> None:
        self.world, self.sizes = World(network), sizes
        self.found: set[int] = set()  # places among `sizes`
        self.tried = self.slips = 0
        layers = range(1, len(network.layers) + 1)
        first = [q for k in layers for head in ("z", "a") for q in _neurons(network, head, k)]
        self.lost = sum([self.see(of) for of in first]) < FORWARD * len(first)
        for of in () if self.lost else quantities(network):
            self.see(of)

    def see(self, of: Quantity) -> bool:
        """Whether a number of the page is `of`, or is taken for it."""
        if of in self.world.values:
            return True
        values = self.world.ways(of)
        if of.head == "σ'" and values[0] in (0.0, 1.0):
            return True
        for value in values:
            place = self.sizes.place(abs(value), CARRIED)
            if place >= 0 and value:
                self.found.add(place)
                self.world.set(of, float(np.copysign(self.sizes.values[place], value)))
                return True
        return of.head in NEXT and self.tried < SLIPS and self.suppose(of)

    def suppose(self, of: Quantity) -> bool:
        """Take a number that nothing explains yet as `of`, where the next ones follow from it."""
        self.tried += 1
        best, most = None, 1
        after = list(NEXT[of.head](self.world, of))
        further = [q for one in after if one.head in NEXT for q in NEXT[one.head](self.world, one)]
        for place, size in enumerate(self.sizes.values.tolist()):
            for value in (size, -size) if place not in self.found else ():
                self.world.set(of, value)
                hits = self.hits(after, place)
                hits += self.hits(further, place) if hits else 0
                if hits > most:
                    best, most = (place, value), hits
        self.world.unset(of)
        if best is None:
            return False
        self.found.add(best[0])
        self.world.set(of, best[1])
        self.slips += 1
        return True

    @property
    def score(self) -> int:
        """How many numbers it explains, less what its slips may explain by chance."""
        return len(self.found) - CHANCE * self.slips

    def hits(self, after: Sequence[Quantity], own: int) -> int:
        """How many of the quantities are numbers of the page, other than that at `own`."""
        next_ = (self.sizes.place(abs(self.world.fresh(q)), CARRIED) for q in after)
        return len({p for p in next_ if p >= 0 and p != own})


def quantities(network: Network) -> Iterator[Quantity]:
    """A step's numbers behind the forward pass, in the order in which they are worked out."""
    layers = range(1, len(network.layers) + 1)
    yield Quantity("C")
    for k in reversed(layers):
        for head in ("∂C/∂a", "σ'", "δ"):
            yield from _neurons(network, head, k)
        for head in ("∂C/∂W", "∂C/∂b"):
            yield from _parameters(network, head, k)
    for k in layers:
        yield from _parameters(network, "W_new", k)
        yield from _parameters(network, "b_new", k)


def _neurons(network: Network, head: str, k: int) -> Iterator[Quantity]:
    yield from (Quantity(head, k, (i,)) for i in range(network.sizes[k]))


def _parameters(network: Network, head: str, k: int) -> Iterator[Quantity]:
    if "b" in head:
        yield from _neurons(network, head, k)
        return
    for i in range(network.sizes[k]):
        yield from (Quantity(head, k, (i, j)) for j in range(network.sizes[k - 1]))


def _after_z(w: World, of: Quantity) -> Iterator[Quantity]:
    yield Quantity("a", of.layer, of.index)


def _after_a(w: World, of: Quantity) -> Iterator[Quantity]:
    k = of.layer or 1
    if k == w.last:
        yield from (Quantity("∂C/∂a", k, of.index), Quantity("C"))
        return
    yield from (Quantity("z", k + 1, (i,)) for i in range(w.sizes[k + 1]))


def _after_grad(w: World, of: Quantity) -> Iterator[Quantity]:
    yield Quantity("δ", of.layer, of.index)


def _after_delta(w: World, of: Quantity) -> Iterator[Quantity]:
    k = of.layer or 1
    yield from (Quantity("∂C/∂W", k, (*of.index, j)) for j in range(w.sizes[k - 1]))
    if k > 1:
        yield from (Quantity("∂C/∂a", k - 1, (j,)) for j in range(w.sizes[k - 1]))


# what is worked out next from a number
NEXT: dict[str, Callable[[World, Quantity], Iterator[Quantity]]] = {
    "z": _after_z,
    "a": _after_a,
    "∂C/∂a": _after_grad,
    "σ'": _after_grad,
    "δ": _after_delta,
}
