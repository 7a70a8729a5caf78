"""Normalisation by the root of the mean square: y = γ x/r, r = √(mean(x²) + ε)."""

from __future__ import annotations

import numpy as np

from ..calls import Call, Factor, Terms, Value, Worked, element, local, picked
from ..graph import Index
from ..rounding import Array
from .grid import grid, whole
from .record import Record, back, record

SLOPE = "(1[i = j] - x[i] x[j] / (N r**2)) / r"
ROOT = "sqrt(s + ε)"
# without an eps torch takes the dtype's: of the type that the sums are made in
NARROW = {"bfloat16": np.finfo(np.float32).eps, "float16": np.finfo(np.float32).eps}


def _epsilon(call: Call) -> float:
    dtype = call.operands["input"].dtype
    given = call.option("eps")
    return float(given if given is not None else NARROW.get(dtype) or np.finfo(dtype).eps)


def _lead(call: Call) -> int:
    return len(call.operands["input"].shape) - len(call.option("normalized_shape"))


def _square(call: Call, index: Index) -> float:
    """The mean of the squares of the elements that the one at index shares its root with."""
    row = np.asarray(call.operands["input"].array[index[: _lead(call)]], dtype=np.float64)
    return float((row**2).mean())


def _gamma(call: Call, at: Array) -> tuple[Factor, ...]:
    weight = call.operands.get("weight")
    return () if weight is None else (element(weight, at[:, _lead(call) :]),)


def _backward(call: Call, role: str, index: Index) -> list[Terms] | None:
    x, lead = call.operands["input"], _lead(call)
    if role == "weight":
        at = grid(*whole(x.shape[:lead]), *index)
        rows = np.asarray(x.array, dtype=np.float64).reshape(*x.shape[:lead], -1)
        roots = np.sqrt((rows**2).mean(-1) + _epsilon(call))
        return [back(call, at, element(x, at), local(1 / roots.ravel(), "1 / r", "1 / " + ROOT))]
    if role != "input":
        return None
    at = grid(*index[:lead], *whole(x.shape[lead:]))
    root = np.sqrt(_square(call, index) + _epsilon(call))
    x_i, x_j = float(x.array[index]), picked(x.array, at)
    slope = ((at == np.asarray(index)).all(axis=1) - x_i * x_j / (len(at) * root**2)) / root
    return [back(call, at, *_gamma(call, at), local(slope, SLOPE, "r = " + ROOT))]


def _forward(call: Call, slot: int, index: Index) -> Worked:
    x = call.operands["input"]
    names: dict[str, tuple[Value | None, Index, float]] = {
        "x": (x, index, float(x.array[index])),
        "s": (None, (), _square(call, index)),
        "ε": (None, (), _epsilon(call)),
    }
    if "weight" not in call.operands:
        return Worked("x / " + ROOT, names)
    weight, at = call.operands["weight"], index[_lead(call) :]
    return Worked("γ * x / " + ROOT, {**names, "γ": (weight, at, float(weight.array[at]))})


RMS_NORM = record(
    Record(
        "rms_norm",
        "y[i] = γ[i] x[i] / √(mean(x²) + ε)",
        {
            "input": "∂C/∂x[i] = Σ_j γ[j] (1[i=j] − x[i] x[j]/(N r²))/r δ[j]",
            "weight": "∂C/∂γ[i] = Σ_n δ[n, i] x[n, i]/r[n]",
        },
        "torch.nn.RMSNorm; Zhang and Sennrich 2019",
        _backward,
        _forward,
    )
)
