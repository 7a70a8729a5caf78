"""From a tensor that was worked out of parameters alone back to the parameters."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn


class Unknown(Exception):
    """No rule follows the examples through the model; the text says where and why."""


@dataclass(frozen=True, eq=False)
class Source:
    """A tensor without examples in it, that depends on parameters.

    names: of the parameters behind it. plain: it is one parameter, or has the entries of a part
    of one in another order, so that its gradient has the norm of what it gives the parameter.
    """

    names: tuple[str, ...]
    tensor: torch.Tensor
    plain: bool

    def back(
        self, gradients: torch.Tensor, named: dict[str, nn.Parameter]
    ) -> dict[str, torch.Tensor]:
        """(b, *shape of the tensor) to (b, *shape of the parameter) for each one behind it."""
        behind = [named[name] for name in self.names]
        if len(behind) == 1 and behind[0] is self.tensor:
            return {self.names[0]: gradients}
        found = torch.autograd.grad(
            self.tensor,
            behind,
            gradients,
            retain_graph=True,
            allow_unused=True,
            is_grads_batched=True,
        )
        return {n: g for n, g in zip(self.names, found, strict=True) if g is not None}
