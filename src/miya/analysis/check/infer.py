"""Numbers that no name binds, bound by what they are: the only quantity that agrees.

A label such as "excitation of unit 2" is not in any dictionary, but where the numbers behind labels
of its form are pre-activations to all their digits, it says pre-activation, and one of them that
is no such number is a slip. Numbers are read in the page's order, each from those before it, so
that what follows from a slip is known for what it is. What does not agree with anything alone stays
unbound.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from ...core.page import Statement
from ...core.written import Quantity
from .bind import form
from .exact import Table
from .mistakes import variants
from .near import Near, work_of
from .world import World

# heads in the order in which equal numbers are told apart: δ of an output is its bias's gradient
HEADS = ("z", "a", "C", "∂C/∂a", "σ'", "δ", "∂C/∂W", "∂C/∂b", "W_new", "b_new", "ΔW", "Δb")
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
ROUNDS = 5
MOST = 600  # quantities of a step, or open numbers of it, that are tried
DIGITS = 3  # significant digits of a number that tells a quantity
CHAINED = ("z", "a", "∂C/∂a", "σ'", "δ")  # heads that others are worked out from
TRIED = 4  # numbers that are supposed to be something
FEWER = 2  # of one whose label's other numbers agree
WEAK = {"wrong_index", "decimal_point", "rounded_early", "sign"}  # misread names give these too
Candidate = tuple[Quantity, int]  # and the sign


@dataclass
class Item:
    """An open number. known: what it may be by its value, by its line's arithmetic."""

    place: int
    s: Statement
    pattern: str
    numbers: tuple[int, ...]
    found: list[Candidate] = field(default_factory=list)
    bound: Candidate | None = None

    @cached_property
    def value(self) -> float:
        return float(self.s.stated.value)

    @cached_property
    def full(self) -> bool:
        """Whether it is written to digits that a worked number has."""
        return self.telling >= DIGITS or 0 < self.s.stated.unit < 0.01

    @cached_property
    def telling(self) -> int:
        return len(str(abs(self.s.stated.value)).replace(".", "").lstrip("0"))


def inferred(statements: list[Statement], exact: Table, world: World) -> list[Statement]:
    """The statements of a step, with those that are bound by what agrees. world: with nothing
    set."""
    items = [_item(k, s) for k, s in enumerate(statements) if s.of is None or s.of not in exact]
    if not items or len(exact) > MOST or len(items) > MOST:
        return statements
    solver = _Solver(statements, items, exact, world)
    solver.run()
    made = list(statements)
    for item in items:
        if item.bound is not None:
            of, sign = item.bound
            made[item.place] = replace(
                item.s, of=of, flipped=sign < 0, pattern=item.pattern, inferred=True
            )
    return made


def matched(statements: list[Statement], exact: Table, world: World, quick: bool = False) -> int:
    """How many quantities numbers agree with; quick: without what follows from slips."""
    loose = [replace(s, of=None, others=()) for s in statements]
    items = [_item(k, s) for k, s in enumerate(loose)]
    if len(exact) > MOST or len(items) > MOST:
        return 0
    solver = _Solver(loose, items, exact, world)
    if quick:
        solver.match()
        return len({q for i in items for q, _ in i.found if i.telling >= DIGITS})
    solver.run()
    return len({i.bound[0] for i in items if i.bound is not None})


def _item(place: int, s: Statement) -> Item:
    text = " ".join(s.label) or s.formula
    numbers = tuple(int(n[:6]) for n in re.findall(r"\d+", text)) + s.element
    return Item(place, s, form(s), numbers)


class _Solver:
    def __init__(
        self, statements: list[Statement], items: list[Item], exact: Table, world: World
    ) -> None:
        self.statements, self.items, self.exact, self.world = statements, items, exact, world
        self.at = {item.place: item for item in items}
        self.told = [q for q in exact if q.head in HEADS and self._whole(q)]
        self.told = [q for q in self.told if not (q.head == "σ'" and exact[q] in (0.0, 1.0))]
        self.chained = [q for q in self.told if q.head in CHAINED]
        self.stated = {s.of for s in statements if s.of in exact}
        self.groups: dict[str, list[Item]] = defaultdict(list)
        for item in items:
            self.groups[item.pattern].append(item)

    def _whole(self, q: Quantity) -> bool:
        return q.head == "C" or bool(q.index)

    def run(self) -> None:
        for _ in range(ROUNDS):
            self.match()
            before = sum(i.bound is not None for i in self.items)
            for group in self.groups.values():
                self.settle(group)
            if sum(i.bound is not None for i in self.items) == before and not self.supposed():
                break

    # what each number may be

    def match(self) -> None:
        """The candidates of every open number, each from the page's own numbers before it."""
        own = self.world.copy(self.world.previous)
        now: dict[Quantity, list[float]] | None = None
        for k, s in enumerate(self.statements):
            item = self.at.get(k)
            bound = (s.of, -1 if s.flipped else 1) if item is None else item.bound
            if bound is not None and bound[0] in self.exact:
                own.set(bound[0], bound[1] * float(s.stated.value))
                now = None
            elif item is not None:
                if now is None:
                    now = {q: own.ways(q) for q in self.told}
                item.found = list(self.candidates(item, own, now))

    def candidates(
        self, item: Item, own: World, now: dict[Quantity, list[float]]
    ) -> Iterator[Candidate]:
        work = work_of(item.s)
        if work is not None and (
            not item.s.stated.unit or work.spread > 0.02 * abs(work.value) or "." not in work.text
        ):
            work = None
        value, room = abs(item.value), 4 * item.s.stated.half + 1e-9
        by_work = abs(work.value) if work is not None else 0.0
        room += 2 * work.spread if work is not None else 0.0
        for q in self.told:
            true = self.exact[q]
            said = own.values.get(q)
            values = [*now[q], true] if said is None else [said, *now[q]]
            low, high = min(map(abs, values)) - room, max(map(abs, values)) + room
            if not low <= value <= high and not (by_work and low <= by_work <= high):
                continue
            for sign in (1, -1):
                turned = [sign * v for v in values]
                near = Near(item.value, item.s.stated.half, sign * true)
                fits = near.between(turned) or (item.full and near.one_unit(turned))
                if item.value and (fits or (work is not None and work.fits(turned))):
                    yield q, sign
                    break

    # what a label says

    def settle(self, group: list[Item]) -> None:
        """Bind the numbers of one label's form that agree, and those that must be the others."""
        reading = self.reading(group)
        if reading is None:
            return
        head, sign = reading
        used: set[Quantity] = {i.bound[0] for i in group if i.bound}
        for item in group:
            own = [q for q, s in item.found if q.head == head and s == sign]
            if item.bound is None and own:
                chosen = self.among(item, own, group, used)
                if chosen is not None:
                    item.bound = (chosen, sign)
                    used.add(chosen)
        if 2 * len(used) >= len(group) or len(group) - len(used) == 1:
            for item in group:
                if item.bound is None and not item.found and item.full:
                    self.other(item, group, head, sign)

    def reading(self, group: list[Item]) -> tuple[str, int] | None:
        """The head, and the sign, that fit most numbers of a group."""
        known = [i.bound for i in group if i.bound]
        if known:
            return known[0][0].head, known[0][1]
        scores: dict[tuple[str, int], float] = defaultdict(float)
        strong: dict[tuple[str, int], int] = defaultdict(int)
        for item in group:
            for reading in {(q.head, sign) for q, sign in item.found}:
                scores[reading] += 1
                strong[reading] += item.telling >= DIGITS
        text = group[0].pattern
        hinted = {head for head, pattern in HINTS if re.search(pattern, text)}
        fit = [r for r in scores if strong[r] and 2 * scores[r] >= min(len(group), 4)]
        if not fit:
            return None
        return max(
            fit,
            key=lambda r: (
                scores[r],
                strong[r],
                r[0] in hinted,
                self.free(r[0], group),
                r[1],
                -HEADS.index(r[0]),
            ),
        )

    def free(self, head: str, group: list[Item]) -> bool:
        """Whether other names leave quantities of a head unstated."""
        inside = {i.place for i in group}
        stated = {
            i.bound[0] for i in self.items if i.bound is not None and i.place not in inside
        } | self.stated
        return any(q.head == head and q not in stated for q in self.told)

    def among(
        self, item: Item, own: list[Quantity], group: list[Item], used: set[Quantity]
    ) -> Quantity | None:
        """The one of several quantities of the same value, by the label's numbers and order."""
        if len(own) == 1:
            return own[0]
        fresh = [q for q in own if q not in used] or own
        by_number = [q for q in fresh if _consistent(item, q, group)]
        return (by_number or fresh)[0]

    # numbers that agree with nothing

    def other(self, item: Item, group: list[Item], head: str, sign: int) -> None:
        """Bind a number that must be a quantity of a head that its label's form leaves over."""
        taken = {i.bound[0] for i in self.items if i.bound} | self.stated
        left = [q for q in self.told if q.head == head and q not in taken]
        by_number = [q for q in left if _consistent(item, q, group)]
        ordered = [q for q in by_number if _between(item, q, group, left)]
        for found in (ordered, by_number):
            if len(found) == 1:
                item.bound = (found[0], sign)
                return
        own = self.world_before(item)
        told = [q for q in by_number if self.mistaken(item, q, sign, own)]
        if len(told) == 1:
            item.bound = (told[0], sign)

    def world_before(self, item: Item) -> World:
        own = self.world.copy(self.world.previous)
        for k, s in enumerate(self.statements[: item.place]):
            other = self.at.get(k)
            bound = (s.of, -1 if s.flipped else 1) if other is None else other.bound
            if bound is not None and bound[0] in self.exact:
                own.set(bound[0], bound[1] * float(s.stated.value))
        return own

    def mistaken(self, item: Item, q: Quantity, sign: int, own: World) -> bool:
        near = Near(item.value, item.s.stated.half, self.exact[q])
        kinds = {kind for kind, value in variants(own, q) if near(sign * value)}
        return bool(kinds - WEAK)

    def supposed(self) -> bool:
        """Bind one number as the quantity from which most later numbers follow."""
        lost = [i for i in self.items if i.bound is None and not i.found and i.value]
        taken = {i.bound[0] for i in self.items if i.bound} | self.stated
        for item in lost[:TRIED]:
            later = [i for i in lost if i.place > item.place and i.telling >= DIGITS]
            own = self.world_before(item)
            scores: dict[Quantity, int] = {}
            for q in self.chained:
                if q in taken:
                    continue
                own.set(q, item.value)
                scores[q] = self.follows(own, q, later)
                own.unset(q)
            best = sorted(scores, key=lambda q: -scores[q])[:2]
            if (
                best
                and scores[best[0]] >= 2
                and (len(best) < 2 or scores[best[0]] > scores[best[1]])
            ):
                item.bound = (best[0], 1)
                return True
        return False

    def follows(self, own: World, q: Quantity, later: list[Item]) -> int:
        """How many later numbers follow from what is supposed."""
        values = sorted(abs(own.get(other)) for other in self.told if other != q)
        count = 0
        for item in later:
            room = item.s.stated.half
            at = bisect_left(values, abs(item.value) - room)
            count += at < len(values) and values[at] <= abs(item.value) + room
        return count


def _place(q: Quantity) -> tuple[int, ...]:
    return (q.layer or 0, *q.index)


def _consistent(item: Item, q: Quantity, group: list[Item]) -> bool:
    """Whether the numbers of a label say `q` in the way in which they say the others."""
    known = [(i.numbers, _place(i.bound[0])) for i in group if i.bound is not None]
    known = [(n, p) for n, p in known if len(n) == len(item.numbers) and len(p) == len(_place(q))]
    if any(n == item.numbers and p != _place(q) for n, p in known):
        return len({n for n, _ in known}) == 1  # numbers that tell nothing apart
    for part, mine in enumerate(_place(q)):
        same = all(p[part] == mine for _, p in known)
        shifts = (
            {n[k] - p[part] for n, p in known} | {item.numbers[k] - mine}
            for k in range(len(item.numbers))
        )
        if not same and all(len(s) > 1 for s in shifts):
            return False
    return True


def _between(item: Item, q: Quantity, group: list[Item], left: list[Quantity]) -> bool:
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
