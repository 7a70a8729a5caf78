"""The optimizer of a step: what it may be, its state before and after, and the step itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import torch
from torch import nn

from ...core.model import OptimizerUse
from ...errors import MiyaInputError
from .values import to_array

Optimizer = torch.optim.Optimizer
Named = Mapping[str, torch.Tensor]
USUAL = (
    "give torch.optim.SGD(model.parameters(), lr=0.1), or a function that makes one of parameters"
)


def checked_optimizer(optimizer: Any, parameters: Named) -> Optimizer | None:
    """The user's optimizer, None where it is still to be made. parameters: the model's, by name.
    Raises MiyaInputError E415 where it is none, or of other parameters."""
    if optimizer is None or not isinstance(optimizer, Optimizer):
        if optimizer is not None and not callable(optimizer):
            met = f"the optimizer is {optimizer!r}, of type {type(optimizer).__name__}"
            raise MiyaInputError("E415", met, hint=USUAL)
        return None
    own = {id(p) for p in parameters.values()}
    others = [p for g in optimizer.param_groups for p in g["params"] if id(p) not in own]
    if others:
        raise MiyaInputError(
            "E415",
            f"the optimizer {type(optimizer).__name__} holds {len(others)} parameter"
            f"{'s' * (len(others) > 1)} that the model has not, the first of shape "
            f"{tuple(others[0].shape)}",
            hint="make it of this model's parameters, after the model was moved or copied",
        )
    return optimizer


def made_optimizer(factory: Callable[..., Any], parameters: list[nn.Parameter]) -> Optimizer:
    """What a class or a function makes of the parameters. Raises MiyaInputError E415."""
    try:
        made = factory(parameters)
    except Exception as error:
        raise MiyaInputError(
            "E415", f"the optimizer cannot be made: {type(error).__name__}: {error}", hint=USUAL
        ) from error
    if not isinstance(made, Optimizer):
        raise MiyaInputError(
            "E415", f"the optimizer's maker gave a {type(made).__name__}", hint=USUAL
        )
    return made


def take_step(optimizer: Optimizer, again: Callable[[], torch.Tensor], cost: torch.Tensor) -> None:
    """One step. An optimizer that needs a closure (LBFGS) gets the loss just recorded at its first
    question, and `again` works it out at further ones."""
    if not needs_closure(optimizer):
        optimizer.step()
        return
    asked = 0

    def closure() -> torch.Tensor:
        nonlocal asked
        asked += 1
        return cost if asked == 1 else again()

    optimizer.step(closure)  # type: ignore[arg-type]


def needs_closure(optimizer: Optimizer) -> bool:
    return _needs_closure(type(optimizer))  # type: ignore[arg-type]


@lru_cache(maxsize=64)
def _needs_closure(kind: type[Optimizer]) -> bool:
    found = inspect.signature(kind.step).parameters.get("closure")
    return found is not None and found.default is inspect.Parameter.empty


def leaves_gradients(optimizer: Optimizer) -> bool:
    """Whether its step is known to leave gradients as they are: torch's own do."""
    hooks = optimizer._optimizer_step_pre_hooks or optimizer._optimizer_step_post_hooks
    own = type(optimizer).__module__.startswith("torch.optim.")
    return own and not hooks and not needs_closure(optimizer)


def kept_gradient(gradient: torch.Tensor, safe: bool) -> torch.Tensor:
    return gradient.detach() if safe else gradient.detach().clone()


def optimizer_use(optimizer: Optimizer | None) -> OptimizerUse | None:
    if optimizer is None:
        return None
    groups = tuple(
        {k: _readable(v) for k, v in g.items() if k != "params"} for g in optimizer.param_groups
    )
    return OptimizerUse(type(optimizer).__name__, groups)


def groups_of(optimizer: Optimizer | None) -> dict[int, int]:
    """Which group holds a parameter, by its id."""
    groups = optimizer.param_groups if optimizer is not None else []
    return {id(p): k for k, group in enumerate(groups) for p in group["params"]}


def states(optimizer: Optimizer | None, parameters: Named) -> dict[str, dict[str, Any]]:
    """The optimizer's state of each parameter as it is now, by the optimizer's own names."""
    if optimizer is None:
        return {}
    return {
        name: {key: _kept(item) for key, item in optimizer.state[p].items()}
        for name, p in parameters.items()
        if p in optimizer.state
    }


def _kept(found: Any) -> Any:
    if isinstance(found, torch.Tensor):
        return found.detach().clone()
    if isinstance(found, (list, tuple)):
        return tuple(_kept(item) for item in found)
    return found


def readable(state: Mapping[str, Any]) -> dict[str, Any]:
    """As arrays and numbers."""
    return {key: _readable(item) for key, item in state.items() if item is not None}


def _readable(found: Any) -> Any:
    if isinstance(found, torch.Tensor):
        return found.item() if found.dim() == 0 else to_array(found)
    if isinstance(found, (list, tuple)):
        return tuple(_readable(item) for item in found)
    return found
