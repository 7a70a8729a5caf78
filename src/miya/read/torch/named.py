"""Losses and optimizers of torch by name: those of network files, and torch's own classes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

import torch
from torch import nn

from ...core import losses, optimizers
from ...errors import MiyaInputError


class SquaredError(nn.Module):
    """Σ (a − y)² over outputs, the mean over examples: `squared_error` of network files, with
    `factor` ½ `half_squared_error`."""

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """(n, ...) and (n, ...) to one number."""
        if outputs.shape != target.shape:  # never broadcast
            raise MiyaInputError(
                "E106",
                f"the target has shape {tuple(target.shape)}, the output {tuple(outputs.shape)}",
                hint="give one target an output; targets are never repeated to fit",
            )
        squares = (outputs - target) ** 2
        if self.factor != 1:
            squares = self.factor * squares
        return squares.sum() / len(outputs)


# as the records in core/losses name their sources; a test compares the numbers
LOSSES: Mapping[str, Callable[[], nn.Module]] = {
    "squared_error": SquaredError,
    "half_squared_error": lambda: SquaredError(0.5),
    "mean_squared_error": nn.MSELoss,
    "absolute_error": nn.L1Loss,
    "huber": nn.HuberLoss,
    "binary_cross_entropy": nn.BCELoss,
    "binary_cross_entropy_with_logits": nn.BCEWithLogitsLoss,
    "cross_entropy": nn.CrossEntropyLoss,
}
CLASSES = (nn.CrossEntropyLoss, nn.NLLLoss, nn.MultiMarginLoss, nn.MultiLabelMarginLoss)


def loss_named(name: str) -> nn.Module:
    """The loss of that name. Raises MiyaInputError E304."""
    if name in LOSSES:
        return LOSSES[name]()
    kinds = _classes(nn, nn.Module, "Loss")
    made = kinds.get(name.removeprefix("torch.nn.").removeprefix("nn."))
    if made is None:
        raise _unknown("loss", name, [*losses.KINDS, *kinds])
    try:
        loss: nn.Module = made()
    except TypeError:
        raise MiyaInputError(
            "E304", f"loss {name} needs arguments", hint="make it in make_model"
        ) from None
    return loss


def takes_classes(loss: Any) -> bool:
    """Whether the loss's targets are whole numbers, that are not to be made fractions."""
    return isinstance(loss, CLASSES)


def takes_numbers(loss: Any) -> bool:
    """Whether the loss is known to take targets in the dtype of the outputs."""
    known = isinstance(loss, nn.Module) and type(loss).__module__ in (
        __name__,
        "torch.nn.modules.loss",
    )
    return known and not takes_classes(loss)


def optimizer_named(
    name: str, parameters: Iterable[nn.Parameter], rate: float | None
) -> torch.optim.Optimizer:
    """torch's optimizer of that name, with torch's own options and this learning rate.

    Raises MiyaInputError E304.
    """
    kinds = _classes(torch.optim, torch.optim.Optimizer, "")
    ours = {kind: k.source.rpartition(".")[2] for kind, k in optimizers.KINDS.items()}
    given = name.removeprefix("torch.optim.").removeprefix("optim.")
    made = kinds.get(ours.get(given, given))
    if made is None:
        raise _unknown("optimizer", name, [*ours, *kinds])
    options = {} if rate is None else {"lr": rate}
    try:
        found: torch.optim.Optimizer = made(parameters, **options)
    except (TypeError, ValueError) as error:
        raise MiyaInputError(
            "E304", f"optimizer {name} is not made: {error}", hint="make it in make_model"
        ) from None
    return found


def _classes(home: Any, base: type, ending: str) -> dict[str, Any]:
    return {
        name: kind
        for name, kind in vars(home).items()
        if inspect.isclass(kind)
        and issubclass(kind, base)
        and kind is not base
        and name.endswith(ending)
    }


def _unknown(what: str, name: str, known: list[str]) -> MiyaInputError:
    near = get_close_matches(name.lower(), {k.lower(): k for k in known}, 1)
    hint = {k.lower(): k for k in known}
    said = f"did you mean {hint[near[0]]}? " if near else ""
    return MiyaInputError(
        "E304", f"{what} {name[:40]!r} is unknown", hint=f"{said}known: {', '.join(known)}"
    )
