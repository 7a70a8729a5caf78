"""The parameters of a model, each once, with all its names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn


@dataclass(frozen=True)
class Tied:
    """A parameter and the further names that it has; module: the path of the module it is in."""

    tensor: nn.Parameter
    aliases: tuple[str, ...]
    module: str


def tied_parameters(model: nn.Module, criterion: Any, prefix: str) -> dict[str, Tied]:
    """By first name, in the model's order; then those of a loss that has some of its own."""
    names: dict[int, list[str]] = {}
    found: dict[int, nn.Parameter] = {}
    pairs = list(model.named_parameters(remove_duplicate=False))
    if isinstance(criterion, nn.Module):
        pairs += criterion.named_parameters(prefix[:-1], remove_duplicate=False)
    for name, p in pairs:
        names.setdefault(id(p), []).append(name)
        found[id(p)] = p
    return {
        first: Tied(found[key], tuple(rest), first.rpartition(".")[0])
        for key, (first, *rest) in names.items()
    }
