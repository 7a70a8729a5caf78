"""A training run looked back on: its loss, the pressure on each neuron, sizes by layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from ..core.rounding import Array
from ..core.run import RunLayer, RunParameter, RunStep
from ..errors import MiyaInputError

Part = Callable[[RunParameter], Array]


@dataclass(frozen=True)
class LayerHistory:
    """One layer over the k steps of a run.

    pressure: (k, out), δ of each neuron summed over the examples, as `blame` ranks it.
    gradient_size, update_size: (k,), ‖∂C/∂θ‖₂ and ‖Δθ‖₂ over the layer's weights and biases
    together.
    """

    number: int
    name: str
    pressure: Array
    gradient_size: Array
    update_size: Array


@dataclass(frozen=True)
class History:
    """steps: (k,) whole numbers. loss: (k,), C before each step."""

    steps: Array
    loss: Array
    layers: tuple[LayerHistory, ...]


def history(run: Iterable[RunStep]) -> History:
    """What the steps of a run bring together. Raises MiyaInputError E645 where there is none."""
    numbers, losses = [], []
    rows: list[list[tuple[Array, float, float]]] = []
    made: list[tuple[str, tuple[int, ...]]] = []
    for step in run:
        layers_here = [(layer.name, layer.weight.gradient.shape) for layer in step.layers]
        if rows and layers_here != made:
            raise MiyaInputError(
                "E645", f"step {step.number} has other layers", hint="plot one run at a time"
            )
        made = layers_here
        numbers.append(step.number)
        losses.append(step.loss)
        rows.append([_measures(layer) for layer in step.layers])
    if not rows:
        raise MiyaInputError("E645", "the run has no steps", hint="train for at least 1 step")
    layers = []
    for number, ((name, _), column) in enumerate(
        zip(made, zip(*rows, strict=True), strict=True), 1
    ):
        pressure, gradients, updates = zip(*column, strict=True)
        layers.append(
            LayerHistory(number, name, np.stack(pressure), np.array(gradients), np.array(updates))
        )
    return History(np.array(numbers), np.array(losses), tuple(layers))


def _measures(layer: RunLayer) -> tuple[Array, float, float]:
    return (
        layer.delta.sum(axis=0),
        _size(layer, lambda parameter: parameter.gradient),
        _size(layer, lambda parameter: parameter.change),
    )


def _size(layer: RunLayer, part: Part) -> float:
    values = [part(p).astype(np.float64).ravel() for p in (layer.weight, layer.bias)]
    return float(np.linalg.norm(np.concatenate(values)))
