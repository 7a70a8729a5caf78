"""Distances and angles between vectors, and the loss made of an angle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..calls import Call, Terms, Value, Worked, local
from ..graph import Index
from ..rounding import Array
from .grid import once, readers
from .pointwise import reduction_of
from .record import Record, back, record

OTHER = {"x1": "x2", "x2": "x1", "input1": "input2", "input2": "input1"}


def _pair(call: Call) -> tuple[Value, Value]:
    found = call.operands
    return (found["x1"], found["x2"]) if "x1" in found else (found["input1"], found["input2"])


def _wide(call: Call) -> tuple[Array, Array]:
    """Both operands as they are broadcast, in float64."""
    arrays = [np.asarray(v.array, dtype=np.float64) for v in _pair(call)]
    first, second = np.broadcast_arrays(*arrays)
    return first, second


@dataclass(frozen=True)
class Angle:
    """Along `axis`, which is kept: the cosine, and each vector's length as it is and as it is
    divided by: at least ε, though the gradient passes through that as if it were not there."""

    axis: int
    cosine: Array
    lengths: tuple[Array, Array]
    divisors: tuple[Array, Array]


def _angle(call: Call) -> Angle:
    a, b = _wide(call)
    loss = call.name == "cosine_embedding_loss"
    axis = (a.ndim - 1 if loss else int(call.option("dim", 1))) % a.ndim
    floor = 0.0 if loss else float(call.option("eps", 1e-8))
    squares = [(v**2).sum(axis, keepdims=True) + (1e-12 if loss else 0.0) for v in (a, b)]
    n1, n2 = (np.sqrt(square) for square in squares)
    divisors = (np.maximum(n1, floor), np.maximum(n2, floor))
    cosine = (a * b).sum(axis, keepdims=True) / (divisors[0] * divisors[1])
    return Angle(axis, cosine, (n1, n2), divisors)


def angle(call: Call) -> Angle:
    return once(call, "angle", lambda: _angle(call))


ANGLE_SLOPE = "x2 / (‖x1‖ ‖x2‖) - cos x1 / ‖x1‖^2"


def _angle_slopes(call: Call, role: str, at: Array) -> Array:
    """∂cos/∂ the elements at (terms, dimensions) of the broadcast operand."""
    found, where = angle(call), tuple(at.T)
    mine = 0 if role in ("x1", "input1") else 1
    own, other = _wide(call)[mine], _wide(call)[1 - mine]
    line = tuple(np.zeros_like(w) if k == found.axis else w for k, w in enumerate(where))
    length, divisor, across = (
        m[line] for m in (found.lengths[mine], found.divisors[mine], found.divisors[1 - mine])
    )
    turned = found.cosine[line] * own[where] / (length * divisor)
    return np.asarray(other[where] / (divisor * across) - turned)


def _at(call: Call, role: str, index: Index) -> Array:
    return readers(call.operands[role].shape, index, _wide(call)[0].shape)


def _similarity_backward(call: Call, role: str, index: Index) -> list[Terms] | None:
    at = _at(call, role, index)
    slope = local(_angle_slopes(call, role, at), ANGLE_SLOPE)
    return [back(call, np.delete(at, angle(call).axis, axis=1), slope)]


def _similarity_forward(call: Call, slot: int, index: Index) -> Worked:
    found = angle(call)
    line = (*index[: found.axis], 0, *index[found.axis :])
    a, b = _wide(call)
    dot = float((a * b).sum(found.axis, keepdims=True)[line])
    n1, n2 = (float(n[line]) for n in found.divisors)
    return Worked(
        "d / (n1 * n2)", {"d": (None, (), dot), "n1": (None, (), n1), "n2": (None, (), n2)}
    )


record(
    Record(
        "cosine_similarity",
        "y = d/(n1 n2), d = Σ x1 x2, n the lengths, each at least ε",
        {"x1": f"∂y/∂x1 = {ANGLE_SLOPE}", "x2": "∂y/∂x2 = x1 / (‖x1‖ ‖x2‖) - cos x2 / ‖x2‖^2"},
        "torch.nn.CosineSimilarity",
        _similarity_backward,
        _similarity_forward,
    )
)


TURN = "alike: ℓ = 1 - cos; unlike: ℓ = max(0, cos - m)"
ANGLE = "x1 · x2 / (‖x1‖ ‖x2‖)"


def _turn(call: Call) -> Array:
    """∂ℓ/∂cos, an example: −1 of those alike, 1 of those unlike and within the margin."""
    cosine = np.squeeze(angle(call).cosine, axis=angle(call).axis)
    target = np.asarray(call.operands["target"].array)
    margin = float(call.option("margin", 0.0))
    apart = (target == -1) & (cosine - margin >= 0)
    return np.asarray(np.where(target == 1, -1.0, np.where(apart, 1.0, 0.0)))


def _part(call: Call, count: int) -> float:
    return 1 / count if reduction_of(call) == "mean" else 1.0


def _embedding_backward(call: Call, role: str, index: Index) -> list[Terms] | None:
    if role not in OTHER:
        return None
    at = _at(call, role, index)
    turn, example = _turn(call), at[:, :-1]
    slopes = local(_angle_slopes(call, role, at), "∂cos/∂x", ANGLE_SLOPE)
    turned = local(
        np.broadcast_to(turn, turn.shape)[tuple(example.T)], "∂ℓ/∂cos", "-1 alike, 1 unlike"
    )
    to = example if reduction_of(call) == "none" else example[:, :0]
    share = local(np.full(len(at), _part(call, turn.size)), "1 / N")
    return [back(call, to, slopes, turned, share)]


def _embedding_forward(call: Call, slot: int, index: Index) -> list[Terms]:
    turn, margin = _turn(call).ravel(), float(call.option("margin", 0.0))
    cosine = np.squeeze(angle(call).cosine, axis=angle(call).axis).ravel()
    shift = np.where(turn < 0, 1.0, np.where(turn > 0, -margin, 0.0))
    used = (
        [np.ravel_multi_index(index, _turn(call).shape)]
        if reduction_of(call) == "none" and index
        else np.arange(turn.size)
    )
    share = local(np.full(len(used), _part(call, turn.size)), "1 / N")
    turned = local(turn[used], "∂ℓ/∂cos", TURN)
    return [
        Terms((turned, local(cosine[used], "cos", ANGLE), share)),
        Terms((local(shift[used], "1 or -m", TURN), share)),
    ]


record(
    Record(
        "cosine_embedding_loss",
        "ℓ = 1 − cos where t = 1, max(0, cos − m) where t = −1",
        {
            "input1": "∂C/∂x1 = ±(x2/(‖x1‖ ‖x2‖) − cos x1/‖x1‖²)/N",
            "input2": "the same with x1 and x2 exchanged",
        },
        "torch.nn.CosineEmbeddingLoss",
        _embedding_backward,
        _embedding_forward,
    )
)


def _difference(call: Call) -> Array:
    a, b = _wide(call)
    return a - b + float(call.option("eps", 1e-6))


def _distance(call: Call) -> Array:
    p = float(call.option("p", 2.0))
    return np.asarray(np.linalg.norm(_difference(call), ord=p, axis=-1))


def _distance_backward(call: Call, role: str, index: Index) -> list[Terms] | None:
    p = float(call.option("p", 2.0))
    if p <= 0 or np.isinf(p):
        return None
    at = _at(call, role, index)
    d = _difference(call)[tuple(at.T)]
    y = _distance(call)[tuple(at[:, :-1].T)]
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(y == 0, 0.0, (np.abs(d) / y) ** (p - 1))
    slope = (1 if role == "x1" else -1) * np.sign(d) * size
    sign = "" if role == "x1" else "-"
    told = local(slope, f"{sign}sign(d) (abs(d) / y)**(p - 1)", "d = x1 - x2 + ε")
    to = at[:, :-1]
    if call.option("keepdim", False):
        to = np.concatenate([to, np.zeros((len(to), 1), dtype=np.int64)], axis=1)
    return [back(call, to, told)]


def _distance_forward(call: Call, slot: int, index: Index) -> Worked:
    p = float(call.option("p", 2.0))
    line = index[:-1] if call.option("keepdim", False) else index
    total = float((np.abs(_difference(call)[line]) ** p).sum())
    return Worked("s**(1 / p)", {"s": (None, (), total), "p": (None, (), p)})


record(
    Record(
        "pairwise_distance",
        "y = (Σ_i |x1[i] − x2[i] + ε|^p)^(1/p)",
        dict.fromkeys(("x1", "x2"), "∂y/∂x = ±sign(d) (|d|/y)^(p−1), d = x1 − x2 + ε"),
        "torch.nn.PairwiseDistance",
        _distance_backward,
        _distance_forward,
    )
)
