"""Numbers that no name binds, bound by what they are: the only quantity that agrees.

A label such as "excitation of unit 2" is not in any dictionary, but where the numbers behind labels
of its form are pre-activations to all their digits, it says pre-activation, and one of them that
is no such number is a slip. Numbers are read in the page's order, each from those before it, so
that what follows from a slip is known for what it is. What does not agree with anything alone stays
unbound.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from ...core.page import Statement
from ...core.written import Quantity
from .exact import Table
from .factors import Meant, meant
from .items import (
    DIGITS,
    Candidate,
    Item,
    between,
    consistent,
    hints,
    item_of,
    on_from,
    place_of,
)
from .mistakes import variants
from .near import Near, work_of
from .world import World

# heads in the order in which equal numbers are told apart: δ of an output is its bias's gradient
HEADS = ("z", "a", "C", "∂C/∂a", "σ'", "δ", "∂C/∂W", "∂C/∂b", "W_new", "b_new", "ΔW", "Δb")
# quantities that a page may have with the other sign
SIGNED = ("∂C/∂a", "δ", "∂C/∂W", "∂C/∂b", "ΔW", "Δb")
ROUNDS = 5
MOST = 600  # quantities of a step, or open numbers of it, that are tried
CHAINED = ("z", "a", "∂C/∂a", "σ'", "δ")  # heads that others are worked out from
ORDERED = 5  # of a place between two others that makes it sure
MANY = 2.5  # of a line's factors, which are no chance
SURELY = 1.9  # of a line's factors, likewise
TRIED = 4  # numbers that are supposed to be something
WEAK = {"wrong_index", "decimal_point", "rounded_early", "sign"}  # misread names give these too


def inferred(statements: list[Statement], exact: Table, world: World) -> list[Statement]:
    """The statements of a step, with those that are bound by what agrees. world: with nothing
    set."""
    items = [item_of(k, s) for k, s in enumerate(statements) if s.of is None or s.of not in exact]
    if not items or len(exact) > MOST or len(items) > MOST:
        return statements
    solver = _Solver(statements, items, exact, world)
    solver.run()
    made = list(statements)
    for item in items:
        if item.bound is not None:
            of, sign = item.bound
            made[item.place] = replace(
                item.s,
                of=of,
                flipped=sign < 0,
                pattern=item.pattern,
                inferred=True,
                support=item.support,
            )
    return made


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
            before = self.open
            self.match()
            self.by_factor()
            for group in self.groups.values():
                self.by_work(group)
            for group in self.groups.values():
                self.settle(group)
            if self.open == before and not (self.by_order() or self.supposed()):
                break

    @property
    def open(self) -> int:
        """How many numbers are bound to nothing."""
        return sum(i.bound is None for i in self.items)

    @property
    def taken(self) -> set[Quantity]:
        """The quantities that names or this have given to numbers."""
        return {i.bound[0] for i in self.items if i.bound} | self.stated

    def bound_at(self, place: int) -> Candidate | None:
        """What the number of a statement is bound to, by its name or by this."""
        item, s = self.at.get(place), self.statements[place]
        if item is not None:
            bound = item.bound
        else:
            bound = None if s.of is None else (s.of, -1 if s.flipped else 1)
        return bound if bound is not None and bound[0] in self.exact else None

    def set_in(self, world: World, place: int) -> bool:
        """Give a world the number of a statement, where it is bound."""
        bound = self.bound_at(place)
        if bound is not None:
            world.set(bound[0], bound[1] * float(self.statements[place].stated.value))
        return bound is not None

    # what each number may be

    def match(self) -> None:
        """The candidates of every open number, each from the page's own numbers before it."""
        own = self.world.copy(self.world.previous)
        now: dict[Quantity, list[float]] | None = None
        for k in range(len(self.statements)):
            item = self.at.get(k)
            if self.set_in(own, k):
                now = None
            elif item is not None:
                if now is None:
                    now = {q: own.ways(q) for q in self.told}
                item.found = list(self.candidates(item, own, now))
                if item.worked is not None:
                    item.meant = meant(item.worked, own, self.told)

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
            for sign in (1, -1) if q.head in SIGNED else (1,):
                turned = [sign * v for v in values]
                near = Near(item.value, item.s.stated.half, sign * true)
                fits = near.between(turned) or (item.full and near.one_unit(turned))
                if item.value and (fits or (work is not None and work.fits(turned))):
                    yield q, sign
                    break

    # what a line's own factors say

    def by_work(self, group: list[Item]) -> None:
        """Bind the numbers of one label's form whose factors are of one quantity alone."""
        said: dict[Quantity, list[Item]] = defaultdict(list)
        for item in group:
            if item.bound is None and (of := self.said(item)) is not None:
                said[of].append(item)
        for of, items in said.items():
            have = [i for i in group if i.bound is not None and i.bound[0] == of]
            if len({i.numbers for i in (*items, *have)}) > 1:
                items = self.told_apart(of, items, have, group)
            for item in items:
                item.bound = of, self.sign(item, of)
                item.support = "" if any(q == of for q, _ in item.found) else "work"

    def said(self, item: Item) -> Quantity | None:
        """What a number's line works out, where that is one quantity."""
        of = [m.of for m in item.meant]
        by_value = {q for q, _ in item.found}
        both = [q for q in of if q in by_value]
        if len(both) == 1:
            return both[0]
        if len(of) != 1 or not item.full:
            return None
        whole = item.meant[0].other is None and item.meant[0].score >= SURELY
        return of[0] if (not item.found or whole) and self.backed(item, item.meant[0]) else None

    def backed(self, item: Item, meant: Meant) -> bool:
        """Whether a line that does not give its quantity is of many factors, or of a label that
        says so, or whose others are such quantities: two factors may be there by chance."""
        hinted = meant.of.head in hints(item.pattern)
        others = self.groups[item.pattern]
        alike = any(i.bound is not None and i.bound[0].head == meant.of.head for i in others)
        return meant.score > MANY or hinted or alike

    def told_apart(
        self, of: Quantity, items: list[Item], have: list[Item], group: list[Item]
    ) -> list[Item]:
        """Which of the numbers with the factors of one quantity says it; the rest say others."""
        taken = self.taken
        free = [q for q in self.told if q.head == of.head and q not in taken and q != of]
        if have or not free:
            return [] if free else items
        own = [i for i in items if consistent(i, of, group)] or items
        after = any(place_of(q) > place_of(of) for q in free)
        return own[:1] if after else own[-1:]

    def sign(self, item: Item, of: Quantity) -> int:
        """The sign that a number has its quantity with: its own, or that of the others."""
        for q, sign in item.found:
            if q == of:
                return sign
        others = [i.bound[1] for i in self.items if i.bound and i.bound[0].head == of.head]
        return others[0] if others and len(set(others)) == 1 else 1

    def by_factor(self) -> None:
        """Bind the number that a later line has in the place of a factor."""
        for item in self.items:
            of = item.meant[0].other if len(item.meant) == 1 else None
            if of is None or of[0] in self.stated or of[0] not in self.exact:
                continue
            if any(i.bound and i.bound[0] == of[0] for i in self.items):
                continue
            same = [
                i
                for i in self.items
                if i.place < item.place
                and i.bound is None
                and not i.found
                and abs(abs(i.value) - of[1]) <= 1e-9
                and (not i.meant or any(m.of == of[0] for m in i.meant))
            ]
            if len(same) == 1 and of[0] in self.told:
                same[0].bound = of[0], self.sign(same[0], of[0])
                same[0].support = "work"

    # what stands before and behind it

    def by_order(self) -> bool:
        """Bind a number that stands where other quantities of its kind stand on the page."""
        seen = self.transitions()
        taken = self.taken
        for item in self.items:
            if item.bound is not None or item.found or not item.full:
                continue
            before, after = self.beside(item)
            hinted = hints(item.pattern)
            scores: dict[Quantity, int] = {}
            for q in self.told:
                if q in taken or (hinted and q.head not in hinted) or not self.may(item, q):
                    continue
                sides = [
                    seen[on_from(p, n)]
                    for p, n in ((before, q), (q, after))
                    if p is not None and n is not None
                ]
                if sides and min(sides) > 0:
                    scores[q] = sum(sides) + 2 * len(sides)
            best = ahead(scores)
            if best is not None and scores[best] >= ORDERED:
                item.bound, item.support = (best, self.sign(item, best)), "order"
                return True
        return False

    def may(self, item: Item, q: Quantity) -> bool:
        """Whether a number's own line and the others of its label's form let it be `q`."""
        group = self.groups[item.pattern]
        return (not item.meant or any(m.of == q for m in item.meant)) and consistent(item, q, group)

    def quantity_at(self, place: int) -> Quantity | None:
        bound = self.bound_at(place)
        return None if bound is None else bound[0]

    def beside(self, item: Item) -> tuple[Quantity | None, Quantity | None]:
        """What the numbers right before and behind a number are."""
        before = self.quantity_at(item.place - 1) if item.place else None
        last = item.place + 1 == len(self.statements)
        return before, None if last else self.quantity_at(item.place + 1)

    def transitions(self) -> Counter[tuple[object, ...]]:
        """How often which quantity follows which."""
        of = [self.quantity_at(k) for k in range(len(self.statements))]
        return Counter(on_from(a, b) for a, b in pairwise(of) if a is not None and b is not None)

    # what a label says

    def settle(self, group: list[Item]) -> None:
        """Bind the numbers of one label's form that agree, and those that must be the others."""
        left = group
        while left:
            reading = self.reading(left)
            if reading is None:
                return
            self.read(group, left, *reading)
            rest = [i for i in left if i.bound is None and i.found]
            left = rest if len(rest) < len(left) and 2 * len(rest) >= len(group) else []

    def read(self, group: list[Item], left: list[Item], head: str, sign: int) -> None:
        """Bind what agrees with one reading of a label's form."""
        used: set[Quantity] = {i.bound[0] for i in group if i.bound}
        for item in left:
            own = [q for q, s in item.found if q.head == head and s == sign]
            if item.bound is None and own:
                chosen = self.among(item, own, group, used)
                if chosen is not None:
                    item.bound = (chosen, sign)
                    used.add(chosen)
        if 2 * len(used) >= len(group) or len(group) - len(used) == 1:
            for item in left:
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
        hinted = hints(group[0].pattern)
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
        by_number = [q for q in fresh if consistent(item, q, group)]
        return (by_number or fresh)[0]

    # numbers that agree with nothing

    def other(self, item: Item, group: list[Item], head: str, sign: int) -> None:
        """Bind a number that must be a quantity of a head that its label's form leaves over."""
        taken = self.taken
        left = [q for q in self.told if q.head == head and q not in taken]
        by_number = [q for q in left if consistent(item, q, group)]
        ordered = [q for q in by_number if between(item, q, group, left)]
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
        for k in range(item.place):
            self.set_in(own, k)
        return own

    def mistaken(self, item: Item, q: Quantity, sign: int, own: World) -> bool:
        near = Near(item.value, item.s.stated.half, self.exact[q])
        kinds = {kind for kind, value in variants(own, q) if near(sign * value)}
        return bool(kinds - WEAK)

    def supposed(self) -> bool:
        """Bind one number as the quantity from which most later numbers follow."""
        lost = [i for i in self.items if i.bound is None and not i.found and i.value]
        taken = self.taken
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
            best = ahead(scores)
            if best is not None and scores[best] >= 2:
                item.bound = (best, 1)
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


def ahead(scores: dict[Quantity, int]) -> Quantity | None:
    """The quantity of the highest score, where it is alone there."""
    best = sorted(scores, key=lambda q: -scores[q])[:2]
    clear = len(best) == 1 or (len(best) == 2 and scores[best[0]] > scores[best[1]])
    return best[0] if clear else None
