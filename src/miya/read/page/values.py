"""The numbers that a side of a chain states, each with its place in a vector or matrix."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.written import Chain, Negative, Transposed, Tree, Vector, Written, literal

Element = tuple[int, ...]


@dataclass(frozen=True)
class Cell:
    written: Written
    line: int
    work: tuple[Tree, ...] = ()  # expressions in the cell itself, before its number


def shape(tree: Tree) -> tuple[int, ...] | None:
    """() of a number, (n,) of a list, (n, m) of a matrix; None of what is no value."""
    match tree:
        case Chain(sides):
            return shape(sides[-1])
        case Transposed(Vector() as of):
            inner = shape(of)
            return inner[::-1] if inner is not None else None
        case Negative(Vector() as of):
            return shape(of)
        case Vector(items):
            inside = {shape(i) for i in items}
            if len(inside) != 1:
                return None
            first = inside.pop()
            return None if first is None or len(first) > 1 else (len(items), *first)
    return () if literal(tree) is not None else None


def cells(tree: Tree, line: int) -> dict[Element, Cell]:
    """Every number by its index, () of a single one; empty where `tree` is no value."""
    match tree:
        case Chain(sides, _, lines):
            inner = cells(sides[-1], lines[-1])
            work = tuple(s for s in sides[:-1])
            return {e: Cell(c.written, c.line, work) for e, c in inner.items()} if inner else {}
        case Transposed(Vector() as of):
            return {e[::-1]: c for e, c in cells(of, line).items()}
        case Vector(items):
            found: dict[Element, Cell] = {}
            for k, item in enumerate(items):
                inside = cells(item, line)
                if not inside:
                    return {}
                found |= {(k, *e): c for e, c in inside.items()}
            return found
    written = literal(tree)
    return {(): Cell(written, line)} if written is not None else {}


def squeeze(found: dict[Element, Cell]) -> dict[Element, Cell]:
    """A row or a column as a plain list; a single number in brackets as that number."""
    if not found or any(len(e) != 2 for e in found):
        return found
    rows = {e[0] for e in found}
    columns = {e[1] for e in found}
    if len(columns) == 1:
        return {(e[0],): c for e, c in found.items()}
    if len(rows) == 1:
        return {(e[1],): c for e, c in found.items()}
    return found
