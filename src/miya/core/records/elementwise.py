"""Operations that work out each element of their result from one element of each operand, which
may be broadcast. What each is, and its slopes, stand in tables of formulas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np

from ..calls import Call, Factor, Terms, Value, Worked, element, local, picked
from ..graph import Index
from ..rounding import Array
from .formula import Cases, cases, chosen, names_in, select, shown
from .grid import broadcast_rows, readers
from .record import Record, back, record

OUT = "out"  # what a formula calls the element of the result
IN_PLACE = "inplace"  # the condition of a case that is the rest's of a call in place
CONSTANTS: Mapping[str, float] = {"pi": np.pi}


@dataclass(frozen=True)
class Elementwise:
    """value: how `out` is made, by the names of the operands and options. slopes: ∂out/∂operand by
    role; an operand that has none is passed nothing. defaults: of each option that is a number.
    further: other arguments that change no number. fits: whether the record knows this call."""

    name: str
    value: str | Cases
    slopes: Mapping[str, str | Cases]
    defaults: Mapping[str, float | None] = field(default_factory=dict)
    further: str = ""
    source: str = ""
    fits: Callable[[Call], bool] = lambda call: True

    @cached_property
    def options(self) -> frozenset[str]:
        used = {n for f in self._formulas() for n in names_in(f)}
        return frozenset({*used, *self.slopes, *self.defaults, "inplace", *self.further.split()})

    def _formulas(self) -> list[str]:
        told = [cases(self.value), *map(cases, self.slopes.values())]
        return [part for given in told for pair in given for part in pair if part]

    def numbers(self, call: Call, rows: Array) -> dict[str, Any]:
        """What each name in the formulas stands for at `rows` of the result."""
        found: dict[str, Any] = {**CONSTANTS, OUT: picked(call.results[0].array, rows)}
        for name in self.options - {"inplace", OUT, *CONSTANTS}:
            operand = call.operands.get(name)
            number = call.option(name, self.defaults.get(name))
            if operand is not None:
                found[name] = picked(operand.array, broadcast_rows(rows, operand.shape))
            elif isinstance(number, Real):
                found[name] = float(number)
        return found


def _shapes_fit(call: Call) -> bool:
    """Whether the result has the shape that its operands are broadcast to."""
    shapes = [v.shape for v in call.operands.values()]
    return bool(np.broadcast_shapes(*shapes) == call.results[0].shape)


def slope_factors(row: Elementwise, call: Call, role: str, rows: Array) -> list[Factor] | None:
    """The factors of ∂out/∂operand at `rows` of the result."""
    given, numbers = _of_call(cases(row.slopes[role]), call), row.numbers(call, rows)
    if not _known(given, numbers):
        return None
    parts = given[0][1].split(" * ") if len(given) == 1 else []
    if parts and all(part in numbers and part != OUT for part in parts):
        return [_named(call, part, numbers, rows) for part in parts]
    if given == (("", "1"),):
        return [local(np.ones(len(rows)), "1")]
    values = select(given, numbers, len(rows))
    reads = {name: _read(call, name, numbers, rows) for name in _names(given)}
    return [local(values, f"∂{OUT}/∂{role}", shown(given), reads=reads)]


def _names(given: Cases) -> list[str]:
    """The names in some cases but for constants, each once."""
    names = [n for pair in given for part in pair if part for n in names_in(part)]
    return [n for n in dict.fromkeys(names) if n not in CONSTANTS]


def _read(call: Call, name: str, numbers: Mapping[str, Any], rows: Array) -> Factor:
    return element(call.results[0], rows) if name == OUT else _named(call, name, numbers, rows)


def _of_call(given: Cases, call: Call) -> Cases:
    """The cases that are left of those that hold only for calls in place."""
    found: list[tuple[str, str]] = []
    for when, formula in given:
        if when != IN_PLACE:
            found.append((when, formula))
        elif call.option(IN_PLACE):
            return (*found, ("", formula))
    return tuple(found)


def _known(given: Cases, numbers: Mapping[str, Any]) -> bool:
    return all(n in numbers for pair in given for part in pair if part for n in names_in(part))


def _named(call: Call, name: str, numbers: Mapping[str, Any], rows: Array) -> Factor:
    operand = call.operands.get(name)
    if operand is not None:
        return element(operand, broadcast_rows(rows, operand.shape))
    return local(np.broadcast_to(numbers[name], (len(rows),)), name)


def _backward(row: Elementwise) -> Callable[[Call, str, Index], list[Terms] | None]:
    def backward(call: Call, role: str, index: Index) -> list[Terms] | None:
        if not row.fits(call) or not _shapes_fit(call):
            return None
        if role not in row.slopes:
            return []
        rows = readers(call.operands[role].shape, index, call.results[0].shape)
        factors = slope_factors(row, call, role, rows)
        return None if factors is None else [back(call, rows, *factors)]

    return backward


def _forward(row: Elementwise) -> Callable[[Call, int, Index], Worked | None]:
    def forward(call: Call, slot: int, index: Index) -> Worked | None:
        rows = np.asarray([index], dtype=np.int64).reshape(1, len(index))
        numbers, given = row.numbers(call, rows), cases(row.value)
        asked = tuple(("", when) for when, _ in given if when)
        if not row.fits(call) or not _shapes_fit(call) or not _known(asked, numbers):
            return None
        formula = chosen(given, numbers)
        if not _known((("", formula),), numbers):
            return None
        names: dict[str, tuple[Value | None, Index, float]] = {}
        for name in names_in(formula):
            operand = call.operands.get(name)
            place = broadcast_rows(rows, operand.shape)[0] if operand is not None else ()
            number = float(np.asarray(numbers[name]).ravel()[0])
            names[name] = (operand, tuple(int(k) for k in place), number)
        return Worked(formula, names)

    return forward


def told(row: Elementwise) -> Record:
    """The record of a row."""
    gradients = {
        role: f"∂C/∂{role} = δ · ({shown(cases(slope))})" for role, slope in row.slopes.items()
    }
    return Record(
        row.name,
        f"{OUT} = {shown(cases(row.value))}",
        gradients,
        row.source or f"torch.{row.name}",
        _backward(row),
        _forward(row),
        row.options,
    )


def file(row: Elementwise, *names: str) -> None:
    """File the record of a row."""
    record(told(row), *names)
