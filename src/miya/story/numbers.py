"""How a number is written. The only rounding of what is shown."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite

from ..core.rounding import without_noise

LONGEST_WHOLE = 15
MOST_DIGITS = 17  # enough to write any float64 so that it reads back the same


def number(value: float, digits: int, *, pad: bool = True, full: bool = False) -> str:
    """`value` to `digits` significant digits, in full where that is shorter.

    0.08 stays "0.08"; 0.519998 to 5 digits is "0.52000", whose zeros say how far it is known,
    or "0.52" without `pad`. Very large and very small numbers use an exponent ("1.5e-7").
    full: from the binary value's own digits, which may be more than tell it from the next one.
    """
    value = float(value)
    if value == 0:
        return "0"
    if not isfinite(value):
        return "-∞" if value < 0 else "∞"
    if 1e-4 <= abs(value) < 10 ** min(digits, 15) and not full:
        return _usual(value, digits, pad)
    exactly = (Decimal(value) if full else Decimal(repr(value))).normalize()
    # digits before the point are never rounded away: 1250304.2 is 1250304, not 1250300
    if exactly.adjusted() < LONGEST_WHOLE:
        digits = max(digits, exactly.adjusted() + 1)
    # without padding one digit more is no rounding away: a carried 0.0052135 stands whole
    if len(exactly.as_tuple().digits) <= digits + (not pad):
        return _write(exactly)
    rounded = Decimal(f"{value:.{digits - 1}e}")
    return _write(rounded if pad else rounded.normalize())


def _usual(value: float, digits: int, pad: bool) -> str:
    """`number` of a size that needs no exponent: the same digits, by the quickest way there."""
    whole = repr(value).removesuffix(".0")
    if "e" not in whole:
        figures = whole.lstrip("-0.").replace(".", "")
        if "." not in whole:
            figures = figures.rstrip("0")
        if len(figures) <= digits + (not pad):
            return whole
    text = f"{value:#.{digits}g}".removesuffix(".") if pad else f"{value:.{digits}g}"
    return text if "e" not in text else _write(Decimal(text))


def settled(value: float, scale: float, digits: int) -> str:
    """Like `number`, without the digits that float64 noise of terms of size `scale` made."""
    return number(without_noise(float(value), float(scale)), digits)


def signed(value: float, digits: int, *, pad: bool = True) -> str:
    text = number(value, digits, pad=pad)
    return text if value <= 0 else f"+{text}"


def percent(share: float) -> str:
    """A share of 1 in per cent: "37 %", one decimal below 10, "< 0.1 %" for what is smaller."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    return f"{share * 100:.0f} %" if share >= 0.1 or share == 0 else f"{share * 100:.1f} %"


def _write(value: Decimal) -> str:
    exponent = value.adjusted()
    if -6 < exponent < LONGEST_WHOLE:
        return f"{value:f}"
    sign, figures, _ = value.as_tuple()
    head, tail = str(figures[0]), "".join(map(str, figures[1:]))
    return f"{'-' if sign else ''}{head}{'.' + tail if tail else ''}e{exponent}"
