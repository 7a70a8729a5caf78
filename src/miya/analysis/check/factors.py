"""What a line's own arithmetic says of its number: the quantity whose factors it works with.

0.15·0.05 + 0.2·0.1 + 0.35 is the sum of the neuron whose weights, inputs and bias these are,
whatever it is called and whatever stands behind it. A mistake leaves a factor out, takes another
one, or none of it; the quantity that most factors are of is still one alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ...core.page import Statement
from ...core.written import Binary, Call, Chain, Negative, Quantity, Tree, Written, names
from .evaluate import numbers
from .world import World

Factor = tuple[Quantity, tuple[float, ...]]  # with the values that it may have
PLAIN = (1.0, 2.0, 0.5, 4.0)  # numbers of a formula itself
LEAST = 2  # factors that must be found
MOST = 40  # numbers of a line
LEFT = 0.6  # what a factor that is not there, or is another's, takes away
CLEAR = 0.5  # by how much one quantity must be ahead
ALSO = 0.7  # what another value of a factor is worth, that is taken for it by mistake


@dataclass(frozen=True)
class Worked:
    """The numbers of a line's arithmetic, and the signs between them."""

    numbers: tuple[Written, ...]
    signs: frozenset[str]


@dataclass(frozen=True)
class Meant:
    """A quantity that a line may work out. other: the one factor of which the line has another
    number, and that number."""

    of: Quantity
    score: float
    other: tuple[Quantity, float] | None = None


def worked(s: Statement) -> Worked | None:
    """The arithmetic nearest before a number that holds numbers only."""
    for tree in reversed(s.work):
        if names(tree):
            continue
        found = tuple(n.written for n in numbers(tree)[:MOST])
        signs = frozenset(_signs(tree))
        return Worked(found, signs) if len(found) >= LEAST and signs else None
    return None


def _signs(tree: Tree) -> Iterator[str]:
    match tree:
        case Binary(sign, left, right):
            yield {"@": "*", "⊙": "*"}.get(sign, sign)
            yield from _signs(left)
            yield from _signs(right)
        case Negative(of) | Call(_, of):
            yield from _signs(of)
        case Chain(sides):
            yield from _signs(sides[-1])


def meant(work: Worked, world: World, told: Sequence[Quantity]) -> list[Meant]:
    """The quantities that a line may work out, the likeliest first, those near to it in likelihood.

    world: of the page's own numbers before the line.
    """
    found = []
    for of in told:
        kind = KINDS.get(of.head)
        if kind is None or not kind.signs <= work.signs or kind.never & work.signs:
            continue
        made = _meant(work.numbers, of, list(kind.factors(world, of)))
        if made is not None:
            found.append(made)
    best = max((m.score for m in found), default=0.0)
    return [m for m in found if m.score > best - CLEAR]


def _meant(written: Sequence[Written], of: Quantity, factors: list[Factor]) -> Meant | None:
    """How many factors stand in a line, less those that do not, and numbers of nothing."""
    left = [(abs(float(w.value)), 0.51 * float(w.unit) + 1e-9) for w in written]
    hits, score, missing = 0, 0.0, []
    for factor in factors:
        place, worth = _place(left, factor[1])
        if place < 0:
            missing.append(factor[0])
            continue
        hits += 1
        score += worth
        del left[place]
    strange = [value for value, _ in left if value not in PLAIN]
    if hits < min(LEAST, len(factors)):
        return None
    lone = len(missing) == len(strange) == 1
    score -= LEFT * (len(missing) + len(strange))
    return Meant(of, score, (missing[0], strange[0]) if lone else None) if score > 0 else None


def _place(left: list[tuple[float, float]], values: tuple[float, ...]) -> tuple[int, float]:
    """Where a factor stands among numbers with their room, and what that is worth."""
    for worth, wanted in zip((1.0, ALSO, ALSO), values, strict=False):
        for k, (value, room) in enumerate(left):
            if abs(value - abs(wanted)) <= room:
                return k, worth
    return -1, 0.0


def _z(w: World, of: Quantity) -> Iterator[Factor]:
    k, n, i = w.place(of)
    for j in range(w.sizes[k - 1]):
        yield _of(w, Quantity("W", k, (i, j)))
        yield _input(w, k, n, j)
    if w.get(Quantity("b", k, (i,))):
        yield _of(w, Quantity("b", k, (i,)))


def _of(w: World, *found: Quantity) -> Factor:
    return found[0], tuple(w.get(q) for q in found)


def _input(w: World, k: int, n: int, j: int) -> Factor:
    """An input of a layer; what it is before its activation is taken for it by mistake."""
    if k == 1:
        return _of(w, w.q("x", None, n, j))
    return _of(w, w.q("a", k - 1, n, j), w.q("z", k - 1, n, j))


def _loss(w: World, of: Quantity) -> Iterator[Factor]:
    for i in range(0 if w.many else w.sizes[-1]):
        yield _of(w, w.q("a", w.last, 0, i))
        yield _of(w, w.q("y", None, 0, i))


def _grad_a(w: World, of: Quantity) -> Iterator[Factor]:
    k, n, i = w.place(of)
    if k == w.last:
        yield _of(w, w.q("a", k, n, i))
        yield _of(w, w.q("y", None, n, i))
        return
    for r in range(w.sizes[k + 1]):
        weight = Quantity("W", k + 1, (r, i))
        yield _of(w, weight, weight._replace(head="W_new"))
        yield _of(w, w.q("δ", k + 1, n, r))


def _slope(w: World, of: Quantity) -> Iterator[Factor]:
    yield _of(w, of._replace(head="a"))
    if w.network.layers[(of.layer or 1) - 1].activation.name == "sigmoid":
        yield _of(w, of._replace(head="a"))


def _delta(w: World, of: Quantity) -> Iterator[Factor]:
    yield _of(w, of._replace(head="∂C/∂a"))
    yield _of(w, of._replace(head="σ'"))


def _grad_w(w: World, of: Quantity) -> Iterator[Factor]:
    k, (i, j) = of.layer or 1, of.index
    if not w.many:
        yield _of(w, w.q("δ", k, 0, i))
        yield _input(w, k, 0, j)


def _new(w: World, of: Quantity) -> Iterator[Factor]:
    letter = of.head[0]
    yield _of(w, of._replace(head=letter))
    yield _of(w, Quantity("η"))
    yield _of(w, of._replace(head=f"∂C/∂{letter}"))


@dataclass(frozen=True)
class Kind:
    """signs: those that its arithmetic has. never: those that it has not."""

    factors: Callable[[World, Quantity], Iterator[Factor]]
    signs: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()


TIMES, ADDED, POWER = frozenset("*"), frozenset("+-"), frozenset("^")
KINDS = {
    "z": Kind(_z, TIMES, POWER),
    "C": Kind(_loss, frozenset("-")),
    "∂C/∂a": Kind(_grad_a, never=POWER),
    "σ'": Kind(_slope, frozenset("-")),
    "δ": Kind(_delta, TIMES, POWER | ADDED),
    "∂C/∂W": Kind(_grad_w, TIMES, POWER | ADDED),
    "W_new": Kind(_new, never=POWER),
    "b_new": Kind(_new, never=POWER),
}
