"""Calculations and matrices as LaTeX, for every output that speaks it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..story.blocks import Blank, Calculation, Matrix
from ..story.expression import Binary, Expression, Number, Write, latex, latex_number, latex_terms
from ..story.symbols import latex_symbol

LONGEST = 80  # signs in one row
RELATIONS = {"=": "=", "≈": r"\approx"}
# a line to write on
ROOM, WORK = (rf"\underline{{\hspace{{{em}em}}}}" for em in (6, 18))
UNSEEN = re.compile(r"\\[A-Za-z]+|[{}^_]")


def aligned(items: tuple[Calculation | Blank, ...]) -> str:
    """Rows for an aligned environment."""
    return " \\\\\n".join(row for item in items for row in _rows(item))


def _blank(item: Blank) -> Iterator[str]:
    head, tree = latex_symbol(item.symbol), item.tree
    if tree is None:
        yield f"{head} &= {WORK} = {ROOM}"
        return
    first, *others = _lines(tree, item.write)
    rows = [f"{head} &= {first}", *(rf"&\quad {{}} {line}" for line in others)]
    yield from rows[:-1]
    yield f"{rows[-1]} = {ROOM}"


def _rows(item: Calculation | Blank) -> Iterator[str]:
    """The calculation in one row, or a long sum in as many as it needs."""
    if isinstance(item, Blank):
        yield from _blank(item)
        return
    closed = item.closed
    head, result = latex_symbol(item.symbol), latex_number(closed.result)
    if isinstance(closed.tree, Number):
        yield f"{head} &= {result}"
        return
    first, *others = _lines(closed.tree, closed.write)
    end = f" {RELATIONS[closed.relation]} {result}"
    rows = [f"{head} &= {first}", *(rf"&\quad {{}} {line}" for line in others)]
    yield from rows[:-1]
    yield rows[-1] + end


def _lines(tree: Expression, write: Write) -> list[str]:
    """The expression; a long sum, or one divided by a number, in lines of LONGEST signs."""
    whole = latex(tree, write)
    if _width(whole) <= LONGEST:
        return [whole]
    if isinstance(tree, Binary) and tree.sign == "/":
        lines = _broken(latex_terms(tree.left, write))
        divisor = latex(tree.right, write)
        return [rf"\bigl({lines[0]}", *lines[1:-1], rf"{lines[-1]}\bigr) / {divisor}"]
    return _broken(latex_terms(tree, write))


def _broken(terms: list[str]) -> list[str]:
    lines = [terms[0]]
    for term in terms[1:]:
        if _width(lines[-1]) + _width(term) > LONGEST:
            lines.append(term)
        else:
            lines[-1] += f" {term}"
    return lines


def _width(text: str) -> int:
    return len(UNSEEN.sub("", text))


def matrix(block: Matrix) -> str:
    rows = r" \\ ".join(" & ".join(map(latex_number, row)) for row in block.rows)
    return rf"{latex_symbol(block.symbol)} = \begin{{bmatrix}} {rows} \end{{bmatrix}}"
