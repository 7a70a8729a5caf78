"""Where a page's training steps begin: "Step 2", "Iteration 2", "Second epoch", "t = 2".

A page that only numbers the parts of one step ("Step 2: the loss") has no second one: what is
stated again in each part decides.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ...core.page import Statement
from .tokens import Token

# words that count steps, the surest first
FAMILIES: Mapping[str, str] = {
    "epoch": "epoch", "iteration": "iteration", "iter": "iteration", "round": "round",
    "pass": "round", "update": "update", "timestep": "step", "step": "step",
}  # fmt: skip
ORDER = ("epoch", "iteration", "round", "update", "step", "t")
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
LEADING = {"the", "training", "gradient", "descent", "time", "optimizer", "weight", "adam", "sgd",
           "momentum", "full", "forward"}  # fmt: skip
BETWEEN = ("#", "t", "=", ":", "no", ".")
GIVEN = ("W", "b", "x", "y", "η")
MOST = 32  # steps of a page


@dataclass(frozen=True)
class Heading:
    family: str
    number: int
    line: int
    text: str  # the number as written


def headings(tokens: Sequence[Token], times: Sequence[tuple[int, int]] = ()) -> list[Heading]:
    """Every place that may begin a step. times: line and number of "t = 2"."""
    found: list[Heading] = []
    fresh = True
    for k, token in enumerate(tokens):
        if fresh:
            made = _heading(tokens, k)
            if made is not None:
                found.append(made)
                fresh = False
        if token.kind in ("break", "end"):
            fresh = True
        elif token.text.isalnum() and not token.text.isdigit():
            fresh = fresh and (token.text.lower() in LEADING or token.text.lower() in ORDINALS)
    found += [Heading("t", number, line, "") for line, number in times]
    return found


def _heading(tokens: Sequence[Token], k: int) -> Heading | None:
    word = tokens[k].text.lower()
    line = tokens[k].line
    if word in FAMILIES:
        ahead = k + 1
        while ahead < min(len(tokens), k + 5) and tokens[ahead].text in BETWEEN:
            ahead += 1
        if ahead < len(tokens):
            text = tokens[ahead].text
            if text.isdigit() and len(text) < 7:
                return Heading(FAMILIES[word], int(text), line, text)
            if text.lower() in NUMBERS:
                return Heading(FAMILIES[word], NUMBERS.index(text.lower()), line, "")
    if word in ORDINALS:
        for token in tokens[k + 1 : k + 4]:
            if token.text.lower() in FAMILIES:
                return Heading(FAMILIES[token.text.lower()], ORDINALS.index(word), line, "")
            if token.text.lower() not in LEADING:
                break
    return None


@dataclass(frozen=True)
class Steps:
    """starts: the first line of each step after the first. first: the number of the first."""

    starts: tuple[int, ...] = ()
    first: int = 1
    headings: tuple[Heading, ...] = ()

    def of(self, line: int) -> int:
        """The step on the page, from 1, that a line belongs to."""
        return bisect_right(self.starts, line) + 1


def steps(found: Sequence[Heading], statements: Sequence[Statement]) -> Steps:
    """The steps by the surest word whose sections state the same quantities anew."""
    for family in ORDER:
        own = sorted((h for h in found if h.family == family), key=lambda h: h.line)
        made = _by(own, statements)
        if made is not None:
            return made
    return Steps()


def _by(found: Sequence[Heading], statements: Sequence[Statement]) -> Steps | None:
    kept: list[Heading] = []
    for heading in found:
        if not kept or heading.number == kept[-1].number + 1:
            kept.append(heading)
        elif heading.number != kept[-1].number:
            return None
    if not kept or len(kept) > MOST:
        return None
    opening = _stated(statements, 0, kept[0].line)
    starts = [h.line for h in (kept if opening and kept[0].number > 1 else kept[1:])]
    first = kept[0].number - (1 if opening and kept[0].number > 1 else 0)
    lone = len(kept) == 1 and not starts
    if lone or (not starts and first == 1):
        return Steps(first=first, headings=tuple(kept)) if lone and first > 1 else None
    ends = [*starts, 10**9]
    parts = [_stated(statements, a, b) for a, b in zip([0, *starts], ends, strict=True)]
    for before, part in pairwise(parts):
        if not part or 2 * len(part & before) < len(part):
            return None
    return Steps(tuple(starts), max(first, 1), tuple(kept))


def _stated(statements: Sequence[Statement], start: int, end: int) -> set[object]:
    """The quantities worked out between two lines."""
    return {
        s.of
        for s in statements
        if s.of is not None
        and start <= s.line < end
        and s.of.head not in GIVEN
        and "_before_" not in s.of.head
    }
