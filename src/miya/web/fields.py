"""What a person typed into a field, as a number; decimal commas are understood."""

from __future__ import annotations

import re
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
        return float(text) if not text.lower().lstrip("+-").startswith(("inf", "nan")) else text
    except ValueError:
        return text


def whole(value: Any, name: str, low: int, high: int) -> int:
    """A whole number from low to high. Raises MiyaInputError E803."""
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    raise MiyaInputError(
        "E803", f"{name} is {value!r}"[:200], hint=f"choose a whole number from {low} to {high}"
    )
