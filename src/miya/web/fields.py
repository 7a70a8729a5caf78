"""What a person typed into a field, as a number; decimal commas are understood."""

from __future__ import annotations

import re
from math import isfinite
from typing import Any

from ..errors import MiyaInputError

COMMA = re.compile(r"\s*[-+−]?[0-9]*,[0-9]+([eE][-+−]?[0-9]+)?\s*")


def typed(value: Any) -> Any:
    """`value` as the one validator takes it: "0,5" is 0.5, "−2" is -2, "1/3" stays a fraction."""
    if isinstance(value, list):
        return [typed(part) for part in value]
    if not isinstance(value, str):
        return value
    text = value.strip().replace("−", "-")
    if COMMA.fullmatch(text):
        text = text.replace(",", ".")
    try:
        found = float(text)
    except ValueError:
        return text
    return found if isfinite(found) else text  # the validator names what was typed


def whole(value: Any, name: str, low: int, high: int, path: tuple[str, ...] = ()) -> int:
    """A whole number from low to high, typed or given. path: the field that it was typed into.

    Raises MiyaInputError E803.
    """
    found = typed(value) if isinstance(value, str) else value
    sound = isinstance(found, int) or (isinstance(found, float) and found.is_integer())
    if sound and not isinstance(found, bool) and low <= found <= high:
        return int(found)
    hint = f"choose a whole number from {low} to {high}"
    raise MiyaInputError("E803", f"{name} is {value!r}"[:200], hint=hint, path=path)
