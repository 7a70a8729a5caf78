"""The most blamed examples as HTML: a page that stands alone, or a piece of a notebook."""

from __future__ import annotations

import base64
import struct
import zlib
from html import escape as escape_html

import numpy as np

from ..core.rounding import Array
from ..render.escape import printable
from ..render.notebook import STYLE
from ..story.words import load
from .result import ExampleRow, ExamplesBlame, Pairs
from .show import Words, details, facts, heading, shown, told

SIDE = 112  # pixels of an image on the page, its longer side
OWN = """<style>
.miya-examples { display: grid; gap: 0.9em; }
.miya-examples section { display: flex; gap: 1em; flex-wrap: wrap;
  border-top: 1px solid rgba(128,128,128,.3); padding-top: 0.6em; }
.miya-examples img { image-rendering: pixelated; border: 1px solid rgba(128,128,128,.4); }
.miya-examples .miya-facts { flex: 1 1 24em; }
.miya-examples h3 { margin: 0; font-size: 1em; }
.miya-examples dl { margin: 0.3em 0; display: grid; grid-template-columns: auto 1fr;
  gap: 0.1em 0.9em; }
.miya-examples dt { opacity: 0.75; }
.miya-examples dd { margin: 0; font-variant-numeric: tabular-nums; }
</style>"""
PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font-family: system-ui, sans-serif; margin: 1.5em auto; max-width: 62em;
  padding: 0 1em; }}
</style>
</head>
<body>
<main>
{inside}
</main>
</body>
</html>
"""


def page(found: ExamplesBlame, count: int, by: str | None, language: str) -> str:
    title = load(language)["examples"]["title"]
    return PAGE.format(
        language=_safe(language), title=_safe(title), inside=inside(found, count, by, language, 1)
    )


def inside(found: ExamplesBlame, count: int, by: str | None, language: str, level: int = 3) -> str:
    """The examples alone, under a heading of this level."""
    words, by = load(language)["examples"], by or found.by
    rows = "\n".join(_row(row, by, words, level + 1) for row in found.top(count, by))
    said = "".join(f"<p>{_safe(t)}</p>" for t in told(found, by, words))
    return (
        f'{STYLE}{OWN}<div class="miya-view" lang="{_safe(language)}">'
        f"<h{level}>{_safe(heading(found, by, words))}</h{level}>{said}"
        f'<div class="miya-examples">{rows}</div></div>'
    )


def _row(row: ExampleRow, by: str, words: Words, level: int) -> str:
    parts = "".join(
        f'<dt title="{_safe(meaning)}">{_safe(name)}</dt><dd>{_pairs(pairs, words, k > 0)}</dd>'
        for k, (name, meaning, pairs) in enumerate(details(row, words))
    )
    title = f"{row.rank}. {words['example']} {row.example}"
    return (
        f"<section>{_image(row, words)}"
        f'<div class="miya-facts"><h{level}>{_safe(title)}</h{level}>'
        f"<p>{_safe(' · '.join(facts(row, by, words)))}</p><dl>{parts}</dl></div></section>"
    )


def _pairs(pairs: Pairs, words: Words, sign: bool) -> str:
    if not pairs:
        return _safe(words["unknown_neurons"])
    return ", ".join(f"<code>{_safe(n)}</code> {_safe(shown(v, sign))}" for n, v in pairs)


def _image(row: ExampleRow, words: Words) -> str:
    if row.image is None:
        return ""
    high, wide = row.image.shape[:2]
    scale = SIDE / max(high, wide)
    source = base64.b64encode(png(row.image)).decode()
    alt = _safe(words["image_alt"].format(example=row.example))
    return (
        f'<img alt="{alt}" width="{round(wide * scale)}" height="{round(high * scale)}" '
        f'src="data:image/png;base64,{source}">'
    )


def png(image: Array) -> bytes:
    """(height, width) or (height, width, 3) between 0 and 1 as a PNG of 8 bits (RFC 2083)."""
    pixels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    high, wide = pixels.shape[:2]
    lines = np.concatenate([np.zeros((high, 1), np.uint8), pixels.reshape(high, -1)], axis=1)
    kind = 2 if pixels.ndim == 3 else 0
    header = struct.pack(">IIBBBBB", wide, high, 8, kind, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes())), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in parts)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _safe(text: str) -> str:
    return escape_html(printable(text))
