"""The story as a Typst document of its own: nothing is fetched, and every text is a string."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources

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
    Picture,
    Remark,
    Story,
    Table,
)
from ..story.expression import plain
from ..story.quantity import Symbol
from .escape import printable
from .faces import FACES
from .typst_maths import expression, figure, maths, quoted
from .typst_maths import symbol as in_maths

FIGURE = re.compile(r"[-+]?\d+(\.\d+)?(e-?\d+)?")
FONTS = ("Libertinus Serif",)
WIDE_FONTS = {
    "ja": (
        "Noto Serif CJK JP",
        "Source Han Serif JP",
        "Hiragino Mincho ProN",
        "Yu Mincho",
        "MS Mincho",
        "IPAexMincho",
        "IPAMincho",
        "Noto Sans CJK JP",
        "Noto Sans JP",
    )
}
ROOM, WORK = 6, 18  # em of a blank result, and of a blank expression
LAYOUT = resources.files(__package__).joinpath("story.typ").read_text("utf-8")


def typst(story: Story, diagram: str = "", fonts: tuple[str, ...] = ()) -> str:
    """A Typst document. diagram: an SVG, for a first page of its own. fonts: those there are."""
    head = {
        "title": quoted(printable(story.title)),
        "fonts": fonts_of(story, fonts),
        "language": quoted(story.language),
    }
    lines = [f"#let story-{name} = {value}" for name, value in head.items()]
    return "\n".join([*lines, LAYOUT, *_blocks(story, diagram), ""])


def fonts_of(story: Story, there: tuple[str, ...]) -> str:
    """The fonts that the text is set in, as a Typst tuple."""
    wide = [name for name in WIDE_FONTS.get(story.language, ()) if name in there]
    return _tuple(map(quoted, [*FONTS, *wide[:1]]))


def _blocks(story: Story, diagram: str) -> Iterator[str]:
    if diagram:
        yield f"#diagram({quoted(diagram)}, {quoted(printable(story.title))})"
    for block in story.blocks:
        yield from _write(block, story)


def _write(block: Block, story: Story) -> Iterator[str]:
    match block:
        case Heading(words, level):
            yield f"#heading(level: {level}, {_text(words)})"
        case Paragraph(words):
            yield f"#para({_text(words)})"
        case Bullets(items):
            yield f"#list({', '.join(map(_text, items))})"
        case Formula():
            yield f"#formula(${maths(block.latex)}$)"
        case Calculations(items) if items:
            rows = ",\n  ".join(map(calculation, items))
            yield f"#calculations(\n  {rows},\n)"
        case Matrix():
            rows = ", ".join(_tuple(f"${figure(n)}$" for n in row) for row in block.rows)
            yield f"#matrix({symbol(block.symbol)}, {rows})"
        case Picture():
            yield f"#sketch({quoted(block.svg)}, {_text(block.words)})"
        case Table():
            header = _tuple(map(_text, block.header))
            cells = ", ".join(_cell(value) for row in block.rows for value in row)
            yield f"#rows({header}, {cells})"
        case Remark():
            words = block.text
            if block.note:
                words += f" ({block.note})"
            yield f"#remark({quoted(FACES[block.mood])}, {_text(words)})"


def calculation(item: Calculation | Blank) -> str:
    """A row of #calculations: whether it is tall, symbol, expression, and result, which wrap."""
    if isinstance(item, Blank):
        return _blank(item)
    closed, body = item.closed, ""
    parts = [f"$= {figure(closed.result)}$"]
    if plain(closed.tree, closed.write) != closed.result:
        body = expression(closed.tree, closed.write)
        parts = [f"$display(= {body})$", f"box(${closed.relation} {figure(closed.result)}$)"]
    return _tuple(["true" if "frac(" in body else "false", symbol(item.symbol), *parts])


def _blank(item: Blank) -> str:
    """The same with a line to write on, and with room to work where the expression is blank."""
    asked = f"box($= #blank({WORK}em)$)"
    if item.tree is not None:
        asked = f"$display(= {expression(item.tree, item.write)})$"
    return _tuple(["true", symbol(item.symbol), asked, f"box($= #blank({ROOM}em)$)"])


def _tuple(items: Iterator[str] | map[str] | list[str]) -> str:
    return f"({' '.join(item + ',' for item in items)})"


def _text(words: str) -> str:
    return quoted(printable(words))


def _cell(value: str | Symbol) -> str:
    if isinstance(value, Symbol):
        return symbol(value)
    return f"${figure(value)}$" if FIGURE.fullmatch(value) else _text(value)


def symbol(found: Symbol) -> str:
    """A symbol as an equation."""
    return f"${in_maths(found)}$"
