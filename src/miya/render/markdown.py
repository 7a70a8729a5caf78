"""The story as Markdown with LaTeX between dollar signs (GitHub, Jupyter, pandoc)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator

from ..story.blocks import (
    Block,
    Bullets,
    Calculations,
    Formula,
    Heading,
    Matrix,
    Paragraph,
    Picture,
    Remark,
    Story,
    Table,
)
from ..story.quantity import Symbol
from ..story.symbols import latex_symbol
from .escape import markdown as escape
from .faces import FACES
from .maths import aligned, matrix


def markdown(story: Story) -> str:
    return "\n".join(line for block in story.blocks for line in _write(block, story))


def _write(block: Block, story: Story) -> Iterator[str]:
    match block:
        case Heading(words, level):
            yield f"{'#' * level} {escape(words)}\n"
        case Paragraph(words):
            yield f"{escape(words)}\n"
        case Bullets(items):
            yield "".join(f"- {escape(item)}\n" for item in items)
        case Formula():
            yield f"$$\n{block.latex}\n$$\n"
        case Calculations(items):
            yield f"$$\n\\begin{{aligned}}\n{aligned(items)}\n\\end{{aligned}}\n$$\n"
        case Matrix():
            yield f"$$\n{matrix(block)}\n$$\n"
        case Table():
            yield from _table(block)
        case Picture():
            yield f"![{escape(block.words)}]({data_uri(block.svg)})\n"
        case Remark():
            words = block.text
            if block.note:
                words += f" ({block.note})"
            yield f"> `{FACES[block.mood]}` {escape(words)}\n"


def data_uri(svg: str) -> str:
    """An SVG as the address of an image, so that the text needs no file beside it."""
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"


def _table(block: Table) -> Iterator[str]:
    yield "| " + " | ".join(map(escape, block.header)) + " |"
    yield "| " + " | ".join([":--", *["--:"] * (len(block.header) - 1)]) + " |"
    for row in block.rows:
        yield "| " + " | ".join(map(_cell, row)) + " |"
    yield ""


def _cell(value: str | Symbol) -> str:
    return f"${latex_symbol(value)}$" if isinstance(value, Symbol) else escape(value)
