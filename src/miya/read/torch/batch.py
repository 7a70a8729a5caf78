"""The batch of one step from a .npz: `input`, or inputs named as the model's, and `target`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ...core.rounding import Array
from ...errors import MiyaInputError
from ..file import check_regular
from ..npz import arrays
from ..pickled import refuse_pickle
from .named import takes_numbers


def read_batch(path: Path, model: nn.Module, loss: Any) -> tuple[Any, torch.Tensor | None]:
    """(inputs, target) of a batch file. Inputs are a tensor, or a dict of them by the names of
    the model's arguments. Fractions are in the dtype of the model's parameters, whole numbers in
    int64 (the target in the model's dtype where the loss compares numbers).

    Raises MiyaInputError E206, E208, E220, E502, E503, E516.
    """
    refuse_pickle(path)
    check_regular(path)
    found = arrays(path)
    dtype = dtype_of(model)
    target = found.pop("target", None)
    made = {name: _tensor(path, name, a, dtype) for name, a in found.items()}
    goal = None if target is None else _tensor(path, "target", target, dtype)
    if goal is not None and takes_numbers(loss):
        goal = goal.to(dtype)
    return _inputs(path, made, model), goal


def dtype_of(model: nn.Module) -> torch.dtype:
    """That of the first floating parameter or buffer."""
    held = (t.dtype for t in (*model.parameters(), *model.buffers()))
    return next((d for d in held if d.is_floating_point), torch.get_default_dtype())


def _tensor(path: Path, name: str, array: Array, dtype: torch.dtype) -> torch.Tensor:
    kind = array.dtype.kind
    if kind == "c":
        raise MiyaInputError("E208", f"{path}: {name} is complex", hint="give real numbers")
    if kind not in "fiub":
        raise MiyaInputError("E206", f"{path}: {name} holds {array.dtype}", hint="give numbers")
    if kind == "b":
        return torch.from_numpy(np.array(array))
    wide = np.float64 if kind == "f" else np.int64
    return torch.from_numpy(array.astype(wide)).to(dtype if kind == "f" else torch.int64)


def _inputs(path: Path, made: Mapping[str, torch.Tensor], model: nn.Module) -> Any:
    names, needed, any_name = _arguments(model)
    if set(made) == {"input"} and len(needed) <= 1:
        return made["input"]
    wrong = [] if any_name else [name for name in made if name not in names]
    missing = [name for name in needed if name not in made]
    if wrong or missing or not made:
        held = ", ".join(made) or "none"
        raise MiyaInputError(
            "E516",
            f"{path} has the inputs {held}; the model takes {', '.join(names) or 'none'}",
            hint="name one input 'input', several as the model names them, and 'target'",
        )
    return dict(made)


def _arguments(model: nn.Module) -> tuple[list[str], list[str], bool]:
    """The names of forward's arguments, those it needs, and whether it takes any."""
    own = getattr(model, "input_names", None)
    if isinstance(own, tuple):
        return list(own), list(own), False
    parameters = inspect.signature(model.forward).parameters.values()
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    needed = [p.name for p in named if p.default is p.empty]
    any_name = any(p.kind == p.VAR_KEYWORD for p in parameters)
    return [p.name for p in named], needed, any_name
