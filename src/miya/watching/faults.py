"""What is wrong with what a watch was given, and with a step that it watched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from ..errors import MiyaInputError
from .records import StepRecord


def checked(
    model: Any, optimizers: Any, every: Any
) -> tuple[nn.Module, list[torch.optim.Optimizer]]:
    """The model, and its optimizers as a list.

    Raises MiyaInputError E710 for a model that cannot be watched, E711 for an optimizer that
    cannot, E712 for a number of steps that is not one.
    """
    if not isinstance(model, nn.Module):
        raise MiyaInputError(
            "E710", f"the model is a {type(model).__name__}", hint="give a torch.nn.Module"
        )
    own = list(model.parameters())
    if not own:
        raise MiyaInputError(
            "E710",
            f"the model ({type(model).__name__}) has no parameters: there is nothing to watch",
            hint="give the module that is trained",
        )
    found = list(optimizers) if isinstance(optimizers, (list, tuple)) else [optimizers]
    if not found:
        raise MiyaInputError("E711", "no optimizer was given", hint="give the one that steps")
    for k, optimizer in enumerate(found):
        name = "the optimizer" if len(found) == 1 else f"optimizer {k}"
        _check_optimizer(own, optimizer, name)
    check_every(every)
    return model, found


def check_every(every: Any) -> None:
    """Raises MiyaInputError E712."""
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        raise MiyaInputError(
            "E712", f"every is {every!r}", hint="give a whole number from 1: every so many steps"
        )


def _check_optimizer(own: Sequence[torch.Tensor], optimizer: Any, name: str) -> None:
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise MiyaInputError(
            "E711",
            f"{name} is a {type(optimizer).__name__}",
            hint="give a torch.optim.Optimizer of the model's parameters",
        )
    ids = {id(p) for p in own}
    held = [p for group in optimizer.param_groups for p in group["params"]]
    if not any(id(p) in ids for p in held):
        raise MiyaInputError(
            "E711",
            f"{name} ({type(optimizer).__name__}) holds {len(held)} parameters, none of them the "
            "model's",
            hint="make the optimizer of model.parameters(), after the model is where it stays",
        )


def odd_step(record: StepRecord) -> tuple[str, str] | None:
    """What is wrong with a step itself: no gradient at all, a loss that is not finite."""
    trained = [r for r in record.layers if r.held and not r.frozen]
    if not record.skipped and trained and not any(r.has_gradient for r in trained):
        return (
            "W704",
            f"step {record.step}: no parameter has a gradient: was loss.backward() called before "
            "the optimizer's step?",
        )
    bad = record.loss is not None and not _finite(record.loss)
    where = [(r.layer or "the model", r.nonfinite) for r in record.layers if r.nonfinite]
    if not bad and not where:
        return None
    what = f"the loss is {_word(record.loss)}" if bad and record.loss is not None else ""
    outputs = next((layer for layer, of in where if of == "output"), None)
    place = (
        f"the first layer whose output is not finite is {outputs}"
        if outputs is not None
        else f"the {where[0][1]} of {where[0][0]} is not finite"
        if where
        else "every layer's output is finite: look at the loss function and its targets"
    )
    return "W705", f"step {record.step}: " + "; ".join(part for part in (what, place) if part)


def _finite(value: float) -> bool:
    return value - value == 0


def _word(value: float) -> str:
    return "NaN" if value != value else "infinite" if value > 0 else "-infinite"


def foreign(model: nn.Module, optimizers: Sequence[torch.optim.Optimizer]) -> str | None:
    """What is said of parameters that an optimizer holds and the model does not."""
    own = {id(p) for p in model.parameters()}
    held = [p for o in optimizers for group in o.param_groups for p in group["params"]]
    other = sum(id(p) not in own for p in held)
    if not other:
        return None
    return f"{other} of the optimizers' {len(held)} parameters are not the model's: not watched"
