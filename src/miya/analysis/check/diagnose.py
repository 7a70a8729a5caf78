"""A wrong number matched to known mistakes: only those that give its digits, and all of them."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation

from ...core.written import Quantity, Written
from .mistakes import variants
from .near import Near
from .world import World

TOLD_APART = (
    "slope_left_out", "bias_left_out", "sign", "factor_2", "factor_half", "slope_of_a",
    "updated_weights", "rate_left_out", "activation_left_out", "transposed",
)  # fmt: skip
COARSE = (1, 2, 3)  # decimals that every result is rounded to, tried as a mistake


def diagnose(
    of: Quantity, stated: Written, near: Near, worlds: tuple[World, World, World]
) -> tuple[str, ...]:
    """Kinds of mistakes that give the stated digits.

    worlds: the page's numbers as they stand, with its slips alone, and with none.
    """
    page, carried, truth = worlds
    found: dict[str, None] = {}
    rounded, unrounded = variants(page, of), variants(carried, of)
    same = len(rounded) == len(unrounded)
    for (kind, a), (_, b) in zip(rounded, unrounded if same else rounded, strict=True):
        if near.between([a, b]):
            found[kind] = None
    for kind, value in variants(truth, of):
        if near(value):
            found[kind] = None
    if any(digits_swapped(v, stated) for v in (page.fresh(of), carried.fresh(of), near.true)):
        found["digits_swapped"] = None
    if not found and rounded_early(of, near, truth):
        found["rounded_early"] = None
    return tuple(found)


def digits_swapped(value: float, stated: Written) -> bool:
    """Two figures next to each other changed places."""
    if not stated.unit or not math.isfinite(value):
        return False
    try:
        good = str(abs(Decimal(value).quantize(stated.unit)))
    except InvalidOperation:
        return False
    bad = str(abs(stated.value))
    apart = [k for k in range(min(len(good), len(bad))) if good[k] != bad[k]]
    if len(good) != len(bad) or len(apart) != 2:
        return False
    a, b = apart
    return good[a + 1 : b] in ("", ".") and good[a] == bad[b] and good[b] == bad[a]


def rounded_early(of: Quantity, near: Near, truth: World) -> bool:
    for decimals in COARSE:
        coarse = truth.copy()
        coarse.rounding = decimals
        if near(coarse.fresh(of)):
            return True
    return False
