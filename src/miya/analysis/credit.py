"""Credit: each parameter's share of the real change of the loss (loss change allocation).

Cᵢ = Δθᵢ ∫₀¹ gᵢ(θ + uΔθ) du (Lan et al., arXiv 1909.01440). The integral is split by example; each
one's way is cut where it crosses a kink (a ReLU's z = 0) and is summed between by Gauss-Legendre
quadrature, on pieces that are halved until their credits add up to their change of the loss.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np

from ..core.graph import Graph, Node
from ..core.network import Network
from ..core.operations import AFFINE_ALONG, activation, loss_by_example
from ..core.rounding import Array, exact
from ..core.step import loss_of
from ..core.trace import Trace
from ..errors import MiyaInputError

COARSE, FINE = (np.polynomial.legendre.leggauss(count) for count in (4, 8))
NODES = np.concatenate([COARSE[0], FINE[0]])
TOLERANCE = 1e-10  # of the real change, shared by all pieces; ten times finer than promised
ULPS = 8.0  # of the loss: float64 cannot tell its changes finer than this
NARROWEST = 1e-13  # of the way: a piece this narrow is taken as it is
MOST_ROUNDS = 48
MOST_PIECES = 50_000  # beyond the pieces between kinks; only a loss made of noise needs so many
ROOM = 4_000_000  # numbers held at once in a layer


@dataclass(frozen=True, eq=False)
class Credit:
    """`values` by parameter name, of its shape; `total` their sum; `residual` total − real."""

    values: dict[str, Array]
    total: float
    real_change: float
    residual: float
    evaluations: int
    pieces: int


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


@dataclass(frozen=True)
class _Pieces:
    """Parts of examples' ways: example, where it starts and ends (0 to 1), the loss there."""

    example: Array
    low: Array
    high: Array
    at_low: Array
    at_high: Array

    def __len__(self) -> int:
        return len(self.example)

    def __getitem__(self, which: Array | slice) -> _Pieces:
        return _Pieces(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


class _Rows:
    """Examples at places u of their ways: one forward pass, a row each."""

    def __init__(self, path: _Path, example: Array, u: Array) -> None:
        self.graph = Graph(exact)
        u = u[:, None]
        self.moved = [path.moved[example]]  # dz/du of each layer, its input held still
        self.affines = [self.graph.leaf(path.base[example] + u * self.moved[0])]
        signal = self.graph.apply(path.activations[0], self.affines[0])
        for operation, parameters in zip(path.activations[1:], path.lines[1:], strict=True):
            leaves = [self.graph.leaf(p) for p in (*parameters, u)]
            z = self.graph.apply(AFFINE_ALONG, signal, *leaves)
            self.moved.append(z.saved["moved"])
            self.affines.append(z)
            signal = self.graph.apply(operation, z)
        self.targets = path.network.targets[example]
        self.root = self.graph.apply(path.loss, signal, self.graph.leaf(self.targets))

    @property
    def losses(self) -> Array:
        return self.root.value

    def deltas(self) -> list[Array]:
        self.graph.backward(self.root)
        return [_gradient(z) for z in self.affines]

    def input(self, k: int) -> Array:
        """What layer k, above the first, takes in."""
        return self.affines[k].operands[0].value


class _Path:
    """The straight way from the parameters before to those after, in float64."""

    def __init__(self, trace: Trace) -> None:
        network = self.network = _as_float64(trace.network)
        before = network.parameters()
        self.change = {
            name: update.after.astype(np.float64) - before[name]
            for name, update in trace.updates.items()
        }
        self.lines = [
            (
                layer.weight,
                self.change[f"weight{k}"],
                layer.bias,
                self.change[f"bias{k}"],
            )
            for k, layer in enumerate(network.layers, 1)
        ]
        weight, weight_change, bias, bias_change = self.lines[0]
        self.base = network.inputs @ weight.T + bias
        self.moved = network.inputs @ weight_change.T + bias_change
        self.activations = [activation(layer.activation) for layer in network.layers]
        self.loss = loss_by_example(network.loss, network.examples)
        self.chunk = max(12, ROOM // sum(network.sizes))
        self.evaluations = 0

    def chunks(self, count: int, each: int = 1) -> Iterator[slice]:
        step = max(1, self.chunk // each)
        for start in range(0, count, step):
            yield slice(start, min(start + step, count))

    def losses(self, example: Array, u: Array) -> Array:
        parts = [_Rows(self, example[c], u[c]).losses for c in self.chunks(len(u))]
        return np.concatenate(parts)

    def sides(self, example: Array, u: Array) -> Array:
        """(rows, kinks): each is 0 where the loss has a kink, and changes sign there."""
        return np.concatenate(
            [self._sides(_Rows(self, example[c], u[c])) for c in self.chunks(len(u))]
        )

    def _sides(self, rows: _Rows) -> Array:
        found = [
            z.value
            for z, layer in zip(rows.affines, self.network.layers, strict=True)
            if layer.activation.kind.kinked
        ]
        loss = self.network.loss
        if loss.kind.kinks is not None:
            output = rows.root.operands[0].value
            found += loss.kind.kinks(output, rows.targets, loss.parameters)
        return np.hstack(found) if found else np.zeros((len(rows.losses), 0))

    @property
    def kinked(self) -> bool:
        layers = self.network.layers
        return self.network.loss.kind.kinks is not None or any(
            layer.activation.kind.kinked for layer in layers
        )


def _credit(trace: Trace) -> Credit:
    before, after = loss_of(_as_float64(trace.network)), loss_of(_as_float64(trace.after))
    if not math.isfinite(after):
        raise MiyaInputError(
            "E610",
            f"the loss goes from {before:g} to {after:g} in this step: no credits add up to that",
            hint="use a smaller learning_rate, or a loss on logits",
        )
    real = after - before
    with np.errstate(over="ignore", invalid="ignore"):
        path = _Path(trace)
        values, pieces = _integrate(path, TOLERANCE * abs(real))
    for name, change in path.change.items():
        values[name] *= change
    total = _total(values)
    return Credit(values, total, real, total - real, path.evaluations, pieces)


def _integrate(path: _Path, tolerance: float) -> tuple[dict[str, Array], int]:
    """∫ gᵢ du over the whole way, by parameter, and in how many pieces."""
    found = _Sums(path)
    every = np.arange(path.network.examples)
    waiting = _cut(path, every, np.zeros(len(every)), np.ones(len(every)))
    most, done = len(waiting) + MOST_PIECES, 0
    for attempt in range(MOST_ROUNDS):
        last = attempt == MOST_ROUNDS - 1 or done + len(waiting) > most
        failed = []
        for part in path.chunks(len(waiting), len(NODES)):
            pieces = waiting[part]
            good = found.add(pieces, tolerance / len(every), accept=last)
            done += int(good.sum())
            failed.append(pieces[~good])
        left = [p for p in failed if len(p)]
        if not left:
            break
        waiting = _halved(path, left)
    return found.values(), done


class _Sums:
    """Adds up the integrals of the gradients over pieces that pass the check."""

    def __init__(self, path: _Path) -> None:
        self.path = path
        sizes = path.network.sizes
        self.first = np.zeros((path.network.examples, sizes[1]))  # Σ w δ of layer 1, by example
        self.weights = [np.zeros(line[0].shape) for line in path.lines[1:]]
        self.biases = [np.zeros(line[0].shape[0]) for line in path.lines]

    def add(self, pieces: _Pieces, tolerance: float, *, accept: bool) -> Array:
        """Which pieces were good enough (or were to be accepted), and were added."""
        count, width = len(pieces), pieces.high - pieces.low
        middle = (pieces.high + pieces.low) / 2
        u = middle[:, None] + (width / 2)[:, None] * NODES
        example = np.repeat(pieces.example, len(NODES))
        rows = _Rows(self.path, example, u.ravel())
        self.path.evaluations += len(example)
        deltas = rows.deltas()
        coarse, fine = (
            (width / 2)[:, None] * w for w in (_padded(COARSE[1], 0), _padded(FINE[1], 1))
        )
        # credit by neuron, to both orders
        missed, size, apart = -(pieces.at_high - pieces.at_low), 0.0, np.zeros(count)
        for delta, moved in zip(deltas, rows.moved, strict=True):
            speeds = (delta * moved).reshape(count, len(NODES), -1)
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

    def _take(self, rows: _Rows, deltas: list[Array], example: Array, weight: Array) -> None:
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


def _padded(weights: Array, which: int) -> Array:
    """The weights of one rule, with 0 for the nodes of the other."""
    parts = [np.zeros(len(COARSE[1])), np.zeros(len(FINE[1]))]
    parts[which] = weights
    return np.concatenate(parts)


def _halved(path: _Path, parts: list[_Pieces]) -> _Pieces:
    example = np.concatenate([p.example for p in parts])
    low = np.concatenate([p.low for p in parts])
    high = np.concatenate([p.high for p in parts])
    middle = (low + high) / 2
    return _cut(
        path,
        np.concatenate([example, example]),
        np.concatenate([low, middle]),
        np.concatenate([middle, high]),
    )


def _cut(path: _Path, example: Array, low: Array, high: Array) -> _Pieces:
    """The ways, cut at every kink that they cross."""
    row = np.arange(len(example))
    places, owners = [low, high], [row, row]
    if path.kinked:
        for part in path.chunks(len(row)):
            of = row[part]
            at_low = path.sides(example[of], low[of])
            at_high = path.sides(example[of], high[of])
            i, k = np.nonzero((at_low > 0) != (at_high > 0))
            own = of[i]
            ends = at_low[i, k], at_high[i, k]
            u = _crossings(path, example[own], k, low[own], high[own], *ends)
            inside = (u - low[own] > NARROWEST) & (high[own] - u > NARROWEST)
            places.append(u[inside])
            owners.append(own[inside])
    owner, place = np.concatenate(owners), np.concatenate(places)
    order = np.lexsort((place, owner))
    owner, place = owner[order], place[order]
    losses = path.losses(example[owner], place)
    same = (owner[1:] == owner[:-1]) & (place[1:] > place[:-1])
    return _Pieces(
        example[owner[:-1]][same],
        place[:-1][same],
        place[1:][same],
        losses[:-1][same],
        losses[1:][same],
    )


def _crossings(
    path: _Path, example: Array, k: Array, low: Array, high: Array, at_low: Array, at_high: Array
) -> Array:
    """Where side k of each example changes sign between low and high: regula falsi, Illinois."""
    low, high, at_low, at_high = low.copy(), high.copy(), at_low.copy(), at_high.copy()
    found = (low + high) / 2
    open_ = np.arange(len(found))
    for attempt in range(100):
        if not len(open_):
            break
        a, b, fa, fb = low[open_], high[open_], at_low[open_], at_high[open_]
        u = (a + b) / 2 if attempt % 8 == 7 else (a * fb - b * fa) / (fb - fa)
        u = np.clip(u, a, b)
        f = np.concatenate(
            [
                path.sides(example[open_[c]], u[c])[np.arange(c.stop - c.start), k[open_[c]]]
                for c in path.chunks(len(u))
            ]
        )
        still = np.abs(u - found[open_]) > NARROWEST / 4
        found[open_] = u
        left = (f > 0) == (fa > 0)
        # the end that stays counts half, so that it does not stay for good
        at_low[open_], at_high[open_] = np.where(left, f, fa / 2), np.where(left, fb / 2, f)
        low[open_], high[open_] = np.where(left, u, a), np.where(left, b, u)
        open_ = open_[still & (f != 0) & (high[open_] - low[open_] > NARROWEST / 4)]
    return found


def _gradient(node: Node) -> Array:
    assert node.gradient is not None
    return node.gradient


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
