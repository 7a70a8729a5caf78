"""Fitting the weights of a state dict to the layers of a network description."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from ..core.labels import tables
from ..core.numbers_in import shape_of
from ..core.rounding import Array
from ..errors import MiyaInputError

MOST_TRIED = 10_000
HINT = "name the layers in the network file as their weights are named"


@dataclass(frozen=True)
class Dense:
    """One dense layer of a state dict: `name`.weight (out, in) and `name`.bias (out,), if any."""

    name: str
    weight: Array
    bias: Array | None

    def __str__(self) -> str:
        shape = "x".join(map(str, self.weight.shape))
        return f"{self.name or 'weight'} ({shape})"


def fitted(description: Mapping[str, Any], arrays: Mapping[str, Array]) -> dict[str, Any]:
    """The description with the weights of its layers replaced by those of a state dict.

    Layers may leave their weights out. They are matched by the layers' names where each is named
    in the file; else by the numbers in the file's names (fc1, fc2; 0, 2), or by their shapes where
    only one order fits. A layer without a bias in the file gets zeros, which are not trained.
    Raises MiyaInputError E510 (they do not fit), E511 (several orders fit).
    """
    given = tables(description, "layers", "E105", "add a [[layers]] table for each")
    layers = [dict(layer) for layer in given]
    found = _dense(arrays)
    if len(found) != len(layers):
        raise MiyaInputError(
            "E510",
            f"the network has {len(layers)} layers, the weights are of {len(found)}: "
            + ", ".join(map(str, found)),
            hint="give the network a layer for each; an activation is no layer of its own",
        )
    order = _named(layers, found) or _numbered(layers, found) or _only_one(layers, found)
    for layer, dense in zip(layers, order, strict=True):
        layer["weight"] = np.asarray(dense.weight, np.float64)
        layer["bias"] = np.zeros(len(dense.weight)) if dense.bias is None else dense.bias
        layer.setdefault("name", dense.name)
        if dense.bias is None:
            layer["trainable"] = _without_bias(layer.get("trainable", True))
    return {**description, "layers": layers}


def _without_bias(trainable: Any) -> Any:
    if isinstance(trainable, Mapping):
        return {**trainable, "bias": False}
    return {"weight": trainable, "bias": False}


def _dense(arrays: Mapping[str, Array]) -> list[Dense]:
    """The dense layers of a state dict, in the order of the numbers in their names."""
    heads = sorted({name.rpartition(".")[0] for name in arrays}, key=_natural)
    made, used = [], set()
    for head in heads:
        names = [f"{head}.{part}" if head else part for part in ("weight", "bias")]
        weight, bias = (arrays.get(name) for name in names)
        if (
            weight is None
            or weight.ndim != 2
            or (bias is not None and bias.shape != weight.shape[:1])
        ):
            continue
        made.append(Dense(head, weight, bias))
        used.update(names)
    other = [f"{n} ({'x'.join(map(str, a.shape))})" for n, a in arrays.items() if n not in used]
    if other:
        raise MiyaInputError(
            "E510",
            f"a network file has dense layers only; the weights hold {', '.join(other[:8])}",
            hint="name package.module:make_model as the network for any other model",
        )
    return made


def _natural(name: str) -> list[tuple[int, str]]:
    """A sort key by which fc2 comes before fc10."""
    return [(int(p), "") if p.isdigit() else (-1, p) for p in re.split(r"(\d+)", name)]


def _named(layers: Sequence[Mapping[str, Any]], found: Sequence[Dense]) -> list[Dense]:
    """By the layers' names, where every one is in the file."""
    by_name = {dense.name: dense for dense in found}
    names = [layer.get("name") for layer in layers]
    if not all(isinstance(n, str) and n in by_name for n in names) or len({*names}) < len(names):
        return []
    order = [by_name[str(n)] for n in names]
    _check(layers, order)
    return order


def _numbered(layers: Sequence[Mapping[str, Any]], found: Sequence[Dense]) -> list[Dense]:
    """In the order of their numbers, where the names differ in nothing else."""
    stems = {re.sub(r"\d+", "#", dense.name) for dense in found}
    if len(stems) > 1 and len(found) > 1:
        return []
    _check(layers, found)
    return list(found)


def _check(layers: Sequence[Mapping[str, Any]], order: Sequence[Dense]) -> None:
    wrong = _misfit(layers, order)
    if wrong:
        raise MiyaInputError("E510", wrong, hint=HINT)


def _misfit(layers: Sequence[Mapping[str, Any]], order: Sequence[Dense]) -> str:
    for k, (layer, dense) in enumerate(zip(layers, order, strict=False)):
        if k and dense.weight.shape[1] != order[k - 1].weight.shape[0]:
            return f"{dense} does not follow {order[k - 1]}: weights are (out, in)"
        if layer.get("weight") is not None:
            wanted = shape_of(layer["weight"]) or ()
            if wanted != dense.weight.shape:
                shape = "x".join(map(str, wanted)) or "no shape"
                return f"layer {k + 1} has weights of {shape}, the file has {dense}"
    return ""


def _only_one(layers: Sequence[Mapping[str, Any]], found: Sequence[Dense]) -> list[Dense]:
    """By shape, where one order fits."""
    tries = [MOST_TRIED]
    orders = list(islice(_orders(layers, [], list(found), tries), 2))
    if len(orders) > 1 or tries[0] < 0:
        raise MiyaInputError(
            "E511",
            "the weights fit the layers in more than one order: " + ", ".join(map(str, found)),
            hint=HINT,
        )
    if not orders:
        raise MiyaInputError(
            "E510",
            "the weights fit the layers in no order: " + ", ".join(map(str, found)),
            hint=HINT,
        )
    return orders[0]


def _orders(
    layers: Sequence[Mapping[str, Any]], begun: list[Dense], left: list[Dense], tries: list[int]
) -> Iterator[list[Dense]]:
    tries[0] -= 1
    if tries[0] < 0 or _misfit(layers, begun):
        return
    if not left:
        yield begun
    for dense in left:
        yield from _orders(layers, [*begun, dense], [d for d in left if d is not dense], tries)
