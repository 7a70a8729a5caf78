"""Scaled dot-product attention by its parts: y = dropout(softmax(s Q Kᵀ + mask)) V."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F

from .steps import Arguments, Equivalent, Steps


def attention(given: Arguments, steps: Steps) -> Any:
    """query (..., L, E), key (..., S, E), value (..., S, V) -> (..., L, V)."""
    query, key, value = given["query"], given["key"], given["value"]
    if given.get("enable_gqa") and key.shape[-3] != query.shape[-3]:
        key, value = (_shared_heads(t, query.shape[-3]) for t in (key, value))
    scale = given.get("scale")
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = steps.named("scores", torch.matmul(query, key.transpose(-2, -1)) * scale)
    scores, empty = _masked(scores, given)
    weights = torch.softmax(scores, -1)
    if empty is not None:  # torch gives a row that may look at nothing weights of 0
        weights = weights.masked_fill(empty, 0.0)
    steps.named("weights", weights)
    if given.get("dropout_p"):
        weights = steps.named("dropped", F.dropout(weights, given["dropout_p"], True))
    return torch.matmul(weights, value)


def _shared_heads(tensor: torch.Tensor, heads: int) -> torch.Tensor:
    """Each head of keys or values, as often as query heads share it."""
    own = torch.arange(tensor.shape[-3], device=tensor.device)
    return tensor.index_select(-3, own.repeat_interleave(heads // tensor.shape[-3]))


def _masked(scores: torch.Tensor, given: Arguments) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The scores with the mask, and which rows are left nothing to look at."""
    mask = given.get("attn_mask")
    if given.get("is_causal"):
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if mask is None:
        return scores, None
    if mask.dtype != torch.bool:
        with torch.no_grad():
            empty = torch.isneginf(mask).all(-1, keepdim=True)
        scores = scores + mask
    else:
        empty = ~mask.any(-1, keepdim=True)
        scores = scores.masked_fill(~mask, -math.inf)
    if not empty.any():
        return scores, None
    return scores.masked_fill(empty, 0.0), empty


ATTENTION: dict[str, Equivalent] = {"scaled_dot_product_attention": attention}
