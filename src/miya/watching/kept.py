"""Whether the gradients of the step before are still there when new ones come."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from .deltas import Number, sum_squares
from .layers import Held


class Mark:
    """A parameter's gradient as the step before left it, remembered by its memory and version.

    kept: the sum of its squares, if it was still that one, unchanged, when the first δ of the
    layer came, and was not set back later in the step either; otherwise 0.
    """

    __slots__ = ("first", "kept", "parameter", "pointer", "version")

    def __init__(self, parameter: torch.Tensor, gradient: torch.Tensor) -> None:
        self.parameter: torch.Tensor | None = parameter
        self.pointer, self.version = gradient.data_ptr(), gradient._version
        self.first = True
        self.kept: Number = 0.0

    def look(self) -> None:
        """A δ of the layer has come; its gradient is not there yet."""
        if not self.first and isinstance(self.kept, float) and self.kept == 0:
            return
        assert self.parameter is not None
        gradient = self.parameter.grad
        if gradient is None or gradient.data_ptr() != self.pointer:
            self.kept = 0.0
        elif not self.first or gradient._version == self.version:
            self.kept = sum_squares(gradient.detach())  # 0 where it was set back since
        self.first = False


def marks(probes: Sequence[tuple[int, Held]]) -> dict[int, Mark]:
    """probes: layers, each with the parameter that stands for it; of those that have a gradient
    now."""
    found = {}
    for k, held in probes:
        gradient = held.whole.grad
        if type(gradient) is torch.Tensor and gradient.layout is torch.strided:
            found[k] = Mark(held.whole, gradient)
    return found
