"""The trace of one step of whatever a source names: a network file, code, weights, ONNX."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..core.model import ModelTrace
from ..core.network import Network
from ..core.step import take_step
from ..core.trace import Trace
from ..errors import MiyaInputError
from ..read.source import kind_of

Named = str | os.PathLike[str]


def trace_of(
    source: Named | Mapping[str, Any] | Network | None = None,
    inputs: Any = None,
    target: Any = None,
    *,
    network: Named | None = None,
    data: Named | None = None,
    loss: Any = None,
    optimizer: Any = None,
    learning_rate: float | None = None,
    seed: int = 0,
    dtype: str | None = None,
    digits: int | None = None,
    language: str = "en",
    only: str | None = None,
) -> Trace | ModelTrace:
    """One training step of a source, traced.

    source: a network file, a description or a Network; package.module:attribute or
    path/to/file.py:attribute, code that makes a torch.nn.Module; weights as .safetensors, of which
    `network` names the network file or the code; an .onnx file.
    data: a .npz with the batch; or inputs and target, tensors, of a model. loss, optimizer: names,
    or of torch, of a model. seed: what random numbers start from.
    dtype: "float64" or "float32"; None is float64 for a network file, a model's own else.
    digits: those that each result is rounded to and carried on with; network files only.
    only: of a model, the path of a module whose inside alone is recorded.
    Raises MiyaInputError.
    """
    changed = {
        "data": data,
        "loss": loss,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
    }
    kind = kind_of(source)
    described = source if kind == "network" else network
    if kind in ("code", "onnx") or (kind == "weights" and kind_of(network) == "code"):
        batch = {"inputs": inputs, "target": target}
        if digits is not None:
            raise rounded_model()
        return _model_trace(source, network, {**changed, **batch, "only": only}, seed, dtype)
    if inputs is not None or target is not None:
        raise MiyaInputError(
            "E623",
            "inputs and target are for a model",
            hint="leave them out: a network file holds its examples, or takes them with data",
        )
    made = _network(
        described, source if kind == "weights" else None, changed, dtype or "float64", language
    )
    return take_step(made, digits=digits)


def rounded_model() -> MiyaInputError:
    """E612: what PyTorch works out cannot be rounded on the way."""
    return MiyaInputError(
        "E612",
        "carry rounded is for network files: the numbers of a model are PyTorch's own",
        hint="leave carry out; digits alone says how many are shown",
    )


def _network(
    described: Any, weights: Any, changed: dict[str, Any], dtype: str, language: str
) -> Network:
    from .steps import load

    changed = {name: value for name, value in changed.items() if value is not None}
    if (weights is None and not changed) or (weights is not None and described is None):
        return load(described if weights is None else weights, dtype=dtype, language=language)
    if isinstance(described, Network):
        raise MiyaInputError(
            "E519",
            f"a Network is made already: {', '.join(changed) or 'weights'} cannot be changed",
            hint="give its description, a dict or a file",
        )
    from ..read.described import network_with
    from ..read.file import original_text
    from ..read.parse import parse

    if described is None:
        described = parse(original_text(language), "toml")
    return network_with(described, weights=weights, dtype=dtype, **changed)


def _model_trace(
    source: Any, network: Any, changed: dict[str, Any], seed: int, dtype: str | None
) -> ModelTrace:
    from ..read.need import need_torch

    need_torch()
    from ..read.torch.files import model_trace

    code = None if network is None else os.fspath(network)
    return model_trace(source, network=code, seed=seed, dtype=dtype, **changed)
