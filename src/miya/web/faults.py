"""What a fault says in the reader's language: the sentence of its code, and the value met."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources


@cache
def _sentences(language: str) -> dict[str, str]:
    """By code; none of a language whose faults are said as they were raised."""
    file = resources.files(__package__).joinpath(f"faults.{language}.toml")
    return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}


def said(code: str, what: str, hint: str, language: str) -> tuple[str, str]:
    """The text and the hint of a fault; a sentence of its own says what to do already."""
    sentence = _sentences(language).get(code)
    return (f"{sentence}（{what}）", "") if sentence else (what, hint)


def warned(text: str, language: str) -> str:
    """A warning, whose text starts with its code."""
    code, _, what = text.partition(" ")
    return f"{code} {said(code, what, '', language)[0]}"
