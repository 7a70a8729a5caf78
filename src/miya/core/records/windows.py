"""Windows of pooling: which places of the input each place of the result is made of.

Along each dimension a window is a row of places, −1 where it reaches into the padding; a window of
several dimensions is the product of its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..calls import Call
from ..graph import Index
from ..rounding import Array
from .convolution import each
from .grid import grid


@dataclass(frozen=True)
class Row:
    """Along one dimension: places (windows, kernel), and how many each window spans with the
    padding counted."""

    places: Array
    spans: Array


def sliding(size: int, windows: int, kernel: int, stride: int, padding: int, dilation: int) -> Row:
    starts = np.arange(windows) * stride - padding
    places = starts[:, None] + np.arange(kernel) * dilation
    spans = np.minimum(starts + kernel, size + padding) - starts
    return Row(np.where((places >= 0) & (places < size), places, -1), spans)


def adaptive(size: int, windows: int) -> Row:
    """From ⌊p · size / windows⌋ up to ⌈(p + 1) · size / windows⌉."""
    p = np.arange(windows)
    starts, ends = p * size // windows, -((p + 1) * -size // windows)
    places = starts[:, None] + np.arange(int((ends - starts).max()))
    return Row(np.where(places < ends[:, None], places, -1), ends - starts)


def rows_of(call: Call, dimensions: int) -> tuple[Row, ...]:
    """Of one call of a pooling operation, by its options."""
    sizes = call.operands["input"].shape[-dimensions:]
    windows = call.results[0].shape[-dimensions:]
    if call.name.startswith("adaptive"):
        return tuple(adaptive(n, w) for n, w in zip(sizes, windows, strict=True))
    kernel = each(call.arguments["kernel_size"], dimensions)
    stride = each(_given(call, "stride", kernel), dimensions)
    padding, dilation = (
        each(_given(call, n, usual), dimensions) for n, usual in (("padding", 0), ("dilation", 1))
    )
    return tuple(
        sliding(*row) for row in zip(sizes, windows, kernel, stride, padding, dilation, strict=True)
    )


def _given(call: Call, name: str, usual: Any) -> Any:
    found = call.option(name, usual)
    return usual if found == () else found


def reading(rows: Sequence[Row], index: Index) -> Array:
    """The windows that a place is in: (windows, dimensions)."""
    found = [
        np.nonzero((row.places == at).any(axis=1))[0] for row, at in zip(rows, index, strict=True)
    ]
    return grid(*found)


def members(rows: Sequence[Row], window: Index) -> Array:
    """The places that a window holds, in the order in which torch goes through them."""
    kept = [row.places[p] for row, p in zip(rows, window, strict=True)]
    return grid(*(places[places >= 0] for places in kept))
