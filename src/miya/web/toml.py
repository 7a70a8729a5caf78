"""A network description as TOML, laid out as a person would write it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml(description: Mapping[str, Any]) -> str:
    """The text of a network file; reading it gives the same description to the last bit."""
    tables = ("layers", "examples")
    lines = [f"{_key(k)} = {value(v)}" for k, v in description.items() if k not in tables]
    for name in tables:
        for table in description.get(name, []):
            lines += ["", f"[[{name}]]"]
            lines += [f"{_key(k)} = {value(v)}" for k, v in table.items()]
    return "\n".join(lines) + "\n"


def value(given: Any) -> str:
    """A number, text, truth, array or inline table as TOML writes it, on one line."""
    if isinstance(given, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {value(v)}" for k, v in given.items()) + " }"
    if isinstance(given, list | tuple):
        return "[" + ", ".join(map(value, given)) + "]"
    if isinstance(given, str):
        # what JSON escapes, TOML escapes in the same way, but for DEL
        return json.dumps(given, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(given, bool):
        return "true" if given else "false"
    return repr(given)


def _key(name: str) -> str:
    return name if BARE.fullmatch(name) else value(name)
