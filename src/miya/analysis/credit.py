"""Credit: each parameter's share of the real change of the loss (loss change allocation).

Cᵢ = Δθᵢ ∫₀¹ gᵢ(θ + uΔθ) du (Lan et al., arXiv 1909.01440), by Gauss-Legendre quadrature on
intervals that are halved until the credits add up to the change.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ..core.network import Network
from ..core.rounding import Array
from ..core.step import gradients_of, loss_of
from ..core.trace import Trace
from ..errors import MiyaInputError

NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)
TOLERANCE = 1e-10  # of the real change, shared by all intervals; ten times finer than promised
ULPS = 8.0  # of the loss: float64 cannot tell its changes finer than this
NARROWEST = 2.0**-52


@dataclass(frozen=True)
class Credit:
    """`values` by parameter name, of its shape; `total` their sum; `residual` total − real."""

    values: dict[str, Array]
    total: float
    real_change: float
    residual: float
    evaluations: int
    intervals: int


class _Path:
    """The straight way θ + uΔθ, 0 ≤ u ≤ 1, in float64."""

    def __init__(self, trace: Trace) -> None:
        self.network = _as_float64(trace.network)
        before = self.network.parameters()
        self.start = before
        self.change = {
            name: update.after.astype(np.float64) - before[name]
            for name, update in trace.updates.items()
        }
        self.evaluations = 0

    def at(self, u: float) -> Network:
        return self.network.with_parameters(
            {name: value + u * self.change[name] for name, value in self.start.items()}
        )

    def loss(self, u: float) -> float:
        return loss_of(self.at(u))

    def credits(self, low: float, high: float) -> dict[str, Array]:
        half, middle = (high - low) / 2, (high + low) / 2
        found = {name: np.zeros_like(value) for name, value in self.change.items()}
        for node, weight in zip(NODES.tolist(), WEIGHTS.tolist(), strict=True):
            self.evaluations += 1
            for name, gradient in gradients_of(self.at(middle + half * node)).items():
                found[name] += (weight * half) * gradient
        for name, change in self.change.items():
            found[name] *= change
        return found


def credit(trace: Trace) -> Credit:
    """The credits of every parameter for the change that the step of `trace` brought.

    Frozen parameters get 0. The parameters' way is the trace's own, also where its carry is
    rounded; the losses along it are exact. Raises MiyaInputError E610 for an infinite change.
    """
    path = _Path(trace)
    first, last = path.loss(0.0), path.loss(1.0)
    if not math.isfinite(last):
        raise MiyaInputError(
            "E610",
            f"the loss goes from {first:g} to {last:g} in this step: no credits add up to that",
            hint="use a smaller learning_rate, or a loss on logits",
        )
    real = last - first
    floor = ULPS * np.finfo(np.float64).eps * max(abs(first), abs(last))
    tolerance = max(TOLERANCE * abs(real), floor)
    values = {name: np.zeros_like(v) for name, v in path.change.items()}
    intervals = 0
    waiting = [(0.0, 1.0, first, last, path.credits(0.0, 1.0))]
    while waiting:
        low, high, at_low, at_high, whole = waiting.pop()
        middle = (low + high) / 2
        at_middle = path.loss(middle)
        left, right = path.credits(low, middle), path.credits(middle, high)
        sides = {name: left[name] + right[name] for name in whole}
        width = high - low
        share = max(tolerance * width, floor / 16)
        missed = abs(_total(sides) - (at_high - at_low))
        moved = max(float(np.abs(sides[name] - whole[name]).max()) for name in whole)
        if (missed <= max(share, floor) and moved <= share) or width <= NARROWEST:
            intervals += 1
            for name, value in sides.items():
                values[name] += value
        else:
            waiting.append((low, middle, at_low, at_middle, left))
            waiting.append((middle, high, at_middle, at_high, right))
    total = _total(values)
    return Credit(values, total, real, total - real, path.evaluations, intervals)


def _total(values: dict[str, Array]) -> float:
    if sum(v.size for v in values.values()) > 100_000:
        return math.fsum(float(v.sum()) for v in values.values())
    return math.fsum(x for v in values.values() for x in v.ravel().tolist())


def _as_float64(network: Network) -> Network:
    if network.dtype == np.float64:
        return network
    values = {name: v.astype(np.float64) for name, v in network.parameters().items()}
    wide = network.with_parameters(values)
    return replace(
        wide,
        inputs=network.inputs.astype(np.float64),
        targets=network.targets.astype(np.float64),
    )
