"""What one use of a parameter leaves behind for each example: enough for its gradient, and for
the gradient's norm without it.

`squares()` gives ‖∂ℓᵢ/∂p‖² as (B,) float64; `gradient(rows)` the gradients of some examples,
(b, *shape of p). The two are worked out on different ways wherever the norm has a shorter one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

ROOM = 2**21  # numbers that are made at once
SMALL = 1e-25  # squares below it may have lost digits in float32, whose least is 1e-38
CANCELLED = 1 / 16  # of Σ‖a‖²‖b‖²: below it a sum of products may have lost too many digits
LEAST, MOST = 1e-12, 1e15  # norms between them have squares well within float32
DOUBLE = torch.float64


class Evidence(Protocol):
    """See the module's docstring."""

    def squares(self) -> torch.Tensor: ...

    def gradient(self, rows: slice) -> torch.Tensor: ...


def squares_of(g: torch.Tensor) -> torch.Tensor:
    """(b, ...) to (b,) float64: Σ g² of each.

    float32 is summed up as it is (six times faster on a CPU than widened), and again in float64
    where its squares may have left its range.
    """
    flat = g.reshape(len(g), -1)
    if flat.dtype == DOUBLE or flat.is_cuda:
        wide: torch.Tensor = torch.linalg.vector_norm(flat, dim=1, dtype=DOUBLE)
        return wide.square()
    norms = torch.linalg.vector_norm(flat, dim=1, dtype=torch.float32).to(DOUBLE)
    fine = (norms > LEAST) & (norms < MOST)
    if not bool(fine.all()):
        which = (~fine).nonzero()[:, 0]
        norms[which] = torch.linalg.vector_norm(flat[which], dim=1, dtype=DOUBLE)
    found: torch.Tensor = norms.square()
    return found


def chunks(batch: int, each: int) -> Iterator[slice]:
    """The examples in parts of which each makes at most `ROOM` numbers, `each` an example."""
    step = max(1, ROOM // max(each, 1))
    for start in range(0, batch, step):
        yield slice(start, min(start + step, batch))


def _joined(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


@dataclass(eq=False)
class Dense:
    """The gradients themselves. g: (B, *shape of p)."""

    g: torch.Tensor

    def squares(self) -> torch.Tensor:
        return squares_of(self.g)

    def gradient(self, rows: slice) -> torch.Tensor:
        return self.g[rows]


@dataclass(eq=False)
class Outer:
    """∂ℓᵢ/∂p = Σ over positions of a ⊗ b, group by group.

    a: (B, G, P, A), b: (B, G, P, D) with P positions; p has shape `shape`, of G·A·D numbers.
    With one position ‖a ⊗ b‖ = ‖a‖‖b‖. With few, ‖Σ‖² = Σₛₜ ⟨aₛ, aₜ⟩⟨bₛ, bₜ⟩ takes less than
    the gradient (Rochette et al., arXiv 1912.06015; Li et al., arXiv 2110.05679).
    """

    a: torch.Tensor
    b: torch.Tensor
    shape: tuple[int, ...]

    def squares(self) -> torch.Tensor:
        positions, wide = self.a.shape[2], self.a.shape[3] + self.b.shape[3]
        if positions == 1 and self.a.shape[1] == 1:
            return squares_of(self.a) * squares_of(self.b)
        if positions * wide < self.a.shape[3] * self.b.shape[3]:
            return self._by_products()
        return self._directly(slice(0, len(self.a)))

    def gradient(self, rows: slice) -> torch.Tensor:
        found = self.a[rows].transpose(2, 3) @ self.b[rows]
        return found.reshape(-1, *self.shape)

    def _directly(self, rows: slice) -> torch.Tensor:
        each = math.prod(self.shape)
        start = rows.start
        return _joined(
            [
                squares_of(self.gradient(slice(start + part.start, start + part.stop)))
                for part in chunks(rows.stop - start, each)
            ]
        )

    def _by_products(self) -> torch.Tensor:
        groups, positions = self.a.shape[1], self.a.shape[2]
        parts = list(chunks(len(self.a), 2 * groups * positions**2))
        squares, doubtful = map(_joined, zip(*[self._products(r) for r in parts], strict=True))
        if bool(doubtful.any()):
            which = doubtful.nonzero()[:, 0]
            squares[which] = Outer(self.a[which], self.b[which], self.shape)._directly(
                slice(0, len(which))
            )
        return squares

    def _products(self, rows: slice) -> tuple[torch.Tensor, torch.Tensor]:
        """(b,) the square of the norm, and (b,) whether it is too little of what the positions
        would have, each alone: then too many digits may be lost."""
        of_a, of_b = (t[rows] @ t[rows].transpose(2, 3) for t in (self.a, self.b))
        both = of_a.mul_(of_b)
        alone = both.diagonal(dim1=2, dim2=3).sum((1, 2))
        whole = both.sum((1, 2, 3))
        fine = (whole > alone * CANCELLED) & (whole > SMALL)
        return whole.to(DOUBLE), ~fine


@dataclass(eq=False)
class Rows:
    """Rows of a table that were looked up. index: (B, P), delta: (B, P, D); p: (V, D)."""

    index: torch.Tensor
    delta: torch.Tensor
    shape: tuple[int, ...]

    def squares(self) -> torch.Tensor:
        """Rows that an example looks up again add up before they are squared."""
        batch, positions = self.index.shape
        if positions == 1:
            return squares_of(self.delta)
        key = self.index + self.shape[0] * torch.arange(batch, device=self.index.device)[:, None]
        found, place = torch.unique(key.flatten(), return_inverse=True)
        summed = self.delta.new_zeros((len(found), self.delta.shape[2]))
        summed.index_add_(0, place, self.delta.flatten(0, 1))
        owner = torch.div(found, self.shape[0], rounding_mode="floor")
        empty = torch.zeros(batch, dtype=DOUBLE, device=self.delta.device)
        return empty.index_add_(0, owner, squares_of(summed))

    def gradient(self, rows: slice) -> torch.Tensor:
        index, delta = self.index[rows], self.delta[rows]
        found = delta.new_zeros((len(index), *self.shape))
        return found.scatter_add_(1, index[:, :, None].expand_as(delta), delta)


def joined(several: list[Evidence]) -> Evidence | None:
    """Uses of one parameter by the same kind of product are one use at more positions."""
    outers = [e for e in several if isinstance(e, Outer)]
    if len(outers) < len(several):
        return None
    a, b = torch.cat([e.a for e in outers], 2), torch.cat([e.b for e in outers], 2)
    return Outer(a, b, outers[0].shape)
