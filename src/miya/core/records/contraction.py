"""Sums of products over shared dimensions: what linear layers and matrix products are made of.

Each operand and the result has a label a dimension, as in torch.einsum; an element is fixed by its
labels, and the sum runs over every combination of the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..calls import Call, Factor, Terms, element, local
from ..graph import Index
from ..rounding import Array
from .grid import grid
from .record import back

Labels = tuple[str, ...]


@dataclass(frozen=True)
class Contraction:
    """operands: the labels of each one's dimensions, by role. result: those of the result's.
    scale: what each product is multiplied by, as written and as a number."""

    operands: Mapping[str, Labels]
    result: Labels
    scale: tuple[str, float] = ("1", 1.0)

    def sizes(self, call: Call) -> dict[str, int]:
        found: dict[str, int] = {}
        for role, labels in self.operands.items():
            for label, n in zip(labels, call.operands[role].shape, strict=True):
                found[label] = max(n, found.get(label, n)) if n else 0
        return found


def _fixed(
    labels: Labels, shape: tuple[int, ...], index: Index, sizes: Mapping[str, int]
) -> dict[str, int] | None:
    """The place that an element fixes along each label; None where a label is given two. A
    dimension of 1 that is broadcast fixes nothing."""
    found: dict[str, int] = {}
    for label, n, at in zip(labels, shape, index, strict=True):
        if n == 1 and sizes[label] != 1:
            continue
        if found.setdefault(label, at) != at:
            return None
    return found


def _places(fixed: Mapping[str, int], sizes: Mapping[str, int]) -> dict[str, Array]:
    """The place along each label, for every combination of those that are not fixed."""
    free = [label for label in sizes if label not in fixed]
    rows = grid(*(np.arange(sizes[label]) for label in free))
    places = {label: rows[:, k] for k, label in enumerate(free)}
    return {**places, **{label: np.full(len(rows), at) for label, at in fixed.items()}}


def _rows(labels: Labels, shape: tuple[int, ...], places: Mapping[str, Array]) -> Array:
    count = len(next(iter(places.values()))) if places else 1
    columns = [
        places[k] if n != 1 else np.zeros(count, np.int64)
        for k, n in zip(labels, shape, strict=True)
    ]
    return np.stack(columns, axis=1) if columns else np.zeros((count, 0), np.int64)


def _scaled(c: Contraction, count: int) -> tuple[Factor, ...]:
    symbol, number = c.scale
    return () if number == 1 else (local(np.full(count, number), symbol),)


def contracted_back(c: Contraction, call: Call, role: str, index: Index) -> list[Terms]:
    """The terms of what goes back to one element of an operand."""
    sizes, operand, result = c.sizes(call), call.operands[role], call.results[0]
    fixed = _fixed(c.operands[role], operand.shape, index, sizes)
    if fixed is None:
        return []
    places = _places(fixed, sizes)
    at = _rows(c.result, result.shape, places)
    others = [
        element(call.operands[other], _rows(labels, call.operands[other].shape, places))
        for other, labels in c.operands.items()
        if other != role
    ]
    return [back(call, at, *_scaled(c, len(at)), *(others or [local(np.ones(len(at)), "1")]))]


def contracted(c: Contraction, call: Call, index: Index) -> Terms:
    """The products that one element of the result is the sum of."""
    sizes = c.sizes(call)
    places = _places(dict(zip(c.result, index, strict=True)), sizes)
    factors = [
        element(call.operands[role], _rows(labels, call.operands[role].shape, places))
        for role, labels in c.operands.items()
    ]
    return Terms((*_scaled(c, len(factors[0].values)), *factors))


def lettered(text: str) -> Labels:
    return tuple(text)


def batch(rank: int) -> Labels:
    """Labels of the dimensions before the last ones, the same from behind for every operand."""
    return tuple(f"n{k}" for k in range(rank, 0, -1))
