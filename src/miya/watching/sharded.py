"""Parameters that are split among processes (FSDP2, tensor parallelism): what of them is here.

Every process holds its own part of each as a DTensor. Only that part is looked at, so nothing is
sent for it; the ranks' records are put together when they are read (merging.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from .foreign import Foreign
from .ranks import rank


def local(parameter: torch.Tensor) -> torch.Tensor:
    """The part of a parameter or gradient that this process holds: all of it where it is whole."""
    part: Any = getattr(parameter, "_local_tensor", None)
    return parameter if part is None else part


def is_split(parameter: torch.Tensor) -> bool:
    """Whether it is a DTensor that no process holds the whole of."""
    return any(place.is_shard() for place in _placements(parameter))


def split_of(parameters: Iterable[torch.Tensor]) -> str:
    """How a layer's parameters are split: "" not at all; "rows", along the first dimension in the
    order of the ranks, as FSDP2 does; "parts" in another way."""
    found = list(parameters)
    if not any(map(is_split, found)):
        return ""
    rows = all(len(_placements(p)) == 1 and _placements(p)[0].is_shard(0) for p in found)
    return "rows" if rows else "parts"


def is_counted_here(parameter: torch.Tensor, split: str) -> bool:
    """Whether this rank is the one that tells of the part it holds, so that every number of the
    layer is told of once: of copies of a part, the first; of an empty part, none."""
    if not split:
        return True
    if not is_split(parameter):
        return rank() == 0
    place: Any = parameter
    coordinate = place.device_mesh.get_coordinate()
    if coordinate is None or not local(parameter).numel():
        return False
    copies = zip(_placements(parameter), coordinate, strict=True)
    return all(at == 0 for placed, at in copies if not placed.is_shard())


def kind_of(module: nn.Module) -> str:
    """The name of a module's class; fully_shard puts a class of its own before it."""
    return module.kind if isinstance(module, Foreign) else class_of(module).__name__


def split_again(model: nn.Module) -> None:
    """Every part of the model that FSDP2 splits holds its own share alone, as after a backward
    pass: a forward pass without one leaves the outermost whole, and the next would take that."""
    for module in model.modules():
        if class_of(module) is not type(module):
            part: Any = module
            part.reshard()


def class_of(module: nn.Module) -> type[nn.Module]:
    kinds = type(module).__mro__
    if len(kinds) > 2 and kinds[1].__name__ == "FSDPModule":
        return kinds[2]
    return kinds[0]


def _placements(parameter: torch.Tensor) -> tuple[Any, ...]:
    return tuple(getattr(parameter, "placements", ()))
