"""Every quantity of a step by its name, read from the trace."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.rounding import Array
from ...core.trace import LayerTrace, ParameterUpdate, Trace
from ...core.written import Quantity
from .between import PARTS, SHARE

Table = dict[Quantity, float]


def table(trace: Trace, softmax: bool = False) -> Table:
    """Exact values by quantity; softmax: the page's output is softmax of the last z."""
    found: Table = {Quantity("C"): trace.loss, Quantity("η"): trace.network.learning_rate}
    found[Quantity("C_new")] = trace.loss_after
    many = trace.network.examples > 1
    _rows(found, "x", None, trace.network.inputs, many)
    _rows(found, "y", None, trace.network.targets, many)
    last = len(trace.layers)
    for layer in trace.layers:
        k = layer.number
        a, grad_a, slope = layer.a, layer.grad_a, layer.slope
        if softmax and k == last:
            a = np.asarray(trace.root.saved["p"])
            grad_a, slope = -trace.network.targets / a / len(a), None
        _rows(found, "z", k, layer.z, many)
        _rows(found, "a", k, a, many)
        _rows(found, "∂C/∂a", k, grad_a, many)
        _rows(found, "δ", k, layer.delta, many)
        if slope is not None:
            _rows(found, "σ'", k, slope, many)
        _between(found, layer, many)
        for letter, update in (("W", layer.weight), ("b", layer.bias)):
            size = layer.layer.outputs
            for head, values in (
                (letter, update.before),
                (f"∂C/∂{letter}", update.gradient),
                (f"Δ{letter}", update.change),
                (f"{letter}_new", update.after),
            ):
                _parameter(found, head, k, values, size)
            _optimizer(found, letter, k, update, size)
    if last > 1 and not many:
        _shares(found, trace.layers[last - 1])
    if not softmax:
        _of_loss(found, trace, many)
    return found


def _between(found: Table, layer: LayerTrace, many: bool) -> None:
    """The parts of an activation, and softmax's mean."""
    saved = layer.activation.saved
    for head in PARTS:
        if head in saved:
            _rows(found, head, layer.number, saved[head], many)
    if "mean" in saved:
        _each(found, "m", layer.number, saved["mean"], many)


def _shares(found: Table, last: LayerTrace) -> None:
    """What each output's loss adds to the gradient at each hidden neuron before it."""
    for (o, j), weight in np.ndenumerate(last.weight.before):
        found[Quantity(SHARE, last.number - 1, (j, o))] = float(weight * last.delta[0][o])


def _of_loss(found: Table, trace: Trace, many: bool) -> None:
    saved = trace.root.saved
    _rows(found, "l", None, saved["elements"], many)
    _each(found, "C_each", None, saved["each"], many)
    if "p" in saved:
        _rows(found, "p", None, saved["p"], many)
    if "log_sum" in saved:
        _each(found, "L", None, saved["log_sum"], many)


def _each(found: Table, head: str, layer: int | None, values: Array, many: bool) -> None:
    """One number an example."""
    for n, value in enumerate(values.reshape(-1).tolist()):
        found[Quantity(head, layer, (n,) if many else ())] = float(value)


def _optimizer(found: Table, letter: str, k: int, update: ParameterUpdate, size: int) -> None:
    """The optimizer's lines, and the state that they start from."""
    for name, values in update.results.items():
        if name != "change":
            _parameter(found, f"{name}_{letter}", k, values, size)
    for name in update.update.state:
        _parameter(found, f"{name}_before_{letter}", k, update.names[f"{name}_before"], size)


def _rows(found: Table, head: str, layer: int | None, values: Array, many: bool) -> None:
    for index, value in np.ndenumerate(values):
        found[Quantity(head, layer, index if many else index[1:])] = float(value)


def _parameter(found: Table, head: str, layer: int, values: Array, size: int) -> None:
    if values.ndim == 1 and len(values) < size:  # one bias that the layer shares
        found[Quantity(head, layer, ())] = float(values[0])
        values = np.repeat(values, size)
    for index, value in np.ndenumerate(values):
        found[Quantity(head, layer, index)] = float(value)


def plain(value: Any) -> float:
    return float(value)
