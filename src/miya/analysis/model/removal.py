"""Removal in a model: the loss with a parameter, a neuron or a layer really at 0, minus the loss.

A parameter is set to 0; a neuron's output is set to 0 as the model makes it (after the activation
function that alone reads it, where there is one); a gate's and a layer's parameters are set to 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...core.calls import Call, Value
from ...core.model import ModelTrace
from ...core.rerun import Silence
from ...core.rounding import Array
from .neurons import Neurons
from .ranking import Group

_ACTIVATIONS = (
    "relu relu6 leaky_relu prelu rrelu elu celu selu gelu silu mish sigmoid tanh softplus softsign "
    "hardtanh hardsigmoid hardswish hardshrink softshrink tanhshrink logsigmoid threshold"
)
ACTIVATIONS = frozenset(_ACTIVATIONS.split())
Index = tuple[int, ...]


class Removals:
    """Losses of a trace's model with something taken away, minus the loss, in float64 where the
    model can be converted. done: how many were worked out."""

    def __init__(self, trace: ModelTrace) -> None:
        self.trace, self.done = trace, 0
        # the losses' differences are small: a narrow dtype would lose their digits
        self.runner = trace.runner.widened()
        self.before = self.runner.loss_without(())
        assert self.before is not None

    def parameters(self, name: str, indices: Sequence[Index]) -> Array:
        array = self.trace.parameters[name].before
        found = []
        for index in indices:
            without = array.copy()
            without[index] = 0
            found.append(self._loss({name: without}))
        return np.array(found)

    def neurons(self, layer: Neurons, indices: Sequence[Index]) -> Array:
        """NaN where the model did not make the neuron again."""
        return np.array([self._neuron(layer, index) for index in indices])

    def layer(self, names: Sequence[str]) -> float:
        zeros = {n: np.zeros_like(self.trace.parameters[n].before) for n in names}
        return self._loss(zeros)

    def _neuron(self, layer: Neurons, index: Index) -> float:
        if layer.bias is not None:
            return self._loss(self._without_rows(layer, index))
        silences = []
        for call, axes in layer.calls:
            value = _spoken(call.results[0])
            if len(axes) != 1 or value.call is None:
                return float("nan")
            axis = axes[0] % len(value.shape)
            silences.append(
                Silence(value.call.number, value.call.name, value.slot, value.shape, axis, index[0])
            )
        return self._loss({}, tuple(silences))

    def _without_rows(self, layer: Neurons, index: Index) -> dict[str, Array]:
        row = int(np.ravel_multi_index(index, layer.shape))
        found = {}
        for name, _ in layer.incoming:
            found[name] = self.trace.parameters[name].before.copy()
            found[name][row] = 0
        return found

    def _loss(self, parameters: Mapping[str, Array], silences: tuple[Silence, ...] = ()) -> float:
        self.done += 1
        loss = self.runner.loss_without(silences, parameters)
        return float("nan") if loss is None else loss - (self.before or 0.0)


def _spoken(value: Value) -> Value:
    """What the neuron says: after the activation function that alone reads it."""
    readers: list[tuple[Call, str]] = value.uses
    if len(readers) == 1 and readers[0][0].name in ACTIVATIONS:
        result = readers[0][0].results[0]
        return result if result.shape == value.shape else value
    return value


def candidates(groups: Sequence[Group], most: int) -> list[tuple[int, list[Index]]]:
    """Of all groups' elements the `most` with the largest values by size: (group, indices)."""
    flat = [np.abs(g.values.ravel()) for g in groups]
    some = [_top(sizes, most) for sizes in flat]
    owner = np.concatenate([np.full(len(c), g) for g, c in enumerate(some)] or [np.zeros(0, int)])
    place = np.concatenate(some or [np.zeros(0, int)])
    sizes = np.concatenate([f[c] for f, c in zip(flat, some, strict=True)] or [np.zeros(0)])
    best = np.argsort(-sizes, kind="stable")[:most]
    found: dict[int, list[Index]] = {}
    for k in np.sort(best).tolist():
        g = int(owner[k])
        index = np.unravel_index(int(place[k]), groups[g].values.shape)
        found.setdefault(g, []).append(tuple(int(i) for i in index))
    return list(found.items())


def _top(sizes: Array, most: int) -> Array:
    if sizes.size <= most:
        return np.arange(sizes.size)
    return np.sort(np.argpartition(-sizes, most - 1)[:most])


def picked(group: Group, indices: Sequence[Index], values: Array) -> Group:
    """Some elements of a group, with values of their own; those without one (NaN) left out."""
    keep = ~np.isnan(values)
    places = tuple(index for index, k in zip(indices, keep.tolist(), strict=True) if k)
    return replace(group, values=values[keep], places=places)
