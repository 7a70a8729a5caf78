"""The straight way that a step takes the parameters along, cut where the loss has a kink on it.

Each example is followed on its own: its loss at the place u, from 0 (before) to 1 (after), the
gradients there, and the places where a ReLU's z or a kink of the loss crosses 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..core.graph import Graph, Node
from ..core.network import Network
from ..core.operations import AFFINE_ALONG, activation, loss_by_example
from ..core.rounding import Array, exact
from ..core.trace import Trace

NARROWEST = 1e-13  # of the way: a piece this narrow is taken as it is
ROOM = 4_000_000  # numbers held at once in a layer


@dataclass(frozen=True)
class Pieces:
    """Parts of examples' ways: example, where it starts and ends (0 to 1), the loss there."""

    example: Array
    low: Array
    high: Array
    at_low: Array
    at_high: Array

    def __len__(self) -> int:
        return len(self.example)

    def __getitem__(self, which: Array | slice) -> Pieces:
        return Pieces(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


class Rows:
    """Examples at places u of their ways: one forward pass, a row each."""

    def __init__(self, path: Way, example: Array, u: Array) -> None:
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
        return [gradient(z) for z in self.affines]

    def input(self, k: int) -> Array:
        """What layer k, above the first, takes in."""
        return self.affines[k].operands[0].value


class Way:
    """The straight way from the parameters before to those after, in float64."""

    def __init__(self, trace: Trace) -> None:
        network = self.network = as_float64(trace.network)
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
        parts = [Rows(self, example[c], u[c]).losses for c in self.chunks(len(u))]
        return np.concatenate(parts)

    def sides(self, example: Array, u: Array) -> Array:
        """(rows, kinks): each is 0 where the loss has a kink, and changes sign there."""
        return np.concatenate(
            [self._sides(Rows(self, example[c], u[c])) for c in self.chunks(len(u))]
        )

    def side(self, example: Array, k: Array, u: Array) -> Array:
        """The k-th of each row's sides."""
        return np.concatenate(
            [
                self.sides(example[c], u[c])[np.arange(c.stop - c.start), k[c]]
                for c in self.chunks(len(u))
            ]
        )

    def _sides(self, rows: Rows) -> Array:
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


def joined(parts: list[Pieces]) -> Pieces:
    return Pieces(
        *(np.concatenate([getattr(p, f) for p in parts]) for f in Pieces.__dataclass_fields__)
    )


def halved(path: Way, pieces: Pieces) -> Pieces:
    middle = (pieces.low + pieces.high) / 2
    return cut(
        path,
        np.concatenate([pieces.example, pieces.example]),
        np.concatenate([pieces.low, middle]),
        np.concatenate([middle, pieces.high]),
    )


def cut(path: Way, example: Array, low: Array, high: Array) -> Pieces:
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
    return Pieces(
        example[owner[:-1]][same],
        place[:-1][same],
        place[1:][same],
        losses[:-1][same],
        losses[1:][same],
    )


def _crossings(
    path: Way, example: Array, k: Array, low: Array, high: Array, at_low: Array, at_high: Array
) -> Array:
    """Where side k of each example changes sign between low and high: Anderson and Bjorck's
    rule of false position (doi 10.1007/BF01951936)."""
    low, high, at_low, at_high = low.copy(), high.copy(), at_low.copy(), at_high.copy()
    found, went = (low + high) / 2, np.zeros(len(low))
    open_ = np.arange(len(found))
    for attempt in range(100):
        if not len(open_):
            break
        a, b, fa, fb = low[open_], high[open_], at_low[open_], at_high[open_]
        u = (a + b) / 2 if attempt % 16 == 15 else (a * fb - b * fa) / (fb - fa)
        u = np.clip(u, a, b)
        f = path.side(example[open_], k[open_], u)
        still = np.abs(u - found[open_]) > NARROWEST / 4
        found[open_] = u
        left = (f > 0) == (fa > 0)
        # an end that stays twice running is scaled down, so that it does not stay for good
        scale = 1 - f / np.where(left, fa, fb)
        again = went[open_] == np.where(left, 1, -1)
        scale = np.where(again, np.where(scale > 0, scale, 0.5), 1)
        at_low[open_], at_high[open_] = np.where(left, f, fa * scale), np.where(left, fb * scale, f)
        low[open_], high[open_] = np.where(left, u, a), np.where(left, b, u)
        went[open_] = np.where(left, 1, -1)
        open_ = open_[still & (f != 0) & (high[open_] - low[open_] > NARROWEST / 4)]
    return found


def gradient(node: Node) -> Array:
    assert node.gradient is not None
    return node.gradient


def as_float64(network: Network) -> Network:
    if network.dtype == np.float64:
        return network
    values = {name: v.astype(np.float64) for name, v in network.parameters().items()}
    wide = network.with_parameters(values)
    return replace(
        wide,
        inputs=network.inputs.astype(np.float64),
        targets=network.targets.astype(np.float64),
    )
