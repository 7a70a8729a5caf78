"""Printed arithmetic that closes: retyping the printed digits gives the printed result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import partial
from math import pi, prod

from .expression import Binary, Call, Expression, Negative, Number, evaluate, magnitude, total
from .numbers import MOST_DIGITS, number, settled

# of the last digit: nearer to half-way than this, take more digits, and only then as it comes
MARGINS = Decimal("0.001"), Decimal("1e-9")
EXACT_DIGITS = 60  # a difference of two float64 is exact within so many of their own digits


class DoesNotClose(AssertionError):
    """No way of writing these digits closes: a defect of Miya, not of the input."""


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


def close(tree: Expression, result: float, digits: int) -> Closed:
    """`tree` and `result` written with as few digits, `digits` or more, as make them close.

    Digits of the result that float64 noise of its largest term has made are not shown.
    """
    # of an endless series its length is tried out, not longer results
    series = isinstance(tree, Call) and tree.function == "normal_cdf"
    shown = [*range(digits, digits + (1 if series else 4)), *range(digits - 1, 0, -1)]
    scale = magnitude(tree)
    for margin in MARGINS:
        for result_digits in shown:
            text = settled(result, scale, result_digits)
            for form in _forms(tree):
                found = close_on(form, text, digits, margin)
                if found:
                    return found
    raise DoesNotClose(f"{tree} = {result!r} at {digits} digits")


def close_on(
    tree: Expression, text: str, digits: int, margin: Decimal = MARGINS[0]
) -> Closed | None:
    """`tree` with as few digits, `digits` or more, as make it give `text`; None if none do."""
    for operand_digits in range(digits, MOST_DIGITS + 1):
        value = evaluate(tree, partial(number, digits=operand_digits, pad=False))
        relation = closes(value, text, margin)
        if relation:
            return Closed(tree, operand_digits, text, relation)
    return None


def close_noise(tree: Expression, result: float, digits: int) -> Closed:
    """Like `close`, for a difference that is float64 noise itself and is to be shown."""
    text = number(result, digits)
    for operand_digits in range(MOST_DIGITS, EXACT_DIGITS):
        write = partial(number, digits=operand_digits, pad=False, full=True)
        relation = closes(evaluate(tree, write), text, MARGINS[1])
        if relation:
            return Closed(tree, operand_digits, text, relation, full=True)
    raise DoesNotClose(f"{tree} = {result!r} at {digits} digits")


def closes(value: Decimal | None, text: str, margin: Decimal) -> str | None:
    """ "=" or "≈" where `value` rounded to the digits of `text` is `text`, well off half-way."""
    if value is None:
        return None
    result = Decimal(text)
    if value == result:
        return "="
    exponent = result.as_tuple().exponent
    assert isinstance(exponent, int)
    unit = Decimal(1).scaleb(exponent)
    away = abs(value - result) / unit
    if away >= Decimal("0.5") - margin:
        return None
    rounded = value.quantize(unit, ROUND_HALF_EVEN) if abs(value) < 10**40 else result
    return "≈" if rounded == result else None


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
