"""The story as a LaTeX document for pdfLaTeX, or LuaLaTeX where the language needs its fonts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..story.blocks import (
    Block,
    Bullets,
    Calculations,
    Formula,
    Heading,
    Matrix,
    Paragraph,
    Remark,
    Story,
    Table,
)
from ..story.expression import latex_number
from ..story.quantity import Symbol
from ..story.symbols import latex_symbol
from .escape import latex as escape
from .faces import FACES
from .maths import aligned, matrix

MATRIX_COLUMNS = 10  # amsmath allows no more unless told otherwise
NUMBER = re.compile(r"[-+]?\d+(\.\d+)?(e-?\d+)?")
LEVELS = {2: "section", 3: "subsection"}
WIDE = {"ja": "\\usepackage{luatexja}\n"}
PREAMBLE = r"""\documentclass[11pt]{{article}}
{fonts}\usepackage{{amsmath,amssymb}}
\usepackage{{longtable}}
\usepackage[margin=2.2cm]{{geometry}}
\allowdisplaybreaks
\setlength{{\parindent}}{{0pt}}
\setlength{{\parskip}}{{0.5em}}
\title{{{title}}}
\date{{}}
\begin{{document}}
\maketitle
"""


def latex(story: Story) -> str:
    fonts = WIDE.get(story.language, "\\usepackage[T1]{fontenc}\n\\usepackage[utf8]{inputenc}\n")
    body = "\n".join(line for block in story.blocks for line in _write(block, story))
    head = PREAMBLE.format(fonts=fonts, title=escape(story.title))
    return f"{head}{body}\n\\end{{document}}\n"


def _write(block: Block, story: Story) -> Iterator[str]:
    match block:
        case Heading(words, level) if level > 1:
            yield rf"\{LEVELS[level]}*{{{escape(words)}}}"
        case Paragraph(words):
            yield f"{escape(words)}\n"
        case Bullets(items):
            inside = "\n".join(rf"\item {escape(item)}" for item in items)
            yield f"\\begin{{itemize}}\n{inside}\n\\end{{itemize}}"
        case Formula():
            yield f"\\[ {block.latex} \\]"
        case Calculations(items) if items:
            yield f"\\begin{{align*}}\n{aligned(items)}\n\\end{{align*}}"
        case Matrix():
            wide = len(block.rows[0])
            if wide > MATRIX_COLUMNS:
                yield f"\\setcounter{{MaxMatrixCols}}{{{wide}}}"
            yield f"\\[ {matrix(block)} \\]"
        case Table():
            yield from _table(block)
        case Remark():
            words = block.text
            if block.note:
                words += f" ({block.note})"
            face = escape(FACES[block.mood])
            yield f"\\begin{{quote}}\\texttt{{{face}}} \\itshape {escape(words)}\\end{{quote}}"


def _table(block: Table) -> Iterator[str]:
    columns = "l" + "r" * (len(block.header) - 1)
    yield f"\\begin{{longtable}}{{{columns}}}"
    yield " & ".join(map(escape, block.header)) + r" \\ \hline \endhead"
    for row in block.rows:
        yield " & ".join(map(_cell, row)) + r" \\"
    yield r"\end{longtable}"


def _cell(value: str | Symbol) -> str:
    if isinstance(value, Symbol):
        return f"${latex_symbol(value)}$"
    return f"${latex_number(value)}$" if NUMBER.fullmatch(value) else escape(value)
