"""When a value counts as what is stated, and a line's own arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from ...core.page import Statement
from ...core.written import Tree, names, write
from .evaluate import element, evaluate, spread

NOISE = 1e-9  # relative: float64 and ties of rounding
APART = 0.05  # relative: values further apart than this are two values, no rounding of one
LONGEST = 160  # characters of a line that are told


@dataclass(frozen=True)
class Work:
    """A line's own arithmetic: what it gives, and what each number's rounding may move it by."""

    text: str
    value: float
    spread: float

    def fits(self, values: list[float]) -> bool:
        """Whether the line works on the numbers it should, up to their rounding."""
        room = self.spread * 1.5 + NOISE * abs(self.value)
        return any(abs(self.value - v) <= room for v in values if math.isfinite(v))


def work_of(s: Statement, sure: frozenset[Decimal] = frozenset(), digits: int = 1) -> Work | None:
    """The arithmetic nearest before the number that holds numbers only.

    sure: numbers that are what they are, such as the network's own. digits: numbers of fewer
    significant digits are taken to be no rounded ones.
    """
    for tree in reversed(s.work):
        if not names(tree):
            return _worked(tree, s.element, sure, digits)
    return None


def _worked(
    tree: Tree, index: tuple[int, ...], sure: frozenset[Decimal], digits: int
) -> Work | None:
    value = element(evaluate(tree), index)
    if value is None or not math.isfinite(value):
        return None
    return Work(write(tree)[:LONGEST], value, spread(tree, index, sure, digits))


class Near:
    """Whether a value rounds to what is stated. Ties count both ways; a bare integer earns no
    half."""

    def __init__(self, value: float, half: float, true: float) -> None:
        self.value, self.half, self.true = value, half, true
        self.noise = NOISE * max(abs(value), abs(true), half, 1e-300)

    def __call__(self, other: float) -> bool:
        return abs(other - self.value) <= self.half + self.noise

    def between(self, values: list[float]) -> bool:
        """Whether it lies between what rounded and unrounded numbers give."""
        finite = [v for v in values if math.isfinite(v)]
        if not finite:
            return False
        low, high = min(finite), max(finite)
        if high - low > APART * max(abs(low), abs(high)) + 4 * self.half:
            return any(self(v) for v in finite)
        room = self.half + self.noise
        return low - room <= self.value <= high + room

    def one_unit(self, values: list[float]) -> bool:
        """Whether the last digit is off by one."""
        return any(abs(v - self.value) < 2 * self.half - self.noise for v in values)

    def cut_or_rounded(self, value: float) -> str:
        cut = abs(self.value) <= abs(value) < abs(self.value) + 2 * self.half
        return "cut" if cut else "rounded"
