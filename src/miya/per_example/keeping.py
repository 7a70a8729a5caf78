"""The inputs of the most blamed examples, where the data goes by only once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from torch.utils._pytree import tree_map

from .columns import Block, Memory
from .data import Batch, Data
from .folder import Folder, Read
from .result import Measure
from .singles import example


@dataclass(eq=False)
class Keeper:
    """Holds at most `top` examples, by |value|; nothing where the data gives any example again."""

    data: Data
    measure: Measure
    top: int
    sink: Folder | Memory
    kept: dict[int, tuple[float, Batch]] = field(default_factory=dict)
    before: dict[int, float] = field(default_factory=dict)  # of a run that is gone on with

    def __post_init__(self) -> None:
        if self.data.dataset is None and isinstance(self.sink, Folder) and self.sink.done:
            values = np.abs(self.measure.values(Read(self.sink.path).column))
            values[~np.isfinite(values)] = np.inf
            order = np.argsort(-values, kind="stable")[: self.top]
            self.before = {int(k): float(values[k]) for k in order}

    def skipped(self, batch: Batch) -> None:
        """A batch that the run before has measured."""
        for k, value in self.before.items():
            if batch.first <= k < batch.first + batch.size:
                self._keep(batch, k, value)

    def see(self, batch: Batch, block: Block) -> None:
        if self.data.dataset is not None:
            return
        values = np.abs(self.measure.values(lambda name: block.numbers[name]))
        values[~np.isfinite(values)] = np.inf
        for at in np.argsort(-values, kind="stable")[: self.top].tolist():
            self._keep(batch, batch.first + at, float(values[at]))

    def _keep(self, batch: Batch, k: int, value: float) -> None:
        if len(self.kept) >= self.top:
            least = min(self.kept, key=lambda e: (self.kept[e][0], -e))
            if value <= self.kept[least][0]:
                return
            del self.kept[least]
        pair = example((batch.inputs, batch.target), k - batch.first, batch.size)
        inputs, target = tree_map(self.data.moved, pair)
        self.kept[k] = (value, Batch(k, 1, inputs, target))

    def example(self, k: int) -> Batch | None:
        """Its input and target as a batch of one, where they are at hand."""
        if self.data.dataset is not None:
            return self.data.example(k)
        return self.kept[k][1] if k in self.kept else None
