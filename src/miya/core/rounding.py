"""What is carried from one result to the next: the exact value, or the rounded one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Carry = Callable[..., Any]  # (values, scale=None) -> values of the same shape

NOISE = 1e-14  # float64 sums are not trusted below this share of their largest term
NOISE_EXPONENT = math.log10(NOISE)
TIE = 1e-9  # nearer than this to half-way counts as half-way


def exact(values: Array, scale: Array | None = None) -> Array:
    """carry = exact: every result is carried on as it is."""
    return values


def to_digits(digits: int) -> Carry:
    """carry = rounded: each result is rounded to `digits` significant digits and carried on.

    A result that lies half-way between two roundings keeps one more digit, so no reader
    has to know which way ties go. `scale` is the size of the largest term of a sum: what is
    left of it after cancelling below `NOISE` is taken as 0, as it would be by hand.
    """

    def rounded(values: Array, scale: Array | None = None) -> Array:
        given = np.asarray(values)
        sizes = np.abs(given) if scale is None else np.broadcast_to(scale, given.shape)
        flat = [
            round_one(float(v), digits, float(s))
            for v, s in zip(given.ravel(), sizes.ravel(), strict=True)
        ]
        return np.array(flat, dtype=given.dtype).reshape(given.shape)

    return rounded


def round_one(value: float, digits: int, scale: float = 0.0) -> float:
    """`value` to `digits` significant digits, or one more where it lies half-way.

    Whole numbers keep all their digits: 1250304.2 is carried as 1250304, never as 1250300.
    """
    value = without_noise(value, scale)
    if value == 0 or not np.isfinite(value):
        return value
    exponent = int(f"{value:e}".partition("e")[2])
    digits = max(digits, exponent + 1)
    short, longer = float(f"{value:.{digits - 1}e}"), float(f"{value:.{digits}e}")
    unit = 10.0 ** (exponent - digits + 1)
    half_way = unit != 0 and abs(abs(value - short) / unit - 0.5) < TIE
    return longer if half_way else short


def without_noise(value: float, scale: float) -> float:
    """`value` without the digits that float64 cannot know after terms of size `scale`."""
    scale = max(scale, abs(value))
    if scale == 0 or not math.isfinite(scale):
        return value
    decimals = -math.floor(math.log10(scale) + NOISE_EXPONENT)
    try:
        return round(value, decimals)
    except OverflowError:  # beside the largest float64 the rounded value would be none
        return value
