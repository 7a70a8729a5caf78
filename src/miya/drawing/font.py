"""Widths of text in the font that ships, read from its own tables."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from struct import unpack_from

FAMILY = "DejaVu Sans"
FILES = {False: "DejaVuSans.ttf", True: "DejaVuSans-Bold.ttf"}  # by whether it is bold
UNKNOWN = 1.0  # em, for a character that another font must draw
ASCENT, DESCENT = 0.78, 0.22  # of the size: what digits, capitals and tails need


@dataclass(frozen=True)
class Metrics:
    """Advance widths, in em, by character."""

    widths: dict[str, float]

    def width(self, text: str) -> float:
        return sum(self.widths.get(c, _other(c)) for c in text)


def width(text: str, size: float, bold: bool = False) -> float:
    """How wide `text` is at `size`; no narrower than it is drawn."""
    return metrics(bold).width(text) * size


def lacking(text: str) -> set[str]:
    """The characters of `text`, line breaks aside, that the shipped font lacks."""
    return set(text) - metrics(False).widths.keys() - {"\n"}


def path(bold: bool = False) -> Path:
    return Path(str(resources.files(__package__).joinpath("fonts", FILES[bold])))


def clean(text: str) -> str:
    """Control, bidirectional and other invisible characters by their code, as text."""
    return "".join(_visible(c) for c in text)


def _visible(c: str) -> str:
    kind = unicodedata.category(c)
    if kind in ("Cf", "Co", "Cs", "Zl", "Zp", "Cn"):
        return f"U+{ord(c):04X}"
    return f"\\x{ord(c):02x}" if kind == "Cc" else c


def fit(text: str, room: float, size: float, bold: bool = False) -> str:
    """`text`, or as much of it as `room` holds with "…" after it."""
    text = text[:400]  # longer is never drawn whole
    if width(text, size, bold) <= room:
        return text
    while text and width(text + "…", size, bold) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def wrap(text: str, room: float, size: float) -> list[str]:
    """Lines no wider than `room`: broken at spaces, and between wide characters."""
    lines = [""]
    for piece in _pieces(text):
        grown = lines[-1] + piece
        if width(grown.rstrip(), size) <= room or not lines[-1].strip():
            lines[-1] = grown
        else:
            lines.append(piece.lstrip())
    return [fit(line.rstrip(), room, size) for line in lines if line.strip()]


def _pieces(text: str) -> list[str]:
    found = [""]
    for c in text:
        if found[-1].endswith(" ") and c != " ":
            found.append("")
        wide = unicodedata.east_asian_width(c) in "WF"
        if wide and c not in "、。，）」』":
            found.append("")
        found[-1] += c
    return found


def _other(c: str) -> float:
    return 0.0 if unicodedata.combining(c) else UNKNOWN


@lru_cache(maxsize=2)
def metrics(bold: bool) -> Metrics:
    """The tables head, hhea, hmtx and cmap (format 4) of a TrueType file."""
    data = path(bold).read_bytes()
    tables = {}
    for k in range(unpack_from(">H", data, 4)[0]):
        tag, _, start, _ = unpack_from(">4sIII", data, 12 + 16 * k)
        tables[tag.decode()] = start
    em = int(unpack_from(">H", data, tables["head"] + 18)[0])
    count = unpack_from(">H", data, tables["hhea"] + 34)[0]

    def advance(glyph: int) -> float:
        at = tables["hmtx"] + 4 * min(glyph, count - 1)
        wide: int = unpack_from(">H", data, at)[0]
        return wide / em

    return Metrics({chr(c): advance(g) for c, g in _characters(data, tables["cmap"]).items()})


def _characters(data: bytes, cmap: int) -> dict[int, int]:
    start = cmap + unpack_from(">I", data, cmap + 8)[0]
    twice = unpack_from(">H", data, start + 6)[0]
    ends, starts, deltas, offsets = (start + 14 + k * twice + 2 * (k > 0) for k in range(4))
    found = {}
    for k in range(0, twice, 2):
        first, last = unpack_from(">H", data, starts + k)[0], unpack_from(">H", data, ends + k)[0]
        delta, offset = (unpack_from(">H", data, t + k)[0] for t in (deltas, offsets))
        for c in range(first, min(last, 0xFFFE) + 1):
            glyph = c
            if offset:
                glyph = unpack_from(">H", data, offsets + k + offset + 2 * (c - first))[0]
            if glyph or not offset:
                found[c] = (glyph + delta) & 0xFFFF
    return {c: g for c, g in found.items() if g}
