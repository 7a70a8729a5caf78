"""Facts of a layer that no rank can tell alone: of what all ranks saw, worked out anew."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .records import Array, LayerRecord, NeuronRecord

Facts = dict[str, Any]
ALONE = ("dead", "saturated", "noise", "greedy", "greediest", "unrolled")  # told here, or None


def facts_of_all(
    found: Sequence[LayerRecord], lists: Sequence[NeuronRecord], merged: NeuronRecord | None
) -> Facts:
    """found: a layer as every rank has it. lists: its neurons as every rank has them; merged: all
    ranks' as one. What needs neurons is None where these were not kept."""
    facts: Facts = dict.fromkeys(ALONE)
    if merged is not None:
        facts |= _closed(lists, merged)
        if merged.pressure.size:
            facts |= _greedy(merged.pressure) | _noise(found, merged.pressure)
    lasts, factors = _all(found, "last_delta"), _all(found, "unrolled")
    if lasts and factors and (last := _hypot(lasts)) > 0:
        facts["unrolled"] = _hypot(a * b for a, b in zip(lasts, factors, strict=True)) / last
    return facts


def _closed(lists: Sequence[NeuronRecord], merged: NeuronRecord) -> Facts:
    """dead: silent on every row of every rank; saturated: flat on every one."""
    facts: Facts = {}
    for fact, name in (("dead", "silent"), ("saturated", "flat")):
        rows = [getattr(n, name) for n in lists]
        if getattr(merged, name).size and np.isfinite(rows).all():
            facts[fact] = float(np.mean(np.min(rows, axis=0) == 1))
    return facts


def _greedy(pressure: Array) -> Facts:
    from .numbers import Pieces
    from .passes import greedy_facts
    from .table import Table

    table = Table(1, 1)
    with np.errstate(invalid="ignore", over="ignore"):
        greedy_facts(table, Pieces((0,), pressure[None], np.array([0])))
    return {name: values[0] for name, values in table.facts[0].items()}


def _noise(found: Sequence[LayerRecord], pressure: Array) -> Facts:
    """The examples' δ are divided by the number of ranks, as the loss is the mean of theirs."""
    from .noise import gradient_noise

    parts, counts = _all(found, "example_delta"), _all(found, "examples")
    if not parts or not counts:
        return {}
    squares = total(p * p for p in parts) / len(found) ** 2
    with np.errstate(over="ignore", invalid="ignore"):
        whole = np.array([np.square(pressure).sum()])
        noise = float(gradient_noise(np.array([squares]), whole, np.array([sum(counts)]))[0])
    return {"noise": None if math.isnan(noise) else noise}


def facts_of_parts(found: Sequence[LayerRecord], whole: bool) -> Facts:
    """Of a layer whose parameters are split among the ranks, each number of them told of by one.
    whole: whether all ranks are here; otherwise none of it is known."""
    norms = {n: _some(found, n) if whole else [] for n in ("gradient", "weight", "step")}
    facts: Facts = {n: _hypot(of) if of else None for n, of in norms.items()}
    predicted = _some(found, "predicted") if whole else []
    facts["predicted"] = total(predicted) if predicted else None
    weight, step = facts["weight"], facts["step"]
    facts["relative_step"] = step / weight if step is not None and weight else None
    counted = [f for f in found if f.biases] if whole else []
    count = sum(f.biases or 0 for f in counted)
    for name in ("bias_mean", "bias_step"):
        sums = [getattr(f, name) * f.biases for f in counted if getattr(f, name) is not None]
        facts[name] = total(sums) / count if sums and len(sums) == len(counted) else None
    facts["biases"] = count or None
    return facts


def rows_of_parts(lists: Sequence[Array], neurons: int) -> Array:
    """A norm of each neuron's part, of layers split along the first dimension: one rank after the
    other; where every rank has all neurons (an embedding's columns), roots of sums of squares.
    Empty where neither fits."""
    lengths = [len(one) for one in lists]
    if neurons and sum(lengths) == neurons:
        return np.concatenate(lists)
    there = [one for one in lists if len(one)]
    if neurons and there and {len(one) for one in there} == {neurons}:
        return np.asarray(np.sqrt(sum(np.square(one) for one in there)))
    return np.empty(0)


def _all(found: Sequence[LayerRecord], name: str) -> list[Any]:
    """What every rank measured; nothing where one did not."""
    values = _some(found, name)
    return values if len(values) == len(found) else []


def _some(found: Sequence[LayerRecord], name: str) -> list[Any]:
    return [v for v in (getattr(f, name) for f in found) if v is not None]


def total(values: Iterable[float]) -> float:
    """Their sum; also of what is not finite or overflows, which math.fsum refuses."""
    found = list(values)
    try:
        return math.fsum(found)
    except (OverflowError, ValueError):
        return sum(found)


def _hypot(values: Iterable[float]) -> float:
    return math.hypot(*values)
