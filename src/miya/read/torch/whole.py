"""A model that FSDP2 has split among processes, put together on each."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def whole(model: nn.Module) -> nn.Module:
    """A model whose parameters are split among processes (FSDP2) as one with whole ones: its
    modules anew, without FSDP's hooks, with the same buffers. Every process must call it."""
    if not any(hasattr(p, "full_tensor") for p in model.parameters()):
        return model
    return _whole(model, {}, {})


def _whole(
    model: nn.Module, modules: dict[int, nn.Module], known: dict[int, nn.Parameter | None]
) -> nn.Module:
    if id(model) in modules:
        return modules[id(model)]
    kinds = type(model).__mro__
    fsdp = len(kinds) > 2 and kinds[1].__name__ == "FSDPModule"
    kind = kinds[2] if fsdp else kinds[0]
    made: Any = object.__new__(kind)
    modules[id(model)] = made
    made.__dict__.update(vars(model))
    for name in ("_forward_pre_hooks", "_forward_hooks"):
        own = {k: h for k, h in vars(model)[name].items() if not _is_of_fsdp(h)}
        made.__dict__[name] = type(vars(model)[name])(own)
    made._parameters = {n: _parameter(p, known) for n, p in model._parameters.items()}
    made._modules = {
        n: None if m is None else _whole(m, modules, known) for n, m in model._modules.items()
    }
    found: nn.Module = made
    return found


def _parameter(
    parameter: nn.Parameter | None, known: dict[int, nn.Parameter | None]
) -> nn.Parameter | None:
    if id(parameter) not in known:
        known[id(parameter)] = (
            None
            if parameter is None
            else nn.Parameter(whole_of(parameter).detach(), requires_grad=parameter.requires_grad)
        )
    return known[id(parameter)]


def whole_of(tensor: torch.Tensor) -> torch.Tensor:
    """All of a tensor that may be split among processes; every one of them must call it then."""
    gather: Any = getattr(tensor, "full_tensor", None)
    found: torch.Tensor = tensor if gather is None else gather()
    return found


def _is_of_fsdp(hook: object) -> bool:
    return type(getattr(hook, "__self__", None)).__name__ == "FSDPState"
