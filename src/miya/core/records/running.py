"""Products, and sums and products that run along a line: y[i] is made of x[0] to x[i]."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..calls import Call, Factor, Terms, Value, Worked, element, local, picked
from ..graph import Index
from ..rounding import Array
from .axes import DIMENSION, Shared, axis_of, line
from .grid import grid
from .record import Record, back, record
from .reductions import Reduction, log_sum, made_of, one

SHOWN = 8  # factors of a long product that are named
OTHERS = "Π_{j ≠ i} x[j]"


def _product(of: Value, at: Array) -> list[Terms]:
    """One term, the product of the elements at `at`; of a long one the rest as one number."""
    named: list[Factor] = [element(of, row[None, :]) for row in at[:SHOWN]]
    if len(at) > SHOWN:
        rest = np.array([np.prod(picked(of.array, at[SHOWN:]))])
        named.append(local(rest, "Π", f"Π = x[{SHOWN}] · … · x[{len(at) - 1}]"))
    return [Terms(tuple(named) or (local(np.ones(1), "1"),))]


def _prod_slope(shared: Shared, index: Index, y: float) -> list[Factor]:
    others = np.delete(shared.numbers, shared.rank(index))
    return [one(float(np.prod(others)), "∂y/∂x", OTHERS)]


PROD = Reduction(
    "prod",
    "y = Π x[i]",
    "∂C/∂x[i] = δ Π_{j ≠ i} x[j]",
    _prod_slope,
    lambda shared: _product(shared.input, shared.at),
    "dtype",
)
record(made_of("prod", (PROD,)))


@dataclass(frozen=True)
class Run:
    """One operation along a line. slopes(x, y, k): ∂y[i]/∂x[k] of every i ≥ k, and how they are
    worked out; value(of, at): how y is made of the elements up to it."""

    name: str
    formula: str
    gradient: str
    slopes: Callable[[Array, Array, int], tuple[Array, str, str]]
    value: Callable[[Value, Array], list[Terms] | Worked]


def _running_back(run: Run) -> Callable[[Call, str, Index], list[Terms] | None]:
    def backward(call: Call, role: str, index: Index) -> list[Terms] | None:
        if role != "input":
            return None
        x, y, axis = call.operands[role], call.results[0], axis_of(call)
        at = line(x.shape, axis, index)
        k = index[axis] if index else 0
        with np.errstate(all="ignore"):
            slopes, symbol, formula = run.slopes(picked(x.array, at), picked(y.array, at), k)
        return [back(call, at[k:], local(slopes, symbol, formula))]

    return backward


def _running(run: Run) -> Callable[[Call, int, Index], list[Terms] | Worked]:
    def forward(call: Call, slot: int, index: Index) -> list[Terms] | Worked:
        x, axis = call.operands["input"], axis_of(call)
        at = line(x.shape, axis, index)
        return run.value(x, at[: (index[axis] if index else 0) + 1])

    return forward


def _without(x: Array, y: Array, k: int) -> tuple[Array, str, str]:
    """∂y[i]/∂x[k] = Π of x[0] to x[i] without x[k]."""
    return np.cumprod(np.where(np.arange(len(x)) == k, 1.0, x))[k:], "∂y/∂x", OTHERS


def _log_slopes(x: Array, y: Array, k: int) -> tuple[Array, str, str]:
    return np.exp(x[k] - y[k:]), "exp(x - y)", ""


RUNS = (
    Run(
        "cumsum",
        "y[i] = Σ_{j ≤ i} x[j]",
        "∂C/∂x[j] = Σ_{i ≥ j} δ[i]",
        lambda x, y, k: (np.ones(len(x) - k), "1", ""),
        lambda of, at: [Terms((element(of, at),))],
    ),
    Run(
        "cumprod",
        "y[i] = Π_{j ≤ i} x[j]",
        "∂C/∂x[j] = Σ_{i ≥ j} δ[i] Π_{k ≤ i, k ≠ j} x[k]",
        _without,
        _product,
    ),
    Run(
        "logcumsumexp",
        "y[i] = log(Σ_{j ≤ i} exp(x[j]))",
        "∂C/∂x[j] = Σ_{i ≥ j} exp(x[j] − y[i]) δ[i]",
        _log_slopes,
        log_sum,
    ),
)
for _run in RUNS:
    record(
        Record(
            _run.name,
            _run.formula,
            {"input": _run.gradient},
            f"torch.{_run.name}",
            _running_back(_run),
            _running(_run),
            frozenset(f"{DIMENSION} dtype".split()),
        )
    )


def _trace_back(call: Call, role: str, index: Index) -> list[Terms]:
    if index[0] != index[1]:
        return []
    return [back(call, grid(), local(np.ones(1), "1"))]


def _trace(call: Call, slot: int, index: Index) -> list[Terms]:
    x = call.operands["input"]
    k = np.arange(min(x.shape))
    return [Terms((element(x, np.stack([k, k], axis=1)),))]


record(
    Record(
        "trace",
        "y = Σ_i x[i, i]",
        {"input": "∂C/∂x[i, j] = δ 1[i = j]"},
        "torch.trace",
        _trace_back,
        _trace,
        frozenset({"input"}),
    )
)
