"""One example after the other: what every shorter way is checked against, and what is left where
there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

from ..read.torch.functions import plain_name
from .capture import STILL, without_dropout
from .evidence import DOUBLE
from .losses import single_number

Tensor = torch.Tensor


class Still(TorchFunctionMode):
    """Dropout lets everything pass."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if plain_name(getattr(func, "__name__", ""))[0] in STILL:
            args, kwargs = without_dropout(args, kwargs)
        return func(*args, **kwargs)


def run(model: Callable[..., Any], inputs: Any) -> Any:
    """The model on inputs: several in a tuple or list, or by name in a dict."""
    if isinstance(inputs, dict):
        return model(**inputs)
    if isinstance(inputs, (tuple, list)):
        return model(*inputs)
    return model(inputs)


def example(found: Any, k: int, batch: int) -> Any:
    """Example k of a batch, as a batch of one."""

    def part(t: Any) -> Any:
        whole = isinstance(t, Tensor) and t.dim() and t.shape[0] == batch
        return t[k : k + 1].clone() if whole else t

    return tree_map(part, found)


def cost(model: nn.Module, loss: Any, inputs: Any, target: Any) -> Tensor:
    """The loss of a batch of one."""
    found = run(model, inputs)
    return single_number(loss(found, target) if loss is not None else found)


def gradients(
    model: nn.Module, loss: Any, named: dict[str, nn.Parameter], inputs: Any, target: Any
) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss of a batch of one and its gradients, by parameter, of those that it uses."""
    found = cost(model, loss, inputs, target)
    if not found.requires_grad:
        return found, {}
    slopes = torch.autograd.grad(found, list(named.values()), allow_unused=True)
    return found, {n: g for n, g in zip(named, slopes, strict=True) if g is not None}


def norm(found: dict[str, Tensor], named: dict[str, nn.Parameter]) -> Tensor:
    """(parameters,) float64."""
    norms = [
        torch.linalg.vector_norm(found[n], dtype=DOUBLE)
        if n in found
        else torch.zeros((), dtype=DOUBLE)
        for n in named
    ]
    return torch.stack([n.cpu() for n in norms])
