"""Numbers as people give them, turned into float64 arrays or refused with the place."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence
from fractions import Fraction
from numbers import Integral, Real
from typing import Any

import numpy as np

from ..errors import MiyaInputError, MiyaWarning, Path
from .rounding import Array

INTEGER_DIGITS = 4300  # Python's own limit on reading integers
SMALLEST_NORMAL = 2.2250738585072014e-308
LONGEST_SHOWN = 40


def show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def refuse(code: str, where: str, what: str, path: Path, hint: str) -> MiyaInputError:
    return MiyaInputError(code, f"{where} {what}".strip(), hint=hint, path=path)


def scalar(value: Any, where: str, path: Path) -> float:
    """One finite number. `where` names it in messages ("layer 2, weight[1][0]").

    Raises MiyaInputError E201 to E209, E212; warns W211 of a subnormal number.
    """
    if isinstance(value, str):
        return _from_text(value, where, path)
    if value is None:
        raise refuse("E212", where, "is missing (null)", path, "give it a number")
    if isinstance(value, bool | np.bool_):
        raise refuse("E207", where, f"is {str(value).lower()}, not a number", path, "write 1 or 0")
    if isinstance(value, complex | np.complexfloating):
        raise refuse("E208", where, f"is complex: {value}", path, "give a real number")
    if not isinstance(value, Real):
        kind = type(value).__name__
        raise refuse("E206", where, f"is a {kind}, not a number", path, "give one number here")
    if isinstance(value, Integral) and int(value).bit_length() > INTEGER_DIGITS * 3.33:
        raise refuse(
            "E209", where, f"is an integer of over {INTEGER_DIGITS} digits", path, "shorten it"
        )
    try:
        number = float(value)
    except OverflowError:
        raise _outside(where, "is an integer", path) from None
    return _checked(number, where, path, show(value))


def _outside(where: str, what: str, path: Path) -> MiyaInputError:
    return refuse("E202", where, f"{what} outside float64", path, "use a number below 1.8e308")


def _checked(number: float, where: str, path: Path, written: str) -> float:
    if math.isnan(number):
        raise refuse("E201", where, "is NaN", path, "give it a finite number")
    if math.isinf(number):
        raise _outside(where, f"is {written}, which is", path)
    if 0 < abs(number) < SMALLEST_NORMAL:
        warn("W211", f"{where} is {written}, a subnormal number; a GPU may flush it to 0")
    return number


def warn(code: str, text: str) -> None:
    warnings.warn(MiyaWarning(f"{code} {text}"), stacklevel=2)


def _from_text(text: str, where: str, path: Path) -> float:
    """A number in quotes: a decimal or a fraction such as "1/3". Nothing is evaluated."""
    trimmed = text.strip().replace("−", "-")
    if len(trimmed) > INTEGER_DIGITS:
        raise refuse("E209", where, f"is a text of {len(trimmed)} characters", path, "shorten it")
    if re.fullmatch(r"[-+]?\d+,\d+", trimmed):
        point = trimmed.replace(",", ".")
        raise refuse("E204", where, f"is {show(text)}", path, f"did you mean {point}?")
    if "/" in trimmed:
        return _fraction(trimmed, text, where, path)
    if trimmed.lower().lstrip("+-") in ("nan", "inf", "infinity"):
        return _checked(float(trimmed), where, path, show(text))
    if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", trimmed):
        raise refuse(
            "E206", where, f"is {show(text)}, not a number", path, 'write 0.5, -2e-3 or "1/3"'
        )
    return _checked(float(trimmed), where, path, trimmed)


def _fraction(trimmed: str, text: str, where: str, path: Path) -> float:
    if not re.fullmatch(r"[-+]?\d+\s*/\s*\d+", trimmed):
        raise refuse("E205", where, f"is {show(text)}", path, 'write a fraction as "1/3"')
    over, under = (int(part) for part in trimmed.split("/"))
    if under == 0:
        raise refuse("E205", where, f"is {show(text)}, a division by 0", path, "give a number")
    try:
        return float(Fraction(over, under))
    except OverflowError:
        raise _outside(where, f"is {show(text)}, which is", path) from None


def is_list(value: Any) -> bool:
    return isinstance(value, list | tuple | np.ndarray) and not (
        isinstance(value, np.ndarray) and value.ndim == 0
    )


def _plain_floats(values: Sequence[Any]) -> bool:
    return set(map(type, values)) <= {float, int}


def vector(value: Any, where: str, path: Path) -> Array:
    """(k,) float64 from a list of numbers. Raises MiyaInputError as `scalar`, E104, E206."""
    if not is_list(value):
        raise refuse("E206", where, f"is {show(value)}", path, "write a list, such as [0.1, 0.2]")
    if len(value) == 0:
        raise refuse("E104", where, "is empty", path, "give at least one number")
    quick = _quick(value, 1)
    if quick is not None:
        return quick
    return np.array(
        [scalar(v, f"{where}[{i}]", (*path, i)) for i, v in enumerate(value)], dtype=np.float64
    )


def matrix(value: Any, where: str, path: Path) -> Array:
    """(rows, columns) float64. Raises MiyaInputError as `scalar`, E103 (ragged), E104."""
    if not is_list(value):
        raise refuse("E206", where, f"is {show(value)}", path, "write rows, such as [[0.1, 0.2]]")
    if len(value) == 0:
        raise refuse("E104", where, "is empty: []", path, "give at least one row")
    quick = _quick(value, 2)
    if quick is not None:
        return quick
    rows = []
    for i, row in enumerate(value):
        if not is_list(row):
            raise refuse(
                "E103",
                where,
                f"row {i + 1} is {show(row)}, not a row",
                (*path, i),
                "write each row in brackets: [[1, 2], [3, 4]]",
            )
        rows.append(vector(row, f"{where}[{i}]", (*path, i)))
        if len(rows[i]) != len(rows[0]):
            raise refuse(
                "E103",
                where,
                f"is ragged: row {i + 1} has {_values(len(rows[i]))}, row 1 has {len(rows[0])}",
                (*path, i),
                "give every row as many values",
            )
    return np.stack(rows)


def _values(count: int) -> str:
    return f"{count} value{'' if count == 1 else 's'}"


def _quick(value: Any, dimensions: int) -> Array | None:
    """The array at once where nothing about it needs a closer look."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "fiu" or value.ndim != dimensions or value.size == 0:
            return None
        found = value.astype(np.float64)
    else:
        rows = value if dimensions == 2 else [value]
        if not all(isinstance(r, list | tuple) and r and _plain_floats(r) for r in rows):
            return None
        if len({len(r) for r in rows}) != 1:
            return None
        try:
            found = np.array(value, dtype=np.float64)
        except (OverflowError, ValueError):
            return None
    sizes = np.abs(found)
    odd = ~np.isfinite(found).all() or ((sizes > 0) & (sizes < SMALLEST_NORMAL)).any()
    return None if odd else found
