"""A page's own arithmetic, worked out in decimals exactly as it is written."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

import numpy as np

from ...core.rounding import Array
from ...core.written import (
    Binary,
    Call,
    Chain,
    Negative,
    Number,
    Quantity,
    Ref,
    Transposed,
    Tree,
    Vector,
)

CONTEXT = Context(
    prec=40, Emax=2000, Emin=-2000, traps=[InvalidOperation, DivisionByZero, Overflow]
)
Value = Any  # Decimal, or an object array of Decimal
Lookup = Callable[[Quantity], Value]
LARGEST = 4096  # numbers of one array


class Unknown(Exception):
    """Something in the expression has no value."""


def evaluate(
    tree: Tree, lookup: Lookup | None = None, shift: dict[int, Decimal] | None = None
) -> Value:
    """The value of what is written; None where it has none.

    lookup: values of names. shift: what is added to a number, by the id of its node.
    """
    try:
        return _value(tree, lookup, shift or {})
    except (
        Unknown,
        InvalidOperation,
        DivisionByZero,
        Overflow,
        ValueError,
        TypeError,
        RecursionError,
    ):
        return None


def element(value: Value, index: tuple[int, ...]) -> float | None:
    """One element of a value; a list is read along its only long axis."""
    if value is None:
        return None
    if not isinstance(value, np.ndarray):
        return _float(value)
    if value.ndim == len(index):
        return _float(value[index]) if _inside(value, index) else None
    flat = value.reshape(-1)
    if not index:
        return _float(flat[0]) if flat.size == 1 else None
    if len(index) == 1 or max(value.shape) == value.size:
        place = index[0] if len(index) == 1 else max(index)
        return _float(flat[place]) if place < flat.size else None
    return None


def _inside(value: Array, index: tuple[int, ...]) -> bool:
    return all(i < n for i, n in zip(index, value.shape, strict=True))


def _float(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _value(tree: Tree, lookup: Lookup | None, shift: dict[int, Decimal]) -> Value:
    match tree:
        case Number(written):
            return written.value + shift.get(id(tree), Decimal(0))
        case Ref(of=of):
            if of is None or lookup is None:
                raise Unknown
            return lookup(of)
        case Negative(of):
            return -_value(of, lookup, shift)
        case Transposed(of):
            inner = _value(of, lookup, shift)
            if isinstance(inner, np.ndarray):
                return inner.T if inner.ndim == 2 else inner.reshape(1, -1)
            return inner
        case Vector(items, column):
            if len(items) > LARGEST:
                raise Unknown
            parts = [_value(i, lookup, shift) for i in items]
            made = np.array(parts, dtype=object)
            return made.reshape(-1, 1) if column and made.ndim == 1 else made
        case Chain(sides):
            return _value(sides[-1], lookup, shift)
        case Call(function, of):
            return _each(FUNCTIONS.get(function), _value(of, lookup, shift))
        case Binary(sign, left, right):
            return _binary(sign, _value(left, lookup, shift), _value(right, lookup, shift))
    raise Unknown


def _each(function: Callable[[Decimal], Decimal] | None, value: Value) -> Value:
    if function is None:
        raise Unknown
    if isinstance(value, np.ndarray):
        return np.array([function(v) for v in value.reshape(-1)], dtype=object).reshape(value.shape)
    return function(value)


def _binary(sign: str, a: Value, b: Value) -> Value:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return _arrays(sign, a, b)
    if isinstance(a, np.ndarray):
        return _each(lambda v: _numbers(sign, v, b), a)
    if isinstance(b, np.ndarray):
        return _each(lambda v: _numbers(sign, a, v), b)
    return _numbers(sign, a, b)


def _numbers(sign: str, a: Decimal, b: Decimal) -> Decimal:
    match sign:
        case "+":
            return CONTEXT.add(a, b)
        case "-":
            return CONTEXT.subtract(a, b)
        case "*" | "@" | "⊙":
            return CONTEXT.multiply(a, b)
        case "/":
            return CONTEXT.divide(a, b)
        case "^":
            return Decimal(1) if b == 0 else CONTEXT.power(a, b)
    raise Unknown


def _arrays(sign: str, a: Array, b: Array) -> Array:
    if sign in ("@", "*") and a.ndim == 2 and a.shape[-1] == b.shape[0] and a.shape != b.shape:
        right = b if b.ndim == 2 else b.reshape(-1, 1)
        if a.size * right.shape[1] > LARGEST * 16:
            raise Unknown
        return np.array(a @ right, dtype=object)
    if sign == "@" and a.ndim == 1 and b.shape[0] == a.shape[0]:
        return np.array(a @ b, dtype=object)
    if a.size == b.size and sign != "@" and (a.ndim == 1 or b.ndim == 1 or a.shape == b.shape):
        flat = [_numbers(sign, x, y) for x, y in zip(a.reshape(-1), b.reshape(-1), strict=True)]
        return np.array(flat, dtype=object).reshape(a.shape)
    raise Unknown


def _sigmoid(v: Decimal) -> Decimal:
    return CONTEXT.divide(Decimal(1), CONTEXT.add(Decimal(1), CONTEXT.exp(-v)))


def _tanh(v: Decimal) -> Decimal:
    e = CONTEXT.exp(CONTEXT.multiply(Decimal(2), v))
    return CONTEXT.divide(e - 1, e + 1)


FUNCTIONS: dict[str, Callable[[Decimal], Decimal]] = {
    "exp": CONTEXT.exp,
    "ln": CONTEXT.ln,
    "log": CONTEXT.ln,
    "sqrt": CONTEXT.sqrt,
    "σ": _sigmoid,
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "relu": lambda v: max(v, Decimal(0)),
}


def numbers(tree: Tree) -> list[Number]:
    """The numbers in a tree."""
    match tree:
        case Number():
            return [tree]
        case Binary(_, left, right):
            return numbers(left) + numbers(right)
        case Negative(of) | Transposed(of) | Call(_, of):
            return numbers(of)
        case Vector(items):
            return [n for i in items for n in numbers(i)]
        case Chain(sides):
            return numbers(sides[-1])
    return []


def spread(
    tree: Tree,
    index: tuple[int, ...],
    sure: frozenset[Decimal] = frozenset(),
    digits: int = 1,
) -> float:
    """How far the result may move when each number moves by half of its last digit.

    sure: numbers that are what they are, such as the network's own. digits: so are numbers of
    fewer significant digits.
    """
    here = element(evaluate(tree), index)
    if here is None:
        return 0.0
    total = 0.0
    for number in numbers(tree)[:64]:
        written = number.written
        known = abs(written.value) in sure or len(written.value.as_tuple().digits) < digits
        if written.unit and not known:
            moved = element(evaluate(tree, None, {id(number): written.unit / 2}), index)
            total += abs(moved - here) if moved is not None else 0.0
    return total
