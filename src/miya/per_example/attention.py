"""Self-attention with the examples first: z = x Wᵀ + b in one piece, its thirds as they lie.

torch.nn.functional.multi_head_attention_forward puts the positions first, and takes queries, keys
and values out of z one after the other; backward, each of them fills a z of its own with zeros. The
same numbers come without those copies where the examples stay in front and z is cut in three.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from inspect import Signature, signature
from typing import Any

import torch
import torch.nn.functional as F

Tensor = torch.Tensor
ELSEWHERE = ("bias_k", "bias_v", "static_k", "static_v")  # each adds to keys and values
FLAGS = ("need_weights", "use_separate_proj_weight", "add_zero_attn")


@lru_cache(maxsize=4)
def _signature(func: Any) -> Signature:
    return signature(func)


def self_attention(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What multi_head_attention_forward gives, (T, B, E) and no weights; None where it is asked
    for more than attention of a batch to itself."""
    bound = _signature(func).bind(*args, **kwargs)
    bound.apply_defaults()
    given = bound.arguments
    return _attended(given) if _is_plain(given) else None


def _is_plain(given: Mapping[str, Any]) -> bool:
    x, masks = given["query"], (given["attn_mask"], given["key_padding_mask"])
    return (
        given["key"] is x
        and given["value"] is x
        and x.dim() == 3
        and x.shape[2] == given["embed_dim_to_check"]
        and x.shape[2] % given["num_heads"] == 0
        and not any(given[flag] for flag in FLAGS)
        and all(given[name] is None for name in ELSEWHERE)
        and all(m is None or m.is_floating_point() for m in masks)
        and (given["attn_mask"] is not None or not given["is_causal"])
    )


def _attended(given: Mapping[str, Any]) -> tuple[Tensor, None]:
    x = given["query"].transpose(0, 1)
    batch, long, wide = x.shape
    z = F.linear(x, given["in_proj_weight"], given["in_proj_bias"])
    heads = (batch, long, given["num_heads"], wide // given["num_heads"])
    q, k, v = (part.view(heads).transpose(1, 2) for part in z.chunk(3, dim=-1))
    mask, causal = _mask(given, heads)
    dropped = given["dropout_p"] if given["training"] else 0.0
    found = F.scaled_dot_product_attention(q, k, v, mask, dropped, causal)
    found = found.transpose(1, 2).reshape(batch, long, wide)
    found = F.linear(found, given["out_proj_weight"], given["out_proj_bias"])
    found = found.transpose(0, 1)
    return found.contiguous() if given["query"].is_contiguous() else found, None


def _mask(given: Mapping[str, Any], heads: tuple[int, ...]) -> tuple[Tensor | None, bool]:
    """What is added before softmax, (B or 1, heads or 1, T or 1, T), and whether it is causal."""
    mask, padding = given["attn_mask"], given["key_padding_mask"]
    batch, long, count, _ = heads
    if padding is None and given["is_causal"]:
        return None, True
    if mask is not None and mask.dim() == 3:
        mask = mask.view(batch, count, long, long)
    if padding is not None:
        padding = padding.view(batch, 1, 1, long)
        mask = padding if mask is None else mask + padding
    return mask, False
