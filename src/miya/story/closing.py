"""Printed arithmetic that closes: retyping the printed digits gives the printed result."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from functools import partial
from math import pi, prod

from .expression import Binary, Call, Expression, Negative, Number, evaluate, magnitude, total
from .numbers import MOST_DIGITS, number, settled

MARGIN = Decimal("0.001")  # of the last digit: nearer than this to half-way, take more digits


class DoesNotClose(AssertionError):
    """No way of writing these digits closes: a defect of Miya, not of the input."""


def close(tree: Expression, result: float, digits: int) -> Closed:
    """`tree` and `result` written with as few digits, `digits` or more, as make them close."""
    shown = [*range(digits, digits + 4), *range(digits - 1, 0, -1)]
    scale = magnitude(tree)
    for form in _forms(tree):
        for result_digits in shown if form is tree else [digits]:
            text = settled(result, scale, result_digits)
            for operand_digits in range(digits, MOST_DIGITS + 1):
                write = partial(number, digits=operand_digits, pad=False)
                relation = closes(evaluate(form, write), text)
                if relation:
                    return Closed(form, operand_digits, text, relation)
    raise DoesNotClose(f"{tree} = {result!r} at {digits} digits")


class Closed:
    """A tree with the digits its operands are written to, the result's text, and = or ≈."""

    def __init__(self, tree: Expression, digits: int, result: str, relation: str) -> None:
        self.tree, self.digits, self.result, self.relation = tree, digits, result, relation

    def write(self, value: float) -> str:
        return number(value, self.digits, pad=False)


def closes(value: Decimal | None, text: str) -> str | None:
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
    if away >= Decimal("0.5") - MARGIN:
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
