"""One record of what several ranks saw in the same step of data-parallel training.

The gradient that is stepped by is the mean over the ranks, so the loss that it belongs to is the
mean of theirs. What every rank has alike (parameters, gradients after they were averaged) is
kept where they agree; a number that cannot be told from the ranks' own is None.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace

import numpy as np

from .records import Array, LayerRecord, NeuronRecord, StepRecord

ALIKE = 1e-6  # relative difference of what counts as alike on two machines
Values = Sequence[float]
Merge = Callable[[Values, Values], float | None]


def merge(records: Sequence[StepRecord]) -> StepRecord:
    """The records of one step, one a rank, as one of rank 0."""
    if len(records) == 1:
        return replace(records[0], rank=0)
    shares = _shares(records)
    first = records[0]
    counts = [r.examples for r in records]
    return StepRecord(
        step=first.step,
        seconds=max(r.seconds for r in records),
        loss=_over([r.loss for r in records], shares, _mean),
        predicted=_over([r.predicted for r in records], shares, _alike),
        real=_over([r.real for r in records], shares, _mean),
        examples=None if None in counts else sum(c for c in counts if c is not None),
        skipped=any(r.skipped for r in records),
        layers=tuple(_layer(found, neurons, shares) for found, neurons in _layers(records)),
        groups=first.groups,
        neurons=tuple(
            _neurons(found, shares) for found in zip(*(r.neurons for r in records), strict=False)
        ),
    )


def _shares(records: Sequence[StepRecord]) -> Values:
    """Each rank's share of the examples; equal ones where a rank did not count."""
    counts = [r.examples or 0 for r in records]
    whole = sum(counts) if all(counts) else 0
    return [c / whole if whole else 1 / len(records) for c in counts]


def _layers(
    records: Sequence[StepRecord],
) -> list[tuple[Sequence[LayerRecord], Sequence[NeuronRecord]]]:
    neurons = [{n.layer: n for n in r.neurons} for r in records]
    return [
        (found, [n[found[0].layer] for n in neurons if found[0].layer in n])
        for found in zip(*(r.layers for r in records), strict=False)
    ]


def _layer(
    found: Sequence[LayerRecord], neurons: Sequence[NeuronRecord], shares: Values
) -> LayerRecord:
    values: dict[str, float | None] = {
        f.name: _over(
            [getattr(layer, f.name) for layer in found], shares, LAYER.get(f.name, _alike)
        )
        for f in fields(LayerRecord)
        if f.type == "float | None"
    }
    values["activation_deviation"] = _deviation(found, shares)
    silent = [n.silent for n in neurons if n.silent.size]
    if len(silent) == len(found):  # dead: silent on every example of every rank
        values["dead"] = float(np.mean(np.min(silent, axis=0) == 1))
    most = {layer.input_most for layer in found}
    samples = [layer.sample for layer in found if layer.sample is not None]
    return replace(
        found[0],
        **values,  # type: ignore[arg-type]
        input_most=most.pop() if len(most) == 1 else None,
        sample=sum(samples) if len(samples) == len(found) else None,
        nonfinite=next((layer.nonfinite for layer in found if layer.nonfinite), ""),
        has_gradient=any(layer.has_gradient for layer in found),
        kept=any(layer.kept for layer in found),
    )


def _neurons(found: Sequence[NeuronRecord], shares: Values) -> NeuronRecord:
    def over(name: str) -> Array:
        lists = [getattr(n, name).tolist() for n in found]
        merged = [NEURON[name](of, shares) for of in zip(*lists, strict=True)]
        return np.array([] if None in merged else merged, dtype=np.float64)

    return NeuronRecord(found[0].layer, **{name: over(name) for name in NEURON})


def _over(values: Sequence[float | None], shares: Values, how: Merge) -> float | None:
    measured = [v for v in values if v is not None]
    return how(measured, shares) if len(measured) == len(values) else None


def _mean(values: Values, shares: Values) -> float:
    return math.fsum(values) / len(values)


def _weighted(values: Values, shares: Values) -> float:
    return math.fsum(v * s for v, s in zip(values, shares, strict=True))


def _root(values: Values, shares: Values) -> float:
    """δ of the mean loss: each rank's examples have theirs divided by the number of ranks."""
    return math.sqrt(math.fsum(v * v for v in values)) / len(values)


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
}
