"""Norms over dimensions: y = (Σ |x|^p)^(1/p).

Where a norm is 0 it passes nothing back; of equally large elements each has its share of the
norm of order ∞ (torch's derivatives.yaml).
"""

from __future__ import annotations

import numpy as np

from ..calls import Call, Factor, Terms, Worked, element, local
from ..graph import Index
from ..rounding import Array
from .axes import Shared, dims_of
from .record import record
from .reductions import Reduction, made_of, one, reads

ORDERS = {"fro": 2.0, "inf": np.inf, "-inf": -np.inf}


def order_of(call: Call) -> float | None:
    """p; None of what is no norm of elements (a nuclear or spectral one)."""
    given = call.option("p", call.option("ord", 2.0))
    order = ORDERS.get(given) if isinstance(given, str) else float(given)
    return None if call.name.startswith("linalg") and _of_matrices(call) else order


def _of_matrices(call: Call) -> bool:
    """Whether it is a norm of matrices other than that of their elements."""
    rank, lines = len(call.operands["input"].shape), len(dims_of(call))
    if call.name == "linalg_matrix_norm":
        return call.option("ord", "fro") != "fro" or (call.option("dim") is None and rank != 2)
    return call.name == "linalg_norm" and call.option("ord") not in (None, "fro") and lines != 1


def _sizes(x: Array, y: float, p: float) -> Array:
    """|∂y/∂x|: (|x| / y)^(p − 1), 0 where y or (below order 1) x is 0."""
    with np.errstate(all="ignore"):
        found = (np.abs(x) / y) ** (p - 1)
    return np.where((y == 0) | ((x == 0) & (p < 1)), 0.0, found)


def _slope(shared: Shared, index: Index, y: float) -> list[Factor] | None:
    p = order_of(shared.call)
    if p is None:
        return None
    x, told = float(shared.input.array[index]), reads(shared, index)
    if p == 0:
        return [one(0.0, "0")]
    if np.isinf(p):
        share = 1 / np.count_nonzero(np.abs(shared.numbers) == y)
        mine = float(np.sign(x) * share) if abs(x) == y else 0.0
        return [one(mine, "∂y/∂x", "sign(x) 1[abs(x) = y] / Σ 1[abs(x[i]) = y]", told)]
    if p == 1:
        return [one(float(np.sign(x)), "sign(x)", reads={"x": told["x"]})]
    if p == 2:
        return [one(0.0 if y == 0 else x / y, "x / y", reads=told)]
    slope = float(np.sign(x) * _sizes(np.asarray(x), y, p))
    return [one(slope, "∂y/∂x", "sign(x) * (abs(x) / y)**(p - 1)", told)]


def _value(shared: Shared) -> list[Terms] | Worked | None:
    p, x = order_of(shared.call), np.abs(shared.numbers)
    if p is None or p == 0:
        return None
    if np.isinf(p):
        k = int(x.argmax() if p > 0 else x.argmin())
        place = tuple(int(i) for i in shared.at[k])
        number = float(shared.numbers[k])
        return Worked("x" if number >= 0 else "-x", {"x": (shared.input, place, number)})
    if p == 1:
        sign = local(np.sign(shared.numbers), "sign(x)")
        return [Terms((element(shared.input, shared.at), sign))]
    total = (None, (), float((x**p).sum()))
    if p == 2:
        return Worked("sqrt(s)", {"s": total})
    return Worked("s**(1 / p)", {"s": total, "p": (None, (), p)})


NORM = Reduction(
    "norm",
    "y = (Σ |x[i]|^p)^(1/p)",
    "∂C/∂x[i] = sign(x[i]) (|x[i]| / y)^(p − 1) δ",
    _slope,
    _value,
    "p ord dtype",
)
for _name in ("norm", "linalg_vector_norm", "linalg_norm", "linalg_matrix_norm"):
    record(made_of(_name, (NORM,)))
