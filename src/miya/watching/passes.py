"""What the layers gave and what came back to them, as facts of each layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..analysis.flow import GREEDY_MARGIN, is_greedy
from .noise import gradient_noise
from .numbers import Array, Numbers, Pieces
from .parameters import Parameters
from .sampled import Sampled
from .table import Table


@dataclass(frozen=True, eq=False)
class Means:
    """Of layers sampled alike: means over the rows, (steps, neurons) each; alive and flat are of
    the layers that `silent` and `flat` of the sample name."""

    sampled: Sampled
    pre: Array
    mean: Array
    square: Array
    alive: Array
    flat: Array


def means(sampled: Sampled, sums: Array) -> Means:
    """sums: (steps, all values of the sample)."""
    of = dict(zip(sampled.layers, sampled.sizes, strict=True))
    whole = sum(sampled.sizes)
    silent = sum(of[k] for k in sampled.silent)
    edges = (whole, 2 * whole, 3 * whole, 3 * whole + silent)
    return Means(sampled, *np.split(sums / sampled.rows, edges, axis=1))


def of_activations(table: Table, found: Means) -> None:
    sampled = found.sampled
    starts, sizes = edges_of(sampled, sampled.layers)
    pre, mean, square = (
        np.add.reduceat(part, starts, axis=1) / sizes
        for part in (found.pre, found.mean, found.square)
    )
    with np.errstate(invalid="ignore", over="ignore"):
        spread = np.sqrt(np.maximum(square - mean**2, 0))
    table.put("input_mean", sampled.layers, pre)
    table.put("activation_mean", sampled.layers, mean)
    table.put("activation_deviation", sampled.layers, spread)
    if sampled.silent:
        starts, sizes = edges_of(sampled, sampled.silent)
        dead = np.add.reduceat(found.alive == 0, starts, axis=1, dtype=float)
        clear = np.isfinite(np.add.reduceat(found.alive, starts, axis=1))
        table.known("dead", sampled.silent, np.where(clear, dead / sizes, np.nan))
    if sampled.flat:
        starts, sizes = edges_of(sampled, sampled.flat)
        always = np.add.reduceat(found.flat == 1, starts, axis=1, dtype=float)
        mean = np.add.reduceat(found.flat, starts, axis=1) / sizes
        table.known("saturated", sampled.flat, np.where(np.isnan(mean), np.nan, always / sizes))
        table.known("flat", sampled.flat, mean)
    for layer, activation in zip(sampled.layers, sampled.activations, strict=True):
        table.same("sample", layer, sampled.rows)
        table.same("activation", layer, activation and activation.name)
    table.bad("output", sampled.layers, ~np.isfinite(square))


def edges_of(sampled: Sampled, layers: Sequence[int]) -> tuple[Array, Array]:
    """Where each layer's neurons start, side by side, and how many they are."""
    of = dict(zip(sampled.layers, sampled.sizes, strict=True))
    sizes = np.array([of[k] for k in layers])
    return np.cumsum(sizes) - sizes, sizes


def of_deltas(table: Table, numbers: Numbers, scale: Array) -> None:
    """scale: what the loss was multiplied by, (steps,)."""
    pressures = numbers.pieces("pressure")
    if pressures is None:
        return
    of = pressures.of
    once = scale[:, None]
    sums = pressures.sums((pressures.values / once) ** 2)
    squares, parts, counts, kept = (
        np.stack([_scalar(numbers, name, k) for k in of], axis=1)
        for name in ("squares", "example_squares", "examples", "kept")
    )
    table.put("delta", of, np.sqrt(squares) / once)
    table.known("noise", of, gradient_noise(parts / once**2, sums, counts))
    table.put("example_delta", of, np.sqrt(parts) / once)
    table.put("examples", of, counts.astype(int))
    table.put("kept", of, kept > 0)
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
    sampled: Sequence[Means],
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
    for found_means in sampled:
        alike = found_means.sampled
        for name, layers, values in (
            ("mean", alike.layers, found_means.mean),
            ("silent", alike.silent, 1 - found_means.alive),
            ("flat", alike.flat, found_means.flat),
        ):
            starts, sizes = edges_of(alike, layers)
            for k, at, size in zip(layers, starts.tolist(), sizes.tolist(), strict=True):
                lists[k][name] = values[:, at : at + size]
    return lists
