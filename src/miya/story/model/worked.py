"""A formula of a record with its numbers put in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from math import isclose

from ...core.calls import Value, Worked
from ...core.records.formula import evaluate
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

KNOWN = ("exp", "log")
CALL = re.compile(r"[A-Za-z]\w*(?=\()")
TOLERANCE = 1e-3  # bfloat16's own rounding; a formula that is not the number's is further off
Names = Mapping[str, tuple[Value | None, tuple[int, ...], float]]


def worked_blocks(
    v: Voice, worked: Worked, symbol: Symbol, number: float, said: str = ""
) -> Iterator[Block]:
    """One calculation; where the formula is no plain arithmetic, its names and the number. said:
    the formula that stands above."""
    formula, names = _without_ones(worked.formula, worked.names)
    if formula in names and names[formula][0] is None:
        yield v.say("why", "put", value=v.number(number))
        yield Calculations((v.calculation("worked", symbol, Number(number), number),))
        return
    if formula in names:
        of, index, _ = names[formula]
        assert of is not None
        yield v.say("why", "picked", of=v.name(of, index))
        yield Calculations((v.calculation("worked", symbol, Number(number), number),))
        return
    if formula.replace(" ", "") != said.replace(" ", ""):
        yield v.say("why", "worked", formula=v.formula(_bare(formula)))
    formula, functions = _functions(formula, {name: n for name, (_, _, n) in names.items()})
    bound = {
        name: Number(value, None if of is None else v.symbol(of, index))
        for name, (of, index, value) in names.items()
    }
    told = [
        f"{name} = {v.number(n.value)}" + (f" ({plain_symbol(n.of)})" if n.of is not None else "")
        for name, n in bound.items()
    ]
    told += [f"{text} = {v.number(value)}" for text, value in functions.values()]
    if told:
        yield v.say("why", "where", formulas=", ".join(told))
    given = {**bound, **{name: Number(value) for name, (_, value) in functions.items()}}
    tree = arithmetic(formula, given, number)
    shown = Number(number) if tree is None else tree
    yield Calculations((v.calculation("worked", symbol, shown, number),))


def _without_ones(formula: str, names: Names) -> tuple[str, Names]:
    """Without the options that are 1 and multiply."""
    for name, (of, _, value) in names.items():
        if of is None and value == 1 and re.search(rf"(?<![\w*] )\b{name} \* ", f" {formula}"):
            rest = re.sub(rf"\b{name} \* ", "", formula)
            if not re.search(rf"\b{name}\b", rest):
                return _without_ones(rest, {k: x for k, x in names.items() if k != name})
    return formula, names


def _bare(formula: str) -> str:
    """Without brackets around one function's value."""
    return re.sub(r"(?<=\* )\((\w+\(\w+\))\)", r"\1", formula)


def _functions(
    formula: str, numbers: Mapping[str, float]
) -> tuple[str, dict[str, tuple[str, float]]]:
    """The formula with a name in the place of each function that is no plain arithmetic; by that
    name, how it was written and its value."""
    found: dict[str, tuple[str, float]] = {}
    while match := next((m for m in CALL.finditer(formula) if m[0] not in (*KNOWN, "sqrt")), None):
        text = formula[match.start() : _end(formula, match.end())]
        try:
            value = float(evaluate(text, numbers))
        except (KeyError, ValueError, SyntaxError, TypeError):
            return formula, {}
        name = f"function{len(found)}"
        found[name] = (text, value)
        formula = formula.replace(text, name)
    return formula, found


def _end(formula: str, start: int) -> int:
    """The place after the bracket that closes the one at start."""
    depth = 0
    for k in range(start, len(formula)):
        depth += {"(": 1, ")": -1}.get(formula[k], 0)
        if depth == 0:
            return k + 1
    return len(formula)


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
