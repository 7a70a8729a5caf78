"""Losses of numbers and distributions that are made one element at a time, a row each."""

from __future__ import annotations

from dataclasses import replace

from ..calls import Call
from .pointwise import Piece, Pointwise, always, pointwise

PAIR = {"input": "x", "target": "t"}


def pair(x: str, t: str) -> dict[str, str]:
    """The derivatives of the input and of the target."""
    return {"input": x, "target": t}


SQUARE = Piece("(x - t)**2", pair("2 * (x - t)", "-2 * (x - t)"))
ABSOLUTE = Piece("abs(x - t)", pair("sign(x - t)", "-sign(x - t)"))
pointwise(Pointwise("mse_loss", PAIR, always(SQUARE), "torch.nn.MSELoss", weighted=True))
pointwise(Pointwise("l1_loss", PAIR, always(ABSOLUTE), "torch.nn.L1Loss", weighted=True))

SMOOTH = Piece("(x - t)**2 / (2 * β)", pair("(x - t) / β", "-(x - t) / β"), "abs(x - t) < β")
BEYOND = Piece("abs(x - t) - β / 2", ABSOLUTE.slopes)
pointwise(
    Pointwise(
        "smooth_l1_loss",
        PAIR,
        always(SMOOTH, BEYOND),
        "torch.nn.SmoothL1Loss; Girshick 2015",
        {"beta": ("β", 1.0)},
    )
)

NEAR = Piece("(x - t)**2 / 2", pair("x - t", "-(x - t)"), "abs(x - t) <= h")
FAR = Piece("h * (abs(x - t) - h / 2)", pair("h * sign(x - t)", "-h * sign(x - t)"))
pointwise(
    Pointwise(
        "huber_loss",
        PAIR,
        always(NEAR, FAR),
        "torch.nn.HuberLoss; Huber 1964",
        {"delta": ("h", 1.0)},
    )
)

POSITIVE = Piece("t * (log(t) - x)", pair("-t", "log(t) + 1 - x"), "t > 0")
NONE_LEFT = Piece("-t * x", {"input": "-t"})
LOG_TARGET = Piece("exp(t) * (t - x)", pair("-exp(t)", "exp(t) * (t - x + 1)"))


def _divergence(call: Call) -> tuple[Piece, ...]:
    return (LOG_TARGET,) if call.option("log_target", False) else (POSITIVE, NONE_LEFT)


pointwise(Pointwise("kl_div", PAIR, _divergence, "torch.nn.KLDivLoss"))

STIRLING = "t * log(t) - t + log(2 * π * t) / 2"
COUNTS = {
    True: Piece("exp(x) - t * x", pair("exp(x) - t", "-x")),
    False: Piece("x - t * log(x + ε)", pair("1 - t / (x + ε)", "-log(x + ε)")),
}


def _with_stirling(rest: Piece) -> Piece:
    """The same where t > 1, with Stirling's approximation of log(t!)."""
    slope = f"{rest.slopes['target']} + log(t) + 1 / (2 * t)"
    return replace(
        rest,
        formula=f"{rest.formula} + {STIRLING}",
        slopes=pair(rest.slopes["input"], slope),
        when="t > 1",
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
        {
            **pair(f"(x - t) / {v}", f"-(x - t) / {v}"),
            "var": f"(1 / {v} - (x - t)**2 / {v}**2) / 2",
        },
        "v >= ε" if v == "v" else "",
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
