"""What the layers gave and what came back to them, as facts of each layer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..analysis.flow import GREEDY_MARGIN, is_greedy
from .noise import gradient_noise
from .numbers import Array, Numbers, Pieces
from .parameters import Parameters
from .sampled import Activity
from .table import Table


def of_activations(table: Table, layer: int, found: Activity) -> None:
    mean = found.mean.mean(1)
    with np.errstate(invalid="ignore", over="ignore"):
        spread = np.sqrt(np.maximum(found.square - mean**2, 0))
    table.column("input_mean", layer, found.pre.mean(1).tolist())
    table.column("activation_mean", layer, mean.tolist())
    table.column("activation_deviation", layer, spread.tolist())
    if found.alive is not None:
        clear = np.isfinite(found.alive).all(1)
        dead = np.where(clear, (found.alive == 0).mean(1), np.nan)
        table.known("dead", (layer,), dead[:, None])
    if found.flat is not None:
        flat = found.flat.mean(1)
        always = np.where(np.isnan(flat), np.nan, (found.flat == 1).mean(1))
        table.known("saturated", (layer,), always[:, None])
        table.known("flat", (layer,), flat[:, None])
    table.same("sample", layer, found.rows)
    table.same("activation", layer, found.activation and found.activation.name)
    table.bad("output", (layer,), ~np.isfinite(found.square)[:, None])


def of_deltas(table: Table, numbers: Numbers, scale: Array) -> None:
    """scale: what the loss was multiplied by, (steps,)."""
    pressures = numbers.pieces("pressure")
    if pressures is None:
        return
    of = pressures.of
    once = scale[:, None]
    sums = pressures.sums((pressures.values / once) ** 2)
    squares, parts, counts, kept, ages = (
        np.stack([_scalar(numbers, name, k) for k in of], axis=1)
        for name in ("squares", "example_squares", "examples", "kept", "age")
    )
    table.put("delta", of, np.sqrt(squares) / once)
    table.known("noise", of, gradient_noise(parts / once**2, sums, counts))
    table.put("example_delta", of, np.sqrt(parts) / once)
    table.put("examples", of, counts.astype(int))
    table.put("kept", of, kept > 0)
    table.put("age", of, ages.astype(int))
    greedy_facts(table, pressures)
    for k in numbers.having("first"):
        with np.errstate(divide="ignore", invalid="ignore"):
            last = np.sqrt(_scalar(numbers, "last", k))
            factor = np.sqrt(_scalar(numbers, "first", k)) / last
        table.column("last_delta", k, (last / scale).tolist())
        table.column("unrolled", k, [f if math.isfinite(f) else None for f in factor.tolist()])


def _scalar(numbers: Numbers, name: str, of: int) -> Array:
    found = numbers.scalar(name, of)
    assert found is not None
    return found


def greedy_facts(table: Table, pressures: Pieces) -> None:
    """As the story has it: one neuron stands out alone, with an outsized share of Σ|δ|."""
    sizes = np.abs(pressures.values)
    slices = pressures.slices()
    counts = np.array([part.stop - part.start for part in slices.values()])
    top = np.maximum.reduceat(sizes, pressures.starts, axis=1)
    near = sizes >= np.repeat(top * (1 - GREEDY_MARGIN), counts, axis=1)
    alone = pressures.sums(near.astype(float)) == 1
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = top / pressures.sums(sizes)
    shares[:, counts < 2] = np.nan
    over = is_greedy(shares, counts)
    greedy = np.where(np.isnan(shares), np.nan, (over & alone) / counts)
    table.known("greediest", pressures.of, shares)
    table.known("greedy", pressures.of, greedy)


def neuron_lists(
    numbers: Numbers,
    found: Parameters,
    of_layer: Sequence[Sequence[int]],
    scale: Array,
) -> list[dict[str, Array]]:
    """Of each layer the lists of a NeuronRecord, (steps, neurons) each."""
    lists: list[dict[str, Array]] = [{} for _ in of_layer]
    for own, mine in zip(of_layer, lists, strict=True):
        for name, rows in (("gradient", found.rows), ("step", found.moved_rows)):
            parts = [rows[k] for k in own if k in rows]
            if parts and len({part.shape[1] for part in parts}) == 1:
                mine[name] = np.sqrt(sum(parts[1:], start=parts[0]))
    pressures = numbers.pieces("pressure")
    if pressures is not None:
        for k, part in pressures.slices().items():
            lists[k]["pressure"] = pressures.values[:, part] / scale[:, None]
    for k, activity in numbers.activities.items():
        lists[k]["mean"] = activity.mean
        if activity.alive is not None:
            lists[k]["silent"] = 1 - activity.alive
        if activity.flat is not None:
            lists[k]["flat"] = activity.flat
    return lists
