"""A page's open numbers, and how the numbers of a label say which quantity they are of."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from ...core.page import Statement
from ...core.written import Quantity
from .bind import form, said
from .factors import Meant, Worked, worked

# what a label says of the head, where several fit its numbers alike
HINTS = (
    ("W_new", r"new|updat|after|adjust|improv|next|\+$"),
    ("b_new", r"(?=.*(?:new|updat|after|adjust|next))(?=.*(?:bias|\bb\b|offset|threshold))"),
    ("∂C/∂b", r"(?=.*(?:grad|deriv|∂|\bd))(?=.*(?:bias|\bb\b|offset|threshold))|\bdb"),
    ("∂C/∂W", r"(?=.*(?:grad|deriv|∂|\bd))(?=.*(?:weight|\bw\b))|\bdw"),
    ("δ", r"delta|δ|error (?:signal|term)|sensitiv|blame"),
    ("σ'", r"slope|deriv"),
    ("C", r"\b(?:loss|cost|error|energy|[ejlc])\b"),
    ("z", r"\b(?:net|sum|weighted|input|logit|pre|in)\b"),
    ("a", r"\b(?:out|output|activation|act|activity)\b"),
)
DIGITS = 3  # significant digits of a number that tells a quantity
Candidate = tuple[Quantity, int]  # and the sign


@dataclass
class Item:
    """An open number. found: what it may be by its value; meant: by its line's factors; support:
    what binds it though it does not agree."""

    place: int
    s: Statement
    pattern: str
    numbers: tuple[int, ...]
    found: list[Candidate] = field(default_factory=list)
    meant: list[Meant] = field(default_factory=list)
    bound: Candidate | None = None
    support: str = ""

    @cached_property
    def value(self) -> float:
        return float(self.s.stated.value)

    @cached_property
    def worked(self) -> Worked | None:
        return worked(self.s)

    @cached_property
    def full(self) -> bool:
        """Whether it is written to digits that a worked number has."""
        return self.telling >= DIGITS or 0 < self.s.stated.unit < 0.01

    @cached_property
    def telling(self) -> int:
        return len(str(abs(self.s.stated.value)).replace(".", "").lstrip("0"))


def hints(pattern: str) -> set[str]:
    """The heads that a label's form speaks of."""
    return {head for head, told in HINTS if re.search(told, pattern)}


def item_of(place: int, s: Statement) -> Item:
    numbers = tuple(int(n[:6]) for n in re.findall(r"\d+", said(s))) + s.element
    return Item(place, s, form(s), numbers)


def on_from(a: Quantity, b: Quantity) -> tuple[object, ...]:
    """From one quantity to the next: their heads, and how far on it is."""
    on = (
        tuple(n - m for m, n in zip(a.index, b.index, strict=True))
        if len(a.index) == len(b.index)
        else (a.index[:1] == b.index[:1],)
    )
    return a.head, b.head, (b.layer or 0) - (a.layer or 0), on


def place_of(q: Quantity) -> tuple[int, ...]:
    return (q.layer or 0, *q.index)


def consistent(item: Item, q: Quantity, group: list[Item]) -> bool:
    """Whether the numbers of a label say `q` in the way in which they say the others."""
    known = [(i.numbers, place_of(i.bound[0])) for i in group if i.bound is not None]
    known = [(n, p) for n, p in known if len(n) == len(item.numbers) and len(p) == len(place_of(q))]
    if any(n == item.numbers and p != place_of(q) for n, p in known):
        return len({n for n, _ in known}) == 1  # numbers that tell nothing apart
    for part, mine in enumerate(place_of(q)):
        same = all(p[part] == mine for _, p in known)
        shifts = (
            {n[k] - p[part] for n, p in known} | {item.numbers[k] - mine}
            for k in range(len(item.numbers))
        )
        if not same and all(len(s) > 1 for s in shifts):
            return False
    return True


def between(item: Item, q: Quantity, group: list[Item], left: list[Quantity]) -> bool:
    """Whether `q` stands between the quantities before and behind the number."""
    before = [i.bound[0] for i in group if i.bound and i.place < item.place]
    behind = [i.bound[0] for i in group if i.bound and i.place > item.place]
    if not before and not behind:
        return True
    up = _rising([i.bound[0] for i in group if i.bound])
    low = before[-1] if before else None
    high = behind[0] if behind else None
    key = _order(up)
    return (low is None or key(low) < key(q)) and (high is None or key(q) < key(high))


def _rising(found: list[Quantity]) -> bool:
    layers = [q.layer or 0 for q in found]
    return layers == sorted(layers)


def _order(up: bool):  # type: ignore[no-untyped-def]
    return lambda q: ((q.layer or 0) * (1 if up else -1), *q.index)
