"""What is read of one δ: everything of a small one, evenly spread parts of a large one.

Σδ over the batch is never of a part: it is the gradient of the layer's own bias, which autograd
works out anyway (leaves.py); where there is none, all of δ is summed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from .records import Array

WHOLE = 2_048  # numbers of one example's δ that are all read
PART = 256  # of a larger one, about, for its norm
SHARE = 8  # into how many blocks the neurons of a larger one are cut, for the noise
SAFE = (1e-30, 1e30)  # sums of squares that float32 has neither lost nor let overflow
NORMS = (1e-15, 1e15)  # their roots
WIDE = torch.float64
PLAIN = (torch.float32, WIDE)  # what NumPy has too
Number = float | torch.Tensor  # of the CPU, or still on its device
Values = Array | torch.Tensor


@dataclass(frozen=True, eq=False)
class Read:
    """squares: Σδ² over everything. example_squares: Σ over the examples of the squared norm of
    what each adds to Σδ; both worked up to the whole where they are of a part. pressure: Σδ,
    (neurons,); None where it was not asked for. examples: how many there are."""

    squares: Number
    example_squares: Number
    pressure: torch.Tensor | None
    examples: int


def read(delta: torch.Tensor, axis: int, turn: int, summed: bool) -> Read:
    """axis: of the neurons; the examples are the first dimension, unless that is the axis. turn:
    which of those parts that are spread alike. summed: whether Σδ is asked for.

    What is read of an example depends on its own shape alone, not on how many there are, so that
    the ranks of a distributed training add up to what one process reads.
    """
    batched = axis > 0
    inner = [d for d in range(batched, delta.dim()) if d != axis]
    if not is_large(delta, axis):
        return _whole(delta, inner, batched, summed)
    examples = delta.shape[0] if batched else 1
    values = delta.numpy() if is_array(delta) else delta
    squares = _of_places(values, delta.numel() // examples, inner or [axis], turn)
    if summed:
        parts = _sum(delta, inner)
        pressure = parts.sum(0) if batched else parts
        return Read(squares, sum_squares(parts) if inner else squares, pressure, examples)
    of_examples = _of_neurons(delta, axis, inner, turn) if inner else squares
    return Read(squares, of_examples, None, examples)


def is_large(delta: torch.Tensor, axis: int) -> bool:
    """Whether an example's part of it is read in parts."""
    return delta.numel() > WHOLE * (delta.shape[0] if axis > 0 else 1)


def is_array(tensor: torch.Tensor) -> bool:
    """Whether NumPy can look at it, which takes less time to begin."""
    return type(tensor) is torch.Tensor and tensor.device.type == "cpu" and tensor.dtype in PLAIN


def _of_places(values: Values, each: int, dims: list[int], turn: int) -> Number:
    """Σδ² from evenly spread places of every example, along the largest dimension of `dims`."""
    place = max(dims, key=lambda d: values.shape[d])
    size = values.shape[place]
    step = min(-(-each // PART), size)
    part = values[(slice(None),) * place + (slice(turn % step, None, step),)]
    return _squares(part) * step


def _of_neurons(delta: torch.Tensor, axis: int, inner: list[int], turn: int) -> Number:
    """Σ over the examples of ‖Σδ over its positions‖², from one block of the neurons."""
    count = delta.shape[axis]
    wide = -(-count // SHARE)
    blocks = -(-count // wide)
    start = turn % blocks * wide
    part = delta[(slice(None),) * axis + (slice(start, start + wide),)]
    return sum_squares(_sum(part, inner)) * blocks


def _squares(values: Values) -> Number:
    """Σ of the squares; in float64 where float32 could lose them."""
    if isinstance(values, torch.Tensor):
        return sum_squares(values)
    flat = values.ravel()
    found = square_sum(flat)
    return found if SAFE[0] < found < SAFE[1] else square_sum(flat.astype(np.float64))


def square_sum(flat: Array) -> float:
    """Not by NumPy's BLAS: its threads would go on spinning beside torch's own."""
    return float(np.einsum("i,i->", flat, flat))


def _whole(delta: torch.Tensor, inner: list[int], batched: bool, summed: bool) -> Read:
    squares = of_examples = sum_squares(delta)
    parts = delta
    if inner:
        parts = _sum(delta, inner)
        of_examples = sum_squares(parts)
    examples = delta.shape[0] if batched else 1
    if not summed:
        return Read(squares, of_examples, None, examples)
    return Read(squares, of_examples, _sum(parts, [0]) if batched else parts, examples)


def _sum(tensor: torch.Tensor, dims: list[int]) -> torch.Tensor:
    return tensor.sum(dims, dtype=WIDE if tensor.dtype == WIDE else torch.float32)


def sum_squares(tensor: torch.Tensor) -> Number:
    """Σ of the squares; in float64 where float32 could lose them. Of the CPU a plain number."""
    if tensor.device.type != "cpu":
        norm: torch.Tensor = torch.linalg.vector_norm(tensor, dtype=WIDE)
        return norm.square()
    flat = tensor.reshape(-1)
    if flat.dtype == torch.float32:
        found: float = torch.dot(flat, flat).item()
        if SAFE[0] < found < SAFE[1]:
            return found
    flat = flat.to(WIDE)
    wide: float = torch.dot(flat, flat).item()
    return wide
