"""One stated number and its verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from ...core.page import Statement
from ...core.written import Quantity, Written
from .diagnose import TOLD_APART, diagnose
from .exact import Table
from .mistakes import variants
from .near import Near, Work, work_of
from .world import World, differs

SLIPS = ("wrong", "last_digit", "not_carried")
TRIVIAL = 1e-3  # an own value this much smaller than the exact one is no work any more
TELLING = 0.05  # relative: a mistake nearer than this is not told apart
GIVEN = ("W", "b", "x", "y", "η")
MOST_INHERITED = 4
LIKELY_ROUNDED = 3  # significant digits from which a number of no known quantity may be rounded


@dataclass(frozen=True)
class Mark:
    """A stated number, marked.

    verdict: right, rounding, last_digit, wrong, follows, not_carried or unclear. exact: the
    correct number. own: what the page's own earlier numbers give. inherited: the earlier slips
    that it follows from. diagnosis: every known mistake that gives the stated digits. trivial:
    an earlier slip left nothing to work out, so that nothing is forgiven. step: the training step,
    and inherited_in those of `inherited`.
    """

    of: Quantity | None
    formula: str
    stated: Written
    line: int
    verdict: str
    exact: float | None
    own: float | None
    inherited: tuple[tuple[Quantity, str], ...] = ()
    diagnosis: tuple[str, ...] = ()
    work: Work | None = None
    work_fails: bool = False
    trivial: bool = False
    step: int = 1
    inherited_in: tuple[int, ...] = ()

    @property
    def place(self) -> str:
        return str(self.of) if self.of is not None else self.formula


@dataclass(frozen=True)
class Seen:
    """A stated number with what there is to compare it with."""

    of: Quantity
    stated: Written
    near: Near
    own: list[float]  # from the page's numbers as they stand
    carried: list[float]  # from its slips alone, the rest unrounded
    work: Work | None
    work_fails: bool
    own_fits: bool
    tainted: bool

    @property
    def references(self) -> list[float]:
        found = [*self.own, *self.carried, self.near.true]
        if self.work is not None and self.work.fits(found):
            found.append(self.work.value)
        return found


class Judge:
    """Marks the statements of one training step in the order of a page, remembering what it
    stated before. previous: of the step before, whose `stated` the world comes after."""

    def __init__(self, world: World, exact: Table, previous: Judge | None = None) -> None:
        self.exact, self.previous = exact, previous
        self.step: int = previous.step + 1 if previous else 1
        self.stated = world  # every number as the page has it
        # only the slips; the rest unrounded
        self.carried: World = world.copy(previous.carried if previous else None)
        self.carried.tracks = True
        self.truth: World = world.copy(previous.truth if previous else None)
        self.before: dict[Quantity, tuple[Written, str]] = {}
        self.sure = frozenset(Decimal(repr(abs(v))) for q, v in exact.items() if q.head in GIVEN)

    def mark(self, s: Statement) -> Mark:
        if s.of is None or s.of not in self.exact:
            return replace(mark_line(s, self.sure), step=self.step)
        seen = self.see(s, s.of)
        verdict, trivial = self.verdict(seen)
        inherited = self.inherited(s.of) if seen.tainted or verdict == "follows" else ()
        made = Mark(
            s.of,
            s.formula,
            s.stated,
            s.line,
            verdict,
            seen.near.true,
            seen.own[0],
            tuple((q, text) for q, text, _ in inherited),
            self.diagnosis(seen, verdict),
            seen.work,
            seen.work_fails,
            trivial,
            self.step,
            tuple(step for _, _, step in inherited),
        )
        self.remember(made, s.of)
        return made

    def see(self, s: Statement, of: Quantity) -> Seen:
        true = self.exact[of]
        own, carried = self.stated.ways(of), self.carried.ways(of)
        work = work_of(s, self.sure)
        near = Near(float(s.stated.value), s.stated.half, true)
        by_work = work is not None and near(work.value) and work.fits([*own, *carried, true])
        room = near.half + near.noise + (work.spread if work else 0)
        fails = work is not None and abs(work.value - near.value) > room
        fits = near.between([*own, *carried]) or by_work
        tainted = differs(carried[0], true)
        return Seen(of, s.stated, near, own, carried, work, fails, fits, tainted)

    def verdict(self, seen: Seen) -> tuple[str, bool]:
        """The verdict, and whether an earlier slip made the number trivial."""
        near = seen.near
        repeated = self.repeated(seen)
        if repeated:
            return repeated, False
        if near(near.true):
            leads_away = seen.work_fails or (seen.tainted and not seen.own_fits)
            return ("not_carried" if leads_away else self.right(seen)), False
        if seen.own_fits:
            trivial = seen.tainted and abs(seen.own[0]) <= TRIVIAL * abs(near.true)
            return ("wrong" if trivial else "follows" if seen.tainted else "rounding"), trivial
        return ("last_digit" if near.one_unit(seen.references) else "wrong"), False

    def repeated(self, seen: Seen) -> str | None:
        """The verdict of a number that only says an earlier one again."""
        if seen.of not in self.before:
            return None
        before, verdict = self.before[seen.of]
        room = max(before.half, seen.stated.half)
        if abs(float(before.value) - seen.near.value) > room + seen.near.noise:
            return None
        if verdict in ("wrong", "last_digit", "follows"):
            return "follows"
        return verdict if before.value == seen.stated.value else None

    def right(self, seen: Seen) -> str:
        near = seen.near
        if abs(near.true - near.value) <= 1e-12 * max(1.0, abs(near.true)):
            return "right"
        if near.value == 0:
            return "unclear"
        if len(seen.stated.value.as_tuple().digits) <= 1 and seen.stated.unit:
            for kind, value in variants(self.truth, seen.of):
                telling = abs(value - near.true) > TELLING * abs(near.true)
                if kind in TOLD_APART and near(value) and telling:
                    return "unclear"
        return "rounding"

    def inherited(self, of: Quantity) -> tuple[tuple[Quantity, str, int], ...]:
        """The slips that a number comes of: quantity, stated digits and step, the nearest first."""
        sources = self.carried.sources(of)
        if of in self.carried.values:
            sources.add((self.step, of))
        found: list[tuple[Quantity, str, int]] = []
        judge: Judge | None = self
        while judge is not None and len(found) < MOST_INHERITED:
            before, step = judge.before, judge.step
            found += [(q, before[q][0].text, step) for q in before if (step, q) in sources]
            judge = judge.previous
        return tuple(found[:MOST_INHERITED])

    def diagnosis(self, seen: Seen, verdict: str) -> tuple[str, ...]:
        if verdict == "last_digit":
            from_line = seen.work is not None
            return (seen.near.cut_or_rounded(seen.work.value if from_line else seen.own[0]),)  # type: ignore[union-attr]
        if verdict == "wrong" or (verdict == "not_carried" and seen.work_fails):
            found = diagnose(
                seen.of, seen.stated, seen.near, (self.stated, self.carried, self.truth)
            )
            return ("line", *found) if seen.work_fails else found
        return ()

    def remember(self, made: Mark, of: Quantity) -> None:
        value = float(made.stated.value)
        self.stated.set(of, value)
        if made.verdict in SLIPS:
            self.carried.set(of, value)
        elif made.verdict in ("right", "rounding"):
            self.carried.unset(of)
        self.before[of] = (made.stated, made.verdict)


def mark_line(s: Statement, sure: frozenset[Decimal] = frozenset()) -> Mark:
    """A number of no known quantity: only its line's own arithmetic can be marked."""
    work = work_of(s, sure, digits=LIKELY_ROUNDED)
    formula = s.formula if s.of is None else str(s.of)
    if work is None:
        return Mark(None, formula, s.stated, s.line, "unclear", None, None)
    near = Near(float(s.stated.value), s.stated.half, work.value)
    verdict = "wrong"
    if near(work.value):
        same = abs(work.value - near.value) <= 1e-12 * max(1.0, abs(near.value))
        verdict = "right" if same else "rounding"
    elif abs(work.value - near.value) <= near.half + near.noise + work.spread:
        verdict = "rounding"  # unrounded numbers were carried on
    elif near.one_unit([work.value]):
        verdict = "last_digit"
    fails = verdict == "wrong"
    diagnosis = ("line",) if fails else ()
    return Mark(
        None, formula, s.stated, s.line, verdict, work.value, work.value, (), diagnosis, work, fails
    )
