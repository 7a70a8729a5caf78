"""Losses that hold the scores of one example's classes against each other by a margin."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..calls import Call, Terms, local
from ..graph import Index
from ..rounding import Array
from .pointwise import reduction_of
from .record import Record, back, record

# (call, example) -> (right, wrong, slope, loss): by pair of a right and a wrong class that are too
# near each other, the slope with respect to the wrong one's score (minus it for the right one's),
# and what the pair adds to the loss
Pairs = Callable[[Call, int], tuple[Array, Array, Array, Array]]


def _scores(call: Call) -> Array:
    return np.atleast_2d(np.asarray(call.operands["input"].array, dtype=np.float64))


def _one_class(call: Call, example: int) -> tuple[Array, Array, Array, Array]:
    x, label = _scores(call)[example], int(call.operands["target"].array.ravel()[example])
    power, margin = int(call.option("p", 1)), float(call.option("margin", 1.0))
    wrong = np.delete(np.arange(len(x)), label)
    near = margin - x[label] + x[wrong]
    weight = call.operands.get("weight")
    scale = (1.0 if weight is None else float(weight.array[label])) / len(x)
    wrong, near = wrong[near > 0], near[near > 0]
    right = np.full(len(wrong), label)
    return right, wrong, power * near ** (power - 1) * scale, near**power * scale


def _many_classes(call: Call, example: int) -> tuple[Array, Array, Array, Array]:
    x = _scores(call)[example]
    labels = np.atleast_2d(call.operands["target"].array)[example]
    ends = np.flatnonzero(labels < 0)
    labels = labels[: ends[0]] if len(ends) else labels
    others = np.setdiff1d(np.arange(len(x)), labels)
    right, wrong = (m.ravel() for m in np.meshgrid(labels, others, indexing="ij"))
    near = 1 - (x[right] - x[wrong])
    kept = near > 0
    slope = np.full(int(kept.sum()), 1 / len(x))
    return right[kept], wrong[kept], slope, near[kept] / len(x)


PAIRS: dict[str, tuple[Pairs, str]] = {
    "multi_margin_loss": (_one_class, "w p max(0, m - x[t] + x[c])**(p - 1) / classes"),
    "multilabel_margin_loss": (_many_classes, "1[x[t] - x[c] < 1] / classes"),
}


NEAR = {
    "multi_margin_loss": "w max(0, m - x[t] + x[c])**p / classes",
    "multilabel_margin_loss": "max(0, 1 - x[t] + x[c]) / classes",
}


def _backward(call: Call, role: str, index: Index) -> list[Terms] | None:
    if role != "input":
        return None
    *lead, label = index
    example = lead[0] if lead else 0
    pairs, symbol = PAIRS[call.name]
    right, wrong, slope, _ = pairs(call, example)
    signed = np.concatenate([-slope[right == label], slope[wrong == label]])
    if not len(signed):
        return []
    to = np.asarray(lead if reduction_of(call) == "none" else [], dtype=np.int64)
    share = 1 / len(_scores(call)) if reduction_of(call) == "mean" else 1.0
    factors = (local(signed, f"±{symbol}"), local(np.full(len(signed), share), "1 / N"))
    return [back(call, np.broadcast_to(to, (len(signed), len(to))), *factors)]


def _forward(call: Call, slot: int, index: Index) -> list[Terms]:
    one = reduction_of(call) == "none"
    examples = [index[0] if index else 0] if one else list(range(len(_scores(call))))
    pairs, _ = PAIRS[call.name]
    losses = np.concatenate([pairs(call, n)[3] for n in examples])
    share = 1 / len(examples) if reduction_of(call) == "mean" else 1.0
    return [
        Terms((local(losses, "ℓ", NEAR[call.name]), local(np.full(len(losses), share), "1 / N")))
    ]


record(
    Record(
        "multi_margin_loss",
        "ℓ[n] = Σ_{c ≠ t} w[t] max(0, m − x[t] + x[c])^p / classes",
        {"input": "∂ℓ/∂x[c] = w[t] p max(0, m − x[t] + x[c])^(p−1) / classes, −Σ for c = t"},
        "torch.nn.MultiMarginLoss",
        _backward,
        _forward,
    )
)
record(
    Record(
        "multilabel_margin_loss",
        "ℓ[n] = Σ_{t in targets} Σ_{c not in targets} max(0, 1 − x[t] + x[c]) / classes",
        {"input": "∂ℓ/∂x[c] = Σ_t 1[x[t] − x[c] < 1] / classes, −Σ_c of them for a target"},
        "torch.nn.MultiLabelMarginLoss",
        _backward,
        _forward,
    )
)
