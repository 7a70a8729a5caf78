"""Losses of two classes and of orders that are made one element at a time, a row each."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np

from ..calls import Call
from ..rounding import Array
from .pointwise import Piece, Pointwise, always, pointwise

PAIR = {"input": "x", "target": "t"}
LEAST = float(np.float32(1e-12))


def _softplus(x: Array) -> Array:
    """log(1 + exp(x)), also of large x."""
    return np.asarray(np.logaddexp(0.0, x))


def _logistic(x: Array) -> Array:
    """1 / (1 + exp(-x)), also of large −x."""
    return np.exp(-_softplus(-x))


def _binary_slope(n: SimpleNamespace) -> Array:
    return np.asarray((n.x - n.t) / np.maximum(n.x * (1 - n.x), LEAST))


# torch cuts each logarithm at −100, and the product below the slope at 10**-12 of single precision
LOWEST = math.exp(-100)
BINARY_SLOPES = {
    "input": ("(x - t) / max(x * (1 - x), 10**-12)", _binary_slope),
    "target": ("log(1 - x) - log(x)", lambda n: np.log(1 - n.x) - np.log(n.x)),
}
BINARY = (
    Piece(
        "100 * t - (1 - t) * log(1 - x)",
        lambda n: 100 * n.t - (1 - n.t) * np.log(1 - n.x),
        BINARY_SLOPES,
        lambda n: n.x <= LOWEST,
    ),
    Piece(
        "100 * (1 - t) - t * log(x)",
        lambda n: 100 * (1 - n.t) - n.t * np.log(n.x),
        BINARY_SLOPES,
        lambda n: n.x == 1,
    ),
    Piece(
        "-(t * log(x) + (1 - t) * log(1 - x))",
        lambda n: -(n.t * np.log(n.x) + (1 - n.t) * np.log(1 - n.x)),
        BINARY_SLOPES,
    ),
)
pointwise(Pointwise("binary_cross_entropy", PAIR, always(*BINARY), "torch.nn.BCELoss"))

LOGITS = Piece(
    "(1 - t) * x + log(1 + exp(-x))",
    lambda n: (1 - n.t) * n.x + _softplus(-n.x),
    {
        "input": ("1 / (1 + exp(-x)) - t", lambda n: _logistic(n.x) - n.t),
        "target": ("-x", lambda n: -n.x),
    },
)
WEIGHTED = Piece(
    "(1 - t) * x + (1 + (p - 1) * t) * log(1 + exp(-x))",
    lambda n: (1 - n.t) * n.x + (1 + (n.p - 1) * n.t) * _softplus(-n.x),
    {
        "input": (
            "1 - t - (1 + (p - 1) * t) / (1 + exp(x))",
            lambda n: 1 - n.t - (1 + (n.p - 1) * n.t) * _logistic(-n.x),
        ),
        "target": (
            "-x + (p - 1) * log(1 + exp(-x))",
            lambda n: -n.x + (n.p - 1) * _softplus(-n.x),
        ),
    },
)


def _logits(call: Call) -> tuple[Piece, ...]:
    return (WEIGHTED,) if "pos_weight" in call.operands else (LOGITS,)


pointwise(
    Pointwise(
        "binary_cross_entropy_with_logits",
        {**PAIR, "pos_weight": "p"},
        _logits,
        "torch.nn.BCEWithLogitsLoss",
    )
)

SOFT = Piece(
    "log(1 + exp(-t * x))",
    lambda n: _softplus(-n.t * n.x),
    {
        "input": ("-t / (1 + exp(t * x))", lambda n: -n.t * _logistic(-n.t * n.x)),
        "target": ("-x / (1 + exp(t * x))", lambda n: -n.x * _logistic(-n.t * n.x)),
    },
)
pointwise(Pointwise("soft_margin_loss", PAIR, always(SOFT), "torch.nn.SoftMarginLoss"))

ALIKE = Piece("x", lambda n: n.x, {"input": ("1", lambda n: 1.0)}, lambda n: n.t == 1)
UNLIKE = Piece(
    "m - x",
    lambda n: n.m - n.x,
    {"input": ("-1", lambda n: -1.0)},
    lambda n: (n.t == -1) & (n.m - n.x >= 0),
)
BEYOND = Piece("0", lambda n: 0.0, {"input": ("0", lambda n: 0.0)}, lambda n: n.t == -1)
BOTH = Piece("m", lambda n: n.m, {"input": ("1 - 1", lambda n: 0.0)}, lambda n: n.m - n.x >= 0)
NEITHER = Piece("x", lambda n: n.x, {"input": ("1", lambda n: 1.0)})
pointwise(
    Pointwise(
        "hinge_embedding_loss",
        PAIR,
        always(ALIKE, UNLIKE, BEYOND, BOTH, NEITHER),
        "torch.nn.HingeEmbeddingLoss",
        {"margin": ("m", 1.0)},
    )
)

WRONG_ORDER = Piece(
    "m - t * (x1 - x2)",
    lambda n: n.m - n.t * (n.x1 - n.x2),
    {
        "input1": ("-t", lambda n: -n.t),
        "input2": ("t", lambda n: n.t),
        "target": ("x2 - x1", lambda n: n.x2 - n.x1),
    },
    lambda n: n.m - n.t * (n.x1 - n.x2) >= 0,
)
RIGHT_ORDER = Piece(
    "0",
    lambda n: 0.0,
    {role: ("0", lambda n: 0.0) for role in ("input1", "input2", "target")},
)
pointwise(
    Pointwise(
        "margin_ranking_loss",
        {"input1": "x1", "input2": "x2", "target": "t"},
        always(WRONG_ORDER, RIGHT_ORDER),
        "torch.nn.MarginRankingLoss",
        {"margin": ("m", 0.0)},
    )
)
