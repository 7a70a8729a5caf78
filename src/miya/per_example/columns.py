"""What is kept of each example, column by column, in memory and in Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from ..core.rounding import Array
from ..read.need import need

NORM, CREDIT = "norm:", "credit:"


@dataclass(frozen=True, eq=False)
class Block:
    """Examples in a row. numbers: float64 by column, (n,). neurons: (n, k) places in `names`, by
    |δ| from the largest, and `deltas` (n, k) their δ; None where they are not kept."""

    first: int
    numbers: dict[str, Array]
    neurons: Array | None = None
    deltas: Array | None = None
    names: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.numbers["loss"])

    @property
    def stop(self) -> int:
        return self.first + len(self)

    def arrow(self) -> Any:
        """The table of a Parquet file."""
        pa = arrow()
        made = {"example": pa.array(np.arange(self.first, self.stop, dtype=np.int64))}
        made |= {name: pa.array(values) for name, values in self.numbers.items()}
        if self.neurons is not None and self.deltas is not None:
            k = self.neurons.shape[1]
            ends = pa.array(
                np.arange(0, len(self) * k + 1, k or 1, dtype=np.int32)[: len(self) + 1]
            )
            used, place = np.unique(self.neurons, return_inverse=True)
            named = pa.array([self.names[u] for u in used], pa.string())
            flat = pa.DictionaryArray.from_arrays(pa.array(place.ravel().astype(np.int32)), named)
            made["neuron"] = pa.ListArray.from_arrays(ends, flat)
            made["delta"] = pa.ListArray.from_arrays(ends, pa.array(self.deltas.ravel()))
        return pa.table(made)


def joined(blocks: Sequence[Block]) -> Block:
    """Blocks that follow each other, as one; of the same columns and neurons."""
    if len(blocks) == 1:
        return blocks[0]
    numbers = {
        name: np.concatenate([b.numbers[name] for b in blocks]) for name in blocks[0].numbers
    }
    kept = [(b.neurons, b.deltas) for b in blocks]
    if any(n is None for n, _ in kept):
        return Block(blocks[0].first, numbers)
    neurons, deltas = (np.concatenate(part) for part in zip(*kept, strict=True))
    return Block(blocks[0].first, numbers, neurons, deltas, blocks[-1].names)


@dataclass(eq=False)
class Memory:
    """Columns of all examples, held in memory."""

    blocks: list[Block] = field(default_factory=list)

    def add(self, block: Block) -> None:
        self.blocks.append(block)

    def close(self) -> None: ...

    def flush(self) -> None: ...

    def missing(self, first: int, stop: int | None) -> list[tuple[int, int | None]]:
        """All of it: nothing was there before."""
        return [(first, stop)]

    @property
    def done(self) -> int:
        return self.blocks[-1].stop if self.blocks else 0

    def column(self, name: str) -> Array:
        """(examples,) float64."""
        if not self.blocks:
            return np.zeros(0)
        return np.concatenate([b.numbers[name] for b in self.blocks])

    def names(self) -> list[str]:
        return list(self.blocks[0].numbers) if self.blocks else []

    def row(self, k: int) -> dict[str, Any]:
        """Everything that is kept of example k; "neurons": (name, δ) of the most pushed."""
        block = next(b for b in self.blocks if b.first <= k < b.stop)
        at = k - block.first
        found: dict[str, Any] = {name: float(v[at]) for name, v in block.numbers.items()}
        found["neurons"] = []
        if block.neurons is not None and block.deltas is not None:
            pairs = zip(block.neurons[at], block.deltas[at], strict=True)
            found["neurons"] = [(block.names[n], float(d)) for n, d in pairs if d != 0]
        return found


def arrow() -> Any:
    """pyarrow. Raises MiyaInputError E640."""
    need("pyarrow", "watch", "a folder of Parquet files needs")
    return import_module("pyarrow")


def parquet() -> Any:
    """pyarrow.parquet. Raises MiyaInputError E640."""
    need("pyarrow", "watch", "a folder of Parquet files needs")
    return import_module("pyarrow.parquet")
