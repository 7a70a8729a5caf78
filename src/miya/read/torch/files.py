"""A model with all that one training step needs, from the user's code, from weights in a
safetensors file with the code of their model, or from an ONNX file."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ...core.choices import optimizer as described_optimizer
from ...core.labels import label
from ...core.model import ModelTrace
from ...errors import MiyaInputError
from ..source import kind_of
from .batch import read_batch
from .checks import recorded_part
from .code import made_by
from .generators import Generators
from .named import loss_named, optimizer_named
from .onnx_model import OnnxModel
from .state import load_state
from .step import model_step


@dataclass(frozen=True)
class Given:
    """What `model_step` takes. Without a loss the model gives the loss itself."""

    title: str
    model: nn.Module
    inputs: Any
    target: Any
    loss: Any
    optimizer: torch.optim.Optimizer


def model_trace(
    source: str | os.PathLike[str],
    *,
    network: str | None = None,
    data: str | os.PathLike[str] | None = None,
    loss: Any = None,
    optimizer: Any = None,
    learning_rate: float | None = None,
    seed: int = 0,
    dtype: str | None = None,
    inputs: Any = None,
    target: Any = None,
    only: str | None = None,
) -> ModelTrace:
    """The trace of one step of a model that is named (see `read_model`); what is drawn at random,
    in making the model and in the step, depends on `seed` alone. only: the path of a module whose
    inside alone is recorded, to fit in memory."""
    with seeded(seed):
        given = read_model(
            source,
            network=network,
            data=data,
            loss=loss,
            optimizer=optimizer,
            learning_rate=learning_rate,
            dtype=dtype,
            inputs=inputs,
            target=target,
        )
        return model_step(
            given.model,
            given.inputs,
            given.target,
            loss=given.loss,
            optimizer=given.optimizer,
            title=given.title,
            only=recorded_part(given.model, only),
        )


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """The generators of Python, NumPy and torch start from `seed`, and are afterwards as they
    were."""
    kept = Generators()
    try:
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        yield
    finally:
        kept.restore()


def read_model(
    source: str | os.PathLike[str],
    *,
    network: str | None = None,
    data: str | os.PathLike[str] | None = None,
    loss: Any = None,
    optimizer: Any = None,
    learning_rate: float | None = None,
    dtype: str | None = None,
    inputs: Any = None,
    target: Any = None,
) -> Given:
    """The model that `source` names, with loss, optimizer and batch.

    source: package.module:attribute or path/to/file.py:attribute (see `code.made_by`); a
    .safetensors file, whose model `network` names in that way; or an .onnx file.
    data: a .npz with the batch (see `batch.read_batch`); or inputs and target.
    loss, optimizer: of torch, or names.
    dtype: "float64" or "float32"; None leaves the model's own.
    What is given here goes before what the code gives. The optimizer is else SGD, its learning
    rate that of torch. Raises MiyaInputError.
    """
    parts = _parts(source, network)
    model = parts["model"]
    _to(model, dtype)
    cost = loss if loss is not None else parts.get("loss")
    cost = loss_named(cost) if isinstance(cost, str) else cost
    if inputs is None:
        inputs, target = parts.get("inputs"), parts.get("target") if target is None else target
    if data is not None:
        inputs, target = read_batch(Path(data), model, cost)
    elif dtype is not None:
        inputs, target = (_cast(part, getattr(torch, dtype)) for part in (inputs, target))
    if inputs is None:
        raise MiyaInputError(
            "E212", f"{source}: there is no batch", hint="give one with data (--data batch.npz)"
        )
    if target is not None and cost is None:
        raise MiyaInputError(
            "E212", f"{source}: there is no loss", hint="give one, such as cross_entropy (--loss)"
        )
    step = _optimizer(optimizer, parts.get("optimizer"), model, learning_rate)
    title = label(parts.get("title", os.fspath(source)), "the title", ())
    return Given(title, model, inputs, target, cost, step)


def _parts(source: str | os.PathLike[str], network: str | None) -> dict[str, Any]:
    kind = kind_of(source)
    if kind == "code":
        return made_by(os.fspath(source))
    if kind == "onnx":
        return {"model": OnnxModel(Path(source))}
    if kind != "weights" or network is None or kind_of(network) != "code":
        raise MiyaInputError(
            "E219",
            f"{source} names no model",
            hint="give package.module:make_model, an .onnx file, or a .safetensors file with "
            "its network",
        )
    parts = made_by(network)
    load_state(parts["model"], Path(source))
    return parts


def _to(model: nn.Module, dtype: str | None) -> None:
    """In place, so that an optimizer of the model keeps its parameters."""
    if dtype is None:
        return
    if dtype not in ("float64", "float32"):
        raise MiyaInputError("E609", f"dtype is {dtype!r}", hint="choose float64 or float32")
    model.to(getattr(torch, dtype))


def _cast(part: Any, dtype: torch.dtype) -> Any:
    if isinstance(part, torch.Tensor):
        return part.to(dtype) if part.is_floating_point() else part
    if isinstance(part, dict):
        return {key: _cast(item, dtype) for key, item in part.items()}
    return type(part)(_cast(p, dtype) for p in part) if type(part) in (tuple, list) else part


def _optimizer(
    asked: Any, made: Any, model: nn.Module, rate: float | None
) -> torch.optim.Optimizer:
    """The optimizer asked for, else the one that was made, else SGD."""
    if rate is not None:
        rate = described_optimizer({"learning_rate": rate})[1]  # E302, E303, W301
    found = asked if asked is not None else made
    if isinstance(found, str) or found is None:
        return optimizer_named(found or "sgd", model.parameters(), rate)
    if not isinstance(found, torch.optim.Optimizer) and callable(found):
        found = found(model.parameters())
    if not isinstance(found, torch.optim.Optimizer):
        raise MiyaInputError(
            "E514",
            f"the optimizer is a {type(found).__name__}",
            hint="give a torch.optim optimizer of the model's parameters, or its name",
        )
    for group in found.param_groups if rate is not None else ():
        group["lr"] = rate
    return found
