"""Index rows of the elements that a formula runs over, and numbers kept once a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from ..calls import Call
from ..places import Axis as Axis
from ..places import grid as grid
from ..rounding import Array

T = TypeVar("T")

_KEPT: WeakKeyDictionary[Call, dict[str, Any]] = WeakKeyDictionary()


def once(call: Call, word: str, make: Callable[[], T]) -> T:
    """What `make` gives, worked out at the first asking and kept as long as the call."""
    kept = _KEPT.setdefault(call, {})
    if word not in kept:
        kept[word] = make()
    found: T = kept[word]
    return found


def whole(shape: tuple[int, ...]) -> list[Axis]:
    """Every place along every dimension."""
    return [np.arange(n) for n in shape]


def readers(shape: tuple[int, ...], index: tuple[int, ...], into: tuple[int, ...]) -> Array:
    """The places of the broadcast shape `into` that read the element at `index` of `shape`."""
    new = len(into) - len(shape)
    axes: list[Axis] = list(whole(into))
    for axis, (n, at) in enumerate(zip(shape, index, strict=True), start=new):
        if n == into[axis]:
            axes[axis] = at
    return grid(*axes)


def broadcast_rows(rows: Array, shape: tuple[int, ...]) -> Array:
    """The places of an operand of `shape` that the places `rows` of the result read."""
    own = rows[:, rows.shape[1] - len(shape) :]
    return np.where(np.asarray(shape, dtype=np.int64) == 1, 0, own) if shape else own
