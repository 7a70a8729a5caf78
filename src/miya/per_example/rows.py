"""Examples of one batch at places of a step's way, evaluated together or one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.utils._pytree import tree_flatten, tree_map

from ..core.rounding import Array
from .along import Along, Slopes
from .engine import Engine
from .losses import losses
from .singles import example, gradients, run
from .sources import Unknown

Tensor = torch.Tensor
ROOM = 2**22  # numbers a row's values may take together


@dataclass(eq=False)
class Rows:
    """engine: of the model in float64. change: Δθ by parameter. alone: no rule follows the model,
    and rows are evaluated one after the other."""

    engine: Engine
    inputs: Any
    target: Any
    size: int
    change: Mapping[str, Tensor]
    alone: bool = False
    kinked: bool = False
    chunk: int = 256
    names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names = list(self.engine.named)
        if not self.alone:
            _, along = self._forward(np.zeros(1, np.int64), np.zeros(1), with_sides=True)
            kinks = sum(s.shape[1] for s in along.sides)
            self.kinked = kinks > 0
            given = tree_flatten(self.inputs)[0]
            wide = sum(t[0].numel() for t in given if isinstance(t, Tensor) and t.dim())
            self.chunk = max(8, min(1024, ROOM // max(4 * (kinks + wide), 1)))

    def chunks(self, count: int, each: int = 1) -> Iterator[slice]:
        step = max(1, self.chunk // each)
        for start in range(0, count, step):
            yield slice(start, min(start + step, count))

    def losses(self, examples: Array, u: Array) -> Array:
        if self.alone:
            return self._single(examples, u)[0]
        found = [self._forward(examples[c], u[c])[0].detach() for c in self.chunks(len(u))]
        return torch.cat(found).numpy() if found else np.zeros(0)

    def sides(self, examples: Array, u: Array) -> Array:
        found = [
            torch.cat(self._forward(examples[c], u[c], with_sides=True)[1].sides, 1).numpy()
            for c in self.chunks(len(u))
        ]
        return np.concatenate(found) if found else np.zeros((0, 0))

    def side(self, examples: Array, k: Array, u: Array) -> Array:
        found = [
            self.sides(examples[c], u[c])[np.arange(c.stop - c.start), k[c]]
            for c in self.chunks(len(u))
        ]
        return np.concatenate(found) if found else np.zeros(0)

    def slopes(self, examples: Array, u: Array) -> Array:
        """(rows, parameters)."""
        if self.alone:
            return self._single(examples, u)[1]
        return np.concatenate([self._slopes(examples[c], u[c]) for c in self.chunks(len(u))])

    def _slopes(self, examples: Array, u: Array) -> Array:
        each, along = self._forward(examples, u)
        if each.requires_grad:
            torch.autograd.grad(each.sum(), [along.anchor], allow_unused=True)
        zero = torch.zeros(along.book.batch, dtype=torch.float64)
        found = [along.book.slopes.get(n, zero) for n in self.names]
        return torch.stack(found, 1)[: len(examples)].cpu().numpy()

    def _forward(
        self, examples: Array, u: Array, *, with_sides: bool = False
    ) -> tuple[Tensor, Along]:
        """The rows' losses, which can be gone back from. A lone row stands twice."""
        rows = len(examples)
        if rows == 1:
            examples, u = np.repeat(examples, 2), np.repeat(u, 2)
        which = torch.from_numpy(np.asarray(examples))
        inputs, target = (self._rows(t, which) for t in (self.inputs, self.target))
        device = next(iter(self.engine.named.values())).device
        book = Slopes(len(examples), self.engine.named, False, change=self.change)
        along = Along(book, device, torch.from_numpy(u).to(device), with_sides)
        given = tree_map(lambda t: along.given(t) if isinstance(t, Tensor) else t, inputs)
        with along:
            output = run(self.engine.model, given)
        each = losses(self.engine.loss, output, target, len(examples), along.where)
        if each is None:
            raise Unknown("gives an output in which the examples are not found")
        along.sides = [s[:rows] for s in along.sides]
        return each[:rows], along

    def _rows(self, found: Any, which: Tensor) -> Any:
        def part(t: Any) -> Any:
            whole = isinstance(t, Tensor) and t.dim() and t.shape[0] == self.size
            return t.index_select(0, which.to(t.device)) if whole else t

        return tree_map(part, found)

    def _single(self, examples: Array, u: Array) -> tuple[Array, Array]:
        found, slopes = np.zeros(len(u)), np.zeros((len(u), len(self.names)))
        named = self.engine.named
        kept = {name: p.detach().clone() for name, p in named.items()}
        try:
            for row, (k, place) in enumerate(zip(examples.tolist(), u.tolist(), strict=True)):
                with torch.no_grad():
                    for name, p in named.items():
                        p.copy_(kept[name] + place * self.change[name])
                parts = (example(t, k, self.size) for t in (self.inputs, self.target))
                cost, gradient = gradients(self.engine.model, self.engine.loss, named, *parts)
                found[row] = float(cost.detach())
                for j, name in enumerate(self.names):
                    if name in gradient:
                        slopes[row, j] = float((gradient[name] * self.change[name]).sum())
        finally:
            with torch.no_grad():
                for name, p in named.items():
                    p.copy_(kept[name])
        return found, slopes


def widened(found: Any) -> Any:
    """Fractions in float64."""

    def wide(t: Any) -> Any:
        return t.double() if isinstance(t, Tensor) and t.is_floating_point() else t

    return tree_map(wide, found)
