"""NumPy arrays where tensors are expected, and batches with nothing in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from ...core.rounding import Array
from ...errors import MiyaInputError
from .batch import dtype_of
from .calling import named
from .copies import Notes
from .named import takes_numbers

Convert = Callable[[Array, str], torch.Tensor]


def converter(model: nn.Module, loss: Any, notes: Notes) -> Convert:
    """What makes a tensor of an array that is an "input" or a "target": fractions in the dtype of
    the model's parameters, whole numbers in int64 (a target in the model's dtype where the loss
    compares numbers), truth values as they are, all on the model's device. What is changed by
    that is noted (W426).

    It raises MiyaInputError E206 and E208.
    """
    dtype, device = dtype_of(model), _device(model)

    def convert(array: Array, word: str) -> torch.Tensor:
        found = np.asarray(array)
        kind = found.dtype.kind
        if kind == "c":
            raise MiyaInputError("E208", f"the {word} is complex", hint="give real numbers")
        if kind not in "fiub":
            raise MiyaInputError("E206", f"the {word} holds {found.dtype}", hint="give numbers")
        wanted = {"f": dtype, "b": torch.bool}.get(kind, torch.int64)
        if word == "target" and kind in "iu" and takes_numbers(loss):
            wanted = dtype
        wide = {"f": np.float64, "b": np.bool_}.get(kind, np.int64)
        made = torch.from_numpy(found.astype(wide)).to(device, wanted)
        if str(wanted) != f"torch.{found.dtype}":
            name = str(wanted).removeprefix("torch.")
            notes.append(
                ("W426", f"the {word} is a NumPy array of {found.dtype}: it is taken as {name}")
            )
        return made

    return convert


def _device(model: nn.Module) -> torch.device:
    held = next((t for t in (*model.parameters(), *model.buffers())), None)
    return torch.device("cpu") if held is None else held.device


def check_not_empty(inputs: Any) -> None:
    """Raises MiyaInputError E420 where no input holds a number."""
    tensors = named(inputs, "input")
    if tensors and not any(t.numel() for _, t in tensors):
        name, first = tensors[0]
        raise MiyaInputError(
            "E420",
            f"the batch is empty: {name} is of shape {tuple(first.shape)}, which holds no number",
            hint="give one example or more",
        )
