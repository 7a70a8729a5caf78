"""Reads the notation that formulas are given in ("δ2 = ∂C/∂a2 ⊙ σ'(z2)") into expressions."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache

from ..story.expression import SIGNS, Binary, Call, Expression, Name, Negative, Number

# what Python's grammar lacks, in a spelling that it has, and back
SPELLED = {"∂C/∂": "slope__", "σ'": "sigma__", "⊙": "//", "ᵀ": "__top", "Σ ": "Σ * "}
BACK = {"slope__": "∂C/∂", "sigma__": "σ'", "__top": "ᵀ"}
MORE_SIGNS: dict[type[ast.AST], str] = {
    **dict(SIGNS.items()),
    ast.MatMult: "@",
    ast.FloorDiv: "⊙",
    ast.Gt: ">",
    ast.Lt: "<",
    ast.GtE: ">=",
    ast.LtE: "<=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


@dataclass(frozen=True)
class Assignment:
    left: Expression
    right: Expression


Formulas = tuple[Assignment, ...]


@lru_cache(maxsize=512)
def formulas(notation: str) -> Formulas:
    """One or more "left = right", with ",  " between them. Raises ValueError for what is none."""
    return tuple(_assignment(part) for part in notation.split(",  "))


def _assignment(text: str) -> Assignment:
    left, found, right = text.partition(" = ")
    if not found:
        raise ValueError(f"no formula: {text}")
    return Assignment(_read(left), _read(right))


def _read(text: str) -> Expression:
    for shown, spelled in SPELLED.items():
        text = text.replace(shown, spelled)
    try:
        return _convert(ast.parse(text, mode="eval").body)
    except SyntaxError:
        raise ValueError(f"no formula: {text}") from None


def _convert(node: ast.expr) -> Expression:
    match node:
        case ast.Constant(value=int() | float() as value):
            return Number(float(value))
        case ast.Name(id=name):
            return Name(_back(name))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Negative(_convert(operand))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in MORE_SIGNS:
            return Binary(MORE_SIGNS[type(op)], _convert(left), _convert(right))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in MORE_SIGNS:
            return Binary(MORE_SIGNS[type(op)], _convert(left), _convert(right))
        case ast.IfExp(test=test, body=body, orelse=rest):
            case = Binary("if", _convert(body), _convert(test))
            return Binary("else", case, _convert(rest))
        case ast.Call(func=ast.Name(id=function), args=[first, *rest]):
            inside = _convert(first)
            for argument in rest:
                inside = Binary(",", inside, _convert(argument))
            return Call(_back(function), inside)
    raise ValueError(f"no formula: {ast.unparse(node)}")


def _back(name: str) -> str:
    for spelled, shown in BACK.items():
        name = name.replace(spelled, shown)
    return name
