"""Jupyter notebooks to tokens: text cells, code with its comments, and what it printed."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from typing import Any

from ...errors import MiyaInputError
from .blocks import code_tokens, end, markdown_tokens
from .encoding import simplify
from .frames import framed
from .html import html_tokens
from .tokens import Token, plain_tokens

PRINT = re.compile(r"^\s*print\((?P<what>[^(),]+)\)\s*$|^(?P<bare>[A-Za-z_]\w*)\s*$")


def notebook_tokens(text: str, name: str) -> list[Token]:
    """Raises MiyaInputError E704 for what is no notebook."""
    try:
        cells = json.loads(text)["cells"]
        if not isinstance(cells, list):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise MiyaInputError(
            "E704", f"{name} is no notebook", hint="save it again from Jupyter"
        ) from error
    found: list[Token] = []
    where = _Lines(text)
    for cell in cells:
        if isinstance(cell, dict):
            where.next_cell()
            _cell(cell, where, found)
    return found


class _Lines:
    """Finds the line of the file that a line of a cell stands in.

    Source and outputs of a cell come in either order, so both are looked for from its start.
    """

    def __init__(self, text: str) -> None:
        self.text, self.start, self.last = text, 0, 0
        self.breaks = [k for k, c in enumerate(text) if c == "\n"]

    def next_cell(self) -> None:
        self.start = self.last

    def of(self, content: str) -> int:
        first = content.split("\n")[0]
        place = self.text.find(json.dumps(first, ensure_ascii=False)[1:-1], self.start)
        if place < 0:
            place = self.text.find(json.dumps(first)[1:-1], self.start)
        if place < 0 or not first:
            place = self.last
        self.last = max(self.last, place)
        return bisect_left(self.breaks, place) + 1


def _joined(source: Any) -> str:
    if isinstance(source, list):
        return "".join(s for s in source if isinstance(s, str))
    return source if isinstance(source, str) else ""


def _cell(cell: dict[str, Any], where: _Lines, found: list[Token]) -> None:
    source = simplify(_joined(cell.get("source")))
    line = where.of(_joined(cell.get("source")))
    if cell.get("cell_type") == "markdown":
        found += [*markdown_tokens(source, line), end(line)]
        return
    if cell.get("cell_type") != "code":
        return
    found += [*code_tokens(source, line), end(line)]
    outputs = cell.get("outputs")
    shown = (
        [_output(o) for o in outputs if isinstance(o, dict)] if isinstance(outputs, list) else []
    )
    for k, text in enumerate(shown):
        made = framed(text)
        if made != text:
            found += [*html_tokens(simplify(made), where.of(text)), end(line)]
            shown[k] = ""
    printed = [item for text in shown for item in _items(text)]
    asked = [m["what"] or m["bare"] for m in map(PRINT.match, source.split("\n")) if m]
    for k, item in enumerate(printed):
        at = where.of(item)
        pair = re.match(r"^\s*([A-Za-zΑ-ω_][\w'∂/]*)\s+([-\[\d].*)$", item, re.DOTALL)
        if len(asked) == len(printed):
            item = f"{asked[k]} = {item}"
        elif pair:
            item = f"{pair[1]} = {pair[2]}"
        item = re.sub(r"\b(?:array|tensor)\(|, dtype=\w+|np\.float64\(", "(", item)
        found += [*plain_tokens(simplify(item), at), end(at)]


def _items(text: str) -> list[str]:
    """What was printed, item by item; a matrix goes over several lines."""
    found: list[str] = []
    deep = 0
    for row in text.split("\n"):
        if not row.strip():
            continue
        if deep > 0 and found:
            found[-1] += "\n" + row
        else:
            found.append(row)
        deep = max(0, deep + row.count("[") - row.count("]"))
    return found


def _output(output: dict[str, Any]) -> str:
    if output.get("output_type") == "stream":
        return _joined(output.get("text"))
    data = output.get("data")
    return _joined(data.get("text/plain")) if isinstance(data, dict) else ""
