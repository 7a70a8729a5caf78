"""One training step: forward, backward, update."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import MiyaInputError
from .arithmetic import compute
from .graph import Graph, Node
from .network import Network
from .operations import AFFINE, activation, loss
from .rounding import Array, Carry, exact, to_digits
from .trace import LayerTrace, ParameterUpdate, Trace

State = Mapping[str, Mapping[str, Array]]  # parameter name -> state name -> array


def take_step(
    network: Network, *, digits: int | None = None, number: int = 1, state: State | None = None
) -> Trace:
    """Trace one exact step of `network`; nothing given is changed.

    digits: carry = rounded to so many significant digits; None carries exact values.
    number, state: the step (from 1) and the optimizer's state after the step before.
    Raises MiyaInputError E309 where the loss and E311 where a parameter leaves float range.
    """
    carry = exact if digits is None else to_digits(digits)
    graph = Graph(carry)
    root, affines, activations = forward(graph, network)
    check_finite(network, root, affines)
    graph.backward(root)
    masks = network.masks()
    layers = []
    for k, (layer, z, a) in enumerate(zip(network.layers, affines, activations, strict=True), 1):
        weight, bias = (
            _update(network, name, node, masks[name], carry, number, (state or {}).get(name))
            for name, node in ((f"weight{k}", z.operands[0]), (f"bias{k}", z.operands[2]))
        )
        layers.append(LayerTrace(k, layer, z, a, weight, bias))
    return Trace(network, carry, digits, number, graph, root, tuple(layers))


def forward(graph: Graph, network: Network) -> tuple[Node, list[Node], list[Node]]:
    """The loss node, and each layer's z and a nodes."""
    signal = graph.leaf(network.inputs)
    affines, activations = [], []
    with np.errstate(over="ignore", invalid="ignore"):
        for layer in network.layers:
            z = graph.apply(AFFINE, graph.leaf(layer.weight), signal, graph.leaf(layer.bias))
            signal = graph.apply(activation(layer.activation), z)
            affines.append(z)
            activations.append(signal)
        root = graph.apply(loss(network.loss), signal, graph.leaf(network.targets))
    return root, affines, activations


def loss_of(network: Network, carry: Carry = exact) -> float:
    """C of the network on its examples."""
    return float(forward(Graph(carry), network)[0].value)


def gradients_of(network: Network) -> dict[str, Array]:
    """∂C/∂θ of every parameter, exact, without an update."""
    graph = Graph(exact)
    root, affines, _ = forward(graph, network)
    graph.backward(root)
    found: dict[str, Array] = {}
    for k, z in enumerate(affines, 1):
        weight, bias = z.operands[0].gradient, z.operands[2].gradient
        assert weight is not None and bias is not None
        found[f"weight{k}"], found[f"bias{k}"] = weight, bias
    return found


def _update(
    network: Network,
    name: str,
    node: Node,
    mask: Array,
    carry: Carry,
    number: int,
    state: Mapping[str, Array] | None,
) -> ParameterUpdate:
    optimizer, before, gradient = network.optimizer, node.value, node.gradient
    assert gradient is not None
    start = optimizer.start()
    old = state or {k: np.full_like(before, v) for k, v in start.items()}
    names: dict[str, Any] = {
        **optimizer.constants(),
        "lr": network.learning_rate,
        "t": number,
        "g": gradient,
        "theta": before,
        **{f"{k}_before": v for k, v in old.items()},
    }
    lines = tuple(optimizer.lines(number == 1))
    results: dict[str, Array] = {}
    with np.errstate(over="ignore", invalid="ignore"):
        for symbol, formula in lines:
            results[symbol] = names[symbol] = carry(compute(formula, names))
        frozen = not mask.all()
        if frozen:
            results["change"] = np.where(mask, results["change"], 0).astype(before.dtype)
        after = carry(before + results["change"], np.abs(before))
        if frozen:
            after = np.where(mask, after, before)
    if not np.isfinite(after).all():
        _refuse_overflow(name, before, after)
    kept = {k: results[k] for k in start}
    return ParameterUpdate(name, before, gradient, after, mask, lines, results, names, kept)


def _refuse_overflow(name: str, before: Array, after: Array) -> None:
    index = tuple(int(i) for i in np.argwhere(~np.isfinite(after))[0])
    kind = name.rstrip("0123456789")
    layer = name.removeprefix(kind)
    place = "".join(f"[{i}]" for i in index)
    raise MiyaInputError(
        "E311",
        f"layer {layer}: {kind}{place} is {before[index]:g} before the step and "
        f"{after[index]:g} after it",
        hint="use a smaller learning_rate or smaller numbers",
    )


def check_finite(network: Network, root: Node, affines: list[Node]) -> None:
    """Raise MiyaInputError where a pre-activation (E311) or the loss (E309) is not finite."""
    if np.isfinite(root.value):
        return
    for number, z in enumerate(affines, 1):
        if not np.isfinite(z.value).all():
            n, i = (int(v) for v in np.argwhere(~np.isfinite(z.value))[0])
            raise MiyaInputError(
                "E311",
                f"layer {number}: the pre-activation of neuron {i} is {z.value[n, i]:g} "
                f"for example {n}",
                hint="its numbers are too large for float64; scale them down",
            )
    bad = np.argwhere(~np.isfinite(root.saved["elements"]))
    n, i = (int(v) for v in bad[0]) if len(bad) else (0, 0)
    a, y = (float(o.value[n, i]) for o in root.operands)
    if network.loss.name == "binary_cross_entropy":
        raise MiyaInputError(
            "E309",
            f"example {n}: output {i} is exactly {a:g} while its target is {y:g}, so the loss is "
            f"log(0): loss is infinite",
            hint="use logits: activation identity with loss binary_cross_entropy_with_logits",
            path=("loss",),
        )
    raise MiyaInputError(
        "E311",
        f"example {n}: the loss of output {a:g} with target {y:g} is {float(root.value):g}",
        hint="its numbers are too large for float64; scale them down",
    )
