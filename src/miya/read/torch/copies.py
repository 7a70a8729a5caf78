"""The copies that a step works on, so that nothing of the user's is touched."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, is_dataclass, replace
from functools import partial
from types import CellType, FunctionType
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.parallel import DataParallel, DistributedDataParallel
from torch.overrides import TorchFunctionMode

from ...errors import MiyaInputError
from .values import parts_of

Notes = list[tuple[str, str]]
Memo = dict[int, Any]
WRAPPERS = (DataParallel, DistributedDataParallel)


@dataclass
class Copies:
    """memo: what `deepcopy` remembers of them. kept: copies of tensors that the model holds with
    the graph of an earlier step."""

    model: nn.Module
    optimizer: torch.optim.Optimizer | None
    criterion: Any
    memo: Memo
    kept: list[torch.Tensor]


def unwrapped(model: nn.Module, notes: Notes) -> nn.Module:
    """The model inside torch.compile's wrapper, or inside one for several devices."""
    while True:
        name = type(model).__name__
        if name == "OptimizedModule" and "_orig_mod" in model._modules:
            notes.append(("W420", "the compiled model is told as it was written, uncompiled"))
            model = model._modules["_orig_mod"]  # type: ignore[assignment]
        elif isinstance(model, WRAPPERS):
            notes.append(("W421", f"the model inside {name} is told, on one device"))
            model = model.module
        else:
            return model


def copies(model: nn.Module, optimizer: torch.optim.Optimizer | None, criterion: Any) -> Copies:
    """Deep copies that refer to each other as the originals do. Raises MiyaInputError E414."""
    memo: Memo = _empty_parts(model)
    copying = _Copying()
    with torch.no_grad(), copying:  # with gradients a TorchScript copy leads back to its original
        twin = _copied(model, memo, "the model")
        _remember(model, twin, memo)
        judge = _copied_criterion(criterion, memo)
        stepper = None if optimizer is None else _copied_optimizer(optimizer, memo)
    for module in (model, criterion):
        if isinstance(module, nn.Module):
            for name, theirs in module.named_parameters():
                _copy_hooks(name, theirs, memo[id(theirs)])
    return Copies(twin, stepper, judge, memo, copying.kept)


def _remember(model: nn.Module, twin: nn.Module, memo: Memo) -> None:
    """Which parameter is the copy of which, also where a module copies itself (TorchScript)."""
    ours, theirs = dict(twin.named_parameters()), dict(model.named_parameters())
    if ours.keys() != theirs.keys():
        raise MiyaInputError(
            "E414",
            "the model cannot be copied: its copy has other parameters",
            hint="let its __deepcopy__ copy every parameter under its name",
        )
    for name, p in theirs.items():
        memo[id(p)] = ours[name].requires_grad_(p.requires_grad)


def _empty_parts(model: nn.Module) -> Memo:
    """New empty dictionaries for those of each module, which `deepcopy` takes long over."""
    return {
        id(found): type(found)()
        for module in model.modules()
        for found in vars(module).values()
        if type(found) in (dict, OrderedDict) and not found
    }


class _Copying(TorchFunctionMode):
    """Lets `deepcopy` copy a tensor that has a graph behind it: without the graph."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[torch.Tensor] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") == "__deepcopy__" and args[0].grad_fn is not None:
            found, memo = args
            memo[id(found)] = made = found.detach().clone()
            self.kept.append(made)
            return made
        return func(*args, **(kwargs or {}))


def _copied(found: Any, memo: Memo, what: str) -> Any:
    try:
        return deepcopy(found, memo)
    except Exception as error:
        where = _uncopied(found) if isinstance(found, nn.Module) else ""
        raise MiyaInputError(
            "E414",
            f"{what} cannot be copied: {where}{type(error).__name__}: {_line(error)}",
            hint="the step is made on a copy; give what cannot be copied a __deepcopy__, or keep "
            "it outside the model",
        ) from error


def _uncopied(model: nn.Module) -> str:
    """Which attribute of which module cannot be copied."""
    for path, module in model.named_modules():
        for name, found in vars(module).items():
            if name == "_modules":
                continue
            try:
                with _Copying():
                    deepcopy(found)
            except Exception:
                return f"{path + '.' if path else ''}{name} is a {type(found).__name__}, "
    return ""


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0][:200]


def _copied_optimizer(optimizer: torch.optim.Optimizer, memo: Memo) -> torch.optim.Optimizer:
    """Also what a copied optimizer leaves behind: its hooks, and attributes of its own."""
    twin: torch.optim.Optimizer = _copied(optimizer, memo, "the optimizer")
    for name, found in vars(optimizer).items():
        hooks = name in ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks")
        if hooks or (name not in vars(twin) and name != "step"):
            setattr(twin, name, _copied(found, memo, "the optimizer"))
    return twin


def _copy_hooks(name: str, theirs: torch.Tensor, ours: torch.Tensor) -> None:
    """Hooks on parameters change gradients: they belong to the step."""
    if getattr(theirs, "_post_accumulate_grad_hooks", None):
        raise MiyaInputError(
            "E417",
            f"{name} has a hook that runs after its gradient is added up, which could change your "
            "own model",
            hint="take the hook away while the step is told",
        )
    for hook in (theirs._backward_hooks or {}).values():
        ours.register_hook(hook)  # type: ignore[no-untyped-call]


def _copied_criterion(criterion: Any, memo: Memo) -> Any:
    """A loss function that refers to the model refers to its copy afterwards."""
    if isinstance(criterion, FunctionType):
        return _rebound(criterion, memo, {})
    if isinstance(criterion, partial):
        inside = _copied_criterion(criterion.func, memo)
        args, keywords = _copied((criterion.args, criterion.keywords), memo, "the loss")
        return partial(inside, *args, **keywords)
    return _copied(criterion, memo, "the loss")


def _rebound(func: FunctionType, memo: Memo, done: dict[int, Any]) -> FunctionType:
    """The same function, in whose closure and globals stand the copies."""
    if id(func) in done:
        return done[id(func)]  # type: ignore[no-any-return]
    done[id(func)] = func
    names = set(func.__code__.co_names)
    read = {n: v for n, v in func.__globals__.items() if n in names}
    swapped = {n: _swapped(v, memo, done) for n, v in read.items()}
    changed = {n: v for n, v in swapped.items() if v is not read[n]}
    cells = tuple(_cell(c, memo, done) for c in func.__closure__ or ())
    if not changed and all(a is b for a, b in zip(cells, func.__closure__ or (), strict=True)):
        return func
    made = FunctionType(
        func.__code__, {**func.__globals__, **changed}, func.__name__, func.__defaults__, cells
    )
    made.__kwdefaults__ = func.__kwdefaults__
    return made


def _cell(cell: CellType, memo: Memo, done: dict[int, Any]) -> CellType:
    try:
        held = cell.cell_contents
    except ValueError:  # still empty
        return cell
    found = _swapped(held, memo, done)
    return cell if found is held else CellType(found)


def _swapped(found: Any, memo: Memo, done: dict[int, Any]) -> Any:
    """What stands for it among the copies, or itself where it holds nothing that was copied."""
    if isinstance(found, FunctionType):
        return _rebound(found, memo, done) if not found.__module__.startswith("torch") else found
    if id(found) in memo and isinstance(found, (torch.Tensor, nn.Module)):
        return memo[id(found)]
    if isinstance(found, nn.Module):
        holds = any(id(p) in memo for p in (*found.parameters(), *found.modules()))
        return deepcopy(found, memo) if holds else found
    if isinstance(found, (list, tuple)) and any(id(item) in memo for item in found):
        return type(found)(memo.get(id(item), item) for item in found)
    if isinstance(found, dict) and any(id(item) in memo for item in found.values()):
        return {key: memo.get(id(item), item) for key, item in found.items()}
    return found


def copied_inputs(
    found: Any, memo: dict[int, torch.Tensor], convert: Callable[[Any], torch.Tensor] | None = None
) -> Any:
    """The same with each tensor copied once, without the graph behind it. convert: makes a tensor
    of a NumPy array."""
    if convert is not None and isinstance(found, (np.ndarray, np.generic)):
        if id(found) not in memo:
            memo[id(found)] = convert(found)
        return memo[id(found)]
    if isinstance(found, torch.Tensor):
        if id(found) not in memo:
            made = found.detach().clone()
            memo[id(found)] = made.requires_grad_(found.requires_grad)
        return memo[id(found)]
    parts = {key: copied_inputs(item, memo, convert) for key, item in parts_of(found).items()}
    if not parts:
        return found
    if isinstance(found, Mapping):
        return _mapping_like(found, parts)
    if is_dataclass(found) and not isinstance(found, type):
        return replace(found, **parts)
    if hasattr(found, "_fields"):
        return type(found)(*parts.values())
    return type(found)(parts.values())


def _mapping_like(found: Mapping[Any, Any], parts: dict[Any, Any]) -> Any:
    try:
        return type(found)(parts)  # type: ignore[call-arg]
    except TypeError:
        return parts
