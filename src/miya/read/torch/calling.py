"""How a step's model and loss are called, and what their arguments are named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from .values import parts_of


def arguments_of(inputs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A dict gives named arguments, a plain tuple or list those in order; all else is one."""
    if isinstance(inputs, Mapping):
        return (), {str(key): item for key, item in inputs.items()}
    if isinstance(inputs, (tuple, list)) and not hasattr(inputs, "_fields"):
        return tuple(inputs), {}
    return (inputs,), {}


def call_model(model: nn.Module, inputs: Any) -> Any:
    ordered, keywords = arguments_of(inputs)
    return model(*ordered, **keywords)


def loss_of(output: Any, target: Any, criterion: Any) -> Any:
    """C: of the criterion, or without one what the model itself gives as the loss."""
    if criterion is not None:
        return criterion(output) if target is None else criterion(output, target)
    if isinstance(output, torch.Tensor):
        return output
    found = parts_of(output).get("loss", getattr(output, "loss", None))
    return output if found is None else found


def named(found: Any, word: str) -> list[tuple[str, torch.Tensor]]:
    """The tensors of an argument, by name: "input", "input.0" or the argument's own name."""
    if isinstance(found, torch.Tensor):
        return [(word, found)]
    if isinstance(found, Mapping):
        return [pair for key, item in found.items() for pair in named(item, str(key))]
    return [pair for key, item in parts_of(found).items() for pair in named(item, f"{word}.{key}")]
