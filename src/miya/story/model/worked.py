"""A formula of a record with its numbers put in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from math import isclose

from ...core.calls import Worked
from ..blocks import Block, Calculations
from ..expression import (
    Binary,
    Call,
    Expression,
    Name,
    Negative,
    Number,
    bind,
    evaluate_in_floats,
    parse,
)
from ..quantity import Symbol
from ..symbols import plain_symbol
from .voice import Voice

KNOWN = ("exp", "log", "normal_cdf")
TOLERANCE = 1e-3  # bfloat16's own rounding; a formula that is not the number's is further off


def worked_blocks(v: Voice, worked: Worked, symbol: Symbol, number: float) -> Iterator[Block]:
    """One calculation; where the formula is no plain arithmetic, its names and the number."""
    yield v.say("why", "worked", formula=worked.formula)
    names = {
        name: Number(value, None if of is None else v.symbol(of, index))
        for name, (of, index, value) in worked.names.items()
    }
    told = [
        f"{name} = {v.number(n.value)}" + (f" ({plain_symbol(n.of)})" if n.of is not None else "")
        for name, n in names.items()
    ]
    if told:
        yield v.say("why", "where", formulas=", ".join(told))
    tree = arithmetic(worked.formula, names, number)
    if tree is not None:
        yield Calculations((v.calculation("worked", symbol, tree, number),))
    else:
        shown = Number(number)
        yield Calculations((v.calculation("worked", symbol, shown, number),))


def arithmetic(
    formula: str, names: Mapping[str, Expression | float], number: float
) -> Expression | None:
    """The formula as plain arithmetic that gives `number`, or None where it is none."""
    try:
        tree = _plain(bind(_parsed(formula), names))
    except (ValueError, SyntaxError, KeyError, TypeError):
        return None
    value = evaluate_in_floats(tree, repr)
    fits = value is not None and isclose(value, number, rel_tol=TOLERANCE, abs_tol=1e-12)
    return tree if fits else None


@lru_cache(maxsize=256)
def _parsed(formula: str) -> Expression:
    text = formula.replace("^", "**").replace("−", "-").replace("·", "*").replace("²", "**2")
    return parse(text)


def _plain(tree: Expression) -> Expression:
    """Square roots as powers; a function that is no plain arithmetic raises ValueError."""
    match tree:
        case Call("sqrt", of):
            return Binary("**", _plain(of), Number(0.5))
        case Call(function, of):
            if function not in KNOWN:
                raise ValueError(function)
            return Call(function, _plain(of))
        case Binary(sign, left, right):
            return Binary(sign, _plain(left), _plain(right))
        case Negative(of):
            return Negative(_plain(of))
        case Name(name):
            raise KeyError(name)
    return tree
