"""One slip planted in worked lines, and everything after it as it then follows.

The lines that follow are worked out from their own printed numbers, as the one who made the slip
would: they are no part of the trace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..analysis.worksheet import Dice
from ..core.rounding import round_one
from ..core.trace import Trace
from ..errors import MiyaInputError
from .blocks import Calculation
from .closing import close
from .expression import Expression, Number, evaluate, quantities
from .quantity import Symbol
from .slip_kinds import SLIPS
from .trees import changed, numbers

Lines = Mapping[Symbol, Calculation]
STREAM = 0x5A17  # slips are drawn apart from the numbers
MARGIN = 0.01  # of a result: a smaller slip could pass for rounding
SIDED_LOSSES = ("huber", "absolute_error", "binary_cross_entropy_with_logits")


@dataclass(frozen=True)
class Slip:
    """kind: a key of SLIPS. symbol: the line it is in. follows: later lines that it changes.

    lines: every line as it is then written.
    """

    kind: str
    symbol: Symbol
    lines: Lines
    follows: tuple[Symbol, ...]


def plant(trace: Trace, lines: Lines, seed: int, exact: Lines) -> Slip:
    """A slip by the seed, in a line whose right result is that of the `exact` lines too, so that
    it can be marked alone. Raises MiyaInputError E683 where none fits the network."""
    dice = Dice(seed ^ STREAM)
    planter = Planter(trace, lines, dice)
    kinds = list(SLIPS)
    while kinds:
        kind = dice.pick(kinds)
        kinds.remove(kind)
        places = [
            s for s, c in lines.items() if c.kind in SLIPS[kind].where and _agree(c, exact.get(s))
        ]
        while places:
            symbol = dice.pick(places)
            places.remove(symbol)
            found = planter.slip(kind, symbol)
            if found:
                return found
    raise MiyaInputError(
        "E683",
        "no slip can be planted in this worksheet",
        hint="take another seed, or a network with sigmoid, tanh or relu layers",
    )


def _agree(line: Calculation, exact: Calculation | None) -> bool:
    return exact is not None and float(line.closed.result) == float(exact.closed.result)


@dataclass(frozen=True)
class Planter:
    trace: Trace
    lines: Lines
    dice: Dice

    @property
    def digits(self) -> int:
        assert self.trace.digits is not None
        return self.trace.digits

    def slip(self, kind: str, symbol: Symbol) -> Slip | None:
        """The slip of that kind in that line, or None where it is none, or proves too much."""
        right = self.lines[symbol]
        try:
            wrong = SLIPS[kind].make(self, right)
            if wrong is None or not self._shows(right, wrong):
                return None
            lines = self.replay({symbol: wrong})
        except (TypeError, ValueError):
            return None  # Φ and other lines that are no plain arithmetic
        changed = [s for s, c in lines.items() if c.closed.result != self.lines[s].closed.result]
        if self._turned(changed, lines):
            return None
        return Slip(kind, symbol, lines, tuple(s for s in changed if s != symbol))

    def _shows(self, right: Calculation, wrong: Calculation) -> bool:
        a, b = float(right.closed.result), float(wrong.closed.result)
        return abs(a - b) > MARGIN * max(abs(a), abs(b)) and abs(b) >= 10 ** (-self.digits - 1)

    def _turned(self, changed: list[Symbol], lines: Lines) -> bool:
        """Whether a changed z or output changes sides of a kink, whose lines then read otherwise,
        or a result vanishes or grows out of hand."""
        for symbol in changed:
            before = float(self.lines[symbol].closed.result)
            after = float(lines[symbol].closed.result)
            if after == 0 or abs(after) > 100 or (symbol.head == "z" and before * after <= 0):
                return True
            last = symbol.head == "a" and symbol.layer == len(self.trace.layers)
            if last and self.trace.network.loss.name in SIDED_LOSSES:
                return True
        return False

    def replay(self, planted: Lines) -> dict[Symbol, Calculation]:
        """Every line again, with the `planted` ones in their places and what follows worked out
        from the numbers before it."""
        found: dict[Symbol, Calculation] = {}
        values: dict[Symbol, float] = {}
        for symbol, line in self.lines.items():
            new = planted.get(symbol) or line
            if symbol not in planted and any(s in values for s in quantities(line.closed.tree)):
                new = self.worked(line, substituted(line.closed.tree, values))
            if new.closed.result != line.closed.result:
                values[symbol] = float(new.closed.result)
            found[symbol] = new
        return found

    def worked(self, line: Calculation, tree: Expression) -> Calculation:
        """The line with another expression, and the result that it gives at these digits."""
        value = evaluate(tree, repr)
        if value is None:
            raise ValueError(tree)
        result = round_one(float(value), self.digits)
        return replace(line, closed=close(tree, result, self.digits, carried=True))

    def value(self, symbol: Symbol) -> Number | None:
        """A worked-out number, or a given one, by its symbol."""
        if symbol in self.lines:
            return Number(float(self.lines[symbol].closed.result), symbol)
        for line in self.lines.values():
            for found in numbers(line.closed.tree):
                if found.of == symbol:
                    return found
        return None


def substituted(tree: Expression, values: Mapping[Symbol, float]) -> Expression:
    """`tree` with other values of some of its quantities."""
    return changed(tree, lambda n: Number(values[n.of], n.of) if n.of and n.of in values else n)
