"""Activations that are not made of one number by itself: GLU, and RReLU with its drawn slopes."""

from __future__ import annotations

import numpy as np

from ..activations import logistic
from ..calls import Call, Terms, Value, Worked, element, local
from ..graph import Index
from ..rounding import Array
from .grid import grid, once
from .record import Record, back, record

GATE = "1 / (1 + exp(-gate))"


def _halves(call: Call, index: Index) -> tuple[bool, Index, Index]:
    """Whether `index` is in the first half; and the places of the two that work together."""
    shape = call.operands["input"].shape
    dim = int(call.option("dim", -1)) % len(shape)
    half = shape[dim] // 2
    low = (*index[:dim], index[dim] % half, *index[dim + 1 :])
    return index[dim] < half, low, (*low[:dim], low[dim] + half, *low[dim + 1 :])


def _glu_back(call: Call, role: str, index: Index) -> list[Terms]:
    x = call.operands["input"]
    first, low, high = _halves(call, index)
    open_ = logistic(np.asarray([x.array[high]], np.float64))
    if first:
        return [back(call, grid(*low), local(open_, "σ(gate)", GATE))]
    slope = local(open_ * (1 - open_), "σ'(gate)", f"s * (1 - s), s = {GATE}")
    return [back(call, grid(*low), element(x, grid(*low)), slope)]


def _glu(call: Call, slot: int, index: Index) -> Worked:
    x = call.operands["input"]
    _, low, high = _halves(call, index)
    names: dict[str, tuple[Value | None, Index, float]] = {
        "z": (x, low, float(x.array[low])),
        "gate": (x, high, float(x.array[high])),
    }
    return Worked("z / (1 + exp(-gate))", names)


record(
    Record(
        "glu",
        "a[i] = z[i] σ(gate[i]), gate the second half",
        {"input": "∂C/∂z[i] = σ(gate[i]) δ[i], ∂C/∂gate[i] = z[i] σ'(gate[i]) δ[i]"},
        "torch.nn.GLU (arXiv 1612.08083)",
        _glu_back,
        _glu,
        frozenset({"input", "dim"}),
    )
)


def _slopes(call: Call) -> Array | None:
    """The slope of each element. A slope is drawn only where z ≤ 0; the operation run again with
    −1 at those places draws the same and gives −slope."""
    x = call.operands["input"]
    z = np.asarray(x.array)
    if not call.option("training", False):
        mean = (float(call.option("lower", 1 / 8)) + float(call.option("upper", 1 / 3))) / 2
        return np.where(z > 0, 1.0, mean)
    if x.dtype != str(z.dtype):
        return None
    (drawn,) = call.replay({"input": np.where(z <= 0, z.dtype.type(-1), z)})
    return np.where(z <= 0, -np.asarray(drawn, np.float64), 1.0)


def _rrelu_back(call: Call, role: str, index: Index) -> list[Terms] | None:
    slopes = once(call, "slopes", lambda: _slopes(call))
    if slopes is None:
        return None
    symbol = "1" if slopes[index] == 1 else "drawn slope"
    return [back(call, grid(*index), local(np.array([slopes[index]]), symbol))]


def _rrelu(call: Call, slot: int, index: Index) -> Worked | None:
    slopes, x = once(call, "slopes", lambda: _slopes(call)), call.operands["input"]
    if slopes is None:
        return None
    slope = (None, (), float(slopes[index]))
    return Worked("slope * z", {"slope": slope, "z": (x, index, float(x.array[index]))})


record(
    Record(
        "rrelu",
        "a = z if z > 0 else slope · z, the slope drawn from lower to upper",
        {"input": "∂C/∂z = δ · (1 if z > 0 else slope)"},
        "torch.nn.RReLU (arXiv 1505.00853)",
        _rrelu_back,
        _rrelu,
        frozenset({"input", "lower", "upper", "training", "inplace"}),
    )
)
