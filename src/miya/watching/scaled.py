"""What the loss was multiplied by, where a GradScaler is at work."""

from __future__ import annotations

import sys
from typing import Any

import torch

STEP = torch.amp.GradScaler.step.__code__
DEEP = 12  # calls between an optimizer's hook and the scaler that steps it, at most


def scaler_at_work() -> Any:
    """The GradScaler whose `step` is under way, None without one. The optimizer's own hooks are
    told nothing of it, so it is looked for among the calls that led here."""
    frame = sys._getframe(1)
    for _ in range(DEEP):
        if frame.f_code is STEP:
            return frame.f_locals.get("self")
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return None


def loss_scale() -> torch.Tensor | None:
    """As a tensor on its device; None where the loss is not scaled. To be asked during a step."""
    scaler = scaler_at_work()
    scale = getattr(scaler, "_scale", None)
    if scaler is None or not scaler.is_enabled() or not isinstance(scale, torch.Tensor):
        return None
    return scale.detach().clone()
