"""What a picture of the givens alone says: the network before any of its numbers is worked out.

Nothing here reads a result of the trace, so no answer of a worksheet can be in its picture.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from ..core.network import Layer, Network
from ..core.rounding import Array
from .content import NAME, Card, Content, Input, Line, reference, tone
from .font import clean
from .scene import Tone

MOST_VALUES = 4  # of a batch told beside an input


class Givens(Content):
    """Texts and tones of a network: its weights, biases, inputs and targets."""

    @property
    def network(self) -> Network:
        return self.trace.network

    @cached_property
    def flows(self) -> list[Any]:
        """One a layer; nothing flows yet."""
        return [None] * len(self.network.layers)

    @cached_property
    def greedy(self) -> None:
        return None

    @cached_property
    def largest(self) -> dict[str, float]:
        return {"weight": max(float(np.abs(v).max()) for v in self.network.parameters().values())}

    @property
    def tapped(self) -> str:
        return ""

    def named(self, layer: int) -> list[int]:
        return []

    def given(self, values: Array) -> str:
        """One number an example."""
        shown = [self.number(float(v)) for v in values[:MOST_VALUES]]
        return ", ".join([*shown, "…"] if len(values) > MOST_VALUES else shown)

    def inputs(self) -> list[Input]:
        names, found = self.network.input_names, []
        for j in range(self.network.sizes[0]):
            value, ref = self.given(self.network.inputs[:, j]), f"x[{j}]"
            name = clean(names[j]) if names else ref
            title = self.say("input_title", name=name[:NAME], value=value)
            found.append(Input(ref, title, name, value))
        return found

    def targets(self) -> list[str]:
        targets = self.network.targets
        return [self.given(targets[:, i]) for i in range(targets.shape[1])]

    def cards(self, k: int, only: list[int] | None = None, top: int | None = None) -> list[Card]:
        neurons = range(self.network.layers[k].outputs) if only is None else only
        return [self.card(k, i, top) for i in neurons]

    def card(self, k: int, i: int, top: int | None = None) -> Card:
        layer, number = self.network.layers[k], k + 1
        name = clean(layer.neurons[i])
        title = self.say("neuron_given", name=name[:NAME], i=i, layer=number)
        facts = (layer.activation.name.replace("_", " "),)
        places = [*range(layer.inputs), -1]
        lines = tuple(self._given_line(layer, number, i, j) for j in places)
        ref = f"n{number}.{i}"
        return Card(ref, number, title, name, "", facts, Tone(), False, False, lines, (), "")

    def _given_line(self, layer: Layer, number: int, i: int, j: int) -> Line:
        kind = "weight" if j >= 0 else "bias"
        own = 0 if kind == "bias" and layer.shared_bias else i
        index = (own, j) if kind == "weight" else (own,)
        values, mask = (
            (layer.weight, layer.weight_mask) if kind == "weight" else (layer.bias, layer.bias_mask)
        )
        value, ref = float(values[index]), reference(kind, number, index)
        cells = {"before": self.number(value)}
        target = clean(layer.neurons[i])[:NAME]
        title = self.say("edge_given", ref=ref, source=self._source(number, j), target=target)
        shown = tone(value, self.largest["weight"])
        frozen = not bool(mask[index])
        title = f"{title} {cells['before']}"
        return Line(ref, kind, j, title, cells, shown, None, frozen, False)

    def _source(self, number: int, j: int) -> str:
        if j < 0:
            return self.words["constant"]
        if number > 1:
            return clean(self.network.layers[number - 2].neurons[j])[:NAME]
        names = self.network.input_names
        return clean(names[j])[:NAME] if names else f"x[{j}]"
