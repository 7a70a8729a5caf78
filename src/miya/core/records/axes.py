"""Which dimensions a reduction runs over, and which elements share one element of its result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..calls import Call, Value
from ..graph import Index
from ..rounding import Array
from .grid import grid

DIMENSION = "input dim axis keepdim keepdims"


def dims_of(call: Call) -> tuple[int, ...]:
    """The dimensions that are reduced, from 0; every one where none is said."""
    rank = len(call.operands["input"].shape)
    given = call.option("dim", call.option("axis"))
    if given is None or given == () or rank == 0:
        return tuple(range(rank))
    each = given if isinstance(given, Iterable) else (given,)
    return tuple(sorted(int(d) % rank for d in each))


def _kept(call: Call) -> bool:
    return len(call.results[0].shape) == len(call.operands["input"].shape)


@dataclass(frozen=True)
class Shared:
    """The elements of the input that one element of the result, at `to`, is made of."""

    call: Call
    to: Index

    @property
    def input(self) -> Value:
        return self.call.operands["input"]

    @cached_property
    def count(self) -> int:
        return int(np.prod([self.input.shape[d] for d in dims_of(self.call)], dtype=np.int64))

    @cached_property
    def _axes(self) -> list[Array | int]:
        """Along each dimension of the input: every place of one that is reduced, else the one."""
        dims, kept, left = dims_of(self.call), _kept(self.call), iter(self.to)
        axes: list[Array | int] = []
        for k, n in enumerate(self.input.shape):
            if k not in dims or kept:
                place = next(left)
            axes.append(np.arange(n) if k in dims else place)
        return axes

    @cached_property
    def at(self) -> Array:
        """Their places: (count, dimensions)."""
        return grid(*self._axes)

    @cached_property
    def numbers(self) -> Array:
        """(count,) float64, in the order of `at`."""
        taken = tuple(slice(None) if isinstance(a, np.ndarray) else a for a in self._axes)
        return np.asarray(self.input.array[taken], dtype=np.float64).ravel()

    def rank(self, index: Index) -> int:
        """Which of them the element at `index` is."""
        dims, shape = dims_of(self.call), self.input.shape
        places, sizes = [index[d] for d in dims], [shape[d] for d in dims]
        return int(np.ravel_multi_index(places, sizes)) if dims else 0


def goes_to(call: Call, index: Index) -> Index:
    """The element of the result that an element of the input goes into."""
    dims = dims_of(call)
    if _kept(call):
        return tuple(0 if k in dims else at for k, at in enumerate(index))
    return tuple(at for k, at in enumerate(index) if k not in dims)


def axis_of(call: Call, usual: int = -1) -> int:
    """The one dimension of an operation along a line, from 0; 0 of a single number."""
    shape = call.operands["input"].shape
    return int(call.option("dim", call.option("axis", usual))) % len(shape) if shape else 0


def line(shape: tuple[int, ...], axis: int, index: Index) -> Array:
    """The places of the line along `axis` that `index` is on: (places, dimensions)."""
    return grid(*index[:axis], np.arange(shape[axis]), *index[axis + 1 :]) if shape else grid()
