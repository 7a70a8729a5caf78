"""Printed arithmetic that closes: retyping the printed digits gives the printed result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import partial
from math import isfinite, pi, prod

from .expression import (
    Binary,
    Call,
    Expression,
    Negative,
    Number,
    evaluate,
    evaluate_in_floats,
    magnitude,
    total,
)
from .numbers import MOST_DIGITS, number, settled

# of the last digit: nearer to half-way than this, take more digits, and only then as it comes
STRICT, LENIENT = Decimal("0.001"), Decimal("1e-9")
WIDE, BEYOND = Context(prec=400), Decimal("1e300")
EXACT_DIGITS = 60  # a difference of two float64 is exact within so many of their own digits


@dataclass(frozen=True)
class Closed:
    """A tree with the digits its operands are written to, the result's text, and = or ≈."""

    tree: Expression
    digits: int
    result: str
    relation: str
    full: bool = False  # operands are written from their binary value, past float64's 17 digits

    def write(self, value: float) -> str:
        return number(value, self.digits, pad=False, full=self.full)


def close(tree: Expression, result: float, digits: int, *, carried: bool = False) -> Closed:
    """`tree` and `result` written with as few digits, `digits` or more, as make them close.

    Digits of the result that float64 noise of its largest term has made are not shown. A result
    that is carried on rounded stands as it is carried. Where the noise is all there is, the
    result is what the printed digits give.
    """
    if not isfinite(result):
        return Closed(Number(result), digits, number(result, digits), "=")
    texts = [number(result, MOST_DIGITS)] if carried else _texts(tree, result, digits)
    for margin in (STRICT, LENIENT):
        for text in texts:
            for form in _forms(tree):
                found = close_on(form, text, digits, margin)
                if found:
                    return found
    return _as_printed(tree, result, digits)


def _texts(tree: Expression, result: float, digits: int) -> list[str]:
    """The result to ever more digits, then to fewer; of an endless series, whose length is
    tried out, not to more."""
    series = isinstance(tree, Call) and tree.function == "normal_cdf"
    shown = [*range(digits, digits + (1 if series else 4)), *range(digits - 1, 0, -1)]
    scale = magnitude(tree)
    return [settled(result, scale, d) for d in shown]


def _as_printed(tree: Expression, result: float, digits: int) -> Closed:
    """The result that the tree's own digits give; of what is beyond arithmetic, just the result."""
    value = evaluate(tree, partial(number, digits=MOST_DIGITS, pad=False))
    if value is not None and abs(value) < BEYOND:
        for d in (digits, *range(digits - 1, 0, -1)):
            found = close_on(tree, number(float(value), d), MOST_DIGITS, LENIENT)
            if found:
                return found
    text = number(result, digits)
    return close_on(Number(result), text, digits, LENIENT) or Closed(
        Number(result), MOST_DIGITS, number(result, MOST_DIGITS), "="
    )


def close_on(tree: Expression, text: str, digits: int, margin: Decimal = STRICT) -> Closed | None:
    """`tree` with as few digits, `digits` or more, as make it give `text`; None if none do."""
    for operand_digits in range(digits, MOST_DIGITS + 1):
        write = partial(number, digits=operand_digits, pad=False)
        relation = closes(evaluate(tree, write), text, margin)
        if relation and (margin is LENIENT or _in_floats(tree, write, text)):
            return Closed(tree, operand_digits, text, relation)
    return None


def close_noise(tree: Expression, result: float, digits: int) -> Closed:
    """Like `close`, for a difference that is float64 noise itself and is to be shown."""
    text = number(result, digits)
    for operand_digits in range(MOST_DIGITS, EXACT_DIGITS):
        write = partial(number, digits=operand_digits, pad=False, full=True)
        relation = closes(evaluate(tree, write), text, LENIENT)
        if relation:
            return Closed(tree, operand_digits, text, relation, full=True)
    return _as_printed(tree, result, digits)


def closes(value: Decimal | None, text: str, margin: Decimal) -> str | None:
    """ "=" or "≈" where `value` rounded to the digits of `text` is `text`, well off half-way:
    to its decimals, and to its significant digits."""
    if value is None:
        return None
    result = Decimal(text)
    if value == result:
        return "="
    unit = _unit(result)
    if abs(value - result) / unit >= Decimal("0.5") - margin or abs(value) >= BEYOND:
        return None
    significant = Context(prec=len(result.as_tuple().digits), rounding=ROUND_HALF_EVEN)
    same = value.quantize(unit, ROUND_HALF_EVEN, WIDE) == result == significant.plus(value)
    return "≈" if same or result == 0 else None


def _in_floats(tree: Expression, write: Callable[[float], str], text: str) -> bool:
    """Whether float64 arithmetic on the printed digits gives `text` too."""
    value = evaluate_in_floats(tree, write)
    if value is None or not isfinite(value):
        return False
    result = Decimal(text)
    return Decimal(value).quantize(_unit(result), ROUND_HALF_EVEN, WIDE) == result


def _unit(result: Decimal) -> Decimal:
    """One of its last written digit."""
    exponent = result.as_tuple().exponent
    assert isinstance(exponent, int)
    return Decimal(1).scaleb(exponent)


def _forms(tree: Expression) -> Iterator[Expression]:
    """`tree` itself, or where it asks for Φ(z), ever longer arithmetic for it."""
    if not (isinstance(tree, Call) and tree.function == "normal_cdf"):
        yield tree
        return
    assert isinstance(tree.of, Number)
    for terms in range(2, 90, 2):
        yield normal_cdf(tree.of.value, terms)


def normal_cdf(z: float, terms: int) -> Expression:
    """Φ(z) as arithmetic: Marsaglia's series (doi 10.18637/jss.v011.i04) for |z| up to 3, else
    Laplace's continued fraction (DLMF 7.9)."""
    if z == 0:
        return Number(0.5)
    x = Number(abs(z))
    square = Binary("**", x, Number(2.0))
    pdf = Binary(
        "/",
        Call("exp", Binary("/", Negative(square), Number(2.0))),
        Binary("**", Binary("*", Number(2.0), Number(pi)), Number(0.5)),
    )
    if abs(z) <= 3:
        series = total(
            [x]
            + [
                Binary(
                    "/",
                    Binary("**", x, Number(2.0 * k + 1)),
                    Number(float(prod(range(1, 2 * k + 2, 2)))),
                )
                for k in range(1, terms)
            ]
        )
        return Binary("+" if z > 0 else "-", Number(0.5), Binary("*", pdf, series))
    fraction: Expression = x
    for k in range(terms, 0, -1):
        fraction = Binary("+", x, Binary("/", Number(float(k)), fraction))
    tail = Binary("/", pdf, fraction)
    return tail if z < 0 else Binary("-", Number(1.0), tail)
