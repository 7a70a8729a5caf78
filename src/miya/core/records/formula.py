"""The formulas of records, worked out on arrays: what is shown is what was computed.

A formula is plain arithmetic with names, in the notation of the stories: + - * / **, comparisons,
and functions of one argument. Cases are formulas, each with the condition under which it holds;
the last one's is "" (otherwise).
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache, reduce
from math import erf
from typing import Any

import numpy as np

from ..activations import logistic, normal_cdf
from ..rounding import Array

Cases = tuple[tuple[str, str], ...]
Numbers = Mapping[str, Array | float]

SIGNS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: np.divide,
    ast.Pow: np.power,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    **{f.__name__: f for f in (np.exp, np.log, np.sqrt, np.sin, np.cos, np.tan, np.sign, np.floor)},
    **{f.__name__: f for f in (np.tanh, np.sinh, np.cosh, np.log1p, np.expm1, np.trunc, np.ceil)},
    **{
        f.__name__: f for f in (np.arctan, np.arcsin, np.arccos, np.arcsinh, np.arccosh, np.arctanh)
    },
    "abs": np.abs,
    "single": lambda x: np.float32(x).astype(np.float64),  # rounded to single precision
    "round": np.round,
    "erf": np.vectorize(erf, otypes=[np.float64]),
    "normal_cdf": lambda x: normal_cdf(np.asarray(x)),
    "logistic": lambda x: logistic(np.asarray(x)),
}


def cases(given: str | Cases) -> Cases:
    return (("", given),) if isinstance(given, str) else given


def shown(given: Cases) -> str:
    """The cases in one line."""
    return " else ".join(f"{f} if {when}" if when else f for when, f in given)


@lru_cache(maxsize=1024)
def _parsed(formula: str) -> ast.expr:
    return ast.parse(formula, mode="eval").body


@lru_cache(maxsize=1024)
def names_in(formula: str) -> tuple[str, ...]:
    """The names of quantities in a formula, each once, in their order."""
    tree = ast.walk(_parsed(formula))
    found = [n.id for n in tree if isinstance(n, ast.Name)]
    return tuple(dict.fromkeys(n for n in found if n not in FUNCTIONS))


def evaluate(formula: str, numbers: Numbers) -> Any:
    """The formula in float64; what cannot be worked out is inf or nan. log(1 ± u) and exp(u) − 1
    are worked out without loss where u is small."""
    with np.errstate(all="ignore"):
        return _evaluate(_parsed(formula), numbers)


def _evaluate(node: ast.expr, numbers: Numbers) -> Any:
    match node:
        case ast.Constant(value=value):
            return np.float64(value)  # type: ignore[arg-type]
        case ast.Name(id=name):
            return np.asarray(numbers[name], dtype=np.float64)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_evaluate(operand, numbers)
        case ast.BinOp(
            left=ast.Call(func=ast.Name(id="exp"), args=[power]),
            op=ast.Sub(),
            right=ast.Constant(value=1),
        ):
            return np.expm1(_evaluate(power, numbers))
        case ast.Call(
            func=ast.Name(id="log"),
            args=[
                ast.BinOp(left=ast.Constant(value=1), op=ast.Add() | ast.Sub() as op, right=rest)
            ],
        ):
            found = _evaluate(rest, numbers)
            return np.log1p(found if isinstance(op, ast.Add) else -found)
        case ast.BinOp(left=left, op=op, right=right):
            return SIGNS[type(op)](_evaluate(left, numbers), _evaluate(right, numbers))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return SIGNS[type(op)](_evaluate(left, numbers), _evaluate(right, numbers))
        case ast.BoolOp(op=op, values=parts):
            joined = np.logical_and if isinstance(op, ast.And) else np.logical_or
            return reduce(joined, [_evaluate(p, numbers) for p in parts])
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return FUNCTIONS[name](_evaluate(argument, numbers))
    raise ValueError(f"no formula: {ast.unparse(node)}")


def select(given: Cases, numbers: Numbers, count: int) -> Array:
    """(count,): each number by the first case that holds for it."""
    found, left = np.zeros(count), np.ones(count, dtype=bool)
    for when, formula in given:
        mine = left & np.broadcast_to(evaluate(when, numbers) if when else True, (count,))
        if mine.any():
            found = np.where(mine, evaluate(formula, numbers), found)
        left &= ~mine
    return found


def chosen(given: Cases, numbers: Numbers) -> str:
    """The formula of the case that holds for one element."""
    return next(f for when, f in given if not when or np.all(evaluate(when, numbers)))
