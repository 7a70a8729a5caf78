"""A run as arrays: every measure over the watched steps, of the whole model and of each layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..columns import column
from ..reading import Run, table
from ..records import LayerRecord, StepRecord

Floats = NDArray[np.float64]
WHOLE = ("loss", "predicted", "real")
LAYER = (
    "gradient",
    "weight",
    "step",
    "relative_step",
    "delta",
    "predicted",
    "dead",
    "saturated",
    "flat",
    "greedy",
)


@dataclass(frozen=True)
class Series:
    """values: one a watched step. measured: where there is one; a measured NaN is a NaN."""

    values: Floats
    measured: NDArray[np.bool_]

    @property
    def finite(self) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = self.measured & np.isfinite(self.values)
        return found

    @property
    def broken(self) -> NDArray[np.bool_]:
        """Measured, and no finite number."""
        found: NDArray[np.bool_] = self.measured & ~np.isfinite(self.values)
        return found

    def at(self, k: int) -> float | None:
        return float(self.values[k]) if self.measured[k] else None

    @property
    def median(self) -> float | None:
        """Of what is finite."""
        kept = self.values[self.finite]
        return float(np.median(kept)) if kept.size else None


@dataclass(frozen=True)
class History:
    """steps: (n,) whole numbers. whole: by WHOLE. layers: by layer and LAYER, in model order.
    kinds: of the layers. nonfinite: at an index of the steps, what of which layer was not finite
    (LayerRecord names the words), in model order."""

    steps: NDArray[np.int64]
    seconds: Floats
    skipped: NDArray[np.bool_]
    whole: Mapping[str, Series]
    layers: Mapping[str, Mapping[str, Series]]
    kinds: Mapping[str, str]
    nonfinite: Mapping[int, Sequence[tuple[str, str]]]

    def of(self, measure: str) -> dict[str, Series]:
        """The layers of which it was measured at some step."""
        return {
            layer: found[measure]
            for layer, found in self.layers.items()
            if found[measure].measured.any()
        }

    def norm(self, measure: str) -> Series:
        """√Σ over the layers of the squares; measured where any layer was."""
        found = list(self.of(measure).values())
        if not found:
            return series([None] * len(self.steps))
        squares = [np.where(s.measured, s.values, 0.0) ** 2 for s in found]
        with np.errstate(over="ignore", invalid="ignore"):
            values = np.sqrt(np.sum(squares, axis=0))
        return Series(values, np.any([s.measured for s in found], axis=0))


def history_of(run: Run) -> History:
    """The arrays of a run. Of one rank they are its columns; several have to be merged first."""
    if len(run.ranks) > 1:  # dead neurons of all ranks are told from the neurons' own numbers
        return history(run.records(warn=False))  # the page tells of lost ranks itself
    (rank,) = run.ranks
    steps, layers = (table(run.path, name, rank, run.start) for name in ("steps", "layers"))
    numbers = steps["step"].to_numpy()
    k = np.searchsorted(numbers, layers["step"].to_numpy())
    there = (k < len(numbers)) & (numbers[np.minimum(k, len(numbers) - 1)] == layers["step"])
    k, layers = k[there], layers.filter(there)
    named = layers["layer"].combine_chunks().dictionary_encode()
    names, rows = named.dictionary.to_pylist(), named.indices.to_numpy()
    places = rows, k, (len(names), len(numbers))
    measures = {name: _grid(layers[column("layers", name)], *places) for name in LAYER}
    nonfinite: dict[int, list[tuple[str, str]]] = {}
    what = layers["nonfinite"].to_pylist()
    for row in (i for i, found in enumerate(what) if found):
        nonfinite.setdefault(int(k[row]), []).append((names[rows[row]], what[row]))
    kinds = dict(zip(layers["layer"].to_pylist(), layers["kind"].to_pylist(), strict=True))
    return History(
        numbers,
        steps["seconds"].to_numpy(),
        steps["skipped"].to_numpy(),
        {name: _column(steps[name]) for name in WHOLE},
        {
            path: {name: Series(*(of[i] for of in measures[name])) for name in LAYER}
            for i, path in enumerate(names)
        },
        kinds,
        nonfinite,
    )


def _column(found: Any) -> Series:
    """A column of an Arrow table: what is null was not measured."""
    measured = found.is_valid().to_numpy()
    return Series(found.to_numpy().astype(np.float64), measured)


def _grid(
    found: Any, rows: Any, columns: Any, shape: tuple[int, int]
) -> tuple[Floats, NDArray[np.bool_]]:
    """A column of the layers as values and whether measured, (layers, steps)."""
    given = _column(found)
    values, measured = np.full(shape, np.nan), np.zeros(shape, dtype=np.bool_)
    values[rows, columns], measured[rows, columns] = given.values, given.measured
    return values, measured


def history(records: Iterable[StepRecord]) -> History:
    """The arrays of a run's records, in their order."""
    steps: list[int] = []
    seconds: list[float] = []
    skipped: list[bool] = []
    whole: dict[str, list[float | None]] = {name: [] for name in WHOLE}
    layers: dict[str, dict[str, list[float | None]]] = {}
    kinds: dict[str, str] = {}
    nonfinite: dict[int, list[tuple[str, str]]] = {}
    for record in records:
        for name in WHOLE:
            whole[name].append(getattr(record, name))
        for layer in record.layers:
            own = layers.setdefault(layer.layer, {name: [] for name in LAYER})
            kinds[layer.layer] = layer.kind
            if layer.nonfinite:
                nonfinite.setdefault(len(steps), []).append((layer.layer, layer.nonfinite))
            _append(own, layer, len(steps))
        steps.append(record.step)
        seconds.append(record.seconds)
        skipped.append(record.skipped)
    return History(
        np.array(steps, dtype=np.int64),
        np.array(seconds, dtype=np.float64),
        np.array(skipped, dtype=np.bool_),
        {name: series(values) for name, values in whole.items()},
        {
            path: {name: series(_filled(values, len(steps))) for name, values in own.items()}
            for path, own in layers.items()
        },
        kinds,
        nonfinite,
    )


def _append(own: dict[str, list[float | None]], layer: LayerRecord, k: int) -> None:
    for name, values in own.items():
        values.extend([None] * (k - len(values)))  # steps that did not have the layer
        values.append(getattr(layer, name))


def _filled(values: list[float | None], count: int) -> list[float | None]:
    return values + [None] * (count - len(values))


def series(values: Sequence[float | None]) -> Series:
    return Series(
        np.array([np.nan if v is None else v for v in values], dtype=np.float64),
        np.array([v is not None for v in values], dtype=np.bool_),
    )


def buckets(count: int, most: int) -> list[slice]:
    """Neighbouring steps put together, evenly, so that there are at most `most` of them."""
    if count <= most:
        return [slice(k, k + 1) for k in range(count)]
    edges = np.linspace(0, count, most + 1).round().astype(int).tolist()
    return [slice(a, b) for a, b in pairwise(edges)]
