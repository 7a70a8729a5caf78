"""Whether the gradients of the step before are still there when new ones come, and those of a pass
when the next begins."""

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


class Marks:
    """Of every layer in some steps, and as long as one was kept; else of one layer, in turn."""

    def __init__(self, probes: Sequence[tuple[int, Held]]) -> None:
        """probes: layers, each with the parameter that stands for it."""
        self.probes = probes
        self.newest: dict[int, Mark] = {}

    def renew(self, turn: int, *, every: bool) -> dict[int, Mark]:
        """By layer, of those that have a gradient now."""
        watched = self.probes
        if not every and watched and not any(map(_was_kept, self.newest.values())):
            watched = (watched[turn % len(watched)],)
        self.newest = {}
        for k, held in watched:
            gradient = held.whole.grad
            if type(gradient) is torch.Tensor and gradient.layout is torch.strided:
                self.newest[k] = Mark(held.whole, gradient)
        return self.newest


def is_emptied(held: Sequence[Held]) -> bool:
    """Whether the gradients of a layer's parameters are there, and all 0: `zero_grad` with
    `set_to_none=False` leaves them so. Another device is asked for that only in autocast, where a
    GradScaler may be at work; parts of split parameters may be 0 for other reasons."""
    found = [h.whole.grad for h in held if h.whole.requires_grad]
    whole = [g for g in found if type(g) is torch.Tensor and g.layout is torch.strided]
    if len(whole) < len(found) or not all(_may_be_asked(g.device.type) for g in whole):
        return False
    return not any(bool(g.detach().any()) for g in whole)


def _may_be_asked(device: str) -> bool:
    return device == "cpu" or torch.is_autocast_enabled(device)


def _was_kept(mark: Mark) -> bool:
    return not isinstance(mark.kept, float) or mark.kept > 0
