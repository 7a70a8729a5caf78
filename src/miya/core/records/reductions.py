"""Sums, means, variances over dimensions: each reduction with its slope, a row each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ..calls import Call, Factor, Terms, Value, Worked, element, local, picked
from ..graph import Index
from ..rounding import Array
from .axes import DIMENSION, Shared, goes_to
from .grid import grid
from .record import Record, back, record

Slope = Callable[[Shared, Index, float], list[Factor] | None]
Making = Callable[[Shared], list[Terms] | Worked | None]


@dataclass(frozen=True)
class Reduction:
    """slope(shared, index, y): the factors of ∂y/∂x[index], None where the options are unknown.
    value(shared): how y is made of the elements that share it."""

    name: str
    formula: str
    gradient: str
    slope: Slope
    value: Making
    options: str = ""
    source: str = ""


def _backward(rows: tuple[Reduction, ...]) -> Callable[[Call, str, Index], list[Terms] | None]:
    def backward(call: Call, role: str, index: Index) -> list[Terms] | None:
        if role != "input":
            return None
        to = goes_to(call, index)
        shared, found = Shared(call, to), []
        for slot, row in enumerate(rows):
            with np.errstate(all="ignore"):
                factors = row.slope(shared, index, float(call.results[slot].array[to]))
            if factors is None:
                return None
            if call.results[slot].has_gradient:
                found.append(back(call, grid(*to), *factors, slot=slot))
        return found

    return backward


def _forward(
    rows: tuple[Reduction, ...],
) -> Callable[[Call, int, Index], list[Terms] | Worked | None]:
    def forward(call: Call, slot: int, index: Index) -> list[Terms] | Worked | None:
        with np.errstate(all="ignore"):
            return rows[slot].value(Shared(call, index))

    return forward


def one(
    number: float, symbol: str, formula: str = "", reads: Mapping[str, Factor] | None = None
) -> Factor:
    """The local factor of a single term."""
    return local(np.array([number]), symbol, formula, reads=reads)


def reads(shared: Shared, index: Index, slot: int = 0) -> dict[str, Factor]:
    """x and y of a slope: an element, and what it goes into."""
    result = shared.call.results[slot]
    return {
        "x": element(shared.input, grid(*index)),
        "y": element(result, grid(*shared.to)),
    }


def _sum(shared: Shared) -> list[Terms]:
    return [Terms((element(shared.input, shared.at),))]


def _numbers_only(shared: Shared) -> list[Terms]:
    return [Terms((element(shared.input, shared.at[~np.isnan(shared.numbers)]),))]


def _mean(shared: Shared) -> list[Terms]:
    n = shared.count
    share = local(np.full(n, 1 / max(n, 1)), "1 / N", f"N = {n}")
    return [Terms((element(shared.input, shared.at), share))]


# A variance: of N elements, divided by N less a correction, and by no less than 0

CENTRE = "μ = Σ x / N"


def _free(shared: Shared) -> float:
    unbiased = shared.call.arguments.get("unbiased")
    usual = 1.0 if unbiased is None else float(unbiased)
    return max(shared.count - float(shared.call.option("correction", usual)), 0.0)


def _ratio(a: float, b: float) -> float:
    return float(np.float64(a) / np.float64(b))


def _from_mean(shared: Shared, index: Index) -> Factor:
    mean = float(shared.numbers.mean())
    x = element(shared.input, grid(*index))
    return one(float(x.values[0]) - mean, "x - μ", CENTRE, {"x": x, "μ": one(mean, "μ")})


def _var_slope(shared: Shared, index: Index, y: float) -> list[Factor]:
    free = _free(shared)
    return [
        _from_mean(shared, index),
        one(_ratio(2, free), "2 / (N - c)", f"N - c = {free:g}"),
    ]


def _std_slope(shared: Shared, index: Index, y: float) -> list[Factor]:
    free = _free(shared)
    share = 0.0 if y == 0 else _ratio(1, free * y)  # torch passes nothing back through a 0
    y_read = {"y": reads(shared, index)["y"]}
    return [_from_mean(shared, index), one(share, "1 / (y (N - c))", f"N - c = {free:g}", y_read)]


def _var(shared: Shared) -> list[Terms]:
    x, free = shared.numbers, _free(shared)
    gap = local(x - x.mean(), "x[{}] - μ", CENTRE, shared.at)
    share = local(np.full(len(x), _ratio(1, free)), "1 / (N - c)", f"N - c = {free:g}")
    return [Terms((gap, gap, share))]


def _std(shared: Shared) -> Worked:
    (squares,) = _var(shared)
    return Worked("sqrt(v)", {"v": (None, (), squares.total)})


def log_sum(of: Value, at: Array) -> Worked:
    """m + log(Σ exp(x − m)), m the largest of the elements at `at`."""
    x = picked(of.array, at)
    top = int(np.argmax(x))
    largest = float(x[top]) if np.isfinite(x[top]) else 0.0
    place = tuple(int(i) for i in at[top])
    shares = float(np.exp(x - largest).sum())
    m = (of, place, largest) if largest == x[top] else (None, (), largest)
    return Worked("m + log(s)", {"m": m, "s": (None, (), shares)})


def _softmax(shared: Shared, index: Index, y: float) -> list[Factor]:
    y = y if np.isfinite(y) else 0.0  # torch takes 0 for a result that is infinite
    slope = float(np.exp(float(shared.input.array[index]) - y))
    return [one(slope, "exp(x - y)", reads=reads(shared, index))]


SUM = Reduction(
    "sum",
    "y = Σ x[i]",
    "∂C/∂x[i] = δ",
    lambda shared, index, y: [one(1.0, "1")],
    _sum,
    "dtype",
)
NAN_SUM = Reduction(
    "nansum",
    "y = Σ x[i] 1[x[i] = x[i]]",
    "∂C/∂x[i] = δ 1[x[i] = x[i]]",
    lambda shared, index, y: [one(float(not np.isnan(shared.input.array[index])), "1[x = x]")],
    _numbers_only,
    "dtype",
)
MEAN = Reduction(
    "mean",
    "y = Σ x[i] / N",
    "∂C/∂x[i] = δ / N",
    lambda shared, index, y: [one(1 / shared.count, "1 / N", f"N = {shared.count}")],
    _mean,
    "dtype",
)
LOG_SUM = Reduction(
    "logsumexp",
    "y = log(Σ exp(x[i]))",
    "∂C/∂x[i] = exp(x[i] − y) δ",
    _softmax,
    lambda shared: log_sum(shared.input, shared.at),
)
VAR = Reduction(
    "var",
    "y = Σ (x[i] − μ)^2 / (N − c), μ = Σ x[i] / N",
    "∂C/∂x[i] = 2 (x[i] − μ) / (N − c) δ",
    _var_slope,
    _var,
    "unbiased correction",
)
STD = Reduction(
    "std",
    "y = √(Σ (x[i] − μ)^2 / (N − c)), μ = Σ x[i] / N",
    "∂C/∂x[i] = (x[i] − μ) / (y (N − c)) δ",
    _std_slope,
    _std,
    "unbiased correction",
)


def made_of(name: str, rows: tuple[Reduction, ...]) -> Record:
    """The record of a reduction; of several rows, one makes each result."""
    options = " ".join((DIMENSION, *(row.options for row in rows))).split()
    each = [row.gradient.partition(" = ")[2] for row in rows]
    return Record(
        name,
        "; ".join(row.formula for row in rows),
        {"input": f"∂C/∂x[i] = {' + '.join(each)}"},
        rows[0].source or f"torch.{name}",
        _backward(rows),
        _forward(rows),
        frozenset(options),
    )


for _row in (SUM, NAN_SUM, MEAN, VAR, STD):
    record(made_of(_row.name, (_row,)))
record(made_of("logsumexp", (LOG_SUM,)), "special_logsumexp")
record(made_of("var_mean", (VAR, MEAN)))
record(made_of("std_mean", (STD, MEAN)))
