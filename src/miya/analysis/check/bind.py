"""Names that may be read in several ways, read in the way that their numbers fit."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from statistics import median

from ...core.page import Note, Page, Statement
from ...core.written import Negative, Quantity
from .between import SHARE
from .exact import Table
from .judge import Judge, Mark
from .near import Near
from .world import World

CLOSE = 0.01  # relative: what rounding carried on may move a number by
FIT = ("right", "rounding", "follows", "last_digit", "not_carried")
WEAK = {"wrong_index", "decimal_point", "rounded_early", "sign"}  # misread names give these too
ERRORS = ("δ", "∂C/∂a")
GRADIENTS = (*ERRORS, "∂C/∂W", "∂C/∂b")
TRIED = 4  # readings of one pattern that are tried on the whole page
SEVERAL = 2  # numbers that must fit a reading other than the usual one
UNITS = 3  # of its last digit, likewise
ORDINALS = {"first": "1", "second": "2", "third": "3", "fourth": "4"}
FINE = 2  # digits from which a number that no name binds may be a slip
TOLD = 3  # digits of a number that tell what it is


def near(s: Statement, value: float, flipped: bool) -> bool:
    stated = float(-s.stated.value if flipped else s.stated.value)
    close = 0.0 if s.of is not None and s.of.head[0] in "Wb" else CLOSE  # new and old are near
    return abs(stated - value) <= max(UNITS * 2 * s.stated.half, close * abs(value), 1e-9)


def rebound(statements: tuple[Statement, ...], exact: Table, world: World) -> tuple[Statement, ...]:
    """Statements with each pattern of names read as most of the page's numbers say.

    world: of the step, with nothing set. A reading other than the usual must fit several numbers
    more, over the whole page.
    """
    found = _rebound(statements, exact, world)
    errors = [k for k, s in enumerate(statements) if _is_error(s)]
    told = any(s.flipped and s.of is not None and s.of.head in GRADIENTS for s in statements)
    if not errors or not (told or _often_turned(found, exact) or _moved(found, exact, world)):
        return tuple(found)
    turned = list(statements)
    for k in errors:
        turned[k] = _other_sign(turned[k])
    other = _rebound(tuple(turned), exact, world)
    more = _fits(other, exact, world, strictly=True) - _fits(found, exact, world, strictly=True)
    open_ = told and not any(statements[k].flipped for k in errors)
    return tuple(other if more >= (0 if open_ else SEVERAL) else found)


def _rebound(statements: tuple[Statement, ...], exact: Table, world: World) -> list[Statement]:
    groups: dict[str, list[int]] = defaultdict(list)
    for k, s in enumerate(statements):
        if s.others:
            groups[s.pattern].append(k)
    found = _together(list(statements), list(groups.values()), exact, world)
    for places in groups.values():
        group = [found[k] for k in places]
        tried = [
            option
            for key in _likely(found, places, exact, world)
            if (option := _read(found, places, key))
        ]
        if not tried:
            continue
        usual = _fits(found, exact, world)
        scores = [_fits(option, exact, world) for option in tried]
        best = max(range(len(tried)), key=lambda n: scores[n])
        bound = any(s.of in exact for s in group) and not _taken(found, places, exact)
        if scores[best] >= usual + (SEVERAL if bound else 1):
            found = tried[best]
    return found


def _together(
    statements: list[Statement], groups: list[list[int]], exact: Table, world: World
) -> list[Statement]:
    """Every pattern in its likeliest reading at once: a page may have a and z the other way."""
    found = statements
    for places in groups:
        keys = _likely(statements, places, exact, world)
        if keys:
            found = _read(found, places, keys[0])
    if found is statements:
        return statements
    more = _fits(found, exact, world) - _fits(statements, exact, world)
    return found if more >= SEVERAL else statements


def _taken(statements: list[Statement], places: list[int], exact: Table) -> bool:
    """Whether other names already state all of these quantities, and rightly."""
    inside = set(places)
    taken = {
        s.of
        for k, s in enumerate(statements)
        if k not in inside and s.of in exact and near(s, exact[s.of], s.flipped)
    }
    mine = [statements[k] for k in places]
    return all(s.of in taken and not near(s, exact[s.of], s.flipped) for s in mine if s.of in exact)


def _likely(
    statements: list[Statement], places: list[int], exact: Table, world: World
) -> list[str]:
    """The keys of the readings that fit most numbers, where the usual one does not fit all."""
    group = [statements[k] for k in places]
    if all(s.of in exact and near(s, exact[s.of], s.flipped) for s in group):
        return []
    scores: dict[str, int] = defaultdict(int)
    own, inside = world.copy(world.previous), set(places)
    for k, s in enumerate(statements):
        for r in s.others if k in inside else ():
            values = [exact[r.of], *own.ways(r.of)] if r.of in exact else []
            scores[r.key] += any(near(s, v, r.flipped) for v in values)
        if s.of in exact and k not in inside:
            own.set(s.of, float(-s.stated.value if s.flipped else s.stated.value))
    usual = sum(1 for s in group if s.of in exact and near(s, exact[s.of], s.flipped))
    keys = [k for k in scores if scores[k] >= max(usual, 1)]
    return sorted(keys, key=lambda k: -scores[k])[:TRIED]


def _read(statements: list[Statement], places: list[int], key: str) -> list[Statement]:
    """Statements with those at `places` read by a key."""
    found = list(statements)
    for k in places:
        reading = next((r for r in statements[k].others if r.key == key), None)
        of = reading.of if reading else None
        found[k] = replace(found[k], of=of, flipped=bool(reading and reading.flipped))
    return found


def _fits(
    statements: list[Statement], exact: Table, world: World, *, strictly: bool = False
) -> int:
    """How many numbers are right, or follow from the page's own before them; strictly: follow."""
    own = world.copy(world.previous)
    count = 0
    for s in statements:
        if s.of is None or s.of not in exact:
            continue
        right = near(s, exact[s.of], s.flipped) and not strictly
        count += right or any(near(s, v, s.flipped) for v in own.ways(s.of))
        own.set(s.of, float(-s.stated.value if s.flipped else s.stated.value))
    return count


def _is_error(s: Statement) -> bool:
    """Whether a number is of a name for an error, whose sign is the page's own; no derivative."""
    said = s.formula.lstrip("-(").startswith("∂")
    return not said and any(of.head in ERRORS for of in (s.of, *(r.of for r in s.others)) if of)


def _often_turned(statements: list[Statement], exact: Table) -> bool:
    """Whether several errors have the other sign."""
    found = (s for s in statements if s.of is not None and s.of in exact and _is_error(s))
    return sum(near(s, exact[s.of], not s.flipped) for s in found if s.of) >= SEVERAL


def _moved(statements: list[Statement], exact: Table, world: World) -> bool:
    """Whether several new weights went the other way than the page's errors say."""
    own, count = world.copy(world.previous), 0
    for s in statements:
        if s.of is None or s.of not in exact:
            continue
        if s.of.head in ("W_new", "b_new"):
            old, new = own.get(Quantity(s.of.head[0], s.of.layer, s.of.index)), own.ways(s.of)
            count += any(near(s, 2 * old - v, False) and not near(s, v, False) for v in new)
        own.set(s.of, float(-s.stated.value if s.flipped else s.stated.value))
    return count >= SEVERAL


def _other_sign(s: Statement) -> Statement:
    """A number of an error as minus that error, in each of its readings."""
    others = tuple(replace(r, flipped=r.flipped != (r.of.head in ERRORS)) for r in s.others)
    turns = s.of is not None and s.of.head in ERRORS
    return replace(s, flipped=s.flipped != turns, others=others)


def judged(judge: Judge, s: Statement) -> Mark:
    """The mark of a statement, which may state the quantity with the other sign."""
    if not s.flipped:
        return judge.mark(s)
    stated = replace(s.stated, value=-s.stated.value)
    made = judge.mark(replace(s, stated=stated, work=tuple(map(Negative, s.work))))
    exact, own = (None if v is None else -v for v in (made.exact, made.own))
    work = made.work and replace(made.work, text=_bare(made.work.text), value=-made.work.value)
    return replace(made, stated=s.stated, exact=exact, own=own, work=work)


def _bare(text: str) -> str:
    inner = text.removeprefix("-")
    return inner[1:-1] if inner.startswith("(") and inner.endswith(")") else inner


def doubtful(
    statements: tuple[Statement, ...],
    marks: tuple[Mark, ...],
    exact: Table,
    unsure: bool = False,
) -> list[int]:
    """Places of numbers that are far from what their name says, where the name may be misread.

    A name is sure where other names of its pattern fit, or where a known mistake explains the
    number. unsure: names are so on the whole page, for they do not give its network.
    """
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for k, mark in enumerate(marks):
        if mark.of is not None:
            groups[mark.of.head, statements[k].pattern or _shape(mark.formula)].append(k)
    right = sum(m.verdict in FIT for m in marks)
    lost = sum(m.verdict == "wrong" and not m.trivial for m in marks) > max(right, 4)
    found = []
    for places in groups.values():
        wrong = [k for k in places if marks[k].verdict == "wrong" and not marks[k].trivial]
        bare = [k for k in wrong if not set(marks[k].diagnosis) - WEAK]
        fits = len(places) - len(wrong)
        if not bare:
            continue
        if len(bare) > max(1, fits) or lost:
            found += bare
    for k, m in enumerate(marks):
        bared = m.verdict == "wrong" and m.of is not None and not set(m.diagnosis) - WEAK
        guessed = statements[k].inferred
        coarse = guessed and m.verdict == "wrong" and len(m.stated.value.as_tuple().digits) < FINE
        backed = statements[k].support and (m.diagnosis or m.work_fails)
        if coarse or (bared and (unsure or (guessed and not backed))):
            found.append(k)
    return sorted({*found, *_other(statements, marks, exact)})


def _other(
    statements: tuple[Statement, ...], marks: tuple[Mark, ...], exact: Table
) -> Iterator[int]:
    """Places of numbers that are another quantity to all their digits, where what the name says
    is stated rightly elsewhere."""
    rightly: dict[Quantity | None, set[Decimal]] = defaultdict(set)
    for m in marks:
        if m.verdict in ("right", "rounding", "follows"):
            rightly[m.of].add(m.stated.value)
    givens = {Decimal(repr(v)) for q, v in exact.items() if q.head in ("W", "b", "x", "y")}
    stated = {m.of for m in marks}
    usual = median(m.stated.unit for m in marks) if marks else 0
    alike: dict[str, list[int]] = defaultdict(list)
    hits = []
    for k, mark in enumerate(marks):
        for kind in {_words(statements[k]), form(statements[k])}:
            alike[kind].append(k)
        sheet = not statements[k].at  # whose names are fixed
        if mark.of in exact and mark.stated.unit > usual and not sheet and _again(mark, givens):
            yield k
            continue
        if mark.verdict not in ("wrong", "unclear") or statements[k].inferred:
            continue
        if not (mark.stated.unit or mark.work or sheet) and rightly[mark.of] - {mark.stated.value}:
            yield k  # the output layer is L = 3
            continue
        near = Near(abs(float(mark.stated.value)), mark.stated.half, 0.0)
        own = exact.get(mark.of) if mark.of is not None else None
        signed = own is not None and near(abs(own))  # a sign that is wrong, and no other name
        if signed or sheet or not _telling(mark):
            continue
        equal = [q for q, v in exact.items() if q.head != SHARE and q != mark.of and near(abs(v))]
        elsewhere = rightly[mark.of] - {mark.stated.value}
        lone = not set(mark.diagnosis) - WEAK and any(q not in stated for q in equal)
        if equal and (elsewhere or lone):
            hits.append(k)
    for k in hits:
        yield k
        for kind in (_words(statements[k]), form(statements[k])) if statements[k].label else ():
            group = alike[kind]
            if not any(marks[n].verdict in ("right", "rounding") for n in group):
                yield from (n for n in group if marks[n].verdict in ("wrong", "follows"))


def _telling(mark: Mark) -> bool:
    """Whether a number has digits enough to tell what it is."""
    digits = len(mark.stated.value.as_tuple().digits)
    return digits >= TOLD or (digits == TOLD - 1 and mark.stated.unit < Decimal("0.001"))


def _again(mark: Mark, givens: set[Decimal]) -> bool:
    """Whether a number is one of the network's own, given again."""
    lost = mark.verdict not in ("right", "rounding") and mark.work is None
    return lost and mark.stated.value in givens and not set(mark.diagnosis) - WEAK


def _words(s: Statement) -> str:
    """The words of a label, without what tells neurons apart."""
    return " ".join(p for p in s.label if len(p) > 2) or form(s)


def form(s: Statement) -> str:
    """The form of a number's label, whatever its numbers are."""
    return re.sub(r"\d+", "#", said(s)) + "[]" * len(s.element)


def said(s: Statement) -> str:
    """A number's label, with "first" as 1."""
    text = " ".join(ORDINALS.get(p, p) for p in s.label)
    return text or s.formula


def _shape(formula: str) -> str:
    return re.sub(r"\d+", "#", formula)


def without(page: Page, places: list[int]) -> Page:
    """`page` with the numbers at `places` among those that were not understood."""
    out = [page.statements[k] for k in places]
    again = [replace(s, of=None, others=(), flipped=False) for s in out if not s.inferred]
    rows = [(s.stated.text, s.line, f"{s.formula}: {s.stated.text}") for s in out]
    kept = tuple(s for k, s in enumerate(page.statements) if k not in set(places))
    note = Note("doubted", {"names": ", ".join(dict.fromkeys(s.formula for s in out[:6]))})
    notes = page.assumed if note in page.assumed else (*page.assumed, note)
    unread = tuple(sorted({*page.unread, *rows}, key=lambda row: row[1]))
    loose = (*page.loose, *again)
    return replace(page, statements=kept, unread=unread, assumed=notes, loose=loose)


def with_bound(page: Page, kept: tuple[Statement, ...], known: tuple[Statement, ...]) -> Page:
    """`page` with the statements `kept`, of which those of `known` were not understood before."""
    unread = Counter((s.stated.text.lstrip("-"), s.line) for s in known)
    left = []
    for row in page.unread:
        if unread[row[0].lstrip("-"), row[1]] > 0:
            unread[row[0].lstrip("-"), row[1]] -= 1
        else:
            left.append(row)
    inside = {s.at for s in known}
    loose = tuple(s for s in page.loose if s.at not in inside)
    told = [s for s in kept if s.inferred]
    notes = [n for n in page.assumed if n.key not in ("inferred", "turned")]
    turned = dict.fromkeys(s.of.symbol for s in kept if s.flipped and s.of is not None)
    if turned:
        notes.append(Note("turned", {"names": ", ".join(turned)}))
    if told:
        shown = ", ".join(f"{s.stated.text} ({s.line}) = {s.of}" for s in told[:6])
        notes.append(Note("inferred", {"count": len(told), "names": shown}))
    return replace(page, statements=kept, unread=tuple(left), loose=loose, assumed=tuple(notes))
