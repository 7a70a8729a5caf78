"""One training step: forward, backward, update."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import MiyaInputError
from .arithmetic import compute
from .checks import check_gradients, finite, first_odd, warn_of_corner
from .graph import Graph, Node
from .network import Network
from .operations import AFFINE, activation, loss
from .rounding import Array, Carry, exact, to_digits
from .trace import LayerTrace, ParameterUpdate, Trace, Update

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
    layout = network.layout
    # one block for what only this trace keeps; `after` goes on into the next step's network
    gradient, change = np.empty((2, layout.size), network.dtype)
    graph = Graph(carry)
    with np.errstate(over="ignore", invalid="ignore"):
        root, affines, activations = forward(graph, network, layout.views(gradient))
        check_finite(network, root, affines)
        warn_of_corner(network, activations[-1].value)
        graph.backward(root)
        _gather(affines)
        update = update_of(network, carry, number, state, gradient, change)
        after = _after(network, carry, update.results["change"])
    # an update passes a gradient that is not finite on to the parameter, unless that is frozen
    if network.frozen is not None or not finite(after):
        check_gradients(network, gradient)
        check_overflow(network, after)
    return Trace(
        network,
        carry,
        digits,
        number,
        graph,
        root,
        layers_of(network, affines, activations, update, after),
    )


def forward(
    graph: Graph, network: Network, rooms: Mapping[str, Array] | None = None
) -> tuple[Node, list[Node], list[Node]]:
    """The loss node, and each layer's z and a nodes; `rooms` are for the gradients, by name."""
    rooms = rooms or {}
    signal = graph.leaf(network.inputs)
    affines, activations = [], []
    with np.errstate(over="ignore", invalid="ignore"):
        for k, layer in enumerate(network.layers, 1):
            weight = graph.leaf(layer.weight, rooms.get(f"weight{k}"))
            bias = graph.leaf(layer.bias, rooms.get(f"bias{k}"))
            z = graph.apply(AFFINE, weight, signal, bias)
            signal = graph.apply(activation(layer.activation), z)
            affines.append(z)
            activations.append(signal)
        root = graph.apply(loss(network.loss), signal, graph.leaf(network.targets))
    return root, affines, activations


def loss_of(network: Network, carry: Carry = exact) -> float:
    """C of the network on its examples."""
    return float(forward(Graph(carry), network)[0].value)


def outputs_of(network: Network) -> Array:
    """(n, out) the last layer's activations on its examples, exact."""
    found: Array = forward(Graph(exact), network)[2][-1].value
    return found


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


def _gather(affines: list[Node]) -> None:
    """Move every gradient that its rule did not write to its room there."""
    for z in affines:
        for node in (z.operands[0], z.operands[2]):
            assert node.room is not None
            if node.gradient is not node.room:
                node.room[...] = node.gradient
                node.gradient = node.room


def update_of(
    network: Network,
    carry: Carry,
    number: int,
    state: State | None,
    gradient: Array,
    change: Array,
) -> Update:
    """The optimizer's lines, computed; the last one's result is written to `change`."""
    optimizer, layout = network.optimizer, network.layout
    start = optimizer.start()
    lines = tuple(optimizer.lines(number == 1))
    names: dict[str, Any] = {
        **optimizer.constants(),
        "lr": network.learning_rate,
        "t": number,
        "g": gradient,
    }
    for name, value in start.items():
        names[f"{name}_before"] = (
            layout.vector({of: arrays[name] for of, arrays in state.items()})
            if state
            else np.full_like(gradient, value)
        )
    if any("theta" in formula for _, formula in lines):
        names["theta"] = layout.vector(network.parameters())
    results: dict[str, Array] = {}
    for symbol, formula in lines:
        value = carry(compute(formula, names, change if symbol == "change" else None))
        results[symbol] = names[symbol] = value
    if network.frozen is not None:
        results["change"][network.frozen] = 0
    return Update(lines, names, results, tuple(start))


def _after(network: Network, carry: Carry, change: Array) -> Array:
    """The parameters after the step, side by side; frozen ones are as before to the last bit."""
    after = np.empty_like(change)
    parameters = network.parameters()
    for place in network.layout.places:
        before, step, new = parameters[place.name], place.view(change), place.view(after)
        np.add(before, step, out=new)
        if carry is not exact:
            new[...] = carry(new, np.abs(before))
    if network.frozen is not None:
        np.copyto(after, network.layout.vector(parameters), where=network.frozen)
    return after


def layers_of(
    network: Network,
    affines: list[Node],
    activations: list[Node],
    update: Update,
    after: Array,
) -> tuple[LayerTrace, ...]:
    places = iter(network.layout.places)

    def part(node: Node, mask: Array) -> ParameterUpdate:
        place = next(places)
        assert node.gradient is not None
        return ParameterUpdate(place, node.value, node.gradient, place.view(after), mask, update)

    return tuple(
        LayerTrace(
            k,
            layer,
            z,
            a,
            part(z.operands[0], layer.weight_mask),
            part(z.operands[2], layer.bias_mask),
        )
        for k, (layer, z, a) in enumerate(zip(network.layers, affines, activations, strict=True), 1)
    )


def check_overflow(network: Network, after: Array) -> None:
    """Raise MiyaInputError E311 where a parameter after the step is not finite."""
    for name, new in network.layout.views(after).items():
        if not finite(new):
            _refuse_overflow(name, network.parameters()[name], new)


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
    for number, z in enumerate(affines, 1):
        # also where an activation makes a finite number of it again
        if not finite(z.value):
            n, i = first_odd(z.value)
            raise MiyaInputError(
                "E311",
                f"layer {number}: z[{i}] of example {n + 1} is {z.value[n, i]:g}",
                hint="its numbers are too large for float64; scale them down",
            )
    if math.isfinite(root.value):
        return
    bad = np.argwhere(~np.isfinite(root.saved["elements"]))
    n, i = (int(v) for v in bad[0]) if len(bad) else (0, 0)
    a, y = (float(o.value[n, i]) for o in root.operands)
    if network.loss.name == "binary_cross_entropy":
        raise MiyaInputError(
            "E309",
            f"example {n + 1}: output[{i}] is exactly {a:g} while its target is {y:g}, "
            "which takes log(0): loss is infinite",
            hint="use logits: activation identity with loss binary_cross_entropy_with_logits",
            path=("loss",),
        )
    raise MiyaInputError(
        "E311",
        f"example {n + 1}: the loss of output[{i}], {a:g}, with target {y:g} "
        f"is {float(root.value):g}",
        hint="its numbers are too large for float64; scale them down",
    )
