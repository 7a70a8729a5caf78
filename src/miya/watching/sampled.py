"""What samples of a layer's outputs say, of some watched steps together, on their device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from .activations import Activation
from .deltas import NORMS, PLAIN, WIDE
from .records import Array
from .rows import Rows
from .seen import Glimpse


@dataclass(frozen=True, eq=False)
class Activity:
    """Of one layer: rows, how many were sampled; activation, what reads it. Means over the rows by
    neuron, (steps, neurons): pre, of the output; mean, after the activation; alive and flat, how
    often it was not 0 and its slope flat, where that can be (activations.py). square: of all
    activations, (steps,)."""

    rows: int
    activation: Activation | None
    pre: Array
    mean: Array
    square: Array
    alive: Array | None
    flat: Array | None


def samples(glimpses: Mapping[int, Glimpse]) -> dict[int, Rows]:
    """By layer, the rows of all its calls in one step."""
    found = {}
    for k, g in sorted(glimpses.items()):
        if g.samples:
            found[k] = g.samples[0] if len(g.samples) == 1 else _joined(g.samples)
    return found


def _joined(parts: Sequence[Rows]) -> Rows:
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    return torch.cat(list(parts))  # type: ignore[arg-type]


def sums(steps: Sequence[Rows], activation: Activation | None) -> torch.Tensor:
    """steps: (rows, neurons) each. Side by side, (steps, all of them): sums over the rows by neuron
    of the output and of the activation, the root of the sum of its squares, and how many were not
    0 and how many flat, where the activation can be that."""
    z = torch.stack([torch.from_numpy(s) if isinstance(s, np.ndarray) else s for s in steps])
    if z.dtype not in PLAIN:
        z = z.float()
    found = [z.sum(1)]
    if activation is not None:
        activation.apply(z)
        found.append(z.sum(1))
    else:
        found.append(found[0])
    found.append(_lengths(z)[:, None])
    if activation is not None and activation.silent:
        found.append(_counts(z))
    if activation is not None and activation.flat is not None:
        found.append(activation.flat(z).sum(1))
    return torch.cat(found, 1)


def _lengths(a: torch.Tensor) -> torch.Tensor:
    """(steps,); in float64 where float32 could lose a square."""
    wide = a.device.type != "cpu" or a.dtype == WIDE
    found: torch.Tensor = torch.linalg.vector_norm(
        a, dim=(1, 2), dtype=WIDE if wide else torch.float32
    )
    if wide or bool(((found > NORMS[0]) & (found < NORMS[1])).all()):
        return found
    found = torch.linalg.vector_norm(a, dim=(1, 2), dtype=WIDE)
    return found


def _counts(a: torch.Tensor) -> torch.Tensor:
    """How many are not 0 in each column, (steps, neurons); NaN where one is."""
    if a.device.type != "cpu":
        return a.sign().abs_().sum(1)
    alive = a.numpy() != 0
    small = np.uint8 if alive.shape[1] < 256 else np.int64  # bytes are added up quicker
    counts = np.add.reduce(alive.view(np.uint8), axis=1, dtype=small).astype(a.numpy().dtype)
    broken = np.isnan(np.add.reduce(a.numpy(), axis=1))
    return torch.from_numpy(np.where(broken, np.nan, counts) if broken.any() else counts)


def activity(rows: int, neurons: int, activation: Activation | None, found: Array) -> Activity:
    """found: what `sums` gave, in float64."""
    pre, mean = found[:, :neurons], found[:, neurons : 2 * neurons]
    square = found[:, 2 * neurons] ** 2 / (rows * neurons)
    rest = [found[:, at : at + neurons] for at in range(2 * neurons + 1, found.shape[1], neurons)]
    alive = rest.pop(0) / rows if activation is not None and activation.silent else None
    flat = rest.pop(0) / rows if rest else None
    return Activity(rows, activation, pre / rows, mean / rows, square, alive, flat)
