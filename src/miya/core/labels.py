"""Texts that a person gives: a title, and the names of layers, neurons, inputs and examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import MiyaInputError, Path
from .numbers_in import count, is_list, plain, show

LONGEST = 200  # characters


def label(value: Any, where: str, path: Path) -> str:
    """Any text that can be written out. Raises MiyaInputError E216."""
    if not isinstance(value, str):
        raise MiyaInputError(
            "E216", f"{where} is {show(value)}, not a text", hint="put it in quotes", path=path
        )
    if len(value) > LONGEST:
        raise MiyaInputError(
            "E216", f"{where} has {len(value)} characters", hint=f"use at most {LONGEST}", path=path
        )
    half = next((c for c in value if "\ud800" <= c <= "\udfff"), None)
    if half:
        raise MiyaInputError(
            "E216",
            f"{where} holds U+{ord(half):04X}, half of a character",
            hint="write the character itself",
            path=path,
        )
    return str(value)


def labels(
    value: Any, number: int, where: str, path: Path, default: Callable[[int], str]
) -> tuple[str, ...]:
    """`number` texts, `default(i)` where none are given. Raises MiyaInputError E216, E217."""
    if value is None:
        return tuple(default(i) for i in range(number))
    value = plain(value, where, path)
    if not is_list(value) or len(value) != number:
        found = count(len(value), "name") if is_list(value) else show(value)
        raise MiyaInputError(
            "E217", f"{where} has {found} for {number}", hint="give one name each", path=path
        )
    return tuple(label(v, f"{where}[{i}]", (*path, i)) for i, v in enumerate(value))


def tables(description: Mapping[str, Any], key: str, code: str, hint: str) -> Sequence[Any]:
    """The list of tables under `key`. Raises MiyaInputError `code` where it is empty, E206."""
    value = description.get(key)
    if value is None or (is_list(value) and len(value) == 0):
        raise MiyaInputError(code, f"the network has no {key}", hint=hint, path=(key,))
    where: Path = (key,)
    odd = value
    if is_list(value):
        k = next((k for k, v in enumerate(value) if not isinstance(v, Mapping)), None)
        if k is None:
            return list(value)
        where, odd = (key, k), value[k]
    name = key if len(where) == 1 else f"{key}[{where[1]}]"
    raise MiyaInputError(
        "E206", f"{name} is {show(odd)}, not a table", hint=f"write [[{key}]]", path=where
    )
