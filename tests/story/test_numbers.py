"""A number is written the same by the quick way as by decimals, digit by digit."""

from decimal import ROUND_HALF_EVEN, Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miya.story.numbers import number


def by_decimals(value, digits, pad):
    """The rule of `number`, for a finite value that is not 0, in decimal arithmetic."""
    whole = Decimal(repr(value)).normalize()
    if whole.adjusted() < 15:
        digits = max(digits, whole.adjusted() + 1)
    if len(whole.as_tuple().digits) <= digits + (not pad):
        return plain(whole)
    exact = Decimal(value)
    rounded = Context(prec=digits, rounding=ROUND_HALF_EVEN).plus(exact)
    if pad:
        rounded = rounded.quantize(Decimal(1).scaleb(rounded.adjusted() - digits + 1))
    else:
        rounded = rounded.normalize()
    return plain(rounded)


def plain(value):
    if -6 < value.adjusted() < 15:
        return f"{value:f}"
    text = f"{value:e}".replace("e+", "e").replace("E+", "e").replace("E", "e")
    return text


@given(
    st.floats(1e-9, 1e17) | st.floats(1e-5, 1e3) | st.integers(1, 10**16).map(float),
    st.booleans(),
    st.integers(1, 15),
    st.booleans(),
)
def test_quick_and_decimal_agree(size, negative, digits, pad):
    value = -size if negative else size
    assert number(value, digits, pad=pad) == by_decimals(value, digits, pad)


@pytest.mark.parametrize(
    ("value", "digits", "padded", "bare"),
    [
        (0.519998, 5, "0.52000", "0.519998"),
        (1.5148, 1, "2", "2"),
        (9.99996, 3, "10.0", "10"),
        (99999.96, 6, "100000", "99999.96"),
        (1250304.2, 3, "1250304", "1250304.2"),
        (1e-4, 4, "0.0001", "0.0001"),
        (9.9999e-5, 2, "0.00010", "0.0001"),
        (1.5e-7, 4, "1.5e-7", "1.5e-7"),
        (100.0, 4, "100", "100"),
    ],
)
def test_written(value, digits, padded, bare):
    assert number(value, digits) == padded
    assert number(value, digits, pad=False) == bare
    assert number(-value, digits) == f"-{padded}"
