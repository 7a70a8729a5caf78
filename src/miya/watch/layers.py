"""The layers of a watched model: modules that own parameters, and where each parameter goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn


@dataclass(eq=False)
class Held:
    """One trained parameter: its layer, the optimizer and group that hold it, its own name."""

    layer: int
    name: str
    parameter: nn.Parameter
    optimizer: int
    group: int

    @property
    def is_bias(self) -> bool:
        return self.name.rpartition(".")[2].startswith("bias")


@dataclass(eq=False)
class WatchedLayer:
    """path and kind of a module that owns parameters; a tied parameter is its first owner's."""

    path: str
    kind: str
    held: list[Held] = field(default_factory=list)
    frozen: bool = False


def layers_of(
    model: nn.Module, optimizers: Sequence[torch.optim.Optimizer]
) -> tuple[list[WatchedLayer], list[Held]]:
    """Every layer, and every parameter that an optimizer trains, in the model's order."""
    where = {
        id(p): (k, g)
        for k, optimizer in enumerate(optimizers)
        for g, group in enumerate(optimizer.param_groups)
        for p in group["params"]
    }
    layers: list[WatchedLayer] = []
    held: list[Held] = []
    seen: set[int] = set()
    for path, module in plain(model).named_modules():
        own = [(n, p) for n, p in module.named_parameters(recurse=False) if id(p) not in seen]
        if not own:
            continue
        layer = WatchedLayer(path, type(module).__name__)
        for name, p in own:
            seen.add(id(p))
            if p.requires_grad and id(p) in where:
                full = f"{path}.{name}" if path else name
                layer.held.append(Held(len(layers), full, p, *where[id(p)]))
        layer.frozen = not layer.held
        held += layer.held
        layers.append(layer)
    return layers, held


def plain(model: nn.Module) -> nn.Module:
    """The model inside a wrapper of torch's own (torch.compile, DataParallel, DDP)."""
    while True:
        inner: Any = getattr(model, "_orig_mod", None)
        if inner is None and isinstance(
            model, (nn.DataParallel, nn.parallel.DistributedDataParallel)
        ):
            inner = model.module
        if inner is None:
            return model
        model = inner
