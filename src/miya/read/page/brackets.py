"""Brackets: sums in them, vectors, matrices, and numbers with spaces between."""

from __future__ import annotations

from ...core.written import Chain, Negative, Number, Ref, Tree, Vector
from .expressions import CLOSE, DEEPEST, Expressions
from .tokens import Token


class Brackets(Expressions):
    def brackets(self, opened: Token) -> Tree | None:
        """What stands in brackets; a place that holds nothing readable is tried only once."""
        mark = self.at
        if mark in self.shut:
            return None
        found = self._brackets(opened)
        if found is None:
            self.shut.add(mark)
            self.at = mark
        return found

    def _brackets(self, opened: Token) -> Tree | None:
        mark = self.at
        self.take()
        close = CLOSE[opened.kind]
        if self.kind() == "matrix" and self.kind(1) == close:  # \\left[ \\begin{array} ...
            inside = self.matrix(self.take())
            self.take()
            return inside
        if opened.kind == "[" and (numbers := self.spaced(close)) is not None:
            return numbers
        rows: list[list[Tree]] = [[]]
        while True:
            self.skip_breaks()
            if self.kind() == close and (rows[0] or opened.kind == "["):
                self.take()
                break
            item = self.chain()
            if item is None:
                self.at = mark
                return None
            if opened.kind == "(" and isinstance(item, Chain) and isinstance(item.sides[0], Ref):
                self.at = mark  # (x = 0.1, t = 1) are two, and no vector
                return None
            rows[-1].append(item)
            self.skip_breaks()
            if self.kind() == ";":
                rows.append([])
            if self.kind() in (",", ";", "&"):
                self.take()
            elif self.kind() != close:
                self.at = mark
                return None
        rows = [r for r in rows if r]
        if len(rows) == 1 and len(rows[0]) == 1 and opened.kind != "[":
            inside = rows[0][0]
            return inside.sides[-1] if isinstance(inside, Chain) else inside
        if len(rows) > 1:
            single = all(len(r) == 1 for r in rows)
            items = tuple(r[0] if single else Vector(tuple(r)) for r in rows)
            return Vector(items, column=single)
        return Vector(tuple(rows[0])) if rows else None

    def skip_breaks(self) -> None:
        while self.kind() == "break":
            self.take()

    def spaced(self, close: str) -> Tree | None:
        """Numbers with spaces between them, as NumPy prints: [0.1 -0.2], [[1 2] [3 4]]."""
        mark = self.at
        items: list[Tree] = []
        rows: list[list[Tree]] = []
        while (token := self.peek()) is not None and len(items) < 4096:
            if token.kind == "break":
                self.take()
            elif token.kind == ";" and items:  # [0.1 0.2; 0.3 0.4]
                self.take()
                rows.append(items)
                items = []
            elif token.kind == close and rows and items:
                self.take()
                rows.append(items)
                if all(len(row) == 1 for row in rows):
                    return Vector(tuple(row[0] for row in rows), column=True)
                return Vector(tuple(Vector(tuple(row)) for row in rows))
            elif token.kind == close:
                self.take()
                if len(items) < 2 and not any(isinstance(i, Vector) for i in items):
                    break
                return Vector(tuple(items))
            elif token.kind == "number":
                items.append(Number(self.take().extra))
            elif token.kind == "op" and token.text == "-" and self.kind(1) == "number":
                if (items and not token.space) or self.tokens[self.at + 1].space:
                    break
                self.take()
                items.append(Negative(Number(self.take().extra)))
            elif token.kind == "[" and self.deep < DEEPEST:
                self.take()
                self.deep += 1
                inside = self.spaced("]")
                self.deep -= 1
                if inside is None:
                    break
                items.append(inside)
            else:
                break
        self.at = mark
        return None

    def matrix(self, token: Token) -> Tree | None:
        rows: list[tuple[Tree, ...]] = []
        for row in token.extra:
            cells = [self.inner(cell) for cell in row if cell]
            if any(c is None for c in cells) or not cells:
                return None
            rows.append(tuple(c for c in cells if c is not None))
        if not rows:
            return None
        if all(len(r) == 1 for r in rows):
            return Vector(tuple(r[0] for r in rows), column=len(rows) > 1)
        if len(rows) == 1:
            return Vector(rows[0])
        return Vector(tuple(Vector(r) for r in rows))
