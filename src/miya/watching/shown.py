"""How a measured number is written where there is little room."""

from __future__ import annotations

import math

from ..story.numbers import number

DIGITS = 3
LARGE = 1e6


def short(value: float | None, digits: int = DIGITS) -> str:
    """Three significant digits, an exponent from a million on; "–" for what was not measured, and
    what is no number by name."""
    if value is None:
        return "–"
    if math.isnan(value):
        return "NaN"
    if math.isfinite(value) and abs(value) >= LARGE:
        head, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return f"{head.rstrip('0').rstrip('.')}e{int(exponent)}"
    return number(value, digits, pad=False)
