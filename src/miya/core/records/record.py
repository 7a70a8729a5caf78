"""What an operation of a recorded computation is, in one record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ..calls import Call, Factor, Terms, Worked, slope_back
from ..graph import Index
from ..rounding import Array


@dataclass(frozen=True)
class Record:
    """formula: how an element of the result is made. gradients: the formula of ∂C/∂operand, by
    role. source: where both are from.

    backward(call, role, index): the terms of what this use passes back to one element of an
    operand; several where it has several results or parts. None where the record cannot say (an
    option that it does not know): the call is then told at the level of tensors.
    forward(call, slot, index): what one element of a result is the sum of, or how it is worked
    out; None where neither can be said.
    options: the names of every argument that the record knows, None where it asks for itself. A
    call with another one, or with complex numbers, is told at the level of tensors.
    """

    name: str
    formula: str
    gradients: Mapping[str, str]
    source: str
    backward: Callable[[Call, str, Index], list[Terms] | None]
    forward: Callable[[Call, int, Index], list[Terms] | Worked | None] = field(
        default=lambda call, slot, index: None
    )
    options: frozenset[str] | None = None


ANY = frozenset({"*"})  # the names of arguments of a record that knows whatever is given

RECORDS: dict[str, Record] = {}


def record(made: Record, *names: str) -> Record:
    """File a record under its name and further names of the same operation."""
    made = _guarded(made) if made.options is not None else made
    for name in (made.name, *names):
        assert name not in RECORDS, name
        RECORDS[name] = made
    return made


def _guarded(made: Record) -> Record:
    """The record, asked only about what it knows; whole numbers and masks are passed nothing."""
    known = made.options if made.options is not None else ANY

    def knows(call: Call) -> bool:
        told = all(name in known or value is None for name, value in call.arguments.items())
        return (told or known == ANY) and not any(
            v.dtype.startswith("complex") for v in (*call.operands.values(), *call.results)
        )

    def backward(call: Call, role: str, index: Index) -> list[Terms] | None:
        if not knows(call):
            return None
        differentiable = "float" in call.operands[role].dtype
        return made.backward(call, role, index) if differentiable else []

    def forward(call: Call, slot: int, index: Index) -> list[Terms] | Worked | None:
        return made.forward(call, slot, index) if knows(call) else None

    return replace(made, backward=backward, forward=forward)


def back(call: Call, index: Array, *factors: Factor, slot: int = 0) -> Terms:
    """The terms local factors · ∂C/∂result at index (terms, dimensions of the result)."""
    return Terms((*factors, slope_back(call.results[slot], index)))


def rows(*columns: Array | int) -> Array:
    """Index arrays and numbers side by side: (terms, dimensions)."""
    wide = np.broadcast_arrays(*[np.asarray(c, dtype=np.int64) for c in columns])
    return np.stack([w.ravel() for w in wide], axis=1)
