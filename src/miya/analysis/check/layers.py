"""Layers among a page's numbers: rows of weights that give, with inputs, numbers that stand there.

Whatever a page calls things, w · x + b of its first neuron is one of its numbers, and so is the
activation of that. Where a row and a bias do so, the next neuron's stand as far on as the rows of
one matrix do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...core.rounding import Array
from .agree import Telling
from .world import SIMPLE

STRIDES = (1, 2, 3, 4, 5)  # from one weight of a row to the next; over 1 where columns are listed
MOST_ROWS = 4  # neurons of a layer
INPUTS = (2, 3, 4)  # of the first layer
NONE = -1  # the place of a bias that is not given
SUMS, ANCHORS = 3_000, 14  # so many are gone on with: where more fit, most do by chance


@dataclass(frozen=True)
class Found:
    """A layer by the places of its numbers. hits: its neurons whose sum stands on the page."""

    inputs: tuple[int, ...]  # empty behind the first layer
    rows: tuple[tuple[int, ...], ...]
    biases: tuple[int, ...]
    activation: str
    hits: int
    stride: int

    @property
    def places(self) -> set[int]:
        return {*self.inputs, *(p for row in self.rows for p in row), *self.biases} - {NONE}

    @property
    def holes(self) -> int:
        """Numbers of others among its weights and biases."""
        own = self.places - set(self.inputs)
        return max(own) - min(own) + 1 - len(own)

    @property
    def whole(self) -> bool:
        """Whether no number serves twice, but one bias for all."""
        flat = [*self.inputs, *(p for row in self.rows for p in row)]
        own = [b for b in self.biases if b != NONE]
        if len(set(own)) != 1:
            flat += own
        else:
            flat += own[:1]
        return len(set(flat)) == len(flat)

    def weights(self, given: Array) -> Array:
        return np.array(given[np.array(self.rows)])

    def bias(self, given: Array) -> Array:
        return np.array([given[b] if b != NONE else 0.0 for b in self.biases])


def first(given: Array, telling: Telling, activations: Sequence[str]) -> list[Found]:
    """First layers, likeliest first: inputs, rows and biases whose sums and activations stand."""
    found: list[Found] = []
    for n in INPUTS:
        if len(given) < 2 * n + 1:
            continue
        windows = np.arange(len(given) - n + 1)[:, None] + np.arange(n)
        for stride in STRIDES if n > 1 else (1,):
            rows = _rows(len(given), n, stride)
            groups: dict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
            for s, p, b, z in _sums(given, given[windows], rows, telling, 0.0):
                own = {*rows[p].tolist(), *windows[s].tolist()}
                if len(own) < 2 * n or b in own:
                    continue
                for name in activations:
                    if telling.one(SIMPLE[name](z), 0.5) is not None:
                        groups[s, name].append((p, b))
            for (s, name), anchors in groups.items():
                inputs = tuple(windows[s].tolist())
                found += _laid(inputs, anchors, n, stride, name, len(given))
    return sorted(set(found), key=lambda f: (f.holes / 4 - f.hits, f.stride, len(f.rows)))


def behind(
    given: Array, before: Found, values: Array, telling: Telling, activations: Sequence[str]
) -> list[Found]:
    """Layers behind one whose activations are `values`, likeliest first."""
    n, used = len(values), before.places
    found: list[Found] = []
    for stride in STRIDES if n > 1 else (1,):
        rows = _rows(len(given), n, stride)
        if not len(rows):
            continue
        groups: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for _, p, b, z in _sums(given, values[None, :], rows, telling, 1.0):
            own = {*rows[p].tolist(), b}
            if len(own) <= n or own & used:
                continue
            for name in activations:
                if telling.one(SIMPLE[name](z), 0.5) is not None:
                    groups[name].append((p, b))
        for name, anchors in groups.items():
            found += _laid((), anchors, n, stride, name, len(given), single=True)
    found += _going_on(len(given), before, n, activations)
    kept = {f for f in found if not f.places & used and f.whole}
    return sorted(kept, key=lambda f: (-f.hits - alike(before, f) / 2, len(f.rows)))


def _rows(count: int, n: int, stride: int) -> Array:
    return np.array(np.arange(max(count - stride * (n - 1), 0))[:, None] + stride * np.arange(n))


def _sums(
    given: Array, into: Array, rows: Array, telling: Telling, room: float
) -> Iterator[tuple[int, int, int, float]]:
    """Input, row and bias whose sum stands on the page, and the number there."""
    if not len(rows):
        return
    sums = (into @ given[rows].T)[:, :, None] + np.append(given, 0.0)
    at = telling.near(sums, room)
    places = np.argwhere(at >= 0)[:SUMS]
    for s, p, b in places.tolist():
        value = float(telling.values[at[s, p, b]])
        if value:
            yield s, p, b if b < len(given) else NONE, value


def _laid(
    inputs: tuple[int, ...],
    anchors: list[tuple[int, int]],
    n: int,
    stride: int,
    name: str,
    count: int,
    single: bool = False,
) -> Iterator[Found]:
    """Layers whose rows stand at one distance, through two rows that agree or one."""
    have = set(anchors)
    seen: set[tuple[int, int, int, int, int]] = set()
    for (p, b), step, across in _distances(anchors[:ANCHORS], n, stride):
        for m in range(1 if single else 2, MOST_ROWS + 1):
            for start in range(m):
                first, bias = p - start * step, b if b == NONE else b - start * across
                rows = [first + k * step for k in range(m)]
                biases = [bias if b == NONE else bias + k * across for k in range(m)]
                key = (first, step, bias, across, m)
                if key in seen or not _inside(rows, biases, n, stride, count):
                    continue
                seen.add(key)
                hits = sum(pair in have for pair in zip(rows, biases, strict=True))
                made = _found(inputs, rows, biases, name, hits, n, stride)
                if hits and made.whole:
                    yield made


def _distances(
    anchors: list[tuple[int, int]], n: int, stride: int
) -> Iterator[tuple[tuple[int, int], int, int]]:
    """How far apart rows, and biases, may stand: as two that agree do, or as matrices have it."""
    usual = ((n, 1), (n + 1, n + 1), (n, 0)) if stride == 1 else ((1, 1), (1, 0))
    for k, (p, b) in enumerate(anchors):
        for q, c in anchors[k + 1 :]:
            for gap in range(1, MOST_ROWS):
                if (q - p) % gap or (c - b) % gap or q <= p or (b == NONE) != (c == NONE):
                    continue
                step, across = (q - p) // gap, (c - b) // gap
                if across >= 0 and (step >= n if stride == 1 else step == 1):
                    yield (p, b), step, across
        for step, across in usual:
            yield (p, b), step, across


def _inside(rows: list[int], biases: list[int], n: int, stride: int, count: int) -> bool:
    last = max(rows) + stride * (n - 1)
    known = [b for b in biases if b != NONE]
    return min(rows) >= 0 and last < count and all(0 <= b < count for b in known)


def _found(
    inputs: tuple[int, ...],
    rows: Sequence[int],
    biases: Sequence[int],
    name: str,
    hits: int,
    n: int,
    stride: int,
) -> Found:
    whole = tuple(tuple(p + stride * j for j in range(n)) for p in rows)
    return Found(inputs, whole, tuple(biases), name, hits, stride)


def _going_on(count: int, before: Found, n: int, activations: Sequence[str]) -> Iterator[Found]:
    """The layer that goes on as the one before does, whatever its sums are."""
    own = before.biases[0]
    inside = own != NONE and abs(own - before.rows[0][0]) in (1, len(before.rows[0]))
    start = max(p for row in before.rows for p in row) + 1
    start += inside and own > before.rows[0][0] and before.stride == 1
    behind_all = max(before.biases)
    for m in range(1, MOST_ROWS):
        for stride in {1, m}:
            across = n + 1 if inside else n
            lead = int(inside and own < before.rows[0][0])
            for skip in (0, len(before.rows)):  # the biases of the layer before
                base = start + lead + skip
                rows = [base + k * (across if stride == 1 else 1) for k in range(m)]
                for biases in _biases_behind(rows, n, stride, m, inside, lead, behind_all):
                    if not _inside(rows, biases, n, stride, count):
                        continue
                    for name in activations:
                        yield _found((), rows, biases, name, 0, n, stride)


def _biases_behind(
    rows: list[int], n: int, stride: int, m: int, inside: bool, lead: int, behind_all: int
) -> Iterator[list[int]]:
    if behind_all == NONE:
        yield [NONE] * m
    elif inside:
        yield [p - 1 if lead else p + n for p in rows]
    else:
        last = max(rows) + stride * (n - 1)
        for base in {last + 1, behind_all + 1}:
            yield [base + k for k in range(m)]


def alike(before: Found, found: Found) -> int:
    """How much a layer is laid out as the one before, and stands behind it."""
    near = [b - r[0] for b, r in zip(before.biases, before.rows, strict=True)]
    own = [b - r[0] for b, r in zip(found.biases, found.rows, strict=True)]
    inside = [d[0] in (-1, len(f.rows[0])) for d, f in ((near, before), (own, found))]
    after = min(p for row in found.rows for p in row) > max(p for r in before.rows for p in r)
    follows = min(p for row in found.rows for p in row) - max(before.places) in (1, 2)
    same = (before.biases[0] == NONE) == (found.biases[0] == NONE)
    return 2 * (inside[0] == inside[1]) + after + 2 * same + follows
