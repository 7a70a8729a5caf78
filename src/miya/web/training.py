"""Steps of a state: the core's own, one after the other, and what a grid of inputs gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..core.network import Network
from ..core.rounding import Array
from ..core.step import outputs_of, take_step
from ..core.trace import Trace
from ..errors import MiyaInputError
from ..story.numbers import number
from .state import State, copied, network_of

Memory = dict[str, dict[str, Array]]


def traced(state: State, network: Network | None = None) -> Trace:
    """The step that comes next; network: of the state, where it is built already.

    Raises MiyaInputError.
    """
    network = network or network_of(state)
    return take_step(network, number=state["steps"] + 1, state=memory_of(state, network))


def memory_of(state: State, network: Network) -> Memory | None:
    """The optimizer's state of every parameter, None before the first step.

    Raises MiyaInputError E801 for one of another optimizer or of other shapes.
    """
    if not state["memory"]:
        return None
    wanted = set(network.optimizer.start())
    shapes = {name: value.shape for name, value in network.parameters().items()}
    if set(state["memory"]) != set(shapes):
        raise _misfit("parameters")
    found: Memory = {}
    for name, kept in state["memory"].items():
        if not isinstance(kept, Mapping) or set(kept) != wanted:
            raise _misfit(name)
        found[name] = {key: _array(values, shapes[name], name) for key, values in kept.items()}
    return found


def _array(values: Any, shape: tuple[int, ...], name: str) -> Array:
    try:
        found = np.array(values, dtype=float)
    except (ValueError, TypeError):
        raise _misfit(name) from None
    if found.shape != shape or not np.isfinite(found).all():
        raise _misfit(name)
    return found


def _misfit(name: str) -> MiyaInputError:
    return MiyaInputError(
        "E801",
        f"the optimizer's memory does not fit: {name}",
        hint="rewind, which starts it anew",
    )


def stepped(state: State, steps: int) -> tuple[State, list[dict[str, Any]]]:
    """The state after `steps` more steps, and of each its number, loss and sizes of blame.

    Raises MiyaInputError where one cannot be taken; the state given is left as it was.
    """
    network = network_of(state)
    memory, trail = memory_of(state, network), []
    for k in range(steps):
        trace = take_step(network, number=state["steps"] + 1 + k, state=memory)
        trail.append(_told(trace))
        network = trace.after
        memory = {name: dict(update.state) for name, update in trace.updates.items()}
    return {
        **state,
        "network": described(state["network"], network),
        "steps": state["steps"] + steps,
        "memory": {
            name: {key: values.tolist() for key, values in kept.items()}
            for name, kept in (memory or {}).items()
        },
    }, trail


def _told(trace: Trace) -> dict[str, Any]:
    """pressure: Σ |δ| of each layer's neurons, summed over the examples. said: the loss as text."""
    return {
        "step": trace.number,
        "loss": trace.loss,
        "said": number(trace.loss, 4),
        "pressure": [float(np.abs(layer.delta).sum()) for layer in trace.layers],
    }


def described(description: dict[str, Any], network: Network) -> dict[str, Any]:
    """The description with the network's parameters in it."""
    found: dict[str, Any] = copied(description)
    for table, layer in zip(found["layers"], network.layers, strict=True):
        table["weight"] = layer.weight.tolist()
        bias = layer.bias.tolist()
        table["bias"] = bias if isinstance(table["bias"], list) else bias[0]
    return found


def rewound(state: State) -> State:
    """Back to the parameters before the first step; what was edited since stays edited."""
    found = copied(state["network"])
    for table, first in zip(found["layers"], state["initial"], strict=True):
        table["weight"], table["bias"] = copied(first["weight"]), copied(first["bias"])
    return {**state, "network": found, "steps": 0, "memory": {}}


def boundary(state: State, size: int) -> dict[str, Any]:
    """The first output over a grid of two inputs, row by row from the lowest second input.

    values: size * size numbers. low, high: the grid's corners. points: the examples with their
    first target. Raises MiyaInputError E809 where there are not two inputs.
    """
    network = network_of(state)
    if network.sizes[0] != 2:
        raise MiyaInputError(
            "E809",
            f"the network has {network.sizes[0]} inputs",
            hint="a plane shows two: choose a data set of points",
        )
    low, high = _room(network.inputs)
    axes = [np.linspace(low[k], high[k], size) for k in range(2)]
    grid = np.stack([a.ravel() for a in np.meshgrid(axes[0], axes[1])], 1)
    found = outputs_of(
        replace(network, inputs=grid, targets=np.repeat(network.targets[:1], len(grid), 0))
    )
    return {
        "values": np.round(found[:, 0], 6).tolist(),
        "size": size,
        "low": low.tolist(),
        "high": high.tolist(),
        "points": [
            [*map(float, x), float(y[0])]
            for x, y in zip(network.inputs, network.targets, strict=True)
        ],
    }


def _room(points: Array) -> tuple[Array, Array]:
    """The box of the points with a margin of a fifth, and never empty."""
    low, high = points.min(0), points.max(0)
    margin = np.maximum(0.2 * (high - low), 0.5)
    return low - margin, high + margin
