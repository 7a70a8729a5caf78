"""Kronecker and cross products: sums of products whose places are not those of the operands."""

from __future__ import annotations

import numpy as np

from ..calls import Call, Factor, Terms, Value, element, local
from ..graph import Index
from ..rounding import Array
from .grid import grid
from .record import Record, back, record


def _padded(values: tuple[int, ...], rank: int, usual: int) -> tuple[int, ...]:
    return (usual,) * (rank - len(values)) + values


def _kron_back(call: Call, role: str, index: Index) -> list[Terms]:
    rank, right = len(call.results[0].shape), call.operands["other"].shape
    inner = _padded(right, rank, 1)
    own = np.asarray(_padded(index, rank, 0), np.int64)
    partner = call.operands["other" if role == "input" else "input"]
    places = grid(*(np.arange(n) for n in partner.shape))
    wide = np.hstack(
        [np.zeros((len(places), rank - places.shape[1]), np.int64), places]
    )  # of the partner
    at = own * inner + wide if role == "input" else wide * inner + own
    return [back(call, at, element(partner, places))]


def _kron(call: Call, slot: int, index: Index) -> list[Terms]:
    left, right = call.operands["input"], call.operands["other"]
    rank = len(index)
    pairs = [divmod(at, n) for at, n in zip(index, _padded(right.shape, rank, 1), strict=True)]
    first = grid(*(i for i, _ in pairs[rank - len(left.shape) :]))
    second = grid(*(j for _, j in pairs[rank - len(right.shape) :]))
    return [Terms((element(left, first), element(right, second)))]


record(
    Record(
        "kron",
        "Y[i s + j] = A[i] B[j]",
        {"input": "∂C/∂A[i] = Σ_j B[j] δ[i s + j]", "other": "∂C/∂B[j] = Σ_i A[i] δ[i s + j]"},
        "torch.kron",
        _kron_back,
        _kron,
        frozenset({"input", "other"}),
    )
)


def _cross_axis(call: Call) -> int:
    """The dimension of three; without one torch.cross takes the first of that size."""
    shape = call.results[0].shape
    given = call.option("dim")
    if given is None and call.name == "cross":
        return shape.index(3)
    return (-1 if given is None else int(given)) % len(shape)


def _turned(index: Index, axis: int, by: int) -> Index:
    return (*index[:axis], (index[axis] + by) % 3, *index[axis + 1 :])


def _read(of: Value, *places: Index) -> Factor:
    """An operand's elements, which may be broadcast."""
    at = np.asarray(places, np.int64)
    return element(of, np.where(np.asarray(of.shape) == 1, 0, at))


SIGNS = np.array([1.0, -1.0])


def _cross(call: Call, slot: int, index: Index) -> list[Terms]:
    axis = _cross_axis(call)
    one, two = _turned(index, axis, 1), _turned(index, axis, 2)
    left = _read(call.operands["input"], one, two)
    right = _read(call.operands["other"], two, one)
    return [Terms((local(SIGNS, "±1"), left, right))]


def _cross_back(call: Call, role: str, index: Index) -> list[Terms] | None:
    partner = call.operands["other" if role == "input" else "input"]
    if call.operands[role].shape != call.results[0].shape:
        return None
    axis = _cross_axis(call)
    one, two = _turned(index, axis, 1), _turned(index, axis, 2)
    signs: Array = SIGNS if role == "input" else -SIGNS
    at = np.asarray([two, one], np.int64)
    return [back(call, at, local(signs, "±1"), _read(partner, one, two))]


record(
    Record(
        "linalg_cross",
        "y[i] = a[i+1] b[i+2] − a[i+2] b[i+1] (mod 3)",
        {
            "input": "∂C/∂a[i] = b[i+1] δ[i+2] − b[i+2] δ[i+1]",
            "other": "∂C/∂b[i] = a[i+2] δ[i+1] − a[i+1] δ[i+2]",
        },
        "torch.linalg.cross",
        _cross_back,
        _cross,
        frozenset({"input", "other", "dim"}),
    ),
    "cross",
)
