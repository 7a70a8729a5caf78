"""Running the step's model again, with other parameters: the same inputs, modes and masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch.func import functional_call

from ...core.rounding import Array
from .values import to_array


class ModelRunner:
    """The model of a step. Each run starts from the state of the random generator, and from the
    buffers, that the step started from."""

    def __init__(self, step: Any) -> None:
        self.step = step
        self.before = step.before
        self.buffers = {n: b.detach().clone() for n, b in step.model.named_buffers()}

    def loss(self, parameters: Mapping[str, Array], *, silenced: Any = None) -> float:
        with torch.no_grad():
            return float(self._loss(self._tensors(parameters)))

    def loss_and_gradients(self, parameters: Mapping[str, Array]) -> tuple[float, dict[str, Array]]:
        tensors = self._tensors(parameters)
        leaves = {n: t.detach().requires_grad_() for n, t in tensors.items() if n in parameters}
        with torch.enable_grad():
            cost = self._loss({**tensors, **leaves})
            found = torch.autograd.grad(cost, list(leaves.values()), allow_unused=True)
        return float(cost), {
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
        from .step import loss_of

        step = self.step
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(step.random_state)
            buffers = {n: b.clone() for n, b in self.buffers.items()}
            arguments = step.inputs
            keywords = arguments if isinstance(arguments, Mapping) else {}
            ordered = (
                ()
                if keywords
                else arguments
                if isinstance(arguments, (tuple, list))
                else (arguments,)
            )
            output = functional_call(
                step.model, {**tensors, **buffers}, tuple(ordered), dict(keywords), tie_weights=True
            )
            cost: torch.Tensor = loss_of(output, step.target, step.criterion)
            return cost
