"""Linear and bilinear layers: over the last dimension, whatever stands before it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..calls import Call, Terms, element, local
from ..graph import Index
from .contraction import Contraction, batch, contracted, contracted_back
from .grid import grid, whole
from .record import Record, back, record

Shape = Callable[[Call], Contraction]


def _linear(call: Call) -> Contraction:
    lead = batch(len(call.operands["input"].shape) - 1)
    out = ("i",) if len(call.operands["weight"].shape) == 2 else ()
    return Contraction({"weight": (*out, "j"), "input": (*lead, "j")}, (*lead, *out))


def _bilinear(call: Call) -> Contraction:
    lead = batch(len(call.operands["input1"].shape) - 1)
    operands = {"input1": (*lead, "j"), "weight": ("i", "j", "k"), "input2": (*lead, "k")}
    return Contraction(operands, (*lead, "i"))


def _backward(of: Shape) -> Callable[[Call, str, Index], list[Terms]]:
    def backward(call: Call, role: str, index: Index) -> list[Terms]:
        if role != "bias":
            return contracted_back(of(call), call, role, index)
        at = grid(*whole(call.results[0].shape[: -1 if index else None]), *index)
        return [back(call, at, local(np.ones(len(at)), "1"))]

    return backward


def _forward(of: Shape) -> Callable[[Call, int, Index], list[Terms]]:
    def forward(call: Call, slot: int, index: Index) -> list[Terms]:
        sums = [contracted(of(call), call, index)]
        bias = call.operands.get("bias")
        if bias is not None:
            sums.append(Terms((element(bias, grid(*index[len(index) - len(bias.shape) :])),)))
        return sums

    return forward


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
        _backward(_linear),
        _forward(_linear),
        frozenset({"input", "weight", "bias"}),
    )
)
record(
    Record(
        "bilinear",
        "y[n, i] = Σ_jk x1[n, j] W[i, j, k] x2[n, k] + b[i]",
        {
            "weight": "∂C/∂W[i, j, k] = Σ_n δ[n, i] x1[n, j] x2[n, k]",
            "bias": "∂C/∂b[i] = Σ_n δ[n, i]",
            "input1": "∂C/∂x1[n, j] = Σ_ik W[i, j, k] x2[n, k] δ[n, i]",
            "input2": "∂C/∂x2[n, k] = Σ_ij W[i, j, k] x1[n, j] δ[n, i]",
        },
        "torch.nn.Bilinear",
        _backward(_bilinear),
        _forward(_bilinear),
        frozenset({"input1", "input2", "weight", "bias"}),
    )
)
