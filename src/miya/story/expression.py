"""Expressions: a small tree that is written as plain arithmetic or as LaTeX, and evaluated.

Trees come from the formulas of the records (core) with numbers put in for the names, so what is
shown is the formula that was computed.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from functools import lru_cache

from .quantity import Symbol
from .symbols import latex_symbol, plain_symbol

Write = Callable[[float], str]  # how a number is written

SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
OPERATIONS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}
BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 4}
ATOM = 5
CONTEXT = Context(prec=60, traps=[InvalidOperation, DivisionByZero, Overflow])


@dataclass(frozen=True)
class Number:
    """A number, and the quantity that it is a value of, where it is one's."""

    value: float
    of: Symbol | None = None


@dataclass(frozen=True)
class Name:
    name: str


@dataclass(frozen=True)
class Named:
    """A quantity by its name, where its number is left to be found."""

    of: Symbol


@dataclass(frozen=True)
class Binary:
    sign: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Negative:
    of: Expression


@dataclass(frozen=True)
class Call:
    function: str
    of: Expression


Expression = Number | Name | Named | Binary | Negative | Call


@lru_cache(maxsize=512)
def parse(formula: str) -> Expression:
    """The tree of one of Miya's own formulas."""
    return _convert(ast.parse(formula, mode="eval").body)


def _convert(node: ast.expr) -> Expression:
    match node:
        case ast.Constant(value=int() | float() as value):
            return Number(float(value))
        case ast.Name(id=name):
            return Name(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Negative(_convert(operand))
        case ast.BinOp(left=left, op=op, right=right):
            return Binary(SIGNS[type(op)], _convert(left), _convert(right))
        case ast.Call(func=ast.Name(id=function), args=[argument]):
            return Call(function, _convert(argument))
    raise ValueError(f"no expression: {ast.unparse(node)}")


def bind(tree: Expression, values: Mapping[str, Expression | float]) -> Expression:
    """`tree` with numbers, or trees, in the place of its names."""
    match tree:
        case Name(name):
            found = values[name]
            return Number(float(found)) if isinstance(found, int | float) else found
        case Binary(sign, left, right):
            return Binary(sign, bind(left, values), bind(right, values))
        case Negative(of):
            return Negative(bind(of, values))
        case Call("normal_cdf", of):
            return Call("normal_cdf", bind(of, values))
        case Call(function, of):
            return Call(function, bind(of, values))
    return tree


def total(parts: Iterable[Expression]) -> Expression:
    """The sum of the parts in their order; 0 of none."""
    found: Expression | None = None
    for part in parts:
        found = part if found is None else Binary("+", found, part)
    return Number(0.0) if found is None else found


def product(factors: Iterable[Number]) -> Expression:
    """The product of the factors in their order; 1 of none."""
    found: Expression | None = None
    for factor in factors:
        found = factor if found is None else Binary("*", found, factor)
    return Number(1.0) if found is None else found


def quantities(tree: Expression) -> Iterator[Symbol]:
    """The quantities whose values stand in `tree`, in their order."""
    match tree:
        case Number(_, of) if of is not None:
            yield of
        case Binary(_, left, right):
            yield from quantities(left)
            yield from quantities(right)
        case Negative(of) | Call(_, of):
            yield from quantities(of)


def plain(tree: Expression, write: Write) -> str:
    """Plain arithmetic: numbers, + - * / ** ( ), exp and log."""
    return _plain(tree, write, 0, first=True)


def _plain(tree: Expression, write: Write, binding: int, *, first: bool) -> str:
    match tree:
        case Number(value):
            text = write(value)
            bare = not text.startswith("-") or (first and binding <= BINDING["*"])
            return text if bare else f"({text})"
        case Name(name):
            return name
        case Named(of):
            return plain_symbol(of)
        case Call(function, of):
            return f"{function}({_plain(of, write, 0, first=True)})"
        case Negative(of):
            text = "-" + _plain(of, write, BINDING["*"], first=False)
            return text if first and binding <= BINDING["*"] else f"({text})"
        case Binary(sign, left, right):
            level = BINDING[sign]
            lead = _plain(left, write, level + (sign == "**"), first=first and sign != "**")
            # a - (b + c) and a / (b * c) keep their brackets
            tail = _plain(right, write, level + (sign in "-/"), first=False)
            text = f"{lead}**{tail}" if sign == "**" else f"{lead} {sign} {tail}"
            return text if level >= binding else f"({text})"
    raise TypeError(tree)


def evaluate(tree: Expression, write: Write) -> Decimal | None:
    """What the written digits give, to 60 digits; None where that is not finite."""
    try:
        return _evaluate(tree, write)
    except (InvalidOperation, DivisionByZero, Overflow):
        return None


def _evaluate(tree: Expression, write: Write) -> Decimal:
    match tree:
        case Number(value):
            return Decimal(write(value))
        case Negative(of):
            return -_evaluate(of, write)
        case Call("exp", of):
            return CONTEXT.exp(_evaluate(of, write))
        case Call("log", of):
            return CONTEXT.ln(_evaluate(of, write))
        case Binary(sign, left, right):
            a, b = _evaluate(left, write), _evaluate(right, write)
            return CONTEXT.create_decimal(_compute(sign, a, b))
    raise TypeError(tree)


def _compute(sign: str, a: Decimal, b: Decimal) -> Decimal:
    match sign:
        case "+":
            return CONTEXT.add(a, b)
        case "-":
            return CONTEXT.subtract(a, b)
        case "*":
            return CONTEXT.multiply(a, b)
        case "/":
            return CONTEXT.divide(a, b)
    return Decimal(1) if b == 0 else CONTEXT.power(a, b)


def evaluate_in_floats(tree: Expression, write: Write) -> float | None:
    """What the written digits give in float64; None where that fails."""
    try:
        return _in_floats(tree, write)
    except (OverflowError, ZeroDivisionError, ValueError, TypeError):
        return None


def _in_floats(tree: Expression, write: Write) -> float:
    match tree:
        case Number(value):
            return float(write(value))
        case Negative(of):
            return -_in_floats(of, write)
        case Call(function, of):
            inside = _in_floats(of, write)
            return math.exp(inside) if function == "exp" else math.log(inside)
        case Binary(sign, left, right):
            return OPERATIONS[sign](_in_floats(left, write), _in_floats(right, write))
    raise TypeError(tree)


def magnitude(tree: Expression) -> float:
    """The size of the largest term in `tree`: float64 noise of its result is a share of it."""
    try:
        return _magnitude(tree)[1]
    except (OverflowError, ZeroDivisionError, ValueError):
        return 0.0


def _magnitude(tree: Expression) -> tuple[float, float]:
    """Value and size, both in float64."""
    match tree:
        case Number(value):
            return value, abs(value)
        case Negative(of):
            value, size = _magnitude(of)
            return -value, size
        case Call("exp", of):
            value = math.exp(_magnitude(of)[0])
            return value, value
        case Call("log", of):
            inside, size = _magnitude(of)
            return math.log(inside), max(abs(math.log(inside)), size / abs(inside))
        case Binary(sign, left, right):
            (a, size_a), (b, size_b) = _magnitude(left), _magnitude(right)
            if sign in "+-":
                return (a + b if sign == "+" else a - b), max(size_a, size_b)
            if sign == "*":
                return a * b, size_a * size_b
            if sign == "/":
                return a / b, size_a / abs(b)
            return a**b, abs(a**b)
    return 0.0, 0.0


def latex(tree: Expression, write: Write, names: Mapping[str, str] | None = None) -> str:
    return _latex(tree, write, names or {}, 0, first=True)


def latex_terms(tree: Expression, write: Write) -> list[str]:
    """The terms of a sum; joined by spaces they are `latex(tree, write)`."""
    if isinstance(tree, Binary) and tree.sign in "+-":
        level = BINDING[tree.sign] + (tree.sign == "-")
        term = _latex(tree.right, write, {}, level, first=False)
        return [*latex_terms(tree.left, write), f"{tree.sign} {term}"]
    return [_latex(tree, write, {}, BINDING["+"], first=True)]


def latex_number(text: str) -> str:
    head, _, exponent = text.partition("e")
    return rf"{head} \cdot 10^{{{exponent}}}" if exponent else head


def _latex(
    tree: Expression, write: Write, names: Mapping[str, str], binding: int, *, first: bool
) -> str:
    def go(part: Expression, level: int = 0, *, first: bool = True) -> str:
        return _latex(part, write, names, level, first=first)

    match tree:
        case Number(value):
            text = write(value)
            bare = first and binding <= BINDING["*"] if text.startswith("-") else True
            bare = bare and not ("e" in text and binding > BINDING["*"])
            return latex_number(text) if bare else f"({latex_number(text)})"
        case Name(name):
            return names.get(name, name)
        case Named(of):
            slope = of.head.startswith("∂") and binding > BINDING["*"]
            return rf"\left({latex_symbol(of)}\right)" if slope else latex_symbol(of)
        case Call("exp", of):
            return f"e^{{{go(of)}}}"
        case Call(function, of):
            return rf"{FUNCTIONS.get(function, function)}\left({go(of)}\right)"
        case Negative(of):
            text = "-" + go(of, BINDING["*"], first=False)
            return text if first and binding <= BINDING["*"] else f"({text})"
        case Binary("/", left, right):
            return rf"\frac{{{go(left)}}}{{{go(right)}}}"
        case Binary("**", left, right):
            base = go(left, ATOM, first=False)
            return f"{base}^{{{go(right)}}}"
        case Binary(sign, left, right):
            level = BINDING[sign]
            lead = go(left, level, first=first)
            tail = go(right, level + (sign == "-"), first=False)
            text = f"{lead} {MARKS.get(sign, sign)} {tail}"
            return text if level >= binding else rf"\left({text}\right)"
    raise TypeError(tree)


MARKS = {"*": r"\cdot"}
FUNCTIONS = {"log": r"\ln", "normal_cdf": r"\Phi", "sum": r"\sum"}
