"""Tables: each cell as a chain, named by its row and its column."""

from __future__ import annotations

import re
from dataclasses import replace

from ...core.written import Call, Chain, Name, Ref, Tree
from .names import FAMILIES
from .parse import Parser, phrases
from .tokens import Token

Row = list[tuple[list[Token], int]]
COLUMNS = (
    (re.compile(r"grad|∂|derivative|dC|dE|dL", re.IGNORECASE), "gradient"),
    (re.compile(r"new|after|updated", re.IGNORECASE), "new"),
    (
        re.compile(
            r"old|before|current|initial|start|value|number|result|answer|weight|exact|worked",
            re.IGNORECASE,
        ),
        "value",
    ),
)
NEURON = re.compile(
    r"^\W*(h|hidden|o|out|output)[ _]*(?:neuron|unit|node)?[ _#]*(\d+)?\W*$", re.IGNORECASE
)
PRE = {"pre-activation": "z", "net": "z", "activation": "a", "out": "a", "delta": "δ", "error": "δ"}


def table_chains(rows: list[Row], spent: list[int]) -> list[Chain]:
    """The chains of a table whose first row says what its columns are."""
    if len(rows) < 2 or len(rows) > 2000:
        return []
    heads = [(_tree(tokens, spent), _text(tokens)) for tokens, _ in rows[0]]
    found: list[Chain] = []
    for row in rows[1:]:
        if not row:
            continue
        label = (_tree(row[0][0], spent), _text(row[0][0]))
        for (tree, text), (tokens, line) in zip(heads[1:], row[1:], strict=False):
            name = _named(label, (tree, text))
            value = _tree(tokens, spent)
            if name is None or value is None:
                continue
            sides: tuple[Tree, ...] = value.sides if isinstance(value, Chain) else (value,)
            lines = (line,) * (len(sides) + 1)
            found.append(Chain((name, *sides), ("=",) * len(sides), lines))
    return found


def _tree(tokens: list[Token], spent: list[int]) -> Tree | None:
    kept = [t for t in phrases(tokens) if t.kind not in ("break", "end")]
    parser = Parser(kept, spent)
    tree = parser.chain()
    return tree if parser.at >= len(kept) else None


def _text(tokens: list[Token]) -> str:
    return " ".join(t.text for t in tokens if t.kind not in ("break", "end")).strip()


def _named(row: tuple[Tree | None, str], column: tuple[Tree | None, str]) -> Ref | None:
    label, words = row
    head, text = column
    kind = next((k for pattern, k in COLUMNS if pattern.search(text)), None)
    neuron = NEURON.match(words)
    base = PRE.get(text.lower().split("(")[0].strip())
    if isinstance(label, Ref) and FAMILIES.get(label.name.base) in ("W", "b") and label.wrt is None:
        if kind == "gradient":
            return Ref(Name("C"), label.name)
        if kind == "new" or (isinstance(head, Ref) and "new" in head.name.low + head.name.up):
            return Ref(replace(label.name, low=(*label.name.low, "new")))
        return label if kind == "value" else None
    slope = isinstance(head, Call) and head.function.endswith("'")
    if neuron and (isinstance(head, Ref) or base or slope):
        tag = "h" if neuron[1].lower().startswith("h") else "o"
        low = (tag + (neuron[2] or ""),)
        if base:
            return Ref(Name(base, low))
        if slope:
            return Ref(Name("σ", low, prime=True))
        assert isinstance(head, Ref)
        if head.wrt is not None:
            return Ref(head.name, replace(head.wrt, low=low))
        return Ref(replace(head.name, low=low)) if not head.name.low else None
    if isinstance(label, Ref) and not neuron and kind == "value" and not isinstance(head, Ref):
        return label
    return None
