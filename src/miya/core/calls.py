"""A recorded computation: calls of operations, and the versions of tensors that they read and made.

The numbers are those of the library that ran it. What one element's gradient is the sum of is
expanded from them when asked for, by the record of each operation (`records`); nothing is stored
one object a scalar.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from .graph import Index
from .rounding import Array
from .strided import Strided

Kind = Literal["input", "target", "parameter", "buffer", "constant", "result"]


class Value:
    """One version of a tensor: made once, by a call or given, and never changed.

    array, gradient: NumPy arrays of `shape`, read when first asked for; the gradient is ∂C/∂value,
    None where the loss does not depend on it or it needs none.
    call, slot: the call that made it, and which of its results; None and 0 of what is given.
    uses: each call that reads it, with the role it has there.
    outer: for a value inside an expanded call, the operand or result outside that it stands
    for.
    """

    def __init__(
        self, name: str, kind: Kind, shape: tuple[int, ...], dtype: str, module: str = ""
    ) -> None:
        self.name, self.kind, self.shape, self.dtype, self.module = name, kind, shape, dtype, module
        self.call: Call | None = None
        self.slot = 0
        self.uses: list[tuple[Call, str]] = []
        self.outer: Value | None = None

    @cached_property
    def array(self) -> Array:
        return self.read_value()

    @cached_property
    def gradient(self) -> Array | None:
        return self.read_gradient()

    def read_value(self) -> Array:
        raise NotImplementedError

    def read_gradient(self) -> Array | None:
        raise NotImplementedError

    @property
    def has_gradient(self) -> bool:
        """Whether there is one, without reading it."""
        raise NotImplementedError

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    def __repr__(self) -> str:
        return f"<Value {self.name} {self.shape} {self.dtype}>"


class Call:
    """One call of an operation as it really ran.

    name: of its record in `records.RECORDS`, or of the operation that has none.
    arguments: by name; a tensor is a Value, a list of tensors a tuple of Values.
    results: the Values it made. module: the path of the module that called it ("" the model's).
    number: its place in the order of computation.
    """

    def __init__(
        self, name: str, arguments: Mapping[str, Any], results: tuple[Value, ...], module: str
    ) -> None:
        self.name, self.arguments, self.module = name, dict(arguments), module
        self.results, self.number = results, 0
        self.goes_on: tuple[int, ...] = ()  # results that others of its results are made of

    @cached_property
    def operands(self) -> dict[str, Value]:
        """Each tensor that it read, by role: "weight", or "tensors.0" of a list."""
        return dict(_operands(self.arguments))

    def option(self, name: str, default: Any = None) -> Any:
        """An argument that is no tensor; `default` also where it is None."""
        found = self.arguments.get(name)
        return default if found is None else found

    def replay(self, arrays: Mapping[str, Array]) -> tuple[Array, ...]:
        """The results with these arrays in the place of operands (by role), by the library that
        ran it. Random operations draw what they drew."""
        raise NotImplementedError

    def moved(self, arrays: Mapping[str, Array]) -> tuple[Array, ...]:
        """As `replay`, with the arrays in their own precision, not that of the operands."""
        return self.replay(arrays)

    def views(self, role: str) -> tuple[Strided, ...] | None:
        """How each result is a view of the operand, None where one is not known to be."""
        return None

    def weights(self, role: str, slot: int, index: Index) -> Array | None:
        """What each element of an operand counts for in one element of a result, where that does
        not depend on the operand; None where the library cannot say."""
        return None

    def passed(self, role: str) -> Array | None:
        """What went back to an operand through this use alone, as the library works it out."""
        raise NotImplementedError

    def passed_exactly(self, role: str) -> Array | None:
        """As `passed`, worked out in double precision from the recorded numbers; None where the
        library cannot."""
        return None

    @cached_property
    def inside(self) -> Inside | None:
        """The elementary calls that this one stands for, or None where it is elementary."""
        return self.expand()

    def expand(self) -> Inside | None:
        return None

    def __repr__(self) -> str:
        return f"<Call {self.name} in {self.module or 'the model'} -> {list(self.results)}>"


@dataclass(frozen=True)
class Inside:
    """An expanded call: its elementary calls, the leaf of each operand (by role) and what stands
    for each result. `difference` is the largest by which its numbers differ from the recorded."""

    calls: tuple[Call, ...]
    leaves: Mapping[str, Value]
    results: tuple[Value, ...]
    difference: float


def _operands(arguments: Mapping[str, Any]) -> Iterator[tuple[str, Value]]:
    for name, value in arguments.items():
        if isinstance(value, Value):
            yield name, value
        elif isinstance(value, (tuple, list)):
            yield from _operands({f"{name}.{k}": v for k, v in enumerate(value)})


@dataclass(frozen=True, eq=False)
class Factor:
    """One factor of many terms, a number a term.

    of: the value that the numbers are elements of, at `index` (terms, dimensions); where
    `gradient` they are of ∂C/∂of. Where `of` is None they are local derivatives or constants,
    written `symbol` with each term's index in the place of "{}", worked out as `formula` says of
    the numbers in `reads`, by the names that they have there.
    """

    values: Array
    of: Value | None = None
    index: Array | None = None
    gradient: bool = False
    symbol: str = ""
    formula: str = ""
    reads: Mapping[str, Factor] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Terms:
    """A sum of products: term k is the product of every factor's number k."""

    factors: tuple[Factor, ...]

    @cached_property
    def values(self) -> Array:
        """(terms,) float64."""
        product: Array = np.ones(len(self), dtype=np.float64)
        for factor in self.factors:
            product = product * factor.values
        return product

    def __len__(self) -> int:
        return int(self.factors[0].values.shape[0])

    @property
    def total(self) -> float:
        return float(self.values.sum())


def picked(array: Array, index: Array) -> Array:
    """The numbers of an array at index (terms, dimensions), in float64."""
    found = array[tuple(index.T)] if index.shape[1] else np.broadcast_to(array, (len(index),))
    return np.asarray(found, dtype=np.float64)


def element(of: Value, index: Array) -> Factor:
    """The factor of `of`'s elements at index (terms, dimensions)."""
    return Factor(picked(of.array, index), of, index)


def slope_back(of: Value, index: Array) -> Factor:
    """The factor of ∂C/∂of at index (terms, dimensions); 0 where it has no gradient."""
    found = of.gradient
    numbers = np.zeros(len(index)) if found is None else picked(found, index)
    return Factor(numbers, of, index, gradient=True)


def local(
    values: Array,
    symbol: str,
    formula: str = "",
    index: Array | None = None,
    reads: Mapping[str, Factor] | None = None,
) -> Factor:
    """The factor of a local derivative, or of a constant; index: what "{}" in the symbol is."""
    numbers = np.asarray(values, dtype=np.float64)
    return Factor(numbers, None, index, False, symbol, formula, reads or {})


@dataclass(frozen=True)
class Worked:
    """How one element of a result is worked out where that is no plain sum: a formula in the
    notation of `written`, and what each name in it stands for."""

    formula: str
    names: Mapping[str, tuple[Value | None, Index, float]]
