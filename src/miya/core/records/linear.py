"""Linear layers: y = W x + b over the last dimension."""

from __future__ import annotations

import numpy as np

from ..calls import Call, Terms, element, local
from ..graph import Index
from .record import Record, back, record, rows


def _positions(shape: tuple[int, ...]) -> list[np.ndarray]:
    return [axis.ravel() for axis in np.indices(shape)] if shape else []


def _backward(call: Call, role: str, index: Index) -> list[Terms] | None:
    x, weight = call.operands["input"], call.operands["weight"]
    lead = _positions(x.shape[:-1])
    if role == "weight":
        out, into = index if len(weight.shape) == 2 else (None, index[0])
        delta = rows(*lead, *([] if out is None else [out]))
        return [back(call, delta, element(x, rows(*lead, into)))]
    if role == "bias":
        delta = rows(*lead, *index)
        return [back(call, delta, local(np.ones(len(delta)), "1"))]
    *where, into = index
    outs = np.arange(weight.shape[0])
    return [back(call, rows(*where, outs), element(weight, rows(outs, into)))]


def _forward(call: Call, slot: int, index: Index) -> list[Terms]:
    x, weight = call.operands["input"], call.operands["weight"]
    *where, out = index
    into = np.arange(weight.shape[1])
    sums = [Terms((element(weight, rows(out, into)), element(x, rows(*where, into))))]
    if "bias" in call.operands:
        sums.append(Terms((element(call.operands["bias"], rows(out)),)))
    return sums


LINEAR = record(
    Record(
        "linear",
        "y[n, i] = Σ_j W[i, j] x[n, j] + b[i]",
        {
            "weight": "∂C/∂W[i, j] = Σ_n δ[n, i] x[n, j]",
            "bias": "∂C/∂b[i] = Σ_n δ[n, i]",
            "input": "∂C/∂x[n, j] = Σ_i W[i, j] δ[n, i]",
        },
        "torch.nn.Linear",
        _backward,
        _forward,
    )
)
