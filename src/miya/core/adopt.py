"""A network's step with the numbers of the library that really ran it in the place of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .graph import Node
from .network import Network
from .rounding import Array, exact
from .step import State, layers_of, take_step, update_of
from .trace import Trace

# how far two libraries' numbers may be apart, of the largest number of an array
APART = {"float64": 1e-9, "float32": 3e-4}


@dataclass(frozen=True, eq=False)
class Recorded:
    """What ran. z, a, grad_z, grad_a: (n, out), a layer each; gradients: by parameter name, None
    of a frozen one; after: the parameters after the step."""

    loss: float
    z: Sequence[Array]
    a: Sequence[Array]
    grad_z: Sequence[Array]
    grad_a: Sequence[Array]
    gradients: Mapping[str, Array | None]
    after: Mapping[str, Array]


def adopt(
    network: Network, recorded: Recorded, *, number: int = 1, state: State | None = None
) -> Trace | None:
    """The trace of the step with the recorded numbers, or None where they are another step's.

    Values, gradients and parameters are the recorded ones; slopes, single losses and the
    optimizer's lines are worked out from them.
    """
    ours = take_step(network, number=number, state=state)
    if not _agree(ours, recorded):
        return None
    gradients = {
        name: ours.gradients[name] if found is None else found
        for name, found in recorded.gradients.items()
    }
    gradient = network.layout.vector(gradients)
    for k, layer in enumerate(ours.layers):
        _put(layer.affine, recorded.z[k], recorded.grad_z[k])
        _put(layer.activation, recorded.a[k], recorded.grad_a[k])
        for name, place in (("weight", 0), ("bias", 2)):
            found = gradients[f"{name}{k + 1}"]
            layer.affine.operands[place].gradient = found
    ours.root.value = np.asarray(recorded.loss, dtype=network.dtype)
    update = update_of(network, exact, number, state, gradient, np.empty_like(gradient))
    affines = [layer.affine for layer in ours.layers]
    activations = [layer.activation for layer in ours.layers]
    after = network.layout.vector(recorded.after)
    layers = layers_of(network, affines, activations, update, after)
    return Trace(network, exact, None, number, ours.graph, ours.root, layers)


def _put(node: Node, value: Array, gradient: Array) -> None:
    node.value, node.gradient = value, gradient


def _agree(ours: Trace, recorded: Recorded) -> bool:
    pairs: list[tuple[Array, Array]] = [(np.asarray(ours.loss), np.asarray(recorded.loss))]
    for k, layer in enumerate(ours.layers):
        pairs += [(layer.z, recorded.z[k]), (layer.a, recorded.a[k])]
        pairs += [(layer.delta, recorded.grad_z[k]), (layer.grad_a, recorded.grad_a[k])]
    for name, found in recorded.gradients.items():
        if found is not None:
            pairs.append((ours.gradients[name], found))
    pairs += [(ours.updates[name].after, found) for name, found in recorded.after.items()]
    apart = APART[str(ours.network.dtype)]
    return all(_near(a, b, apart) for a, b in pairs)


def _near(ours: Array, theirs: Array, apart: float) -> bool:
    if ours.shape != theirs.shape:
        return False
    size = float(np.max(np.abs(theirs), initial=0.0))
    return bool(np.max(np.abs(ours - theirs), initial=0.0) <= apart * size + 1e-30)
