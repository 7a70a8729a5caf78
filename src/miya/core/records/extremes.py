"""The largest, the smallest, the middle one, and orders: results that are elements of the input.

Without a dimension, and for amax and amin, equal ones share what comes back; along a dimension
torch says by its second result which one was taken (derivatives.yaml).
"""

from __future__ import annotations

import numpy as np

from ..calls import Call, Factor, Terms, Worked, element, local
from ..graph import Index
from ..rounding import Array
from .axes import DIMENSION, Shared, axis_of, line
from .grid import grid
from .record import RECORDS, Record, back, record
from .reductions import Reduction, made_of, one

SHARE = "1[x = y] / Σ 1[x[i] = y]"


def _equals(shared: Shared, y: float, missing: bool) -> Array:
    """Which elements are y; a nan is one only to those that look for it."""
    x = shared.numbers
    return np.isnan(x) if missing and np.isnan(y) else np.asarray(x == y)


def _value(word: str, missing: bool = True) -> Reduction:
    def slope(shared: Shared, index: Index, y: float) -> list[Factor]:
        same = _equals(shared, y, missing)
        share = np.float64(same[shared.rank(index)]) / np.float64(same.sum())
        return [one(float(share), "∂y/∂x", SHARE)]

    def value(shared: Shared) -> Worked:
        y = float(shared.call.results[0].array[shared.to])
        k = int(np.argmax(_equals(shared, y, missing=True)))
        place = tuple(int(i) for i in shared.at[k])
        return Worked("x", {"x": (shared.input, place, float(shared.numbers[k]))})

    return Reduction(
        word,
        f"y = {word}(x)",
        "∂C/∂x[i] = δ 1[x[i] = y] / Σ_j 1[x[j] = y]",
        slope,
        value,
    )


def _wide(call: Call) -> tuple[int, tuple[int, ...]]:
    """The dimension that the result was taken along, and the result's shape with it kept."""
    axis, shape = axis_of(call), call.results[0].shape
    kept = len(shape) == len(call.operands["input"].shape)
    return axis, shape if kept else (*shape[:axis], 1, *shape[axis:])


def _taken(call: Call, index: Index) -> Index:
    """The place of the input that an element of the result was taken from."""
    axis, wide = _wide(call)
    from_ = int(call.results[1].array[index])
    at = index if len(wide) == len(index) else (*index[:axis], 0, *index[axis:])
    return (*at[:axis], from_, *at[axis + 1 :])


def _chosen_back(call: Call, role: str, index: Index) -> list[Terms] | None:
    if role != "input":
        return None
    y, origin = call.results[0], np.asarray(call.results[1].array)
    if not index:
        return [back(call, grid(), local(np.ones(1), "1"))]
    axis, wide = _wide(call)
    at = line(wide, axis, (*index[:axis], 0, *index[axis + 1 :]))
    at = at[origin.reshape(wide)[tuple(at.T)] == index[axis]]
    to = at if len(y.shape) == len(wide) else np.delete(at, axis, axis=1)
    return [back(call, to, local(np.ones(len(to)), "1"))]


def _chosen(call: Call, slot: int, index: Index) -> list[Terms] | None:
    if slot:
        return None
    place = _taken(call, index) if call.operands["input"].shape else ()
    return [Terms((element(call.operands["input"], grid(*place)),))]


def _along(name: str, options: str, formula: str) -> Record:
    return Record(
        name,
        formula,
        {"input": "∂C/∂x[i] = Σ_j δ[j] 1[i(j) = i], y[j] = x[i(j)]"},
        f"torch.{name}",
        _chosen_back,
        _chosen,
        frozenset(f"{DIMENSION} {options}".split()),
    )


record(made_of("amax", (_value("max", missing=False),)))
record(made_of("amin", (_value("min", missing=False),)))
for _name, _options, _formula in (
    ("sort", "descending stable", "y = sort(x)"),
    ("topk", "k largest sorted", "y = topk(x, k)"),
    ("kthvalue", "k", "y = kthvalue(x, k)"),
    ("mode", "", "y = mode(x)"),
    ("cummax", "", "y[i] = max(x[0], …, x[i])"),
    ("cummin", "", "y[i] = min(x[0], …, x[i])"),
):
    record(_along(_name, _options, _formula))


def _either(name: str, word: str, pair: str = "") -> None:
    """An operation of three: of all elements, along a dimension, of two operands."""
    whole = made_of(name, (_value(word),))
    along = _along(name, "", whole.formula)

    def chosen(call: Call) -> Record:
        if "other" in call.operands:
            return RECORDS[pair]
        return along if len(call.results) > 1 else whole

    pairs = RECORDS[pair].gradients if pair else {}
    record(
        Record(
            name,
            whole.formula,
            {**pairs, **whole.gradients},
            f"torch.{name}",
            lambda call, role, index: chosen(call).backward(call, role, index),
            lambda call, slot, index: chosen(call).forward(call, slot, index),
            frozenset(f"{DIMENSION} other".split()),
        )
    )


_either("max", "max", "maximum")
_either("min", "min", "minimum")
_either("median", "median")
_either("nanmedian", "median")
