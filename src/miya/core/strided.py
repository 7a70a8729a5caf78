"""A result that is a view of its operand: where each of its elements is from, by strides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .graph import Index
from .places import grid
from .rounding import Array


@dataclass(frozen=True)
class Strided:
    """Element p of a result of `shape` is the operand's flat element offset + Σ p[d] · strides[d].

    No stride is negative.
    """

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int

    @property
    def apart(self) -> bool:
        """Whether each place is read once, or by all of a dimension whose stride is 0."""
        reach = 0
        for n, stride in sorted(zip(self.shape, self.strides, strict=True), key=lambda d: d[1]):
            if n == 0 or (n > 1 and 0 < stride <= reach):
                return False
            reach += (n - 1) * stride
        return True

    def place(self, index: Index) -> int:
        """The operand's flat element that the result's element at index is."""
        return self.offset + sum(k * s for k, s in zip(index, self.strides, strict=True))

    def readers(self, flat: int) -> Array:
        """The elements (rows, dimensions) that are the operand's flat element; `apart` holds."""
        left, axes = flat - self.offset, [np.arange(n) for n in self.shape]
        for d in sorted(range(len(axes)), key=lambda d: -self.strides[d]):
            if self.shape[d] > 1 and self.strides[d] > 0:
                at, left = divmod(left, self.strides[d])
                axes[d] = axes[d][at : at + 1] if at >= 0 else axes[d][:0]
        rows = grid(*axes)
        return rows if left == 0 else rows[:0]
