"""Every number of a page in its order, with its sign, whatever was made of the text around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ...core.page import Figure
from ...core.written import Written
from .tokens import Token

MOST = 3000  # numbers of a page
DEEPEST = 20
VALUES = ("number", "name", "frac", "matrix", ")", "]", "}")  # a minus behind one takes away
OPENED = ("rel", "is", ":", "[", ",", "|")  # a whole number behind one is a value
WORKS = ("+", "*", "/", "@")


def figures(tokens: Iterable[Token]) -> tuple[Figure, ...]:
    """The decimals of a page, and the whole numbers that are values, no indices or counts."""
    found: list[Figure] = []
    for figure in _every(list(tokens), 0):
        found.append(figure)
        if len(found) >= MOST:
            break
    return tuple(found)


def _every(tokens: Sequence[Token], deep: int) -> Iterator[Figure]:
    if deep > DEEPEST:
        return
    for k, token in enumerate(tokens):
        if token.kind == "table":
            for row in token.extra[1:]:
                for cell, _ in row:
                    yield from _every([t for t in cell if t.kind != "break"], deep + 1)
        elif token.kind == "matrix":
            for row in token.extra:
                for cell in row:
                    yield from _every(cell, deep + 1)
        elif token.kind == "number" and isinstance(token.extra, Written):
            yield from _one(tokens, k, token.extra)


def _one(tokens: Sequence[Token], k: int, written: Written) -> Iterator[Figure]:
    minus = _kind(tokens, k - 1) == "-"
    first = k - 1 if minus else k
    before = _kind(tokens, first - 1)
    apart = minus and tokens[k].space  # 0.5 - 0.3
    takes = minus and (before in ("number", "frac", ")", "]") or (before in VALUES and apart))
    inside = takes or _in_work(tokens, first, k)
    if before in ("_", "^") or (not written.unit and (inside or not _value(tokens, first, k))):
        return
    value = float(-written.value if minus and not takes else written.value)
    yield Figure(value, float(written.unit), written.text, tokens[k].line, not inside)


def _in_work(tokens: Sequence[Token], first: int, last: int) -> bool:
    """Whether a number is worked with: behind or before a sign, or so in brackets."""
    while _kind(tokens, first - 1) == "(" and _kind(tokens, last + 1) == ")":
        first, last = first - 1, last + 1
    before, after = _kind(tokens, first - 1), _kind(tokens, last + 1)
    if before in (*WORKS, "-", "^", "(") or after in (*WORKS, "^", "**", "frac"):
        return before != "(" or after in (*WORKS, "-", "^", "**")
    return after == "-" and _takes_away(tokens, last + 1)


def _value(tokens: Sequence[Token], first: int, k: int) -> bool:
    """Whether a whole number is a value: behind a sign, in a list, or alone in a cell."""
    before, after = _kind(tokens, first - 1), _kind(tokens, k + 1)
    return (before in OPENED or before == "") and after not in ("word", "name", "rel", "is", ":")


def _takes_away(tokens: Sequence[Token], k: int) -> bool:
    """Whether the minus at `k` stands between two values, and begins no negative number."""
    after = _kind(tokens, k + 1)
    return after in ("number", "(", "frac", "name") and (tokens[k + 1].space or not tokens[k].space)


def _kind(tokens: Sequence[Token], k: int) -> str:
    """The kind of a token, of a sign the sign itself; "" beyond a line."""
    if not 0 <= k < len(tokens) or tokens[k].kind in ("end", "break"):
        return ""
    return tokens[k].text if tokens[k].kind == "op" else tokens[k].kind
