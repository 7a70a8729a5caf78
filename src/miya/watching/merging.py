"""One record of what several ranks saw in the same step of data-parallel training.

The gradient that is stepped by is the mean over the ranks, so the loss that it belongs to is the
mean of theirs. What every rank has alike (parameters, gradients after they were averaged) is
kept where they agree; parts of split parameters are put together; a number that cannot be told
from the ranks' own is None.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace

import numpy as np

from .records import Array, GroupRecord, LayerRecord, NeuronRecord, StepRecord
from .together import facts_of_all, facts_of_parts, rows_of_parts, total

ALIKE = 1e-6  # relative difference of what counts as alike on two machines
Values = Sequence[float]
Merge = Callable[[Values, Values], float | None]


def merge(records: Sequence[StepRecord], *, whole: bool = True) -> StepRecord:
    """The records of one step, one a rank, as one of rank 0. whole: whether these are all ranks
    that train together."""
    if len(records) == 1 and whole:
        return replace(records[0], rank=0)
    shares = _shares(records)
    first = records[0]
    counts = [r.examples for r in records]
    made = [_layer(*found, shares, whole) for found in _layers(records)]
    layers = tuple(layer for layer, _ in made)
    return StepRecord(
        step=first.step,
        seconds=max(r.seconds for r in records),
        loss=_over([r.loss for r in records], shares, _mean),
        predicted=_predicted(records, layers, shares),
        real=_over([r.real for r in records], shares, _mean),
        examples=None if None in counts else sum(c for c in counts if c is not None),
        skipped=any(r.skipped for r in records),
        layers=layers,
        groups=tuple(
            _group(found, layers, shares, whole)
            for found in zip(*(r.groups for r in records), strict=False)
        ),
        neurons=tuple(neurons for _, neurons in made if neurons is not None),
    )


def _shares(records: Sequence[StepRecord]) -> Values:
    """Each rank's share of the examples; equal ones where a rank did not count."""
    counts = [r.examples or 0 for r in records]
    whole = sum(counts) if all(counts) else 0
    return [c / whole if whole else 1 / len(records) for c in counts]


def _predicted(
    records: Sequence[StepRecord], layers: Sequence[LayerRecord], shares: Values
) -> float | None:
    if not any(layer.split for layer in layers):
        return _over([r.predicted for r in records], shares, _alike)
    parts = [layer.predicted for layer in layers if layer.held and not layer.frozen]
    known = [p for p in parts if p is not None]
    return total(known) if known and len(known) == len(parts) else None


def _group(
    found: Sequence[GroupRecord], layers: Sequence[LayerRecord], shares: Values, whole: bool
) -> GroupRecord:
    split = {bool(layer.split) for layer in layers if layer.held}

    def over(name: str) -> float | None:
        values = [getattr(g, name) for g in found]
        if split <= {False}:
            return _over(values, shares, _alike)
        parts = [v for v in values if v is not None]
        return math.hypot(*parts) if parts and whole and split == {True} else None

    return replace(found[0], gradient=over("gradient"), step=over("step"), weight=over("weight"))


def _layers(
    records: Sequence[StepRecord],
) -> list[tuple[Sequence[LayerRecord], Sequence[NeuronRecord]]]:
    neurons = [{n.layer: n for n in r.neurons} for r in records]
    return [
        (found, [n[found[0].layer] for n in neurons if found[0].layer in n])
        for found in zip(*(r.layers for r in records), strict=False)
    ]


def _layer(
    found: Sequence[LayerRecord], lists: Sequence[NeuronRecord], shares: Values, whole: bool
) -> tuple[LayerRecord, NeuronRecord | None]:
    kept = len(lists) == len(found)
    neurons = _neurons(lists, found[0].split, shares, whole) if kept else None
    values: dict[str, float | None] = {
        f.name: _over(
            [getattr(layer, f.name) for layer in found], shares, LAYER.get(f.name, _alike)
        )
        for f in fields(LayerRecord)
        if f.type == "float | None"
    }
    values["activation_deviation"] = _deviation(found, shares)
    values |= facts_of_all(found, lists, neurons)
    if found[0].split:
        values |= facts_of_parts(found, whole)
    most = {layer.input_most for layer in found}
    layer = replace(
        found[0],
        **values,  # type: ignore[arg-type]
        input_most=most.pop() if len(most) == 1 else None,
        sample=_sum([layer.sample for layer in found]),
        examples=_sum([layer.examples for layer in found]),
        nonfinite=next((layer.nonfinite for layer in found if layer.nonfinite), ""),
        has_gradient=any(layer.has_gradient for layer in found),
        kept=any(layer.kept for layer in found),
        age=max(layer.age for layer in found),
    )
    return layer, neurons


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [c for c in counts if c is not None]
    return sum(known) if len(known) == len(counts) else None


def _neurons(
    found: Sequence[NeuronRecord], split: str, shares: Values, whole: bool
) -> NeuronRecord:
    def over(name: str) -> Array:
        lists = [getattr(n, name).tolist() for n in found]
        if len(set(map(len, lists))) > 1:
            return np.empty(0)
        merged = [NEURON[name](of, shares) for of in zip(*lists, strict=True)]
        return np.array([] if None in merged else merged, dtype=np.float64)

    made = NeuronRecord(found[0].layer, **{name: over(name) for name in NEURON})
    if not split:
        return made
    count = max(len(made.pressure), len(made.mean)) if split == "rows" and whole else 0
    return replace(
        made,
        gradient=rows_of_parts([n.gradient for n in found], count),
        step=rows_of_parts([n.step for n in found], count),
    )


def _over(values: Sequence[float | None], shares: Values, how: Merge) -> float | None:
    measured = [v for v in values if v is not None]
    return how(measured, shares) if len(measured) == len(values) else None


def _mean(values: Values, shares: Values) -> float:
    return total(values) / len(values)


def _weighted(values: Values, shares: Values) -> float:
    return total(v * s for v, s in zip(values, shares, strict=True))


def _root(values: Values, shares: Values) -> float:
    """δ of the mean loss: each rank's examples have theirs divided by the number of ranks."""
    return math.sqrt(total(v * v for v in values)) / len(values)


def _alike(values: Values, shares: Values) -> float | None:
    first = values[0]
    if all(v == first or math.isclose(v, first, rel_tol=ALIKE) for v in values):
        return first
    return first if all(math.isnan(v) for v in values) else None


def _deviation(found: Sequence[LayerRecord], shares: Values) -> float | None:
    """Of all activations together: the mean of the squares less the square of the mean."""
    means = [layer.activation_mean for layer in found if layer.activation_mean is not None]
    spread = [
        layer.activation_deviation for layer in found if layer.activation_deviation is not None
    ]
    if len(means) != len(found) or len(spread) != len(found):
        return None
    mean = _weighted(means, shares)
    around = [d * d + (m - mean) ** 2 for d, m in zip(spread, means, strict=True)]
    return math.sqrt(_weighted(around, shares))


LAYER: Mapping[str, Merge] = {
    "delta": _root,
    "example_delta": _root,
    "last_delta": _root,
    "credit": _mean,
    "flat": _weighted,
    "activation_mean": _weighted,
    "input_mean": _weighted,
}
NEURON: Mapping[str, Merge] = {
    "pressure": _mean,
    "gradient": _alike,
    "step": _alike,
    "mean": _weighted,
    "silent": _weighted,
    "flat": _weighted,
}
