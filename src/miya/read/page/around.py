"""What stands before a number: the words and signs that say what it is, where no name does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...core.page import Statement
from ...core.written import Chain, Name, Number, Ref, Tree, Vector, literal, names
from .parse import Parser, phrases
from .tokens import Token
from .values import cells

MOST = 14  # pieces of a label
FEW = 2  # pieces that a line of its own must have, else the line before it belongs to it
SKIPPED = {
    "the", "a", "an", "is", "are", "of", "and", "so", "its", "it", "we", "get", "then", "now",
    "thus", "that", "this", "to", "which", "at", "for", "in", "with", "by", "gives", "therefore",
    "has", "have", "hence", "because", "since", "just", "also", "again", "here", "as", "be",
    "comes", "out", "about", "roughly", "value", "equals", "becomes", "was", "our", "on",
}  # fmt: skip
STOPS = (".", ";", "!", "?")
PIECE = re.compile(r"\d+(?:\.\d+)?|[A-Za-z]+|[^\W\d_]|[∂∇Δ'+]")


def label(tokens: Sequence[Token], start: int, end: int) -> tuple[str, ...]:
    """The pieces of tokens[start:end], of the last sentence or line that says something."""
    parts: list[list[str]] = [[]]
    for k in range(start, end):
        token = tokens[k]
        if token.kind in ("end", "break") or token.text in STOPS:
            parts.append([])
        else:
            parts[-1] += pieces(token)
    found: list[str] = []
    for part in reversed(parts):
        found = [*part, *found]
        if sum(not p.isdigit() for p in found) >= FEW:
            break
    return tuple(found[-MOST:])


def pieces(token: Token) -> list[str]:
    """The words, letters and numbers of a token, without the words that say nothing."""
    text = token.text
    if token.kind in ("_", "^") and token.extra is not None:
        text = token.extra[0] if isinstance(token.extra, tuple) else str(token.extra)
    if token.kind == "frac":
        return [p for side in token.extra for t in side for p in pieces(t)]
    if token.kind in ("table", "matrix"):
        return []
    found = PIECE.findall(text)
    kept = [p for p in found if "." not in p and (p.lower() not in SKIPPED or len(p) < 2)]
    return [p.lower() if len(p) > 1 else p for p in kept]


Row = list[tuple[list[Token], int]]
SIGNS = ("rel", "is", ":")
SAID = Name("said")  # the name of what only words name


class Items:
    """The numbers of a page in their order, each with its label."""

    def __init__(self) -> None:
        self.alone: list[Chain] = []  # numbers that stand in no chain
        self.tokens: Sequence[Token] = ()
        self.label: tuple[str, ...] = ()
        self.last = 0  # where the number before ends
        self.count = 0

    def start(self, tokens: Sequence[Token]) -> None:
        self.tokens, self.last, self.label = tokens, 0, ()

    def placed(self, chain: Chain) -> Chain:
        self.count += 1
        return replace(chain, at=self.count)

    def labelled(self, chain: Chain, start: int, end: int) -> Chain:
        """A chain with what stands before it, and its own name, as its label."""
        upto = start
        if names(chain.sides[0]):
            upto = next((k for k in range(start, end) if self.tokens[k].kind in SIGNS), start)
        found = self.told(self.last, upto)
        self.last = end
        return self.placed(replace(chain, label=found))

    def passed(self, tree: Tree | None, start: int, end: int) -> None:
        """What is no chain: a number by itself is one of a label."""
        if tree is None or names(tree):
            return
        before = self.tokens[start - 1] if start else None
        written = literal(tree)
        told = written and (written.unit or (before is not None and self.opened(start)))
        below = before is not None and before.kind in ("^", "_")
        if not below and (isinstance(tree, Vector) or told):
            line = self.tokens[start].line
            found = self.told(self.last, start)
            self.add(tree, line, found)
        self.last = end

    def counted(self, chain: Chain, start: int, end: int) -> bool:
        """Whether "target 1 = 0" is what it is: a number behind a label that ends in one."""
        match chain.sides:
            case (Number(first), value) if not first.unit and literal(value) is not None:
                before = label(self.tokens, self.last, start + 1)
                if len(before) < 2 or not before[-1].isdigit():
                    return False
                self.last, self.label = end, before
                self.add(value, self.tokens[start].line, before)
                return True
        return False

    def told(self, start: int, end: int) -> tuple[str, ...]:
        """The label there; what has none goes on with the list of the number before."""
        self.label = label(self.tokens, start, end) or self.label
        return self.label

    def opened(self, start: int) -> bool:
        """Whether a whole number at `start` is a value: behind a sign, or in Value(1)."""
        before, first = self.tokens[start - 1], self.tokens[start]
        called = first.kind == "(" and not first.space and before.kind in ("name", "word")
        after = self.tokens[start + 1] if start + 1 < len(self.tokens) else None
        counts = after is not None and after.kind in ("word", "name")  # is 2 inputs
        return (before.kind in SIGNS and not counts) or called

    def add(self, tree: Tree, line: int, found: tuple[str, ...]) -> None:
        sides: tuple[Tree, ...] = tree.sides if isinstance(tree, Chain) else (tree,)
        signs, lines = ("is",) * len(sides), (line,) * (len(sides) + 1)
        self.alone.append(self.placed(Chain((Ref(SAID), *sides), signs, lines, found)))

    def cells(self, rows: list[Row], made: Sequence[Chain], spent: list[int]) -> None:
        """The cells of a table that none of its chains is of, by row and column."""
        taken = {(c.label, c.lines[0]) for c in made}
        if made and not any(label for label, _ in taken):
            return
        for row in rows[1:]:
            decimal = any(t.kind == "number" and "." in t.text for cell, _ in row for t in cell)
            for k, (tokens, line) in enumerate(row):
                own = [t for t in tokens if t.kind not in ("break", "end")]
                told = cell_label(rows, row, k)
                if not decimal or not own or (told, line) in taken:
                    continue
                tree = Parser(phrases(own), spent).inner(own)
                if tree is not None and not names(tree) and not (k == 0 and _counts(rows)):
                    self.add(tree, line, told)


def cell_label(rows: list[Row], row: Row, k: int) -> tuple[str, ...]:
    """What a cell's column and row say."""
    column = [p for t in rows[0][k][0] for p in pieces(t)] if k < len(rows[0]) else []
    head = [p for t in row[0][0] for p in pieces(t)] if k else []
    head = head if any(not p.isdigit() for p in head) else []
    return tuple([*column, *head][-MOST:])


def _counts(rows: list[Row]) -> bool:
    """Whether the first column only numbers the rows."""
    cells = [" ".join(t.text for t in r[0][0]) if r else "" for r in rows[1:]]
    return all(c.isdigit() for c in cells) and len(set(cells)) == len(cells) > 1


def stated_alone(chains: Sequence[Chain]) -> Iterator[Statement]:
    """Each number of the chains as a statement of no known quantity."""
    for chain in chains:
        side, line = chain.sides[-1], chain.lines[-1]
        for element, cell in cells(side, line).items():
            yield Statement(
                None,
                cell.written,
                cell.line,
                " ".join(chain.label),
                chain.sides[1:-1],
                element=element,
                label=chain.label,
                at=chain.at,
            )
