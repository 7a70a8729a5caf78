"""Softmax and its logarithm along one dimension."""

from __future__ import annotations

import numpy as np

from ..calls import Call, Terms, Value, Worked, element, local
from ..graph import Index
from ..rounding import Array
from .grid import grid
from .record import Record, back, record


def _axis(call: Call) -> int:
    """The dimension; without one torch takes 0 of up to one dimension and of three, else 1."""
    count = len(call.operands["input"].shape)
    dim = call.option("dim")
    chosen = int(dim) if dim is not None else 0 if count in (0, 1, 3) else 1
    return chosen % count if count else 0


def _line(call: Call, index: Index) -> tuple[Array, Array]:
    """The elements that share a sum with the one at index, and which of them it is."""
    shape, axis = call.operands["input"].shape, _axis(call)
    if not shape:
        return grid(), np.ones(1, dtype=bool)
    places = np.arange(shape[axis])
    return grid(*index[:axis], places, *index[axis + 1 :]), places == index[axis]


def _backward(call: Call, role: str, index: Index) -> list[Terms] | None:
    if role != "input":
        return None
    y = call.results[0]
    at, same = _line(call, index)
    if call.name == "softmax":
        slope = local(same - float(y.array[index]), "1[i = j] - y[i]")
        return [back(call, at, element(y, at), slope)]
    probability = float(np.exp(np.float64(y.array[index])))
    return [back(call, at, local(same - probability, "1[i = j] - exp(y[i])"))]


def _forward(call: Call, slot: int, index: Index) -> Worked:
    x = call.operands["input"]
    at, _ = _line(call, index)
    line = element(x, at).values
    top = float(line.max())
    names: dict[str, tuple[Value | None, Index, float]] = {
        "x": (x, index, float(x.array[index])),
        "M": (None, (), top),
        "s": (None, (), float(np.exp(line - top).sum())),
    }
    return Worked("exp(x - M) / s" if call.name == "softmax" else "x - M - log(s)", names)


record(
    Record(
        "softmax",
        "y[i] = exp(x[i] − M) / s, s = Σ_k exp(x[k] − M), M the largest x",
        {"input": "∂C/∂x[i] = Σ_j y[j] (1[i=j] − y[i]) δ[j]"},
        "torch.nn.Softmax",
        _backward,
        _forward,
    )
)
record(
    Record(
        "log_softmax",
        "y[i] = x[i] − M − log s, s = Σ_k exp(x[k] − M), M the largest x",
        {"input": "∂C/∂x[i] = Σ_j (1[i=j] − exp(y[i])) δ[j]"},
        "torch.nn.LogSoftmax",
        _backward,
        _forward,
    )
)
