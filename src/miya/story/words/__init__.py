"""All prose, one TOML file a language. `load` gives the texts by section and key."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources

from ...errors import MiyaInputError

Words = dict[str, dict[str, str]]


def languages() -> list[str]:
    """Languages that ship, by their code."""
    here = resources.files(__package__)
    return sorted(f.name.removesuffix(".toml") for f in here.iterdir() if f.name.endswith(".toml"))


@lru_cache(maxsize=8)
def load(language: str) -> Words:
    """The texts of a language. Raises MiyaInputError E602 for one that does not ship."""
    if language not in languages():
        raise MiyaInputError(
            "E602",
            f"language {language!r} does not ship",
            hint=f"choose one of {', '.join(languages())}",
        )
    text = resources.files(__package__).joinpath(f"{language}.toml").read_text("utf-8")
    return tomllib.loads(text)
