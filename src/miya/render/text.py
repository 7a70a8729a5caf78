"""The story as plain text for a terminal; `style` may add colour."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache

from ..story.blocks import (
    Blank,
    Block,
    Bullets,
    Calculation,
    Calculations,
    Formula,
    Heading,
    Matrix,
    Paragraph,
    Remark,
    Story,
    Table,
)
from ..story.expression import Number, plain
from ..story.quantity import Symbol
from ..story.symbols import plain_symbol
from .escape import printable
from .faces import FACES

ROOM = "________"  # where a result is to be written
Style = Callable[[str, str], str]  # (kind, text) -> text


def text(story: Story, *, width: int = 88, style: Style = lambda kind, text: text) -> str:
    """`story` as text. Prose and long calculations are wrapped to `width`."""
    lines: list[str] = []
    last: type[Block] | None = None
    for block in story.blocks:
        if last is not None and (last, type(block)) not in TOGETHER:
            lines.append("")
        lines += _write(block, story, width, style)
        last = type(block)
    return "\n".join(lines) + "\n"


# blocks that follow one another without an empty line
TOGETHER: set[tuple[type, type]] = {
    (Heading, Heading),
    (Heading, Paragraph),
    (Heading, Formula),
    (Heading, Calculations),
    (Heading, Matrix),
    (Heading, Bullets),
    (Paragraph, Formula),
    (Paragraph, Calculations),
    (Paragraph, Matrix),
    (Paragraph, Table),
    (Formula, Formula),
    (Formula, Calculations),
    (Matrix, Matrix),
}


def _write(block: Block, story: Story, width: int, style: Style) -> Iterator[str]:
    match block:
        case Heading(words, level):
            yield from _heading(printable(words), level, style)
        case Paragraph(words):
            yield from wrap(printable(words), width)
        case Bullets(items):
            for item in items:
                yield from wrap(printable(item), width, "* ", "  ")
        case Formula():
            yield style("formula", f"    {block.plain}")
        case Calculations():
            for calculation in block.items:
                yield from _calculation(calculation, width)
        case Matrix():
            yield from _matrix(block)
        case Table():
            yield from _table(block)
        case Remark():
            yield from (style("miya", line) for line in _remark(block, story, width))


def _heading(words: str, level: int, style: Style) -> Iterator[str]:
    if level == 2:
        yield ""
    yield style("heading", words)
    if level < 3:
        yield style("heading", ("=" if level == 1 else "-") * columns(words))
        yield ""


def _remark(block: Remark, story: Story, width: int) -> Iterator[str]:
    words = block.text
    if block.note:
        words += f" [{block.note}]"
    face = f"  {FACES[block.mood]} "
    yield from wrap(printable(words), width, face, " " * columns(face))


def one_line(item: Calculation | Blank) -> str:
    head = plain_symbol(item.symbol)
    if isinstance(item, Blank):
        asked = "" if item.tree is None else f" = {plain(item.tree, item.write)}"
        return f"{head}{asked} = {ROOM}"
    closed = item.closed
    if isinstance(closed.tree, Number):
        return f"{head} = {closed.result}"
    expression = plain(closed.tree, closed.write)
    return f"{head} = {expression} {closed.relation} {closed.result}"


def _calculation(item: Calculation | Blank, width: int) -> list[str]:
    """The calculation; a long one goes on below its expression, each line from a sign on."""
    line = one_line(item)
    if columns(line) <= width - 2:
        return [f"  {line}"]
    rest = " " * (columns(plain_symbol(item.symbol)) + 5)
    lines, current = [], " "
    for part in SIGNS.split(line):
        if columns(current) + columns(part) >= width and current.strip():
            lines.append(current)
            current = rest + part
        else:
            current += f" {part}"
    return [*lines, current]


SIGNS = re.compile(r" (?=[-+≈] | = )")


def _matrix(block: Matrix) -> Iterator[str]:
    head = f"    {plain_symbol(block.symbol)} = "
    widths = [max(len(row[j]) for row in block.rows) for j in range(len(block.rows[0]))]
    for k, row in enumerate(block.rows):
        cells = "  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True))
        yield f"{head if k == 0 else ' ' * columns(head)}[ {cells} ]"


def _table(block: Table) -> Iterator[str]:
    rows = [block.header, *(tuple(map(cell, row)) for row in block.rows)]
    widths = [max(columns(row[j]) for row in rows) for j in range(len(block.header))]
    for k, row in enumerate(rows):
        padded = [_pad(c, w, right=j > 0) for j, (c, w) in enumerate(zip(row, widths, strict=True))]
        yield "    " + "  ".join(padded).rstrip()
        if k == 0:
            yield "    " + "  ".join("-" * w for w in widths)


def cell(value: str | Symbol) -> str:
    return plain_symbol(value) if isinstance(value, Symbol) else printable(value)


def columns(words: str) -> int:
    """How many columns a terminal gives the text; East Asian wide characters take two."""
    return len(words) if words.isascii() else sum(map(_wide, words))


@lru_cache(4096)
def _wide(character: str) -> int:
    return 1 + (unicodedata.east_asian_width(character) in "WF")


def _pad(words: str, width: int, *, right: bool) -> str:
    space = " " * (width - columns(words))
    return space + words if right else words + space


def wrap(words: str, width: int, first: str = "", rest: str = "") -> list[str]:
    if columns(words) == len(words):
        return textwrap.wrap(
            words,
            width,
            initial_indent=first,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return _wrap_wide(words, width, first, rest)


def _wrap_wide(words: str, width: int, first: str, rest: str) -> list[str]:
    """Wide scripts break between characters, but not within a number or a symbol."""
    lines, line = [], first
    for piece in _pieces(words):
        if columns(line) + columns(piece) > width and line.strip():
            lines.append(line.rstrip())
            line = rest + piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()]


def _pieces(words: str) -> Iterator[str]:
    piece = ""
    for character in words:
        wide = unicodedata.east_asian_width(character) in "WF"
        if piece and (wide or character == " ") and character not in "、。)」":
            yield piece
            piece = ""
        piece += character
    yield piece
