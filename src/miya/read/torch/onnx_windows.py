"""Convolution and pooling of ONNX: windows with paddings that may differ at the two ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.nn import functional as F

Attributes = Mapping[str, Any]
Tensor = torch.Tensor
CONVOLUTION = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
MAXIMUM = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


def _pads(at: Attributes, sizes: Sequence[int], kernel: Sequence[int]) -> list[tuple[int, int]]:
    """(before, after) of each dimension, from `pads` or worked out as `auto_pad` says."""
    n = len(sizes)
    how = at.get("auto_pad", "NOTSET")
    if how in ("NOTSET", ""):
        given = at.get("pads") or [0] * (2 * n)
        return list(zip(given[:n], given[n:], strict=True))
    if how == "VALID":
        return [(0, 0)] * n
    found = []
    for size, k, stride, dilation in zip(
        sizes, kernel, _each(at, "strides", n), _each(at, "dilations", n), strict=True
    ):
        whole = max((-(-size // stride) - 1) * stride + (k - 1) * dilation + 1 - size, 0)
        less, more = whole // 2, whole - whole // 2
        found.append((less, more) if how == "SAME_UPPER" else (more, less))
    return found


def _each(at: Attributes, name: str, n: int) -> list[int]:
    return list(at.get(name) or [1] * n)


def _padded(x: Tensor, pads: Sequence[tuple[int, int]], value: float = 0.0) -> Tensor:
    return F.pad(x, [n for pair in reversed(pads) for n in pair], value=value)


def convolution(at: Attributes) -> Callable[..., Tensor]:
    def run(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        n = x.ndim - 2
        pads = _pads(at, x.shape[2:], weight.shape[2:])
        same = all(a == b for a, b in pads)
        if not same:
            x = _padded(x, pads)
        return CONVOLUTION[n](
            x,
            weight,
            bias,
            _each(at, "strides", n),
            [a for a, _ in pads] if same else [0] * n,
            _each(at, "dilations", n),
            at.get("group", 1),
        )

    return run


def max_pool(at: Attributes) -> Callable[..., Tensor]:
    if at["outputs"] > 1:
        raise NotImplementedError("MaxPool (with its indices as an output)")
    kernel = list(at["kernel_shape"])

    def run(x: Tensor) -> Tensor:
        n = x.ndim - 2
        pads = _pads(at, x.shape[2:], kernel)
        # torch allows a padding of half a window
        inside = all(a == b <= k // 2 for (a, b), k in zip(pads, kernel, strict=True))
        if not inside:
            x = _padded(x, pads, float("-inf"))
        padding = [a for a, _ in pads] if inside else [0] * n
        strides, dilations = _each(at, "strides", n), _each(at, "dilations", n)
        return MAXIMUM[n](x, kernel, strides, padding, dilations, bool(at.get("ceil_mode", 0)))

    return run


def average_pool(at: Attributes) -> Callable[..., Tensor]:
    if any(d != 1 for d in at.get("dilations") or []):
        raise NotImplementedError("AveragePool (with dilations)")
    kernel = list(at["kernel_shape"])
    counted, ceil = bool(at.get("count_include_pad", 0)), bool(at.get("ceil_mode", 0))

    def run(x: Tensor) -> Tensor:
        n = x.ndim - 2
        pads, strides = _pads(at, x.shape[2:], kernel), _each(at, "strides", n)
        if all(a == b <= k // 2 for (a, b), k in zip(pads, kernel, strict=True)):
            return AVERAGE[n](x, kernel, strides, [a for a, _ in pads], ceil, counted)
        made = AVERAGE[n](_padded(x, pads), kernel, strides, 0, ceil)
        if counted:
            return made
        ones = torch.ones_like(x[:1, :1])
        return made / AVERAGE[n](_padded(ones, pads), kernel, strides, 0, ceil)

    return run
