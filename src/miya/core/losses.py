"""Losses: value, gradient and the lines that show both, one record each.

`element(a, y, q, p)` gives (ℓ, saved) with ℓ of shape (n, out), one number an output and example;
`gradient(a, y, saved, p)` gives ∂ℓ/∂a of the same shape. The loss is C = Σ ℓ / N, where N counts
what the reduction takes the mean over (`Loss.divisor`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from .activations import logistic, softmax
from .rounding import Array, Carry

Saved = dict[str, Array]
Parameters = Mapping[str, float]
Reduction = Literal["sum", "mean"]
Lines = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class LossCase:
    """How ℓ and ∂ℓ/∂a of one output are worked out where `when(a, y, p)` holds."""

    value: Lines
    gradient: str
    when: Callable[[float, float, Parameters], bool] = lambda a, y, p: True


@dataclass(frozen=True)
class LossKind:
    name: str
    element: Callable[[Array, Array, Carry, Parameters], tuple[Array, Saved]]
    gradient: Callable[[Array, Array, Saved, Parameters], Array]
    formula: str
    gradient_formula: str
    cases: tuple[LossCase, ...]
    source: str
    outputs: Reduction = "mean"
    examples: Reduction = "mean"
    defaults: Mapping[str, float] = field(default_factory=dict)
    target: Literal["number", "probability", "classes"] = "number"
    kinks: Callable[[Array, Array, Parameters], list[Array]] | None = None  # 0 at each kink


@dataclass(frozen=True)
class Loss:
    """A loss as used by one network: its kind, parameters and reduction."""

    kind: LossKind
    outputs: Reduction
    examples: Reduction
    parameters: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.kind.name

    def divisor(self, examples: int, outputs: int) -> int:
        """N of C = Σ ℓ / N."""
        return (outputs if self.outputs == "mean" else 1) * (
            examples if self.examples == "mean" else 1
        )

    def case(self, a: float, y: float) -> LossCase:
        return next(c for c in self.kind.cases if c.when(a, y, self.parameters))


def _plain(f: Callable[[Array, Array, Parameters], Array]) -> Any:
    return lambda a, y, q, p: (q(f(a, y, p)), {})


def _huber(a: Array, y: Array, p: Parameters) -> Array:
    d, r = p["delta"], np.abs(a - y)
    return np.asarray(np.where(r <= d, 0.5 * r * r, d * (r - 0.5 * d)), dtype=a.dtype)


def _bce(a: Array, y: Array, p: Parameters) -> Array:
    # 0 · log 0 is 0: a term whose weight is 0 is left out, as the limit has it
    with np.errstate(divide="ignore", invalid="ignore"):
        hit = np.where(y == 0, 0.0, y * np.log(a))
        miss = np.where(y == 1, 0.0, (1 - y) * np.log1p(-a))
    return np.asarray(-(hit + miss), dtype=a.dtype)


def _bce_gradient(a: Array, y: Array, saved: Saved, p: Parameters) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        up = np.where(y == 1, 0.0, (1 - y) / (1 - a))
        down = np.where(y == 0, 0.0, y / a)
    return np.asarray(up - down, dtype=a.dtype)


def _bce_logits(a: Array, y: Array, q: Carry, p: Parameters) -> tuple[Array, Saved]:
    value = np.maximum(a, 0) - a * y + np.log1p(np.exp(-np.abs(a)))
    return q(value), {"p": q(logistic(a))}


def _cross_entropy(a: Array, y: Array, q: Carry, p: Parameters) -> tuple[Array, Saved]:
    top = a.max(axis=1, keepdims=True)
    log_sum = q(top + np.log(np.exp(a - top).sum(axis=1, keepdims=True)))
    return q(y * (log_sum - a)), {"log_sum": log_sum, "p": q(softmax(a))}


KINDS: dict[str, LossKind] = {}


def _record(kind: LossKind) -> None:
    KINDS[kind.name] = kind


def _one(value: str, gradient: str, when: Any = None) -> LossCase:
    case = LossCase((("l", value),), gradient)
    return case if when is None else LossCase(case.value, gradient, when)


for _name, _factor, _outputs, _source in (
    ("squared_error", "", "sum", "sum over outputs, mean over examples"),
    ("half_squared_error", "0.5", "sum", "with the factor ½; sum over outputs, mean over examples"),
    ("mean_squared_error", "", "mean", "torch.nn.MSELoss"),
):
    _half = _factor == "0.5"
    _record(
        LossKind(
            _name,
            _plain(
                (lambda a, y, p: 0.5 * (a - y) ** 2) if _half else (lambda a, y, p: (a - y) ** 2)
            ),
            (lambda a, y, s, p: a - y) if _half else (lambda a, y, s, p: 2 * (a - y)),
            "0.5 * (a - y)**2" if _half else "(a - y)**2",
            "a - y" if _half else "2 * (a - y)",
            (
                _one(
                    "0.5 * (a - y)**2" if _half else "(a - y)**2",
                    "a - y" if _half else "2 * (a - y)",
                ),
            ),
            _source,
            outputs=_outputs,  # type: ignore[arg-type]
        )
    )
_record(
    LossKind(
        "absolute_error",
        _plain(lambda a, y, p: np.abs(a - y)),
        lambda a, y, s, p: np.sign(a - y),
        "abs(a - y)",
        "1 if a > y else -1 if a < y else 0",
        (
            _one("a - y", "1", lambda a, y, p: a > y),
            _one("y - a", "-1", lambda a, y, p: a < y),
            _one("a - y", "0"),
        ),
        "torch.nn.L1Loss; the slope at a = y is taken as 0, as PyTorch does",
        kinks=lambda a, y, p: [a - y],
    )
)
_record(
    LossKind(
        "huber",
        _plain(_huber),
        lambda a, y, s, p: np.clip(a - y, -p["delta"], p["delta"]),
        "0.5 * (a - y)**2 if abs(a - y) <= delta else delta * (abs(a - y) - 0.5 * delta)",
        "a - y if abs(a - y) <= delta else delta if a > y else -delta",
        (
            _one("0.5 * (a - y)**2", "a - y", lambda a, y, p: abs(a - y) <= p["delta"]),
            _one("delta * (a - y - 0.5 * delta)", "delta", lambda a, y, p: a > y),
            _one("delta * (y - a - 0.5 * delta)", "-delta"),
        ),
        "torch.nn.HuberLoss",
        defaults={"delta": 1.0},
        kinks=lambda a, y, p: [a - y - p["delta"], a - y + p["delta"]],
    )
)
_record(
    LossKind(
        "binary_cross_entropy",
        _plain(_bce),
        _bce_gradient,
        "-(y * log(a) + (1 - y) * log(1 - a))",
        "(1 - y) / (1 - a) - y / a",
        (
            _one("-log(a)", "-1 / a", lambda a, y, p: y == 1),
            _one("-log(1 - a)", "1 / (1 - a)", lambda a, y, p: y == 0),
            _one("-(y * log(a) + (1 - y) * log(1 - a))", "(1 - y) / (1 - a) - y / a"),
        ),
        "torch.nn.BCELoss, without its cut of log at -100",
        target="probability",
    )
)
_record(
    LossKind(
        "binary_cross_entropy_with_logits",
        _bce_logits,
        lambda a, y, s, p: s["p"] - y,
        "log(1 + exp(a)) - a * y",
        "p - y",
        (
            LossCase(
                (
                    ("l", "a - a * y + log(1 + exp(-a))"),
                    ("p", "1 / (1 + exp(-a))"),
                ),
                "p - y",
                lambda a, y, p: a > 0,
            ),
            LossCase(
                (
                    ("l", "log(1 + exp(a)) - a * y"),
                    ("p", "exp(a) / (1 + exp(a))"),
                ),
                "p - y",
            ),
        ),
        "torch.nn.BCEWithLogitsLoss",
        target="probability",
    )
)
_record(
    LossKind(
        "cross_entropy",
        _cross_entropy,
        lambda a, y, s, p: s["p"] * y.sum(axis=1, keepdims=True) - y,
        "y * (log(sum(exp(a))) - a)",
        "p - y",
        (),
        "torch.nn.CrossEntropyLoss on logits, classes 0-based or probabilities",
        outputs="sum",
        target="classes",
    )
)
