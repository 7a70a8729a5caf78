"""Losses that torch works out in one go, by their parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from .functions import opened
from .steps import Arguments, Equivalent, Steps

REDUCED: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "mean": torch.mean,
    "sum": torch.sum,
    "none": lambda loss: loss,
}


def triplet_margin_loss(given: Arguments, steps: Steps) -> Any:
    """max(0, margin + d(anchor, positive) − d(anchor, negative)), d the p-norm of a difference."""
    if given.get("size_average") is not None or given.get("reduce") is not None:
        return None
    anchor, positive, negative = (given[w] for w in ("anchor", "positive", "negative"))
    p, eps = given.get("p", 2.0), given.get("eps", 1e-6)
    near = steps.named("near", torch.pairwise_distance(anchor, positive, p, eps))
    far = steps.named("far", torch.pairwise_distance(anchor, negative, p, eps))
    if given.get("swap"):
        swapped = steps.named("swapped", torch.pairwise_distance(positive, negative, p, eps))
        far = torch.minimum(far, swapped)
    loss = torch.clamp_min(near - far + given.get("margin", 1.0), 0)
    return REDUCED[given.get("reduction", "mean")](loss)


def linear_cross_entropy(given: Arguments, steps: Steps) -> Any:
    """Cross-entropy of a linear layer's logits, all at once where torch may go in chunks."""
    whole = opened(F.linear_cross_entropy)
    return whole(**{**given, "options": None})


COMPOUND: dict[str, Equivalent] = {
    "triplet_margin_loss": triplet_margin_loss,
    "linear_cross_entropy": linear_cross_entropy,
}
