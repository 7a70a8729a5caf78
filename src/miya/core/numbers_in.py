"""Numbers as people give them, turned into float64 arrays or refused with the place."""

from __future__ import annotations

import math
import re
import reprlib
import warnings
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from typing import Any

import numpy as np

from ..errors import MiyaInputError, MiyaWarning, Path
from .rounding import Array

INTEGER_DIGITS = 4300  # Python's own limit on reading integers
SMALLEST_NORMAL = 2.2250738585072014e-308
LARGEST = 1.7976931348623157e308
LONGEST_SHOWN = 40
DEEPEST = 8  # axes that a message names
CHUNK = 2**18  # elements looked at together: few enough to stay in the cache
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 10 * LONGEST_SHOWN
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = LONGEST_SHOWN


def show(value: object) -> str:
    """`value` as a message quotes it: on one line, 40 characters at most."""
    if isinstance(value, str):
        value = value[: LONGEST_SHOWN + 1]
    elif isinstance(value, np.generic):
        value = value.item()
    try:
        text = " ".join(_SHORT.repr(value).split())
    except Exception:  # whatever a foreign __repr__ raises, or the digits of a huge integer
        text = f"a {type(value).__name__}"
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def refuse(code: str, where: str, what: str, path: Path, hint: str) -> MiyaInputError:
    return MiyaInputError(code, f"{where} {what}".strip(), hint=hint, path=path)


def scalar(value: Any, where: str, path: Path) -> float:
    """One finite number. `where` names it in messages ("layer 2, weight[1][0]").

    Raises MiyaInputError E201 to E209, E212; warns W211 of a subnormal number.
    """
    if value is np.ma.masked:
        raise refuse("E212", where, "is missing (masked)", path, "give it a number")
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, str):
        return _from_text(value, where, path)
    if value is None:
        raise refuse("E212", where, "is missing (null)", path, "give it a number")
    if isinstance(value, bool | np.bool_):
        raise refuse("E207", where, f"is {str(value).lower()}, not a number", path, "write 1 or 0")
    if isinstance(value, complex | np.complexfloating):
        raise refuse("E208", where, f"is complex: {show(value)}", path, "give a real number")
    if not isinstance(value, Real | Decimal):
        kind = type(value).__name__
        raise refuse("E206", where, f"is a {kind}, not a number", path, "give one number here")
    if isinstance(value, Integral) and int(value).bit_length() > INTEGER_DIGITS * 3.33:
        raise refuse(
            "E209", where, f"is an integer of over {INTEGER_DIGITS} digits", path, "shorten it"
        )
    try:
        number = float(value)
    except OverflowError:
        raise _outside(where, f"is {show(value)}, which is", path) from None
    except (TypeError, ValueError):
        raise refuse(
            "E206", where, f"is {show(value)}, not a number", path, "give one number here"
        ) from None
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
    if re.fullmatch(r"[-+]?[0-9]+,[0-9]+", trimmed):
        point = trimmed.replace(",", ".")
        raise refuse("E204", where, f"is {show(text)}", path, f"did you mean {point}?")
    if "/" in trimmed:
        return _fraction(trimmed, text, where, path)
    if trimmed.lower().lstrip("+-") in ("nan", "inf", "infinity"):
        return _checked(float(trimmed), where, path, show(text))
    if re.fullmatch(r"[-+]?[0-9.]*([eE][-+]?[0-9]+)?[-+]?[0-9.]*[ij]", trimmed):
        raise refuse("E208", where, f"is complex: {show(text)}", path, "give a real number")
    if not re.fullmatch(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", trimmed):
        raise refuse(
            "E206", where, f"is {show(text)}, not a number", path, 'write 0.5, -2e-3 or "1/3"'
        )
    return _checked(float(trimmed), where, path, show(text))


def _fraction(trimmed: str, text: str, where: str, path: Path) -> float:
    if not re.fullmatch(r"[-+]?[0-9]+\s*/\s*[0-9]+", trimmed):
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


def plain(value: Any, where: str, path: Path) -> Any:
    """`value`, or the NumPy array that it offers to be (a data frame, a tensor)."""
    if isinstance(value, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(value)
        if mask.any():
            index = tuple(int(i) for i in np.argwhere(mask)[0])
            scalar(np.ma.masked, where + _index(index), (*path, *index))
        return np.asarray(value.data)
    if isinstance(value, np.generic) or not hasattr(type(value), "__array__"):
        return value
    try:
        return np.asarray(value)
    except Exception:  # whatever a foreign __array__ raises
        raise refuse(
            "E206",
            where,
            f"is a {type(value).__name__} that gives no array",
            path,
            "give lists or a NumPy array (a tensor: .detach().numpy())",
        ) from None


def _index(index: Sequence[int]) -> str:
    return "".join(f"[{i}]" for i in index)


def shape_of(value: Any) -> tuple[int, ...] | None:
    """The shape of an array or of nested lists, seen along their first elements; None where
    the elements beside those differ in length."""
    shape: tuple[int, ...] = ()
    while is_list(value) and len(shape) < DEEPEST:
        if isinstance(value, np.ndarray):
            return (*shape, *value.shape)
        shape = (*shape, len(value))
        if len({len(v) if is_list(v) else -1 for v in value}) > 1:
            return None
        value = value[0] if len(value) else None
    return shape


def _check_shape(value: Any, wanted: Sequence[object], where: str, path: Path, hint: str) -> None:
    """Refuse lists nested to another depth. `wanted` names each axis: (2,) or ("n", 784)."""
    shape = shape_of(value)
    if shape is not None and len(shape) != len(wanted):
        expected = ", ".join(map(str, wanted)) + ("," if len(wanted) == 1 else "")
        raise refuse("E107", where, f"has shape {shape}, expected ({expected})", path, hint)


def vector(value: Any, where: str, path: Path, size: object = "n") -> Array:
    """(k,) float64 from a list of numbers; `size` names the k that is expected.

    Raises MiyaInputError as `scalar`, and E104, E107, E206.
    """
    value = plain(value, where, path)
    if not is_list(value):
        raise refuse("E206", where, f"is {show(value)}", path, "write a list, such as [0.1, 0.2]")
    if len(value) == 0:
        raise refuse("E104", where, "is empty", path, "give at least one number")
    quick = _quick(value, 1, where, path)
    if quick is not None:
        return quick
    _check_shape(value, (size,), where, path, "write one list of numbers, such as [0.1, 0.2]")
    return np.array(
        [scalar(v, f"{where}[{i}]", (*path, i)) for i, v in enumerate(value)], dtype=np.float64
    )


def matrix(
    value: Any,
    where: str,
    path: Path,
    *,
    wanted: tuple[object, object] = ("out", "in"),
    hint: str = "write rows, such as [[0.1, 0.2]]",
) -> Array:
    """(rows, columns) float64; `wanted` names the two in messages.

    Raises MiyaInputError as `scalar`, and E103 (ragged), E104, E107.
    """
    value = plain(value, where, path)
    if not is_list(value):
        raise refuse("E206", where, f"is {show(value)}", path, hint)
    if len(value) == 0:
        raise refuse("E104", where, "is empty: []", path, "give at least one row")
    quick = _quick(value, 2, where, path)
    if quick is not None:
        return quick
    if not (isinstance(value, list | tuple) and all(is_list(v) and not len(v) for v in value)):
        _check_shape(value, wanted, where, path, hint)
    return _rows(value, where, path)


def _rows(value: Any, where: str, path: Path) -> Array:
    rows: list[Array] = []
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
                f"is ragged: row {i + 1} has {count(len(rows[i]), 'value')}, "
                f"row 1 has {len(rows[0])}",
                (*path, i),
                "give every row as many values",
            )
    return np.stack(rows)


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _plain_floats(values: Sequence[Any]) -> bool:
    return set(map(type, values)) <= {float, int}


def _quick(value: Any, dimensions: int, where: str, path: Path) -> Array | None:
    """The array at once, or None where an element needs a closer look or the shape is wrong."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "fiu" or value.ndim != dimensions or value.size == 0:
            return None
        with np.errstate(over="ignore"):  # a longdouble outside float64 is refused below
            found = np.array(value, dtype=np.float64)
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
    _check_values(found, where, path)
    return found


def _check_values(found: Array, where: str, path: Path) -> None:
    """As `scalar` for every element, at the speed of NumPy; one warning of subnormals is told."""
    flat = found.reshape(-1)
    subnormal = None
    for start in range(0, flat.size, CHUNK):
        sizes = np.abs(flat[start : start + CHUNK])
        # a NaN fails this comparison too
        wrong = ~(sizes <= LARGEST)
        if wrong.any():
            _look(found, start + int(wrong.argmax()), where, path)
        if subnormal is None:
            small = (sizes < SMALLEST_NORMAL) & (sizes > 0)
            subnormal = start + int(small.argmax()) if small.any() else None
    if subnormal is not None:
        _look(found, subnormal, where, path)


def _look(found: Array, at: int, where: str, path: Path) -> None:
    index = tuple(int(i) for i in np.unravel_index(at, found.shape))
    scalar(float(found[index]), where + _index(index), (*path, *index))
