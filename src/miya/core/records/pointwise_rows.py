"""Losses of numbers and distributions that are made one element at a time, a row each."""

from __future__ import annotations

import math

import numpy as np

from ..calls import Call
from .pointwise import Piece, Pointwise, always, pointwise

PAIR = {"input": "x", "target": "t"}
LOG_TURN = math.log(2 * math.pi)


SQUARE = Piece(
    "(x - t)**2",
    lambda n: (n.x - n.t) ** 2,
    {
        "input": ("2 * (x - t)", lambda n: 2 * (n.x - n.t)),
        "target": ("-2 * (x - t)", lambda n: -2 * (n.x - n.t)),
    },
)
ABSOLUTE = Piece(
    "abs(x - t)",
    lambda n: np.abs(n.x - n.t),
    {
        "input": ("sign(x - t)", lambda n: np.sign(n.x - n.t)),
        "target": ("-sign(x - t)", lambda n: -np.sign(n.x - n.t)),
    },
)
pointwise(Pointwise("mse_loss", PAIR, always(SQUARE), "torch.nn.MSELoss", weighted=True))
pointwise(Pointwise("l1_loss", PAIR, always(ABSOLUTE), "torch.nn.L1Loss", weighted=True))

SMOOTH = Piece(
    "(x - t)**2 / (2 * β)",
    lambda n: (n.x - n.t) ** 2 / (2 * n.β),
    {
        "input": ("(x - t) / β", lambda n: (n.x - n.t) / n.β),
        "target": ("-(x - t) / β", lambda n: -(n.x - n.t) / n.β),
    },
    lambda n: np.abs(n.x - n.t) < n.β,
)
BEYOND = Piece("abs(x - t) - β / 2", lambda n: np.abs(n.x - n.t) - n.β / 2, ABSOLUTE.slopes)
pointwise(
    Pointwise(
        "smooth_l1_loss",
        PAIR,
        always(SMOOTH, BEYOND),
        "torch.nn.SmoothL1Loss; Girshick 2015",
        {"beta": ("β", 1.0)},
    )
)

NEAR = Piece(
    "(x - t)**2 / 2",
    lambda n: (n.x - n.t) ** 2 / 2,
    {
        "input": ("x - t", lambda n: n.x - n.t),
        "target": ("-(x - t)", lambda n: n.t - n.x),
    },
    lambda n: np.abs(n.x - n.t) <= n.h,
)
FAR = Piece(
    "h * (abs(x - t) - h / 2)",
    lambda n: n.h * (np.abs(n.x - n.t) - n.h / 2),
    {
        "input": ("h * sign(x - t)", lambda n: n.h * np.sign(n.x - n.t)),
        "target": ("-h * sign(x - t)", lambda n: -n.h * np.sign(n.x - n.t)),
    },
)
pointwise(
    Pointwise(
        "huber_loss",
        PAIR,
        always(NEAR, FAR),
        "torch.nn.HuberLoss; Huber 1964",
        {"delta": ("h", 1.0)},
    )
)

POSITIVE = Piece(
    "t * (log(t) - x)",
    lambda n: n.t * (np.log(n.t) - n.x),
    {
        "input": ("-t", lambda n: -n.t),
        "target": ("log(t) + 1 - x", lambda n: np.log(n.t) + 1 - n.x),
    },
    lambda n: n.t > 0,
)
NONE_LEFT = Piece("-t * x", lambda n: -n.t * n.x, {"input": ("-t", lambda n: -n.t)})
LOG_TARGET = Piece(
    "exp(t) * (t - x)",
    lambda n: np.exp(n.t) * (n.t - n.x),
    {
        "input": ("-exp(t)", lambda n: -np.exp(n.t)),
        "target": ("exp(t) * (t - x + 1)", lambda n: np.exp(n.t) * (n.t - n.x + 1)),
    },
)


def _divergence(call: Call) -> tuple[Piece, ...]:
    return (LOG_TARGET,) if call.option("log_target", False) else (POSITIVE, NONE_LEFT)


pointwise(Pointwise("kl_div", PAIR, _divergence, "torch.nn.KLDivLoss"))

STIRLING = "t * log(t) - t + log(2 * π * t) / 2"
COUNTS = {
    True: Piece(
        "exp(x) - t * x",
        lambda n: np.exp(n.x) - n.t * n.x,
        {
            "input": ("exp(x) - t", lambda n: np.exp(n.x) - n.t),
            "target": ("-x", lambda n: -n.x),
        },
    ),
    False: Piece(
        "x - t * log(x + ε)",
        lambda n: n.x - n.t * np.log(n.x + n.ε),
        {
            "input": ("1 - t / (x + ε)", lambda n: 1 - n.t / (n.x + n.ε)),
            "target": ("-log(x + ε)", lambda n: -np.log(n.x + n.ε)),
        },
    ),
}


def _with_stirling(rest: Piece) -> Piece:
    """The same where t > 1, with Stirling's approximation of log(t!)."""
    symbol, slope = rest.slopes["target"]
    return Piece(
        f"{rest.formula} + {STIRLING}",
        lambda n: rest.value(n) + n.t * np.log(n.t) - n.t + np.log(2 * np.pi * n.t) / 2,
        {
            "input": rest.slopes["input"],
            "target": (
                f"{symbol} + log(t) + 1 / (2 * t)",
                lambda n: slope(n) + np.log(n.t) + 1 / (2 * n.t),
            ),
        },
        lambda n: n.t > 1,
    )


def _counts(call: Call) -> tuple[Piece, ...]:
    rest = COUNTS[bool(call.option("log_input", True))]
    return (_with_stirling(rest), rest) if call.option("full", False) else (rest,)


pointwise(
    Pointwise(
        "poisson_nll_loss",
        PAIR,
        _counts,
        "torch.nn.PoissonNLLLoss",
        {"eps": ("ε", 1e-8)},
    )
)


def _normal(v: str, full: bool) -> Piece:
    """Of the variance itself, or of the ε that a smaller one is raised to; the gradient passes
    through the raising as if it were not there."""
    constant = " + log(2 * π) / 2" if full else ""
    return Piece(
        f"(log({v}) + (x - t)**2 / {v}) / 2{constant}",
        lambda n: (np.log(vars(n)[v]) + (n.x - n.t) ** 2 / vars(n)[v] + full * LOG_TURN) / 2,
        {
            "input": (f"(x - t) / {v}", lambda n: (n.x - n.t) / vars(n)[v]),
            "target": (f"-(x - t) / {v}", lambda n: (n.t - n.x) / vars(n)[v]),
            "var": (
                f"(1 / {v} - (x - t)**2 / {v}**2) / 2",
                lambda n: (1 / vars(n)[v] - (n.x - n.t) ** 2 / vars(n)[v] ** 2) / 2,
            ),
        },
        (lambda n: n.v >= n.ε) if v == "v" else (lambda n: np.True_),
    )


def _gaussian(call: Call) -> tuple[Piece, ...]:
    full = bool(call.option("full", False))
    return _normal("v", full), _normal("ε", full)


pointwise(
    Pointwise(
        "gaussian_nll_loss",
        {**PAIR, "var": "v"},
        _gaussian,
        "torch.nn.GaussianNLLLoss; Nix and Weigend 1994",
        {"eps": ("ε", 1e-6)},
    )
)
