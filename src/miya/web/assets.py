"""The built page, held in memory by fixed names: no path of a request reaches the disk."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from importlib import resources

TYPES = {
    "play.js": "text/javascript; charset=utf-8",
    "play.css": "text/css; charset=utf-8",
    "maths.woff2": "font/woff2",
}
SHARED = ("maths.woff2",)  # the story's page has it already
STYLE = '<link rel="stylesheet" href="assets/play.css">'
SCRIPT = '<script src="assets/play.js" defer></script>'


@cache
def page() -> str:
    """The page of the server."""
    return asset("play.html").decode()


@cache
def asset(name: str) -> bytes:
    """The content of one of our own files; `name` never comes from a request."""
    folder = "miya.render.page" if name in SHARED else "miya.web.page"
    return resources.files(folder).joinpath(name).read_bytes()


@cache
def inlined() -> str:
    """The page as one text that asks whoever holds its frame; data-language is to be filled in."""
    font = b64encode(asset("maths.woff2")).decode()
    style = asset("play.css").decode().replace("maths.woff2", f"data:font/woff2;base64,{font}")
    script = asset("play.js").decode()
    root = '<html lang="en" data-transport="messages" data-language="">'
    return (
        page()
        .replace('<html lang="en">', root)
        .replace(STYLE, f"<style>{style}</style>")
        .replace(SCRIPT, "")
        .replace("</body>", f"<script>{script}</script>\n</body>")
    )
