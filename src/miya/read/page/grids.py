"""Tables that name by their header alone, and tables of neurons by number: "Unit j", I_j, O_j."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from ...core.written import Binary, Chain, Name, Negative, Number, Ref, Tree, names
from .letters import renamed
from .naming import FAMILIES
from .tokens import Token

Row = list[tuple[list[Token], int]]
Residual = tuple[Name, bool, bool]
Parse = Callable[[list[Token]], Tree | None]
INDEX = re.compile(r"(?:(?:unit|neuron|node|cell)s?\W*)?(?P<letter>[ijklmn])?\W*$", re.IGNORECASE)
ERRORS = ("err", "Err", "e", "ε")  # letters of a difference from the target
BACK = "back "  # before a letter: what the neurons behind send back to it


def header_chains(rows: list[Row], parse: Parse) -> list[Chain]:
    """Names in the first row, their numbers in the only other one."""
    if len(rows) != 2 or len(rows[0]) != len(rows[1]) or len(rows[0]) < 2:
        return []
    found = []
    for (head, _), (cell, line) in zip(*rows, strict=True):
        name, value = parse(head), parse(cell)
        plain = isinstance(name, Ref) and name.wrt is None and bool(name.name.low or name.name.up)
        if not plain or name is None or not _number(value):
            return []
        assert value is not None
        found.append(Chain((name, value), ("=",), (line, line)))
    return found


def _number(tree: Tree | None) -> bool:
    return isinstance(tree, Number) or (isinstance(tree, Negative) and isinstance(tree.of, Number))


def indexed_chains(rows: list[Row], parse: Parse) -> list[Chain]:
    """Rows of neurons by number, columns of names with a letter for that number."""
    first = INDEX.match(_text(rows[0][0][0])) if rows[0] else None
    numbers = [_text(r[0][0]) if r else "" for r in rows[1:]]
    if not first or not _text(rows[0][0][0]) or not all(n.isdigit() for n in numbers):
        return []
    letter = first["letter"]
    heads = [_head(tokens, parse, letter) for tokens, _ in rows[0][1:]]
    if not any(h is not None for h in heads) or letter is None:
        return []
    found = []
    for number, row in zip(numbers, rows[1:], strict=True):
        for head, (cell, line) in zip(heads, row[1:], strict=False):
            value = parse(cell)
            if head is None or value is None:
                continue
            name = _at(head, letter, number)
            sides = value.sides if isinstance(value, Chain) else (value,)
            signs = ("=",) * len(sides)
            found.append(Chain((name, *sides), signs, (line,) * (len(sides) + 1)))
    return found


def _head(tokens: list[Token], parse: Parse, letter: str | None) -> Tree | None:
    """What a column is of: the formula that the header ends with."""
    kept = [t for t in tokens if t.kind not in ("break", "end")]
    summed = any(t.text in ("Σ", "∑", "sum") for t in kept)
    for k in range(len(kept)):
        if k and kept[k - 1].kind not in (",", ":", "word", ")"):
            continue
        tree = parse(kept[k:])
        if tree is None or isinstance(tree, Chain):
            continue
        below = {low for ref in names(tree) for low in (ref.wrt or ref.name).low}
        if summed:
            break
        if any(p[:1] == letter and (len(p) == 1 or p[1:].isdigit()) for p in below):
            return _slope(tree) or tree
    return Ref(Name(BACK, (letter or "",))) if summed else None


def _slope(tree: Tree) -> Tree | None:
    """a (1 - a) and 1 - a² are slopes of the activation a."""
    match tree:
        case Binary("*" | "⊙", Ref(name, None), Binary("-", Number(), Ref(other, None))):
            same = name == other
        case Binary("-", Number(), Binary("^", Ref(name, None), Number())):
            same = True
        case _:
            return None
    return Ref(Name("σ", name.low, name.up, name.index, prime=True)) if same else None


def _at(tree: Tree, letter: str, number: str) -> Tree:
    def placed(name: Name) -> Name:
        parts: list[str] = []
        for p in name.low:  # j1 is j and 1
            own = p[:1] == letter and (len(p) == 1 or p[1:].isdigit())
            parts += [number, p[1:]] if own else [p]
        return replace(name, low=tuple(p for p in parts if p))

    return renamed(Chain((tree,), (), (0,)), placed).sides[0]


def _text(tokens: list[Token]) -> str:
    return " ".join(t.text for t in tokens if t.kind not in ("break", "end")).strip()


def settled(chains: list[Chain], half: bool | None, minus: str | None = None) -> list[Chain]:
    """t - o as minus the gradient at o, where the loss has it so, and what comes back likewise.

    half: whether the loss has its ½, None where that is open. minus: the letter that the page
    defines as minus a gradient, such as δ_j = -∂E/∂z_j.
    """
    own = _own_errors(chains)
    told = [_residual(c.sides[0]) or _error(c) for c in chains]
    turned = any(r is not None and r[1] for r in told)
    found = []
    for chain, residual in zip(chains, told, strict=True):
        side: Tree = chain.sides[0]
        if isinstance(side, Ref) and side.name.base == BACK:
            gradient = Ref(Name("C"), replace(side.name, base="out"))
            side = Negative(gradient) if turned else gradient
        elif isinstance(side, Ref) and side.wrt is None and side.name.base == minus:
            side = Negative(side)
        elif isinstance(side, Ref) and side.wrt is None and side.name in own:
            gradient = Ref(Name("C"), replace(side.name, base="out"))
            side = Negative(gradient) if turned else gradient
        elif residual is not None and half is not None and residual[2] != half:
            gradient = Ref(Name("C"), residual[0])
            side = Negative(gradient) if residual[1] else gradient
        found.append(replace(chain, sides=(side, *chain.sides[1:])))
    return found


def _own_errors(chains: list[Chain]) -> set[Name]:
    """Names of errors beside which the page has a δ of the same neuron: of two, err is the
    gradient at the output."""
    subjects = [c.sides[0] for c in chains]
    named = {s.name for s in subjects if isinstance(s, Ref) and s.wrt is None}
    errors = {n for n in named if n.base in ERRORS and n.low}
    return {n for n in errors if replace(n, base="δ") in named}


def _error(chain: Chain) -> Residual | None:
    """What a chain says an error is: err_o1 = t1 - o1, or err_o = t - o."""
    side = chain.sides[0]
    if not isinstance(side, Ref) or side.wrt is not None or side.name.base not in ERRORS:
        return None
    found = _residual(chain.sides[1], bare=True) if len(chain.sides) > 2 else None
    return found and (replace(side.name, base="out"), *found[1:])


def _residual(tree: Tree, bare: bool = False) -> Residual | None:
    """The output of t - o or o - t, whether the target is first, and whether it is doubled.

    bare: whether the names may have nothing below."""
    doubled = False
    if isinstance(tree, Binary) and tree.sign == "*" and isinstance(tree.left, Number):
        doubled, tree = tree.left.written.value == 2, tree.right
    match tree:
        case Binary("-", Ref(left, None), Ref(right, None)):
            kinds = FAMILIES.get(left.base), FAMILIES.get(right.base)
            below = left.low == right.low and (bare or bool(left.low))
            if not below or kinds not in (("y", "a"), ("a", "y")):
                return None
            return (right, True, doubled) if kinds[0] == "y" else (left, False, doubled)
    return None
