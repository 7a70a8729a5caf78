"""The story as PDF, typeset by the `typst` package: no TeX, no network, no time stamp."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from ..drawing import font  # which the diagram is measured with
from ..errors import MiyaInputError, MiyaWarning
from ..story.blocks import Story
from .typst import LAYOUT, fonts_of, typst

ABSENT = "\U0010fffe"  # a character that no font has
USED = re.compile(rb'href="#(\w+)"')
NAMED = 12  # missing characters told
PAGE = """\
#set page(width: auto, height: auto, margin: 0pt)
#set text(font: {fonts}, lang: "{language}")
"""


def pdf(story: Story, *, diagram: str = "", system_fonts: bool = True) -> bytes:
    """A PDF of the story. The same story and fonts give the same bytes.

    diagram: an SVG, shown on a first page of its own. system_fonts: whether fonts installed here
    are used beside those that ship with Typst; Japanese needs them.
    Raises MiyaInputError E640 without the `typst` package; warns W641 where no font has a
    character, which would print as an empty box.
    """
    engine = _engine()
    fonts = engine.Fonts(include_system_fonts=system_fonts, font_paths=[font.path().parent])
    source = typst(story, diagram, tuple(fonts.families()))
    missing = _missing(engine, fonts, story, source)
    if missing:
        warnings.warn(MiyaWarning(_advice(missing)), stacklevel=2)
    made, _ = engine.compile_with_warnings(source.encode(), font_paths=fonts, format="pdf")
    assert isinstance(made, bytes)
    return made


def _engine() -> ModuleType:
    try:
        import typst as engine
    except ImportError:
        raise MiyaInputError(
            "E640", "PDF needs the typst package", hint='install it with: pip install "miya[pdf]"'
        ) from None
    return engine


def _missing(engine: Any, fonts: Any, story: Story, source: str) -> list[str]:
    """Characters of the document that would be drawn as the empty box of an unknown one."""
    wanted = sorted({c for c in source if not c.isascii()} - set(LAYOUT))
    if not wanted:
        return []
    head = PAGE.format(fonts=fonts_of(story, tuple(fonts.families())), language=story.language)
    body = "\n#pagebreak()\n".join(f'#"{c}"' for c in [ABSENT, *wanted])
    pages, _ = engine.compile_with_warnings((head + body).encode(), font_paths=fonts, format="svg")
    empty, *drawn = (USED.findall(page) for page in pages)
    return [c for c, glyphs in zip(wanted, drawn, strict=True) if glyphs == empty]


def _advice(missing: Iterable[str]) -> str:
    found = list(missing)
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    shown = " ".join(found[:NAMED])
    return (
        f"W641 no font here has {shown}{more}; the PDF shows empty boxes instead. "
        "Install one that has them: fonts-noto-cjk (Debian, Ubuntu), google-noto-sans-cjk-fonts "
        "(Fedora), font-noto-sans-cjk (Homebrew), or another Noto font for other scripts"
    )
