"""Convolutions: the windows that a filter sees, and each example's gradient of the filters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from .evidence import Outer, chunks

Tensor = torch.Tensor
Sizes = tuple[int, ...]


@dataclass(frozen=True)
class Geometry:
    """How a convolution of `len(stride)` dimensions goes over its input."""

    stride: Sizes
    padding: Sizes
    dilation: Sizes
    groups: int
    transposed: bool = False
    output_padding: Sizes = ()

    def run(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return torch.convolution(x, weight, bias, *self._options())

    def back(self, x: Tensor, weight: Tensor, delta: Tensor) -> Tensor:
        found: tuple[Tensor, ...] = torch.ops.aten.convolution_backward(
            delta, x, weight, None, *self._options(), (True, False, False)
        )
        return found[0]

    def _options(self) -> tuple[Any, ...]:
        extra = self.output_padding or (0,) * len(self.stride)
        return self.stride, self.padding, self.dilation, self.transposed, extra, self.groups

    def windows(self, x: Tensor, kernel: Sizes, counts: Sizes) -> Tensor:
        """(N, C, *S) to (N, G, C/G · kernel, positions): what each position sees."""
        pads = [p for q in reversed(self.padding) for p in (q, q)]
        x = F.pad(x, pads) if any(pads) else x
        rows, channels, *steps = x.stride()
        seen = x.as_strided(
            (*x.shape[:2], *kernel, *counts),
            (
                rows,
                channels,
                *(s * d for s, d in zip(steps, self.dilation, strict=True)),
                *(s * d for s, d in zip(steps, self.stride, strict=True)),
            ),
            x.storage_offset(),
        )
        return seen.reshape(len(x), self.groups, -1, math.prod(counts))


@dataclass(eq=False)
class Windows:
    """Evidence of a filter. x: (B, rows, C, *S), delta: (B, rows, O, *S'); p has `shape`.

    The gradient is Σ over positions of δ ⊗ window; of a transposed convolution the input and δ
    change places. Windows are made for a few examples at a time.
    """

    x: Tensor
    delta: Tensor
    geometry: Geometry
    shape: Sizes

    def _outer(self, rows: slice) -> Outer:
        seen, filters = self.x[rows], self.delta[rows]
        if self.geometry.transposed:
            seen, filters = filters, seen
        batch, many = filters.shape[:2]
        kernel, counts = self.shape[2:], filters.shape[3:]
        windows = self.geometry.windows(seen.flatten(0, 1), kernel, tuple(counts))
        filters = filters.reshape(batch * many, self.geometry.groups, -1, windows.shape[3])
        a, b = (_positions(t, batch, many) for t in (filters, windows))
        return Outer(a, b, self.shape)

    def _parts(self) -> list[slice]:
        filters = self.x if self.geometry.transposed else self.delta
        seen = self.delta if self.geometry.transposed else self.x
        each = math.prod(self.shape[2:]) * seen.shape[1] * seen.shape[2]
        return list(chunks(len(self.x), each * math.prod(filters.shape[3:])))

    def squares(self) -> Tensor:
        return torch.cat([self._outer(rows).squares() for rows in self._parts()])

    def gradient(self, rows: slice) -> Tensor:
        return self._outer(rows).gradient(slice(None))


def _positions(t: Tensor, batch: int, many: int) -> Tensor:
    """(B · rows, G, features, positions) to (B, G, rows · positions, features)."""
    t = t.reshape(batch, many, *t.shape[1:]).permute(0, 2, 1, 4, 3)
    return t.reshape(batch, t.shape[1], -1, t.shape[4]) if many > 1 else t[:, :, 0]
