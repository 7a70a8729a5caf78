"""Formulas as short texts that are both computed and shown ("m / (1 - beta1**t)")."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import lru_cache
from types import CodeType
from typing import Any

import numpy as np

from .rounding import Array

FUNCTIONS = {"__builtins__": {}, "exp": np.exp, "log": np.log, "maximum": np.maximum}
UFUNCS: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
}
FUNCTIONS_INTO = {**FUNCTIONS, **{name: getattr(np, name) for name in UFUNCS.values()}}


@lru_cache(maxsize=512)
def _code(formula: str) -> CodeType:
    return compile(formula, "<formula>", "eval")


@lru_cache(maxsize=512)
def _code_into(formula: str) -> CodeType:
    """The formula with its last operation, a + b, as add(a, b, out)."""
    tree = ast.parse(formula, mode="eval")
    last = tree.body
    assert isinstance(last, ast.BinOp), f"{formula} is no operation on two values"
    name, out = (ast.Name(word, ast.Load()) for word in (UFUNCS[type(last.op)], "out"))
    tree.body = ast.Call(name, [last.left, last.right, out], [])
    return compile(ast.fix_missing_locations(tree), "<formula>", "eval")


def compute(formula: str, names: Mapping[str, Any], out: Array | None = None) -> Any:
    """The value of one of Miya's own formulas, written to `out` where given.

    Never called with text from outside.
    """
    if out is None:
        return eval(_code(formula), FUNCTIONS, names)
    return eval(_code_into(formula), FUNCTIONS_INTO, {**names, "out": out})
