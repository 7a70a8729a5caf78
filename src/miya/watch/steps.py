"""What a step did to the parameters: measured around the optimizer's own step.

Before it the parameters are copied to buffers that are kept; after it the buffers become Δθ in
place. Nothing of the user's is written to, and every number stays on its device until the step
has been measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from .layers import Held


@dataclass(eq=False)
class Measured:
    """Of one parameter in one step, on its device: norms of the rows of ∂C/∂θ and Δθ (a
    row is a neuron or channel; a vector is one column of rows), Σ ∂C/∂θ Δθ, the norm of
    θ before, and of a bias the sums of it and of its Δθ. None where it has no gradient."""

    held: Held
    gradient_rows: torch.Tensor | None
    step_rows: torch.Tensor
    predicted: torch.Tensor | None
    weight: torch.Tensor
    bias: torch.Tensor | None


class Steps:
    """Measures the steps of one optimizer."""

    def __init__(self, held: Sequence[Held]) -> None:
        self.held = list(held)
        self.theirs = [h.parameter.detach() for h in self.held]
        self.kept: list[torch.Tensor] = []
        self.weights: list[torch.Tensor] = []
        self.biases: list[torch.Tensor | None] = []

    @torch.no_grad()
    def before(self) -> None:
        self.theirs = [h.parameter.detach() for h in self.held]
        if not self.kept:
            self.kept = [torch.empty_like(p) for p in self.theirs]
        if self.theirs:
            torch._foreach_copy_(self.kept, self.theirs)
            self.weights = list(torch._foreach_norm(self.theirs, dtype=_wide(self.theirs[0])))
        self.biases = [
            p.sum() if h.is_bias else None for h, p in zip(self.held, self.theirs, strict=True)
        ]

    @torch.no_grad()
    def after(self) -> list[Measured]:
        if not self.theirs:
            return []
        torch._foreach_sub_(self.kept, self.theirs)  # before - after: -Δθ
        return [self._measure(k) for k in range(len(self.held))]

    def _measure(self, k: int) -> Measured:
        held, minus = self.held[k], self.kept[k]
        found = held.parameter.grad
        gradient = None if found is None or found.is_sparse else found.detach()
        bias = self.biases[k]
        return Measured(
            held,
            None if gradient is None else _rows(gradient),
            _rows(minus),
            None if gradient is None else -_dot(gradient, minus),
            self.weights[k],
            None if bias is None else torch.stack((bias, -minus.sum())),
        )

    def let_go(self) -> None:
        self.kept, self.theirs, self.held = [], [], []


def _wide(tensor: torch.Tensor) -> torch.dtype:
    return torch.float64 if tensor.dtype == torch.float64 else torch.float32


def _rows(tensor: torch.Tensor) -> torch.Tensor:
    if tensor.dim() <= 1:
        return tensor.reshape(-1).to(_wide(tensor)).abs()
    return torch.linalg.vector_norm(tensor.flatten(1), 2, dim=1, dtype=_wide(tensor))


def _dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    wide = _wide(a)
    return torch.dot(a.reshape(-1).to(wide), b.reshape(-1).to(wide))
