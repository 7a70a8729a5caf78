"""Markdown and plain text to tokens, through markdown-it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ...errors import MiyaInputError
from .latex import latex_tokens
from .tokens import MOST, Token, plain_tokens

NESTED = 60  # lists and quotes in one another
Piece = tuple[str, str, int]  # kind: text, maths or cell-like; text; line


def need_extra(name: str) -> MiyaInputError:
    return MiyaInputError(
        "E640", f"reading pages needs {name}", hint='install it with: pip install "miya[check]"'
    )


@lru_cache(maxsize=1)
def _parser() -> Any:
    try:
        import pylatexenc  # type: ignore[import-untyped]  # noqa: F401
        from markdown_it import MarkdownIt
        from mdit_py_plugins.amsmath import amsmath_plugin
        from mdit_py_plugins.dollarmath import dollarmath_plugin
        from mdit_py_plugins.texmath import texmath_plugin
    except ImportError as error:
        raise need_extra(error.name or "markdown-it-py") from error
    parser = MarkdownIt("commonmark", {"maxNesting": NESTED}).enable("table")
    parser.disable(["emphasis", "link", "image", "autolink", "reference"])
    parser.use(dollarmath_plugin, allow_space=True, allow_digits=True, double_inline=True)
    parser.use(texmath_plugin, delimiters="brackets")
    parser.use(amsmath_plugin)
    return parser


def markdown_tokens(text: str, line: int = 1) -> list[Token]:
    """The tokens of a Markdown text, tables as tokens of kind "table"."""
    nodes = _parser().parse(text)
    found: list[Token] = []
    k = place = row = count = 0
    while k < len(nodes) and len(found) < MOST:
        node = nodes[k]
        if node.map:
            row = node.map[0]
        elif node.content:  # \\[ \\] blocks do not know their place
            now = max(text.find(node.content, place), place)
            count += text.count("\n", place, now)
            place, row = now, count
        start = line + row
        if node.type == "table_open":
            k = _table(nodes, k, line, found)
            continue
        _block(node, start, found)
        k += 1
    return found


def end(line: int, text: str = "\n\n") -> Token:
    return Token("end", text, line)


def _block(node: Any, start: int, found: list[Token]) -> None:
    kind = node.type
    if kind == "inline":
        found += inline_tokens(node, start)
    elif kind in ("math_block", "math_block_label", "math_block_eqno", "amsmath"):
        found += [end(start), *latex_tokens(node.content, start), end(start)]
    elif kind == "fence":
        found += [end(start), *code_tokens(node.content, start + 1, node.info), end(start)]
    elif kind == "code_block":
        found += [end(start), *text_tokens(node.content, start), end(start)]
    elif kind == "html_block":
        from .html import html_tokens

        found += [end(start), *html_tokens(node.content, start), end(start)]
    elif kind == "list_item_open" and node.markup == "+":
        found.append(Token("op", "+", start, True))
    elif kind.endswith("_close") or kind == "list_item_open":
        found.append(end(start))


def inline_tokens(node: Any, line: int) -> list[Token]:
    found: list[Token] = []
    gathered = ""
    start = line

    def flush() -> None:
        nonlocal gathered
        found.extend(text_tokens(gathered, start))
        gathered = ""

    for child in node.children or []:
        if child.type in ("softbreak", "hardbreak"):
            gathered += "\n"
            line += 1
        elif child.type.startswith("math"):
            flush()
            inside = latex_tokens(child.content, line)
            if child.type != "math_inline":
                inside = [end(line), *inside, end(line)]
            inside.append(Token("break", "", line, True))
            found.extend(inside)
            line += child.content.count("\n")
            start = line
        elif child.type == "html_inline":
            gathered += _inline_html(child.content)
        else:
            if not gathered:
                start = line
            gathered += child.content
            line += child.content.count("\n")
    flush()
    return found


def _inline_html(tag: str) -> str:
    for name, sign in (("sub", "_"), ("sup", "^")):
        if re.match(rf"<{name}\b", tag, re.IGNORECASE):
            return sign + "{"
        if re.match(rf"</{name}\b", tag, re.IGNORECASE):
            return "}"
    return " "


MATHS = re.compile(
    r"\$\$(?P<a>.{1,20000}?)\$\$|\$(?P<b>[^$\n]{1,4000})\$|\\\[(?P<c>.{1,20000}?)\\\]"
    r"|\\\((?P<d>.{1,4000}?)\\\)|(?P<e>\\begin\{(?P<env>\w+\*?)\}.{1,20000}?\\end\{(?P=env)\})",
    re.DOTALL,
)


def text_tokens(text: str, line: int) -> list[Token]:
    """Plain text, in which formulas may still stand between their marks."""
    found: list[Token] = []
    last = 0
    for piece in MATHS.finditer(text) if "\\" in text or "$" in text else ():
        found += plain_tokens(text[last : piece.start()], line + text.count("\n", 0, last))
        at = line + text.count("\n", 0, piece.start())
        content = next(g for g in (piece["a"], piece["b"], piece["c"], piece["d"], piece["e"]) if g)
        found += latex_tokens(content, at)
        last = piece.end()
    rest = text[last:]
    at = line + text.count("\n", 0, last)
    if re.search(r"\\(frac|begin|delta|partial|sigma|cdot|approx)\b", rest):
        return found + latex_tokens(rest, at)
    return found + plain_tokens(rest, at)


def code_tokens(text: str, line: int, language: str = "") -> list[Token]:
    """Code: its assignments of numbers, and what comments behind print() say."""
    if language.strip().lower() in ("math", "latex", "tex"):
        return latex_tokens(text, line)
    found: list[Token] = []
    for k, row in enumerate(text.split("\n")):
        printed = PRINTED.search(row)
        if printed:
            shown = f"{printed['what']} = {printed['value']}"
            found += [*plain_tokens(shown, line + k), end(line + k)]
            continue
        row = LISTED.sub(r"\1  ", RESULT.sub(r" = \1", row))
        row = re.sub(r"\b(?:np\.(?:array|matrix)|torch\.tensor)\(", "(", row)
        found += plain_tokens(re.sub(r"\b(?:np|math|torch)\.", "", row), line + k)
        found.append(Token("break", "\n", line + k))
    return found


LISTED = re.compile(r"^(\s*)- (?=[-\[\d])")  # YAML's lists
RESULT = re.compile(r"(?<=\S)\s+(?:#|//)\s*(?:->|→|=>|≈|=)?\s*(-?[\d.\[(][^#]*)$")
PRINTED = re.compile(
    r"print\((?P<what>[^()]*(?:\([^()]*\))?)\)\s*#\s*(?:->|→|=>|=)?\s*(?P<value>.+)$"
)


def _table(nodes: list[Any], k: int, line: int, found: list[Token]) -> int:
    """One token of kind "table" whose extra is its rows: lists of (tokens, line)."""
    rows: list[list[tuple[list[Token], int]]] = []
    start = line + (nodes[k].map[0] if nodes[k].map else 0)
    row_line = start
    while k < len(nodes) and nodes[k].type != "table_close":
        node = nodes[k]
        if node.type == "tr_open":
            row_line = line + (node.map[0] if node.map else row_line - line)
            rows.append([])
        elif node.type == "inline" and rows:
            rows[-1].append((inline_tokens(node, row_line), row_line))
        k += 1
    found += [end(start), Token("table", "", start, extra=rows), end(start)]
    return k + 1


def pieces(tokens: list[Token]) -> Iterator[list[Token]]:
    """The tokens between tables."""
    part: list[Token] = []
    for token in tokens:
        if token.kind == "table":
            yield part
            part = []
        else:
            part.append(token)
    yield part
