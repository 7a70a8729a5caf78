"""Running the step's model again, with other parameters: the same inputs, modes and masks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.func import functional_call
from torch.nn.utils.stateless import _reparametrize_module

from ...core.rounding import Array
from .calling import arguments_of, loss_of
from .copies import copied_inputs
from .generators import autocast_as, drawing_from
from .rerun import Reruns
from .values import to_array

if TYPE_CHECKING:
    from .step import Step

PLAIN = (bool, int, float, str, type(None), torch.Tensor)


class ModelRunner(Reruns):
    """The model of a step. Each run starts from the random state, the buffers and the modules'
    own attributes that the step started from."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.before: dict[str, torch.Tensor] = step.before
        self.buffers: dict[str, torch.Tensor] = step.buffers

    def loss(self, parameters: Mapping[str, Array]) -> float:
        with torch.no_grad():
            return float(self._loss(self._tensors(parameters)).detach())

    def loss_and_gradients(self, parameters: Mapping[str, Array]) -> tuple[float, dict[str, Array]]:
        tensors = self._tensors(parameters)
        leaves = {n: t.detach().requires_grad_() for n, t in tensors.items() if n in parameters}
        with torch.inference_mode(False), torch.enable_grad():
            cost = self._loss({**tensors, **leaves})
            found: tuple[torch.Tensor | None, ...] = (None,) * len(leaves)
            if cost.requires_grad:  # not where it reads these parameters detached alone
                found = torch.autograd.grad(cost, list(leaves.values()), allow_unused=True)
        return float(cost.detach()), {
            n: np.zeros(tuple(t.shape)) if g is None else to_array(g)
            for (n, t), g in zip(leaves.items(), found, strict=True)
        }

    def _tensors(self, parameters: Mapping[str, Array]) -> dict[str, torch.Tensor]:
        return {
            name: torch.as_tensor(parameters[name], dtype=t.dtype, device=t.device)
            if name in parameters
            else t
            for name, t in self.before.items()
        }

    def _loss(self, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        step = self.step
        buffers = {n: b.clone() for n, b in self.buffers.items()}
        given = {**tensors, **buffers}
        prefix = step.loss_prefix
        ours = {n: t for n, t in given.items() if not n.startswith(prefix)}
        ordered, keywords = arguments_of(copied_inputs(step.inputs, {}))
        states = step.generators, step.own_generators
        with drawing_from(*states), autocast_as(step.autocast), self._attributes():
            # the loss too may read the model's parameters, as a regulariser does
            with _reparametrize_module(step.model, ours, tie_weights=True):
                output = step.model(*ordered, **keywords)
                criterion = self._criterion(given, prefix)
                cost: torch.Tensor = loss_of(output, step.target, criterion)
            return cost

    def _criterion(self, given: Mapping[str, torch.Tensor], prefix: str) -> Any:
        criterion = self.step.criterion
        theirs = {n.removeprefix(prefix): t for n, t in given.items() if n.startswith(prefix)}
        if not theirs:
            return criterion
        return lambda *args: functional_call(criterion, theirs, args)

    @contextmanager
    def _attributes(self) -> Iterator[None]:
        """The modules' own numbers and tensors as they were before the step."""
        for path, module in self.step.model.named_modules():
            vars(module).update(self.step.attributes.get(path, {}))
        yield


def attributes_of(model: torch.nn.Module) -> dict[str, dict[str, Any]]:
    """What each module holds beside its parameters, buffers and modules, by path."""
    return {
        path: {
            k: v for k, v in vars(module).items() if isinstance(v, PLAIN) and not k.startswith("_")
        }
        for path, module in model.named_modules()
    }
