"""Credit: each parameter's share of the real change of the loss (loss change allocation).

Cᵢ = Δθᵢ ∫₀¹ gᵢ(θ + uΔθ) du (Lan et al., arXiv 1909.01440). The integral is split by example; each
one's way is cut where it crosses a kink (a ReLU's z = 0) and is summed between by Gauss-Legendre
quadrature, on pieces that are halved until their credits add up to their change of the loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from ..core.rounding import Array
from ..core.step import loss_of
from ..core.trace import Trace
from ..errors import MiyaInputError
from .way import NARROWEST, Pieces, Rows, Way, as_float64, cut, halved, joined

TOLERANCE = 1e-10  # of the real change, shared by all pieces; ten times finer than promised
ULPS = 8.0  # of the loss: float64 cannot tell its changes finer than this
MOST_ROUNDS = 48
MOST_PIECES = 50_000  # beyond the pieces between kinks; only a loss made of noise needs so many


class _Rule:
    """Two Gauss-Legendre rules side by side, the finer with twice the nodes."""

    def __init__(self, coarse: int, fine: int) -> None:
        parts = [np.polynomial.legendre.leggauss(count) for count in (coarse, fine)]
        self.nodes = np.concatenate([nodes for nodes, _ in parts])
        none = [np.zeros(count) for count in (coarse, fine)]
        self.coarse = np.concatenate([parts[0][1], none[1]])
        self.fine = np.concatenate([none[0], parts[1][1]])


QUICK, FULL = _Rule(2, 4), _Rule(4, 8)
MANY = 256  # pieces so many are so short that the quick rule does for most of them


@dataclass(frozen=True, eq=False)
class Credit:
    """`values` by parameter name, of its shape; `total` their sum; `residual` total − real."""

    values: dict[str, Array]
    total: float
    real_change: float
    residual: float
    evaluations: int
    pieces: int


def try_credit(trace: Trace) -> Credit | None:
    """The credits, or None where the change cannot be shared out."""
    try:
        return credit(trace)
    except MiyaInputError:
        return None


_known: WeakKeyDictionary[Trace, Credit] = WeakKeyDictionary()


def credit(trace: Trace) -> Credit:
    """The credits of every parameter for the change that the step of `trace` brought.

    Frozen parameters get 0. The parameters' way is the trace's own, also where its carry is
    rounded; the losses along it are exact. Worked out once a trace. Raises MiyaInputError E610
    for an infinite change.
    """
    if trace not in _known:
        _known[trace] = _credit(trace)
    return _known[trace]


def _credit(trace: Trace) -> Credit:
    before, after = loss_of(as_float64(trace.network)), loss_of(as_float64(trace.after))
    if not math.isfinite(after):
        raise MiyaInputError(
            "E610",
            f"the loss goes from {before:g} to {after:g} in this step: no credits add up to that",
            hint="use a smaller learning_rate, or a loss on logits",
        )
    real = after - before
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        path = Way(trace)
        values, pieces = _integrate(path, TOLERANCE * abs(real))
    for name, change in path.change.items():
        values[name] *= change
    total = _total(values)
    if not math.isfinite(total):
        raise MiyaInputError(
            "E610",
            "gradients on the way from before to after leave float64's range: no credits add up",
            hint="scale the numbers of the network down",
        )
    return Credit(values, total, real, total - real, path.evaluations, pieces)


def _integrate(path: Way, tolerance: float) -> tuple[dict[str, Array], int]:
    """∫ gᵢ du over the whole way, by parameter, and in how many pieces."""
    found = _Sums(path)
    every = np.arange(path.network.examples)
    waiting = cut(path, every, np.zeros(len(every)), np.ones(len(every)))
    most, done = len(waiting) + MOST_PIECES, 0
    rule = QUICK if len(waiting) >= MANY else FULL
    for attempt in range(MOST_ROUNDS):
        last = attempt == MOST_ROUNDS - 1 or done + len(waiting) > most
        failed = []
        for part in path.chunks(len(waiting), len(rule.nodes)):
            pieces = waiting[part]
            good = found.add(pieces, rule, tolerance / len(every), accept=last and rule is FULL)
            done += int(good.sum())
            failed.append(pieces[~good])
        left = [p for p in failed if len(p)]
        if not left:
            break
        waiting = joined(left) if rule is QUICK else halved(path, joined(left))
        rule = FULL
    return found.values(), done


class _Sums:
    """Adds up the integrals of the gradients over pieces that pass the check."""

    def __init__(self, path: Way) -> None:
        self.path = path
        sizes = path.network.sizes
        self.first = np.zeros((path.network.examples, sizes[1]))  # Σ w δ of layer 1, by example
        self.weights = [np.zeros(line[0].shape) for line in path.lines[1:]]
        self.biases = [np.zeros(line[0].shape[0]) for line in path.lines]

    def add(self, pieces: Pieces, rule: _Rule, tolerance: float, *, accept: bool) -> Array:
        """Which pieces were good enough (or were to be accepted), and were added."""
        count, width = len(pieces), pieces.high - pieces.low
        middle = (pieces.high + pieces.low) / 2
        u = middle[:, None] + (width / 2)[:, None] * rule.nodes
        example = np.repeat(pieces.example, len(rule.nodes))
        rows = Rows(self.path, example, u.ravel())
        self.path.evaluations += len(example)
        deltas = rows.deltas()
        coarse, fine = ((width / 2)[:, None] * w for w in (rule.coarse, rule.fine))
        # credit by neuron, to both orders
        missed, size, apart = -(pieces.at_high - pieces.at_low), 0.0, np.zeros(count)
        for delta, moved in zip(deltas, rows.moved, strict=True):
            speeds = (delta * moved).reshape(count, len(rule.nodes), -1)
            rough, exactly = (np.einsum("pn,pnj->pj", w, speeds) for w in (coarse, fine))
            missed = missed + exactly.sum(axis=1)
            size = size + np.abs(exactly).sum(axis=1)
            apart = np.maximum(apart, np.abs(exactly - rough).max(axis=1))
        scale = np.maximum(np.abs(pieces.at_low), np.abs(pieces.at_high))
        floor = ULPS * np.finfo(np.float64).eps * np.maximum(scale, size)
        share = np.maximum(tolerance * width, floor)
        # twice the order squares the error: where 4 nodes are off by e, 8 are by about e²
        good = (np.abs(missed) <= share) & (apart**2 <= share * np.maximum(size, apart))
        good |= (width <= NARROWEST) | accept
        self._take(rows, deltas, example, (fine * good[:, None]).ravel()[:, None])
        return np.asarray(good)

    def _take(self, rows: Rows, deltas: list[Array], example: Array, weight: Array) -> None:
        kept = np.flatnonzero(weight[:, 0])
        example, weight = example[kept], weight[kept]
        for k, delta in enumerate(deltas):
            weighed = weight * delta[kept]
            self.biases[k] += weighed.sum(axis=0)
            if k == 0:
                np.add.at(self.first, example, weighed)
            else:
                self.weights[k - 1] += weighed.T @ rows.input(k)[kept]

    def values(self) -> dict[str, Array]:
        found = {}
        weights = [self.first.T @ self.path.network.inputs, *self.weights]
        for k, (weight, bias) in enumerate(zip(weights, self.biases, strict=True), 1):
            shared = len(self.path.lines[k - 1][2]) < len(bias)
            found[f"weight{k}"] = weight
            found[f"bias{k}"] = bias.sum(keepdims=True) if shared else bias
        return found


def _total(values: dict[str, Array]) -> float:
    if sum(v.size for v in values.values()) > 100_000:
        return math.fsum(float(v.sum()) for v in values.values())
    return math.fsum(x for v in values.values() for x in v.ravel().tolist())
