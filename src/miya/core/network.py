"""A network ready to be traced: arrays and records, checked by `build.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from .activations import Activation
from .flat import Layout, layout
from .losses import Loss
from .optimizers import Optimizer
from .rounding import Array

Parameters = Mapping[str, Array]


@dataclass(frozen=True)
class Layer:
    """One dense layer: z = W a + b, a = activation(z).

    weight: (out, in). bias: (out,), or (1,) where the whole layer shares one bias.
    `weight_mask` and `bias_mask` have their parameter's shape, True where it is trained.
    """

    name: str
    weight: Array
    bias: Array
    activation: Activation
    neurons: tuple[str, ...]
    weight_mask: Array
    bias_mask: Array

    @property
    def shared_bias(self) -> bool:
        return int(self.bias.shape[0]) < self.outputs

    @property
    def inputs(self) -> int:
        return int(self.weight.shape[1])

    @property
    def outputs(self) -> int:
        return int(self.weight.shape[0])


@dataclass(frozen=True)
class Network:
    """Layers, loss, optimizer and the examples of one step.

    inputs: (n, in) and targets: (n, out), the layers' dtype (float64 or float32). Class targets
    of cross entropy are held one-hot.
    """

    layers: tuple[Layer, ...]
    loss: Loss
    optimizer: Optimizer
    learning_rate: float
    inputs: Array
    targets: Array
    title: str = ""
    input_names: tuple[str, ...] = ()
    example_names: tuple[str, ...] = ()
    batch: bool = field(default=False)

    @property
    def examples(self) -> int:
        return int(self.inputs.shape[0])

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.inputs.dtype)

    @property
    def sizes(self) -> tuple[int, ...]:
        return (self.layers[0].inputs, *(layer.outputs for layer in self.layers))

    def parameters(self) -> dict[str, Array]:
        """ "weight1", "bias1", ... by 1-based layer, in the order of the layers."""
        found: dict[str, Array] = {}
        for number, layer in enumerate(self.layers, 1):
            found[f"weight{number}"] = layer.weight
            found[f"bias{number}"] = layer.bias
        return found

    def masks(self) -> dict[str, Array]:
        found: dict[str, Array] = {}
        for number, layer in enumerate(self.layers, 1):
            found[f"weight{number}"] = layer.weight_mask
            found[f"bias{number}"] = layer.bias_mask
        return found

    @cached_property
    def layout(self) -> Layout:
        """Where each parameter lies in a vector of all."""
        return layout(tuple((name, value.shape) for name, value in self.parameters().items()))

    @cached_property
    def frozen(self) -> Array | None:
        """(parameters,) True where one is not trained; None where all are."""
        masks = self.masks()
        if all(mask.all() for mask in masks.values()):
            return None
        return ~self.layout.vector(masks)

    def with_parameters(self, values: Parameters) -> Network:
        """The same network with these parameters; the old one is left as it was."""
        layers = tuple(
            replace(layer, weight=values[f"weight{k}"], bias=values[f"bias{k}"])
            for k, layer in enumerate(self.layers, 1)
        )
        return replace(self, layers=layers)
