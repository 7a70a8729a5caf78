"""Ranking the elements of many arrays by size, without sorting or copying all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ...core.rounding import Array
from ..blame import TIED, in_place_order, neighbour, ranks_of


@dataclass(frozen=True)
class ModelRow:
    """One place in a ranking. layer: path of the module; index: 0-based, of any dimensions, none
    for a layer. kind: parameter, neuron, channel, feature, gate, head or layer.

    value: by the measure, with its sign. share: |value| / Σ|value| over the whole ranking.
    tied: another row has the same rank. frozen: the optimizer does not hold it.
    """

    rank: int
    kind: str
    layer: str
    index: tuple[int, ...]
    name: str
    value: float
    share: float
    tied: bool
    frozen: bool


@dataclass(frozen=True, eq=False)
class Group:
    """Elements that are ranked beside others'. name: of one, by its index. places: the indices of
    `values` where they are some of a larger array's."""

    kind: str
    layer: str
    values: Array
    name: Callable[[tuple[int, ...]], str]
    frozen: bool = False
    places: tuple[tuple[int, ...], ...] | None = None


def ranked(groups: Sequence[Group], keep: int) -> tuple[ModelRow, ...]:
    """The `keep` largest by size of all groups' elements."""
    whole, infinite = 0.0, False
    kept: list[tuple[int, Array, Array]] = []
    for g, group in enumerate(groups):
        flat = group.values.ravel()
        sizes = np.abs(flat)
        whole += float(sizes.sum(dtype=np.float64))
        infinite = infinite or bool(np.isinf(sizes).any())
        chosen = _largest(sizes, keep)
        kept.append((g, chosen, np.asarray(sizes[chosen], np.float64)))
    if not kept:
        return ()
    owner = np.concatenate([np.full(len(c), g) for g, c, _ in kept])
    place = np.concatenate([c for _, c, _ in kept])
    sizes = np.concatenate([s for _, _, s in kept])
    order = in_place_order(np.argsort(-sizes, kind="stable"), sizes)[:keep]
    ranks = ranks_of(sizes[order])
    if infinite:
        whole = float(np.isinf(sizes).sum())
    return tuple(
        _row(groups[int(owner[k])], int(place[k]), ranks, position, whole, infinite)
        for position, k in enumerate(order.tolist())
    )


def _largest(sizes: Array, keep: int) -> Array:
    """Where the largest are, in order of place; of those tied with the last the first ones."""
    if keep >= sizes.size:
        return np.arange(sizes.size)
    edge = np.partition(sizes, sizes.size - keep)[sizes.size - keep]
    above = np.flatnonzero(sizes > edge * (1 + TIED))
    level = np.flatnonzero((sizes <= edge * (1 + TIED)) & (sizes >= edge * (1 - TIED)))
    # one more than are kept, so that the last one kept still knows that it is tied
    return np.sort(np.concatenate([above, level[: keep + 1 - len(above)]]))


def _row(
    group: Group, place: int, ranks: list[int], position: int, whole: float, infinite: bool
) -> ModelRow:
    index = (
        tuple(int(i) for i in np.unravel_index(place, group.values.shape))
        if group.places is None
        else group.places[place]
    )
    value = float(group.values.ravel()[place])
    weighed = float(np.isinf(value)) if infinite else abs(value)
    return ModelRow(
        ranks[position],
        group.kind,
        group.layer,
        index,
        group.name(index),
        value,
        weighed / whole if whole else 0.0,
        neighbour(ranks, position),
        group.frozen,
    )


def element(name: str) -> Callable[[tuple[int, ...]], str]:
    """How an element of an array of that name is written."""
    return lambda index: f"{name}[{','.join(map(str, index))}]" if index else name


def total(groups: Iterable[Group]) -> int:
    return sum(g.values.size for g in groups)
