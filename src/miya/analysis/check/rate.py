"""The learning rate of a page that gives none: what its new weights say of it.

A new weight whose line multiplies the gradient with a number says the rate; without such lines it
is the quotient of what the weight moved by and its gradient, as far as their digits tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from ...core.build import network as build
from ...core.page import Note, Page, Statement
from ...core.step import take_step
from ...core.written import Binary, Negative, Number, Quantity, Tree
from ...errors import MiyaError
from .exact import table

NEW = ("W_new", "b_new")
MOVED = ("W_new", "b_new", "ΔW", "Δb", "C_new")  # what a rate decides
SHARE = 0.6  # of the new weights, which must agree
LEAST = 2  # new weights that tell a rate by their values
TELLING = 5  # halves of a last digit that a weight must have moved by
FIGURES = (1, 2)  # significant digits of a rate, the likeliest first
GIVEN_NONE = "assumed_no_rate"


@dataclass(frozen=True)
class Range:
    """Between which rates a new weight has its stated digits."""

    low: float
    high: float

    def __contains__(self, rate: float) -> bool:
        return self.low <= rate <= self.high


def rated(page: Page) -> Page:
    """`page` with the rate that its new weights say, where it gives none.

    Where they say none, the new weights are of no known quantity: only their own lines are marked.
    """
    if page.description is None or not any(n.key == GIVEN_NONE for n in page.assumed):
        return page
    moved = [s for s in page.statements if s.of is not None and s.of.head in MOVED]
    if not moved:
        return page
    rate = _by_lines(moved) or _by_values(page, page.description, moved)
    others = [n for n in page.assumed if n.key != GIVEN_NONE]
    if rate is None:
        unknown = Note("unknown_rate", {})
        free = (replace(s, of=None, others=()) if s in moved else s for s in page.statements)
        return replace(page, statements=tuple(free), assumed=(*others, unknown))
    note = Note("found_rate", {"rate": f"{rate:g}"})
    described = {**page.description, "learning_rate": Decimal(repr(rate))}
    return replace(page, description=described, assumed=(*others, note))


def _by_lines(moved: list[Statement]) -> float | None:
    """The number that most lines multiply with the gradient: 0.4 - 0.5 · 0.08."""
    new = [s for s in moved if s.of is not None and s.of.head in NEW]
    lines = [set(_factors(s)) for s in new]
    lines = [found for found in lines if found]
    said = Counter(value for found in lines for value in found)
    first = said.most_common(2)
    if not first or first[0][1] < max(LEAST, SHARE * len(lines)):
        return None
    alone = len(first) > 1 and first[0][1] > first[1][1]
    return float(first[0][0]) if alone else None


def _factors(s: Statement) -> Iterator[Decimal]:
    """The factors of what a line takes from its first number."""
    for tree in s.work:
        match tree:
            case Binary("-" | "+", _, Binary("*", _, _) as product) | Binary(
                "-" | "+", _, Negative(Binary("*", _, _) as product)
            ):
                yield from _numbers(product)


def _numbers(tree: Tree) -> Iterator[Decimal]:
    match tree:
        case Binary("*", left, right):
            yield from _numbers(left)
            yield from _numbers(right)
        case Number(written) if written.value > 0:
            yield written.value


def _by_values(page: Page, described: Mapping[str, Any], moved: list[Statement]) -> float | None:
    """The shortest rate between what each new weight allows, where most agree."""
    try:
        exact = table(take_step(build(dict(described))), page.softmax)
    except MiyaError:
        return None
    stated = {s.of: s for s in page.statements if s.of is not None}
    found = [r for s in moved if s.of is not None and (r := _range(s, s.of, exact, stated))]
    if len(found) < LEAST:
        return None
    wanted = max(LEAST, SHARE * len(found))
    for figures in FIGURES:
        counts = Counter(rate for r in found for rate in _short(r, figures))
        best = max(counts, key=lambda rate: counts[rate], default=None)
        if best is not None and counts[best] >= wanted:
            alike = [rate for rate in counts if counts[rate] == counts[best]]
            return best if len(alike) == 1 else None
    return None


def _range(
    s: Statement,
    of: Quantity,
    exact: Mapping[Quantity, float],
    stated: Mapping[Quantity, Statement],
) -> Range | None:
    if of.head not in NEW:
        return None
    old = exact.get(Quantity(of.head[0], of.layer, of.index))
    by = Quantity(f"∂C/∂{of.head[0]}", of.layer, of.index)
    own = stated.get(by)
    if old is None or (own is None and by not in exact):
        return None
    gradient = exact[by] if own is None else float(own.stated.value) * (-1 if own.flipped else 1)
    room = s.stated.half
    spread = own.stated.half if own is not None else 0.0
    change = old - float(s.stated.value)
    if abs(change) < TELLING * room or abs(gradient) <= TELLING * spread or change / gradient < 0:
        return None
    ends = [(abs(change) - room) / (abs(gradient) + spread)]
    ends.append((abs(change) + room) / (abs(gradient) - spread))
    return Range(min(ends), max(ends))


def _short(r: Range, figures: int) -> Iterator[float]:
    """Every number of so many significant digits in a range."""
    for power in range(-5, 2):
        unit = 10.0 ** (power - figures + 1)
        for k in range(10 ** (figures - 1), 10**figures):
            rate = float(f"{k * unit:.{figures}g}")
            if rate in r:
                yield rate
