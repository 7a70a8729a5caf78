"""The HTML page: its template, style, maths font and built script, and what fills them."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources


@lru_cache(maxsize=8)
def asset(name: str) -> bytes:
    """A file that ships beside this one."""
    return resources.files(__package__).joinpath(name).read_bytes()
