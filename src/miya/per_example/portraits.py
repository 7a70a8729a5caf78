"""The most blamed examples more closely: the weights that they push, and how they look."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.utils._pytree import tree_flatten

from ..core.rounding import Array
from ..errors import MiyaInputError
from .engine import Engine
from .keeping import Keeper
from .result import Columns, Measure, Portrait
from .singles import example, gradients, run

MOST_WEIGHTS = 5
LARGEST = 512  # pixels a side of an image that is drawn


def portraits(
    engine: Engine,
    columns: Columns,
    keeper: Keeper,
    measure: Measure,
    top: int,
    image: tuple[int, ...] | None,
) -> list[Portrait]:
    """Of the `top` examples by a measure, where their inputs are at hand."""
    sizes = np.abs(measure.values(columns.column))
    sizes[~np.isfinite(sizes)] = np.inf
    found = []
    for k in np.argsort(-sizes, kind="stable")[:top].tolist():
        batch = keeper.example(k)
        if batch is None:
            continue
        inputs, target = example((batch.inputs, batch.target), 0, 1)  # a model may overwrite them
        picture = image_of(inputs, image)
        right, answer = _classes(engine, example(inputs, 0, 1), target)
        with engine.seeded(k):
            slopes = gradients(engine.model, engine.loss, engine.named, inputs, target)[1]
        found.append(Portrait(k, _most(slopes), right, answer, picture))
    return found


def _most(slopes: dict[str, torch.Tensor]) -> tuple[tuple[str, float], ...]:
    """The elements with the largest |∂ℓ/∂θ|: "fc.weight[3,7]"."""
    found: list[tuple[str, float]] = []
    for name, slope in slopes.items():
        flat = slope.detach().flatten()
        places = torch.topk(flat.abs(), min(MOST_WEIGHTS, len(flat))).indices.tolist()
        for place in places:
            index = ",".join(str(int(i)) for i in np.unravel_index(place, tuple(slope.shape)))
            found.append((f"{name}[{index}]" if index else name, float(flat[place])))
    found.sort(key=lambda pair: -abs(pair[1]))
    return tuple(pair for pair in found[:MOST_WEIGHTS] if pair[1])


def _classes(engine: Engine, inputs: Any, target: Any) -> tuple[str | None, str | None]:
    """The class that is right and the one the model takes it for, where there are classes."""
    whole = isinstance(target, torch.Tensor) and target.numel() == 1
    if not whole or target.is_floating_point():
        return None, None
    with torch.no_grad():
        output = run(engine.model, inputs)
    if not isinstance(output, torch.Tensor) or output.dim() != 2 or output.shape[1] < 2:
        return str(int(target)), None
    return str(int(target)), str(int(output.argmax()))


def image_of(inputs: Any, shape: tuple[int, ...] | None) -> Array | None:
    """The input as an image between 0 and 1, its least value black; None where it is none.

    Raises MiyaInputError E771 where the given shape has another number of values.
    """
    first = next((t for t in tree_flatten(inputs)[0] if isinstance(t, torch.Tensor)), None)
    if first is None or first.is_complex():
        return None
    x = first[0].detach().to(torch.float64).cpu()
    if shape is not None:
        if int(np.prod(shape)) != x.numel():
            raise MiyaInputError(
                "E771",
                f"image is {tuple(shape)}, an input has {x.numel()} values",
                hint="give (height, width) or (channels, height, width)",
            )
        x = x.reshape(*shape)
    if x.dim() == 3 and x.shape[0] in (1, 3):
        x = x[0] if x.shape[0] == 1 else x.permute(1, 2, 0)
    if x.dim() not in (2, 3) or (x.dim() == 3 and x.shape[2] != 3):
        return None
    if min(x.shape[:2]) < 4 or max(x.shape[:2]) > LARGEST or (first.dim() == 2 and shape is None):
        return None
    low, high = x.min(), x.max()
    if not bool(torch.isfinite(high - low)):
        return None
    return ((x - low) / (high - low if high > low else 1)).numpy()
