"""A Keras 3 model on torch as a watch needs it: modules with parameters, and an optimizer's step.

Keras keeps all variables in one flat list, calls its layers past torch's hooks, and has optimizers
of its own. So every layer gets a module beside it, which its output goes through before the
activation, and `optimizer.apply` goes through a torch optimizer's step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from ..foreign import Foreign

AFTER = ("BatchNormalization", "Embedding", "GroupNormalization", "LayerNormalization")


class Step(torch.optim.Optimizer):
    """Keras's `apply` as a step; the learning rate is asked for where it is looked at."""

    def __init__(self, keras: Any, parameters: list[nn.Parameter]) -> None:
        super().__init__(parameters, {"lr": Rate(keras)})
        self.apply = keras.apply

    def step(self, *, grads: Any, variables: Any) -> None:  # type: ignore[override]
        self.apply(grads, variables)


class Rate:
    def __init__(self, keras: Any) -> None:
        self.keras = keras

    def __float__(self) -> float:
        found = self.keras.learning_rate
        return float(getattr(found, "value", found))


class Beside:
    """What is put beside a Keras model while it is watched, and taken away again by `remove`."""

    def __init__(self, model: Any, tell: Callable[[torch.Tensor], None]) -> None:
        self.put: list[tuple[Any, str, Any]] = []
        self.module = nn.Module()
        for name, layer in _named(model):
            self._layer(name, layer)
        self.optimizer = Step(model.optimizer, list(self.module.parameters()))
        self._optimizer(model.optimizer, tell)

    def _layer(self, name: str, layer: Any) -> None:
        variables = {v.name: v.value for v in layer._trainable_variables}
        if not variables:
            return
        kind = type(layer).__name__
        beside = Foreign(kind, variables, depthwise=kind.startswith("Depthwise"))
        self.module.add_module(name, beside)
        if getattr(layer, "data_format", "channels_last") == "channels_first":
            return  # neurons lie elsewhere in it: only its parameters are watched
        if kind in AFTER:
            call = layer.call
            self._replace(layer, "call", lambda *a, **k: beside(call(*a, **k)))
        elif "recurrent_kernel" in variables:
            return  # a cell's activation is of its gates
        elif "kernel" in variables and callable(getattr(layer, "activation", None)):
            activation = layer.activation
            self._replace(layer, "activation", lambda z: activation(beside(z)))

    def _optimizer(self, keras: Any, tell: Callable[[torch.Tensor], None]) -> None:
        step, scale = self.optimizer, keras.scale_loss

        def apply(grads: Any, trainable_variables: Any = None) -> None:
            step.step(grads=grads, variables=trainable_variables)

        def scale_loss(loss: torch.Tensor) -> Any:
            tell(loss)
            return scale(loss)

        self._replace(keras, "apply", apply)
        self._replace(keras, "scale_loss", scale_loss)

    def _replace(self, place: Any, name: str, call: Any) -> None:
        self.put.append((place, name, vars(place).get(name)))
        object.__setattr__(place, name, call)

    def remove(self) -> None:
        for place, name, was in self.put:
            if was is None:
                object.__delattr__(place, name)
            else:
                object.__setattr__(place, name, was)
        self.put = []


def refusal(model: Any) -> str:
    """Why a model cannot be watched; empty where it can."""
    optimizer = model.optimizer
    if optimizer is None:
        return "the model was compiled without an optimizer"
    if getattr(model, "jit_compile", False) is True:
        return "the model is compiled with jit_compile=True"
    if hasattr(optimizer, "inner_optimizer") or optimizer.loss_scale_factor is not None:
        return "the optimizer scales the loss (LossScaleOptimizer, as mixed_float16 takes one)"
    if optimizer.gradient_accumulation_steps is not None:
        return "the optimizer accumulates gradients over several calls of apply"
    return ""


def _named(model: Any) -> Iterator[tuple[str, Any]]:
    """Every layer that may hold variables, innermost ones too, by a name without dots."""
    seen: dict[str, int] = {}
    for layer in model._flatten_layers(include_self=True, recursive=True):
        if not layer._trainable_variables:
            continue
        path = layer._trainable_variables[0].path.rpartition("/")[0]
        name = (path.partition("/")[2] or path).replace("/", "_").replace(".", "_")
        seen[name] = seen.get(name, 0) + 1
        yield (name if seen[name] == 1 else f"{name}_{seen[name]}"), layer
