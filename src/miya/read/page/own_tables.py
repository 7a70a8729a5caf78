"""Tables of a page's own names: a name a row, its formula, value, gradient, what it becomes.

| n1 | w11*x1 + b1 | 0.2*0.1 + 0.3 = 0.32 | is the chain n1 = w11*x1 + b1 = 0.2*0.1 + 0.3 = 0.32.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ...core.written import Binary, Call, Chain, Ref, Tree, literal, names
from .around import Row, cell_label
from .parse import Parser, phrases
from .tokens import Token

COLUMNS = (
    (re.compile(r"new|after|updated", re.IGNORECASE), "new"),
    (re.compile(r"grad|∂|deriv|^d[A-Z]\W", re.IGNORECASE), "gradient"),
)


def own_chains(rows: list[Row], spent: list[int]) -> list[Chain]:
    """The chains of a table whose rows begin with names; none of any other."""
    heads = [(k, _subject(row[0][0])) for k, row in enumerate(rows[1:], 1) if row]
    if len(rows) < 2 or not heads or any(name is None for _, name in heads):
        return []
    kinds = [_kind(tokens) for tokens, _ in rows[0]]
    return [c for k, name in heads if name for c in _row(rows, k, name, kinds, spent)]


def _row(rows: list[Row], k: int, name: Ref, kinds: list[str], spent: list[int]) -> Iterator[Chain]:
    work: tuple[Tree, ...] = ()
    for column, (tokens, line) in enumerate(rows[k][1:], 1):
        tree = _tree(tokens, spent)
        if tree is None or isinstance(tree, Ref):
            continue
        sides: tuple[Tree, ...] = tree.sides if isinstance(tree, Chain) else (tree,)
        if literal(sides[-1]) is None:
            formula = isinstance(tree, Binary | Call) and (names(tree) or isinstance(tree, Binary))
            work = (*work, tree) if formula else work
            continue
        kind = kinds[column] if column < len(kinds) else ""
        own = _marked(name, kind)
        sides, work = (own, *work, *sides), ()
        label = cell_label(rows, rows[k], column)
        yield Chain(sides, ("=",) * (len(sides) - 1), (line,) * len(sides), label)


def _tree(tokens: list[Token], spent: list[int]) -> Tree | None:
    """What a cell holds; a sheet's formula begins with a sign."""
    kept = [t for t in tokens if t.kind not in ("break", "end")]
    kept = kept[1:] if kept and kept[0].kind == "rel" else kept
    return Parser(phrases(kept), spent).chain() if kept else None


def _marked(name: Ref, kind: str) -> Ref:
    of = name.name
    if kind == "new":
        return Ref(replace(of, low=(*of.low, "new")))
    return Ref(replace(of, base=f"grad {of.base}")) if kind else name


def _kind(tokens: list[Token]) -> str:
    text = " ".join(t.text for t in tokens if t.kind not in ("break", "end")).strip()
    return next((kind for pattern, kind in COLUMNS if pattern.search(text)), "")


def _subject(tokens: list[Token]) -> Ref | None:
    """The one name in a cell, with a remark behind it at most."""
    kept = [t for t in tokens if t.kind not in ("break", "end")]
    if not kept or kept[0].kind not in ("name", "op"):
        return None
    parser = Parser(kept, [0])
    tree = parser.unary()
    rest = kept[parser.at :]
    done = not rest or (rest[0].kind == "(" and rest[0].space)
    return tree if done and isinstance(tree, Ref) else None
