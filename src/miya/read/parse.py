"""TOML and JSON texts as plain data; every refusal says where."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Callable
from typing import Any

from ..errors import MiyaInputError
from . import places

DEEPEST = 64
LONG_INTEGER = r"[0-9][0-9_]{4300,}"
MAY_OVERFLOW = re.compile(r"[eE]\+?[0-9]{3}|[0-9]{309}")
COMMA = re.compile(r"(?<![\w.])[-+]?[0-9]+,[0-9]+")
TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
TWICE = ("Cannot overwrite", "Cannot declare", "Cannot mutate", "Cannot redefine", "Duplicate")


class Written(float):
    """A number outside float64 that remembers how it was written, so a message can quote it."""

    text: str

    def __new__(cls, text: str) -> Written:
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __repr__(self) -> str:
        return self.text


def parse(text: str, form: str) -> Any:
    """The data of a text in "toml" or "json".

    Raises MiyaInputError E203, E204, E209, E214, E215 or E504, with ":line:column" as its place.
    """
    at = places.too_deep(text, form, DEEPEST)
    if at is not None:
        raise _deep(places.place(text, at))
    if not text.strip():
        raise MiyaInputError(
            "E215",
            "the text is empty",
            hint="give a learning_rate, a loss, layers and examples",
            place=places.place(text, 0),
        )
    try:
        return PARSERS[form](text)
    except RecursionError:
        raise _deep(places.place(text, 0)) from None


def _deep(place: str) -> MiyaInputError:
    return MiyaInputError(
        "E504",
        f"lists or tables are nested over {DEEPEST} deep",
        hint="a weight needs two levels",
        place=place,
    )


def _float(text: str) -> float:
    value = float(text)
    return Written(text) if math.isinf(value) and "inf" not in text else value


def _toml(text: str) -> Any:
    try:
        return tomllib.loads(text, parse_float=_float)
    except tomllib.TOMLDecodeError as error:
        raise _toml_fault(str(error), text) from None
    except ValueError as error:
        raise _other_fault(error, text, "toml") from None


def _toml_fault(message: str, text: str) -> MiyaInputError:
    found = TOML_PLACE.search(message)
    what = message[: found.start()] if found else message
    if what.startswith(TWICE):
        return _twice(text, "toml", found)
    at = len(text)
    if found and found[1]:
        lines = text.replace("\r\n", "\n").split("\n")
        at = sum(len(line) + 1 for line in lines[: int(found[1]) - 1]) + int(found[2]) - 1
        text = "\n".join(lines)
    hint = 'look at that place: numbers need a point (0.5), texts need quotes ("a")'
    return _syntax_fault(text, at, f"no TOML: {what}", hint)


def _syntax_fault(text: str, at: int, what: str, hint: str) -> MiyaInputError:
    """E215, or E204 where a decimal comma is what confused the parser."""
    line = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    for match in COMMA.finditer(text, line, end if end >= 0 else len(text)):
        if match.start() <= at <= match.end():
            return MiyaInputError(
                "E204",
                f"{match[0]} is no number here",
                hint=f"did you mean {match[0].replace(',', '.')}?",
                place=places.place(text, match.start()),
            )
    return MiyaInputError("E215", what, hint=hint, place=places.place(text, at))


def _twice(text: str, form: str, found: re.Match[str] | None = None) -> MiyaInputError:
    seen = places.twice(text, form)
    if seen:
        at, key = seen
        what, place = f"the key {key!r} stands twice in one table", places.place(text, at)
    else:
        what = "a key stands twice in one table"
        place = f":{found[1]}:{found[2]}" if found and found[1] else places.place(text, len(text))
    return MiyaInputError("E214", what, hint="give each key once", place=place)


class _Duplicate(Exception):
    """A key stands twice; where, is looked up in the text."""


def _json(text: str) -> Any:
    def constant(name: str) -> float:
        at = places.outside_texts(text, "json", re.escape(name)) or 0
        raise MiyaInputError(
            "E203",
            f"{name} is not JSON",
            hint="give a finite number",
            place=places.place(text, at),
        )

    # the parser written in C is the faster one where no number needs to be looked at
    hooks: dict[str, Any] = {"parse_float": _float} if MAY_OVERFLOW.search(text) else {}
    try:
        return json.loads(text, object_pairs_hook=_pairs, parse_constant=constant, **hooks)
    except json.JSONDecodeError as error:
        what = f"no JSON: {error.msg}"
        hint = "look at that place, and just before it"
        raise _syntax_fault(text, error.pos, what, hint) from None
    except _Duplicate:
        raise _twice(text, "json") from None
    except ValueError as error:
        raise _other_fault(error, text, "json") from None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Duplicate
    return found


def _other_fault(error: ValueError, text: str, form: str) -> MiyaInputError:
    at = places.outside_texts(text, form, LONG_INTEGER)
    if at is None:
        place = places.place(text, 0)
        return MiyaInputError("E215", str(error), hint="look at its numbers", place=place)
    return MiyaInputError(
        "E209",
        "an integer has over 4300 digits",
        hint="shorten it, or write it as 1e300",
        place=places.place(text, at),
    )


PARSERS: dict[str, Callable[[str], Any]] = {"toml": _toml, "json": _json}
