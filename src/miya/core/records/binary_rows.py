"""Losses of two classes and of orders that are made one element at a time, a row each."""

from __future__ import annotations

from ..calls import Call
from .pointwise import Piece, Pointwise, always, pointwise
from .pointwise_rows import PAIR, pair

# torch cuts each logarithm at −100, and the product below the slope at 10**-12 of single precision
FLAT = "single(10**-12)"
LOGS = "log(1 - x) - log(x)"
CUT = pair(f"(x - t) / {FLAT}", LOGS)
BOTH_LOGS = "-(t * log(x) + (1 - t) * log(1 - x))"
BINARY = (
    Piece("100 * t - (1 - t) * log(1 - x)", CUT, "x <= exp(-100)"),
    Piece("100 * (1 - t) - t * log(x)", CUT, "x == 1"),
    Piece(BOTH_LOGS, CUT, f"x * (1 - x) < {FLAT}"),
    Piece(BOTH_LOGS, pair("(x - t) / (x * (1 - x))", LOGS)),
)
pointwise(Pointwise("binary_cross_entropy", PAIR, always(*BINARY), "torch.nn.BCELoss"))

# each in two forms, so that no exponential is of a large number
LOGITS = (
    Piece(
        "(1 - t) * x + log(1 + exp(-x))",
        pair("1 / (1 + exp(-x)) - t", "-x"),
        "x >= 0",
    ),
    Piece("-t * x + log(1 + exp(x))", pair("1 / (1 + exp(-x)) - t", "-x")),
)
WEIGHTED = (
    Piece(
        "(1 - t) * x + (1 + (p - 1) * t) * log(1 + exp(-x))",
        pair("1 - t - (1 + (p - 1) * t) / (1 + exp(x))", "-x + (p - 1) * log(1 + exp(-x))"),
        "x >= 0",
    ),
    Piece(
        "(1 - t) * x + (1 + (p - 1) * t) * (log(1 + exp(x)) - x)",
        pair("1 - t - (1 + (p - 1) * t) / (1 + exp(x))", "-x + (p - 1) * (log(1 + exp(x)) - x)"),
    ),
)


def _logits(call: Call) -> tuple[Piece, ...]:
    return WEIGHTED if "pos_weight" in call.operands else LOGITS


pointwise(
    Pointwise(
        "binary_cross_entropy_with_logits",
        {**PAIR, "pos_weight": "p"},
        _logits,
        "torch.nn.BCEWithLogitsLoss",
    )
)

SOFT_SLOPES = pair("-t / (1 + exp(t * x))", "-x / (1 + exp(t * x))")
SOFT = (
    Piece("log(1 + exp(-t * x))", SOFT_SLOPES, "t * x >= 0"),
    Piece("log(1 + exp(t * x)) - t * x", SOFT_SLOPES),
)
pointwise(Pointwise("soft_margin_loss", PAIR, always(*SOFT), "torch.nn.SoftMarginLoss"))

HINGE = (
    Piece("x", {"input": "1"}, "t == 1"),
    Piece("m - x", {"input": "-1"}, "t == -1 and m - x >= 0"),
    Piece("0", {"input": "0"}, "t == -1"),
    Piece("m", {"input": "1 - 1"}, "m - x >= 0"),
    Piece("x", {"input": "1"}),
)
pointwise(
    Pointwise(
        "hinge_embedding_loss",
        PAIR,
        always(*HINGE),
        "torch.nn.HingeEmbeddingLoss",
        {"margin": ("m", 1.0)},
    )
)

ORDERS = ("input1", "input2", "target")
WRONG_ORDER = Piece(
    "m - t * (x1 - x2)",
    dict(zip(ORDERS, ("-t", "t", "x2 - x1"), strict=True)),
    "m - t * (x1 - x2) >= 0",
)
RIGHT_ORDER = Piece("0", dict.fromkeys(ORDERS, "0"))
pointwise(
    Pointwise(
        "margin_ranking_loss",
        {"input1": "x1", "input2": "x2", "target": "t"},
        always(WRONG_ORDER, RIGHT_ORDER),
        "torch.nn.MarginRankingLoss",
        {"margin": ("m", 0.0)},
    )
)
