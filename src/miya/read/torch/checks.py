"""What cannot be told, found before the step and right after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.parameter import UninitializedParameter

from ...errors import MiyaInputError
from .nonfinite import nonfinite, overflown
from .values import TensorCall, TensorValue

if TYPE_CHECKING:
    from .step import Step

QUANTISED = ("torch.ao.nn.quantized", "torch.nn.quantized", "bitsandbytes")
DROPOUTS = (nn.modules.dropout._DropoutNd,)


def recorded_part(model: nn.Module, only: str | None) -> str | None:
    """The module that alone is to be recorded: `only` where it is the path of one, not a part of
    the story."""
    paths = dict(model.named_modules())
    return (
        only if only and only in paths and only not in ("forward", "backward", "update") else None
    )


def check_only(model: nn.Module, only: str | None) -> None:
    """Raises MiyaInputError E418 where `only` is no module's path."""
    paths = [path for path, _ in model.named_modules()]
    if only is not None and only not in paths:
        from difflib import get_close_matches

        near = get_close_matches(only, paths, 1) or [p for p in paths if p][:1]
        raise MiyaInputError(
            "E418",
            f"only: the model has no module {only!r}",
            hint=f"did you mean {near[0]!r}?" if near else "it has no modules inside",
        )


def check_kinds(model: Any, criterion: Any) -> None:
    """Raises MiyaInputError E416 where the model or the loss is something else."""
    if not isinstance(model, nn.Module):
        raise MiyaInputError(
            "E416", f"the model is {type(model).__name__}, no torch.nn.Module", hint="give a module"
        )
    if isinstance(criterion, type):
        raise MiyaInputError(
            "E416",
            f"the loss is the class {criterion.__name__}, not one made of it",
            hint=f"make one: {criterion.__name__}()",
        )
    if criterion is not None and not callable(criterion):
        raise MiyaInputError(
            "E416",
            f"the loss is {criterion!r}, which cannot be called",
            hint="give torch.nn.CrossEntropyLoss(), or a function of the output and the target",
        )


def check_model(model: nn.Module) -> None:
    """Raises MiyaInputError E208, E312, E407 and E417."""
    for name, p in model.named_parameters():
        _check_parameter(name, p)
    for path, module in model.named_modules():
        _check_module(path or "the model", module)


def _check_parameter(name: str, p: torch.Tensor) -> None:
    if isinstance(p, UninitializedParameter):
        raise MiyaInputError(
            "E417", f"{name} has no shape yet", hint="call the model once on an input first"
        )
    if p.is_complex():
        raise MiyaInputError("E208", f"{name} is complex ({_dtype(p)})", hint="use real weights")
    if not p.is_floating_point():
        raise MiyaInputError(
            "E407",
            f"{name} holds integers ({_dtype(p)}), which have no gradient",
            hint="explain the model before it is quantised, or make a buffer of what is no weight",
        )


def _check_module(path: str, module: nn.Module) -> None:
    home = type(module).__module__
    if home.startswith(QUANTISED):
        raise MiyaInputError(
            "E407",
            f"{path} is a quantised {type(module).__name__}: its weights have no gradient",
            hint="explain the model before it is quantised",
        )
    if isinstance(module, DROPOUTS) and module.p >= 1 and module.training:
        raise MiyaInputError(
            "E312",
            f"{path} is dropout with p = {module.p:g}: it drops every value, and nothing is learnt",
            hint="choose p below 1",
        )
    if isinstance(module, (nn.Embedding, nn.EmbeddingBag)) and module.max_norm is not None:
        raise MiyaInputError(
            "E417",
            f"{path} has max_norm: it changes its weights while they are read",
            hint="leave max_norm out, and clip the weights after the step",
        )


def _dtype(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def foreign_tensors(
    own: Mapping[str, torch.Tensor], kept: list[torch.Tensor], model: nn.Module
) -> dict[int, Callable[[], MiyaInputError]]:
    """What the computation must not read: the user's own parameters beside their copies, and
    tensors kept with the graph of an earlier step."""
    found: dict[int, Callable[[], MiyaInputError]] = {}
    for name, p in own.items():
        found[id(p)] = lambda name=name: MiyaInputError(  # type: ignore[misc]
            "E417",
            f"the computation reads the model's own {name} from outside, where the step is made on "
            "a copy",
            hint="read it through the module that is called, or as an argument of the loss",
        )
    for tensor in kept:
        found[id(tensor)] = lambda tensor=tensor: MiyaInputError(  # type: ignore[misc]
            "E405",
            f"{_where(tensor, model)} is kept with its graph from an earlier step, which backward "
            "cannot go through a second time",
            hint="keep it as tensor.detach()",
        )
    return found


def _where(tensor: torch.Tensor, model: nn.Module) -> str:
    for path, module in model.named_modules():
        for name, found in vars(module).items():
            if found is tensor:
                return f"{path}.{name}" if path else name
    return "a tensor that the model holds"


def check_loss(cost: Any, step: Step) -> None:
    """Raises MiyaInputError E401 and E402."""
    if not isinstance(cost, torch.Tensor) or cost.numel() != 1:
        shaped = isinstance(cost, torch.Tensor)
        met = f"of shape {tuple(cost.shape)}" if shaped else f"a {type(cost).__name__}"
        hint = "choose a scalar: loss.mean()?" if shaped else "let the loss be one tensor"
        if step.criterion is None:
            hint = "give a loss: loss=torch.nn.CrossEntropyLoss()"
        raise MiyaInputError("E401", f"the loss is no single number but {met}", hint=hint)
    if cost.is_complex():
        raise MiyaInputError("E208", "the loss is complex", hint="take its absolute value")
    if cost.requires_grad:
        return
    if not any(p.requires_grad for p in step.named.values()):
        raise MiyaInputError(
            "E402",
            "no parameter requires grad",
            hint="set requires_grad_(True) on what is to be trained",
        )
    raise MiyaInputError(
        "E402",
        f"the loss requires no grad: {_cut_off(step)}",
        hint="leave that out between the parameters and the loss",
    )


def _cut_off(step: Step) -> str:
    """Where the way from the parameters to the loss ends."""
    for call in reversed(step.recorder.calls):
        if any(_graded(v) for v in call.operands.values()) and not any(map(_graded, call.results)):
            place = f" in {call.module}" if call.module else ""
            return f"the way from the parameters ends at {call.name.strip('_')}{place}"
    return "it does not depend on any parameter that does"


def _graded(value: Any) -> bool:
    return isinstance(value, TensorValue) and value.wanted


def check_gradients(step: Step) -> None:
    """Raises MiyaInputError E312, and E412 where the loss or a gradient is not finite."""
    for call in step.recorder.calls:
        if "dropout" in call.name and call.option("training", True) and _p(call) >= 1:
            raise MiyaInputError(
                "E312",
                f"{call.module or 'the model'} calls {call.name} with p = 1: it drops every value",
                hint="choose p below 1",
            )
    if (found := nonfinite(step.root, step.values, step.recorder.name)) is not None:
        raise found


def check_outcome(step: Step) -> None:
    """Raises MiyaInputError E311 where a parameter is not finite after the step."""
    if (found := overflown(step.named)) is not None:
        raise found


def _p(call: TensorCall) -> float:
    found = call.option("p", 0.0)
    return float(found) if isinstance(found, (int, float)) else 0.0
