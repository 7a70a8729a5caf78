"""What samples of layers' outputs say, all layers together, on their device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch

from .activations import Activation
from .seen import WIDE, Array, Glimpse


@dataclass(frozen=True, eq=False)
class Sampled:
    """Of layers sampled alike, side by side: sums over the rows.

    layers, sizes: which, and their neurons. rows: how many were sampled. activations: what reads
    each. values: of all neurons the output, the activation and its square; then of the layers
    `silent` whether the activation was not 0, and of the layers `flat` whether its slope was.
    """

    layers: tuple[int, ...]
    sizes: tuple[int, ...]
    rows: int
    activations: tuple[Activation | None, ...]
    silent: tuple[int, ...]
    flat: tuple[int, ...]
    values: torch.Tensor

    @property
    def signature(self) -> tuple[object, ...]:
        kinds = tuple(a and a.key for a in self.activations)
        return self.layers, self.sizes, self.rows, kinds


Run = tuple[slice, Activation]  # which neurons are read by what


def sampled(glimpses: Mapping[int, Glimpse], known: Mapping[int, Activation]) -> list[Sampled]:
    kinds: dict[tuple[object, ...], dict[int, torch.Tensor]] = {}
    for k, g in glimpses.items():
        if g.samples:
            z = g.samples[0] if len(g.samples) == 1 else torch.cat(g.samples)
            kinds.setdefault((z.shape[0], z.device), {})[k] = z
    return [_sampled(samples, known) for samples in kinds.values()]


def _sampled(samples: Mapping[int, torch.Tensor], known: Mapping[int, Activation]) -> Sampled:
    layers = sorted(samples, key=lambda k: _kind(known.get(k)))
    sizes = tuple(samples[k].shape[1] for k in layers)
    runs: list[Run] = []
    silent, flat = [], []
    at = 0
    for _, group in groupby(layers, key=lambda k: _kind(known.get(k))):
        run = list(group)
        activation = known.get(run[0])
        some = slice(at, at := at + sum(samples[k].shape[1] for k in run))
        if activation is not None:
            runs.append((some, activation))
            silent += run if activation.silent else []
            flat += run if activation.flat is not None else []
    a = torch.cat([samples[k] for k in layers], 1)
    if a.dtype not in (torch.float32, WIDE):
        a = a.float()
    values = _with_numpy(a, runs) if a.device.type == "cpu" else _on_device(a, runs)
    kinds = tuple(known.get(k) for k in layers)
    return Sampled(tuple(layers), sizes, a.shape[0], kinds, tuple(silent), tuple(flat), values)


def _on_device(a: torch.Tensor, runs: Sequence[Run]) -> torch.Tensor:
    """`values` of a Sampled; a becomes its squares."""
    before = a.sum(0)
    alive, level = [], []
    for some, activation in runs:
        view = a[:, some]
        activation.apply(view)
        if activation.silent:
            alive.append(view.sign().abs_().sum(0))
        if activation.flat is not None:
            level.append(activation.flat(view).sum(0))
    return torch.cat([before, a.sum(0), a.square_().sum(0), *alive, *level])


@np.errstate(over="ignore", invalid="ignore")
def _with_numpy(a: torch.Tensor, runs: Sequence[Run]) -> torch.Tensor:
    """The same, which NumPy does quicker with so few numbers."""
    rows = a.numpy()
    before = np.add.reduce(rows, axis=0)
    alive, level = [], []
    for some, activation in runs:
        activation.apply(a[:, some])
        if activation.silent:
            alive.append((some, _counts(rows[:, some] != 0)))
        if activation.flat is not None:
            level.append(activation.flat(a[:, some]).sum(0).numpy())
    after = np.add.reduce(rows, axis=0)
    squares = np.einsum("ij,ij->j", rows, rows)
    counts = [np.where(np.isnan(after[some]), np.nan, count) for some, count in alive]
    return torch.from_numpy(np.concatenate([before, after, squares, *counts, *level]))


def _counts(found: Array) -> Array:
    """How many are true in each column."""
    if len(found) < 256:  # fit in a byte, which NumPy adds up quicker
        return np.asarray(np.add.reduce(found.view(np.uint8), axis=0, dtype=np.uint8))
    return np.asarray(np.add.reduce(found, axis=0, dtype=np.int64))


def _kind(activation: Activation | None) -> tuple[str, tuple[str, ...]]:
    return ("", ()) if activation is None else activation.key
