"""`apply=True`: the step on the user's own objects, all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import torch
from torch import nn

Undo = list[Callable[[], None]]
PLAIN = (bool, int, float, str)


def apply_step(
    pairs: list[tuple[nn.Module, nn.Module]], twin: Any, optimizer: torch.optim.Optimizer | None
) -> None:
    """Put what the step made of the copies into the user's modules and optimizer: parameters,
    buffers, gradients, the optimizer's state and plain numbers that a module counts. Where that
    is broken off, everything is put back. pairs: a copy, and the user's own."""
    undo: Undo = []
    try:
        with torch.no_grad():
            for ours, theirs in pairs:
                for mine, yours in zip(ours.modules(), theirs.modules(), strict=True):
                    _apply_module(mine, yours, undo)
            if optimizer is not None:
                _apply_optimizer(twin, optimizer, undo)
    except BaseException:
        with torch.no_grad():
            for back in reversed(undo):
                back()
        raise


def _apply_module(ours: nn.Module, theirs: nn.Module, undo: Undo) -> None:
    for name, mine in ours._parameters.items():
        yours = theirs._parameters[name]
        if mine is not None and yours is not None:
            _write(yours, mine, undo)
            undo.append(_setter(yours, "grad", yours.grad))
            yours.grad = None if mine.grad is None else mine.grad.detach().clone()
    for name, held in ours._buffers.items():
        theirs_now = theirs._buffers.get(name)
        if held is not None and theirs_now is not None and held.shape == theirs_now.shape:
            _write(theirs_now, held, undo)
        elif held is not theirs_now:
            undo.append(lambda name=name, old=theirs_now: theirs._buffers.update({name: old}))  # type: ignore[misc]
            theirs._buffers[name] = None if held is None else held.detach().clone()
    for name, found in vars(ours).items():
        if isinstance(found, PLAIN) and not name.startswith("_") and name in vars(theirs):
            undo.append(_setter(theirs, name, vars(theirs)[name]))
            vars(theirs)[name] = found


def _write(theirs: torch.Tensor, ours: torch.Tensor, undo: Undo) -> None:
    if torch.equal(theirs, ours) and torch.equal(theirs.signbit(), ours.signbit()):
        return
    kept = theirs.detach().clone()
    undo.append(lambda: _copy(theirs, kept))
    theirs.copy_(ours)


def _copy(into: torch.Tensor, kept: torch.Tensor) -> None:
    into.copy_(kept)


def _setter(found: Any, name: str, value: Any) -> Callable[[], None]:
    return lambda: setattr(found, name, value)


def _apply_optimizer(
    twin: torch.optim.Optimizer, theirs: torch.optim.Optimizer, undo: Undo
) -> None:
    kept_state, kept_groups = dict(theirs.state), [dict(g) for g in theirs.param_groups]

    def back() -> None:
        theirs.state.clear()
        theirs.state.update(kept_state)
        for group, old in zip(theirs.param_groups, kept_groups, strict=True):
            group.update(old)

    memo = {id(a): b for a, b in _pairs(twin, theirs)}
    new = deepcopy(dict(twin.state), memo)
    undo.append(back)
    theirs.state.update(new)
    for mine, yours in zip(twin.param_groups, theirs.param_groups, strict=True):
        yours.update(deepcopy({k: v for k, v in mine.items() if k != "params"}, memo))
    if hasattr(theirs.step, "_wrapped_by_lr_sched"):
        vars(theirs)["_opt_called"] = True


def _pairs(
    twin: torch.optim.Optimizer, theirs: torch.optim.Optimizer
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    for mine, yours in zip(twin.param_groups, theirs.param_groups, strict=True):
        yield from zip(mine["params"], yours["params"], strict=True)
