"""The built page, held in memory by fixed names: no path of a request reaches the disk."""

from __future__ import annotations

from functools import cache
from importlib import resources

TYPES = {
    "play.js": "text/javascript; charset=utf-8",
    "play.css": "text/css; charset=utf-8",
    "maths.woff2": "font/woff2",
}
SHARED = ("maths.woff2",)  # the story's page has it already


@cache
def page() -> str:
    """The page of the server."""
    return asset("play.html").decode()


@cache
def asset(name: str) -> bytes:
    """The content of one of our own files; `name` never comes from a request."""
    folder = "miya.render.page" if name in SHARED else "miya.web.page"
    return resources.files(folder).joinpath(name).read_bytes()
