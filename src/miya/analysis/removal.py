"""Removal: what the loss would be without a parameter or a neuron. Exact, one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

import numpy as np

from ..core.graph import Graph
from ..core.network import Network
from ..core.operations import AFFINE, activation, loss
from ..core.rounding import Array, exact
from ..core.step import forward
from ..core.trace import Trace
from ..errors import MiyaInputError

T = TypeVar("T")
LIMIT = 50_000  # parameters, each of which takes a forward pass of its own
CHUNK = 4_000_000  # float64 numbers held at once


def removal(trace: Trace, *, limit: int = LIMIT) -> dict[str, Array]:
    """C(θᵢ := 0) − C for every parameter, by name, of the parameter's shape.

    Raises MiyaInputError E601 for more than `limit` parameters.
    """
    network = trace.network
    count = sum(v.size for v in network.parameters().values())
    if count > limit:
        raise MiyaInputError(
            "E601",
            f"removal needs one forward pass a parameter: {count} parameters, limit {limit}",
            hint="choose another measure: pressure, step or credit",
        )
    zs, signals, before = _forward(network)
    found: dict[str, Array] = {}
    for k, layer in enumerate(network.layers):
        lost_by_weight = _weight_parts(layer.weight, signals[k])
        weight = _losses(network, k, zs[k], lost_by_weight)
        bias = _losses(network, k, zs[k], _bias_parts(layer.bias, layer.outputs))
        found[f"weight{k + 1}"] = weight.reshape(layer.weight.shape) - before
        found[f"bias{k + 1}"] = bias - before
    return found


def neuron_removal(trace: Trace) -> list[Array]:
    """For each layer (out,): C with that neuron's activation set to 0 everywhere, minus C."""
    network = trace.network
    zs, _, before = _forward(network)
    found = []
    for k, layer in enumerate(network.layers):
        a = activation(layer.activation).forward(exact, zs[k])[0]
        values = []
        for i in range(layer.outputs):
            without = a.copy()
            without[:, i] = 0
            values.append(_finish(network, k, without[None])[0] - before)
        found.append(np.array(values))
    return found


def _forward(network: Network) -> tuple[list[Array], list[Array], float]:
    """Each layer's z and input signal, and the loss, exact."""
    root, affines, _ = forward(Graph(exact), network)
    return [z.value for z in affines], [z.operands[1].value for z in affines], float(root.value)


def _weight_parts(weight: Array, signal: Array) -> Iterator[tuple[int | slice, Array]]:
    """(neuron, what its z loses in every example) for each weight in order."""
    for i, row in enumerate(weight):
        for j, value in enumerate(row):
            yield i, value * signal[:, j]


def _bias_parts(bias: Array, outputs: int) -> Iterator[tuple[int | slice, Array]]:
    shared = bias.shape[0] != outputs
    for i, value in enumerate(bias):
        yield slice(None) if shared else i, np.asarray(value)


def _losses(
    network: Network, k: int, z: Array, parts: Iterable[tuple[int | slice, Array]]
) -> Array:
    """The loss without each part, many at a time."""
    widest = max(layer.outputs for layer in network.layers[k:])
    many = max(1, CHUNK // (widest * z.shape[0]))
    found = []
    use = activation(network.layers[k].activation)
    for some in batched(parts, many):
        copies = np.repeat(z[None], len(some), axis=0)
        for copy, (where, lost) in zip(copies, some, strict=True):
            copy[:, where] -= lost
        a = use.forward(exact, copies.reshape(-1, z.shape[1]))[0]
        found.append(_finish(network, k, a.reshape(copies.shape)))
    return np.concatenate(found)


def _finish(network: Network, k: int, a: Array) -> Array:
    """The losses (m,) from activations (m, n, out) of layer k, through the layers after it."""
    many, examples, _ = a.shape
    flat = a.reshape(many * examples, -1)
    for layer in network.layers[k + 1 :]:
        z = AFFINE.forward(exact, layer.weight, flat, layer.bias)[0]
        flat = activation(layer.activation).forward(exact, z)[0]
    use = loss(network.loss)
    outputs = flat.reshape(many, examples, -1)
    return np.array([float(use.forward(exact, out, network.targets)[0]) for out in outputs])


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    source = iter(items)
    while some := list(islice(source, size)):
        yield some
