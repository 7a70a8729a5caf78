"""A state dict from a safetensors file into a model, every name accounted for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import nn

from ...errors import MiyaInputError
from ..weights import check_safetensors, damaged, no_slope

MOST_TOLD = 6


def load_state(model: nn.Module, path: Path) -> None:
    """Put the weights of the file into `model`, in its own dtypes.

    A tied parameter may stand under one of its names. Raises MiyaInputError E220, E407, E501,
    E510 (names missing or unexpected, other shapes), E640.
    """
    check_safetensors(path)
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        held = load_file(path)
    except (SafetensorError, OSError) as error:
        raise damaged(path, error) from None
    wanted = model.state_dict(keep_vars=True)
    _check_names(path, wanted, held)
    _check_tensors(path, wanted, held)
    with torch.no_grad():
        for name, tensor in held.items():
            wanted[name].copy_(tensor)


def _check_names(
    path: Path, wanted: Mapping[str, torch.Tensor], held: Mapping[str, torch.Tensor]
) -> None:
    given = {id(tensor) for name, tensor in wanted.items() if name in held}
    missing = [name for name, tensor in wanted.items() if id(tensor) not in given]
    unexpected = [name for name in held if name not in wanted]
    told = [
        f"{what} {_listed(names)}"
        for what, names in (("it misses", missing), ("it has unexpected", unexpected))
        if names
    ]
    if told:
        raise MiyaInputError(
            "E510",
            f"{path} does not fit the model: {'; '.join(told)}",
            hint="make the model that the weights were saved from",
        )


def _check_tensors(
    path: Path, wanted: Mapping[str, torch.Tensor], held: Mapping[str, torch.Tensor]
) -> None:
    for name, tensor in held.items():
        goal = wanted[name]
        if tensor.shape != goal.shape:
            raise MiyaInputError(
                "E510",
                f"{path}: {name} has shape {tuple(tensor.shape)}, the model's {tuple(goal.shape)}",
                hint="make the model that the weights were saved from",
            )
        if goal.is_floating_point() and not tensor.is_floating_point():
            raise no_slope(path, name, str(tensor.dtype).removeprefix("torch."))


def _listed(names: Iterable[str]) -> str:
    told = list(names)
    more = f" and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    return ", ".join(told[:MOST_TOLD]) + more
