"""Distances between every pair of rows, and between two tensors as wholes: (Σ |d|^p)^(1/p)."""

from __future__ import annotations

import numpy as np

from ..calls import Call, Terms, Value, Worked, local, picked
from ..graph import Index
from ..rounding import Array
from .grid import broadcast_rows, grid, readers
from .record import Record, back, record

RULE = "d = x1 - x2"
OTHER = {"x1": "x2", "x2": "x1", "input": "other", "other": "input"}


def _order(call: Call) -> float | None:
    p = float(call.option("p", 2.0))
    return p if 0 < p < np.inf else None


def slopes(d: Array, y: Array, p: float) -> Array:
    """∂y/∂d = sign(d) (|d| / y)^(p − 1), 0 where y is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        sizes = (np.abs(d) / y) ** (p - 1)
    return np.asarray(np.sign(d) * np.where((y == 0) | (d == 0), 0.0, sizes))


def _terms(call: Call, role: str, at: Array, own: Array, other: Array) -> list[Terms] | None:
    """at: of the result; own, other: the numbers whose difference each term is of."""
    p = _order(call)
    if p is None:
        return None
    sign = 1 if role in ("x1", "input") else -1
    d, y = sign * (own - other), picked(call.results[0].array, at)
    symbol = f"{'' if sign > 0 else '-'}sign(d) (abs(d) / y)**(p - 1)"
    return [back(call, at, local(sign * slopes(d, y, p), symbol, RULE))]


def _worked(call: Call, d: Array) -> Worked | None:
    p = _order(call)
    if p is None:
        return None
    total = (None, (), float((np.abs(d) ** p).sum()))
    return Worked("s**(1 / p)", {"s": total, "p": (None, (), p)})


def _rows_back(call: Call, role: str, index: Index) -> list[Terms] | None:
    mine, partner = call.operands[role], call.operands[OTHER[role]]
    if mine.shape[:-2] != partner.shape[:-2]:
        return None
    *lead, row, column = index
    others = np.arange(partner.shape[-2])
    at = grid(*lead, row, others) if role == "x1" else grid(*lead, others, row)
    other = picked(partner.array, grid(*lead, others, column))
    return _terms(call, role, at, np.full(len(at), float(mine.array[index])), other)


def _rows(call: Call, slot: int, index: Index) -> Worked | None:
    x1, x2 = call.operands["x1"], call.operands["x2"]
    if x1.shape[:-2] != x2.shape[:-2]:
        return None
    *lead, i, j = index
    first, second = (np.asarray(v.array[(*lead, k)], np.float64) for v, k in ((x1, i), (x2, j)))
    return _worked(call, first - second)


def _pair(call: Call) -> tuple[Value, Value]:
    return call.operands["input"], call.operands["other"]


def _whole_back(call: Call, role: str, index: Index) -> list[Terms] | None:
    wide = np.broadcast_shapes(*(v.shape for v in _pair(call)))
    mine, partner = call.operands[role], call.operands[OTHER[role]]
    at = readers(mine.shape, index, wide)
    own, other = (picked(v.array, broadcast_rows(at, v.shape)) for v in (mine, partner))
    return _terms(call, role, at[:, :0], own, other)


def _whole(call: Call, slot: int, index: Index) -> Worked | None:
    first, second = (np.asarray(v.array, np.float64) for v in _pair(call))
    return _worked(call, first - second)


GRADIENT = "sign(d) (|d| / y)^(p − 1) δ"
record(
    Record(
        "cdist",
        "y[i, j] = (Σ_k |x1[i, k] − x2[j, k]|^p)^(1/p)",
        {"x1": f"∂C/∂x1[i, k] = Σ_j {GRADIENT}", "x2": f"∂C/∂x2[j, k] = −Σ_i {GRADIENT}"},
        "torch.cdist",
        _rows_back,
        _rows,
        frozenset({"x1", "x2", "p", "compute_mode"}),
    )
)
record(
    Record(
        "dist",
        "y = (Σ |x1[i] − x2[i]|^p)^(1/p)",
        {"input": f"∂C/∂x1[i] = {GRADIENT}", "other": f"∂C/∂x2[i] = −{GRADIENT}"},
        "torch.dist",
        _whole_back,
        _whole,
        frozenset({"input", "other", "p"}),
    )
)
