"""What samples of layers' outputs say, all layers together, on their device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

import torch

from .activations import Activation
from .seen import WIDE, Glimpse


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


def sampled(glimpses: Mapping[int, Glimpse], known: Mapping[int, Activation]) -> list[Sampled]:
    kinds: dict[tuple[object, ...], dict[int, torch.Tensor]] = {}
    for k, g in glimpses.items():
        if g.samples:
            z = g.samples[0] if len(g.samples) == 1 else torch.cat(g.samples)
            kinds.setdefault((z.shape[0], z.device), {})[k] = z
    with torch.no_grad():
        return [_sampled(samples, known) for samples in kinds.values()]


def _sampled(samples: Mapping[int, torch.Tensor], known: Mapping[int, Activation]) -> Sampled:
    layers = sorted(samples, key=lambda k: _kind(known.get(k)))
    sizes = tuple(samples[k].shape[1] for k in layers)
    a = torch.cat([samples[k] for k in layers], 1)
    if a.dtype not in (torch.float32, WIDE):
        a = a.float()
    before = a.sum(0)
    silent, flat, alive, level = [], [], [], []
    at = 0
    for _, group in groupby(layers, key=lambda k: _kind(known.get(k))):
        run = list(group)
        activation = known.get(run[0])
        view = a[:, at : (at := at + sum(samples[k].shape[1] for k in run))]
        if activation is None:
            continue
        view.copy_(activation.make(view))
        if activation.silent:
            silent += run
            alive.append(view.sign().abs_().sum(0))
        if activation.flat is not None:
            flat += run
            level.append(activation.flat(view).sum(0))
    values = torch.cat([before, a.sum(0), a.square_().sum(0), *alive, *level])
    kinds = tuple(known.get(k) for k in layers)
    return Sampled(tuple(layers), sizes, a.shape[0], kinds, tuple(silent), tuple(flat), values)


def _kind(activation: Activation | None) -> tuple[str, tuple[str, ...]]:
    return ("", ()) if activation is None else activation.key
