"""The orders in which people write weights and biases, as matrices (out, in) of each layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

Rows = tuple[tuple[float, ...], ...]
Parameters = tuple[tuple[Rows, ...], tuple[tuple[float, ...], ...]]


def arranged(sizes: Sequence[int], w: list[float], b: list[float]) -> Iterator[Parameters]:
    """Weights and biases apart: rows or columns first, the last layer at the end or before."""
    layers = list(range(1, len(sizes)))
    if len(w) != sum(sizes[k] * sizes[k - 1] for k in layers):
        yield from in_one(sizes, w)
        return
    for order in [layers, layers[::-1]] if len(layers) > 1 else [layers]:
        for turned in (False, True):
            weights, at = {}, 0
            for k in order:
                count = sizes[k] * sizes[k - 1]
                weights[k] = _grid(w[at : at + count], sizes[k], sizes[k - 1], turned)
                at += count
            biases = _biases(sizes, order, b)
            yield tuple(weights[k] for k in layers), tuple(biases[k] for k in layers)


def in_one(sizes: Sequence[int], values: list[float]) -> Iterator[Parameters]:
    """Weights and biases in one row: neuron by neuron, or each layer's biases behind its
    weights, or all biases at the end."""
    layers = range(1, len(sizes))
    counts = [sizes[k] * sizes[k - 1] for k in layers]
    if len(values) == sum(counts):
        yield from arranged(sizes, values, [])
        return
    if len(values) != sum(counts) + sum(sizes[1:]):
        return
    for turned, first in product((False, True), (False, True)):
        yield _folded(sizes, values, turned, first)
    weights: list[float] = []
    biases: list[float] = []
    at = 0
    for k, count in zip(layers, counts, strict=True):
        weights += values[at : at + count]
        biases += values[at + count : at + count + sizes[k]]
        at += count + sizes[k]
    yield from arranged(sizes, weights, biases)
    yield from arranged(sizes, values[: sum(counts)], values[sum(counts) :])


def _grid(values: list[float], rows: int, columns: int, turned: bool) -> Rows:
    grid = np.array(values)
    grid = grid.reshape(columns, rows).T if turned else grid.reshape(rows, columns)
    return tuple(map(tuple, grid.tolist()))


def _folded(sizes: Sequence[int], w: list[float], turned: bool, first: bool) -> Parameters:
    """Each neuron's bias among its weights, as the first or the last."""
    weights, biases, at = [], [], 0
    for k in range(1, len(sizes)):
        rows, columns = sizes[k], sizes[k - 1] + 1
        grid = _grid(w[at : at + rows * columns], rows, columns, turned)
        at += rows * columns
        weights.append(tuple(row[1:] if first else row[:-1] for row in grid))
        biases.append(tuple(row[0] if first else row[-1] for row in grid))
    return tuple(weights), tuple(biases)


def _biases(sizes: Sequence[int], order: list[int], b: list[float]) -> dict[int, tuple[float, ...]]:
    if len(b) == len(order) and len(b) < sum(sizes[1:]):  # one that the layer shares
        return {k: (v,) * sizes[k] for k, v in zip(order, b, strict=True)}
    found, at = {}, 0
    for k in order:
        own = b[at : at + sizes[k]]
        found[k] = tuple(own) + (0.0,) * (sizes[k] - len(own))
        at += sizes[k]
    return found
