"""Which rows of a layer's output are sampled: examples and positions, evenly spread."""

from __future__ import annotations

from functools import lru_cache
from math import gcd

import numpy as np
import torch

from .deltas import is_array
from .records import Array

ROWS = 32  # of a layer's output (examples, positions) in one sample
TURNS = 16  # how many samples differ before the first one comes again
Rows = Array | torch.Tensor  # (rows, neurons): an array of what was on the CPU


def sample_of(found: torch.Tensor, axis: int, turn: int) -> Rows:
    """At most ROWS rows of an output, (rows, neurons), copied. turn: which of those that are spread
    so."""
    if not is_array(found):
        rows = _of_tensor(found, axis, turn)
        return rows if rows.device.type != "cpu" else rows.to(torch.float32).numpy()
    values = found.numpy()
    if axis == 1 and values.ndim == 2:
        every = max(len(values) // ROWS, 1)
        return values[turn % every :: every][:ROWS].copy()
    count, examples = values.shape[axis], values.shape[0] if axis else 1
    last = axis == values.ndim - 1
    values = values.reshape((examples, -1, count) if last else (examples, count, -1))
    if found.numel() <= ROWS * count:
        every_row = values if last else values.transpose(0, 2, 1)
        return every_row.reshape(-1, count).copy()
    which, at = chosen(examples, values.shape[1 if last else 2], turn % TURNS)
    return values[which, at] if last else values[which, :, at]


def _of_tensor(found: torch.Tensor, axis: int, turn: int) -> torch.Tensor:
    count, examples = found.shape[axis], found.shape[0] if axis else 1
    if axis == found.dim() - 1:
        rows = found.reshape(examples, -1, count)
    else:
        rows = found.reshape(examples, count, -1).transpose(1, 2)
    if found.numel() <= ROWS * count:
        return rows.reshape(-1, count).clone()
    which, at = _placed(examples, rows.shape[1], turn % TURNS, found.device)
    return rows[which, at]


@lru_cache(maxsize=1024)
def chosen(examples: int, positions: int, turn: int) -> tuple[Array, Array]:
    """ROWS places (example, position): the examples in their order, each at another position. The
    positions step by a number without a divisor in common with theirs, near the golden section of
    it, so that they fill rows, columns and times evenly."""
    step = next(s for s in range(round(0.618 * positions), 0, -1) if gcd(s, positions) == 1)
    rows = np.arange(ROWS)
    return (rows * examples // ROWS + turn) % examples, (turn * ROWS + rows) * step % positions


@lru_cache(maxsize=1024)
def _placed(
    examples: int, positions: int, turn: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    which, at = (torch.from_numpy(k).to(device) for k in chosen(examples, positions, turn))
    return which, at
