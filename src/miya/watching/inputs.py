"""Which input's weights the training changes most: those of the first layer, by column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from .layers import WatchedLayer
from .numbers import Array
from .table import Table

RARELY = 32  # watched steps, of which one is looked at, beside the 1st, 2nd, 4th and 8th
LEAST, MOST = 3, 4_000_000  # inputs, and numbers of the weight, that are told apart


class Inputs:
    """Remembers the weight of the first layer, if that is a Linear, as it was in the beginning."""

    def __init__(self, layers: Sequence[WatchedLayer]) -> None:
        self.layer, self.weight = _first(layers)
        self.begun = None if self.weight is None else self.weight.detach().clone()

    def look(self, rounds: int) -> torch.Tensor | None:
        """The sum of the squares of what each input's weights have changed by, (inputs,). None on
        most of the watched steps, which `rounds` counts: it is a pass over the whole weight."""
        often = rounds & (rounds - 1) == 0 or rounds % RARELY == 0
        if self.weight is None or self.begun is None or not often:
            return None
        return (self.weight.detach() - self.begun).square_().sum(0)


def _first(layers: Sequence[WatchedLayer]) -> tuple[int, nn.Parameter | None]:
    """The first layer that has a weight, norms left out; only if that one is a Linear."""
    for k, layer in enumerate(layers):
        weight = next((p for p in layer.own if p.dim() > 1), None)
        if weight is None:
            continue
        plain = layer.kind == "Linear" and type(weight) is nn.Parameter
        fits = weight.shape[1] >= LEAST and weight.numel() <= MOST
        return k, weight if plain and fits and layer.held else None
    return 0, None


def input_facts(table: Table, layer: int, changes: Sequence[Array | None]) -> None:
    """changes: what `look` gave in each step. The largest share of the squared change that one
    input has, how many times the next largest that is, and which input it is. None where it was
    not looked at, and where nothing has changed yet."""
    found = [None if squares is None else _largest(squares) for squares in changes]
    if any(found):
        for at, name in enumerate(("input_share", "input_lead", "input_most")):
            table.column(name, layer, [None if f is None else f[at] for f in found])


def _largest(squares: Array) -> tuple[float, float, int] | None:
    whole = float(squares.sum())
    if not 0 < whole < np.inf:
        return None
    most = int(squares.argmax())
    top, second = float(squares[most]), float(np.partition(squares, -2)[-2])
    return top / whole, top / second if second > 0 else float("inf"), most
