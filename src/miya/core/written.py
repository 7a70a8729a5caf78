"""Arithmetic as a page writes it: a tree that keeps the written digits. Never run as Python."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple


@dataclass(frozen=True)
class Written:
    """A number with its written digits. unit: one step of its last digit, 0 where it is whole."""

    text: str
    value: Decimal
    unit: Decimal

    @property
    def half(self) -> float:
        return float(self.unit) / 2


@dataclass(frozen=True)
class Name:
    """A name as written: its letter or word, what stands below, above and in brackets."""

    base: str
    low: tuple[str, ...] = ()
    up: tuple[str, ...] = ()
    index: tuple[int, ...] = ()
    prime: bool = False


class Quantity(NamedTuple):
    """What a name stands for: head ("z", "δ", "∂C/∂W"), 1-based layer, 0-based indices.

    In a batch the example's index comes first. No index: the whole layer's. A tuple, because a
    page's marking looks up millions of them.
    """

    head: str
    layer: int | None = None
    index: tuple[int, ...] = ()  # type: ignore[assignment]  # hides tuple.index

    @property
    def symbol(self) -> str:
        if self.head.endswith(("_W", "_b")):  # the optimizer's, such as m_hat_W1
            return f"{self.head}{self.layer or ''}"
        head, _, mark = self.head.partition("_")
        return f"{head}{self.layer or ''}{'_' + mark if mark else ''}"

    def __str__(self) -> str:
        return self.symbol + "".join(f"[{i}]" for i in self.index)


@dataclass(frozen=True)
class Number:
    written: Written


@dataclass(frozen=True)
class Ref:
    """A name in an expression; `of` is what it stands for, None until that is known.

    wrt: the name below in a derivative.
    """

    name: Name
    wrt: Name | None = None
    of: Quantity | None = None


@dataclass(frozen=True)
class Binary:
    """sign: + - * / ^ @ ⊙"""

    sign: str
    left: Tree
    right: Tree


@dataclass(frozen=True)
class Negative:
    of: Tree


@dataclass(frozen=True)
class Transposed:
    of: Tree


@dataclass(frozen=True)
class Call:
    function: str
    of: Tree


@dataclass(frozen=True)
class Vector:
    """Values in brackets: numbers and expressions, vectors for the rows of a matrix.

    column: written as one.
    """

    items: tuple[Tree, ...]
    column: bool = False


@dataclass(frozen=True)
class Chain:
    """Sides joined by = or ≈. line: of each side's first token.

    label: the words and signs before it, apart. at: its place in the page's order.
    """

    sides: tuple[Tree, ...]
    signs: tuple[str, ...]
    lines: tuple[int, ...]
    label: tuple[str, ...] = ()
    at: int = 0


Tree = Number | Ref | Binary | Negative | Transposed | Call | Vector | Chain


def literal(tree: Tree) -> Written | None:
    """The number that a side is, where it is nothing else: 0.13, -2, 1.5 · 10^-3, 1/3."""
    match tree:
        case Number(written):
            return written
        case Negative(of):
            found = literal(of)
            return found and Written(f"-{found.text}", -found.value, found.unit)
        case Binary("*", Number(left), Binary("^", Number(base), power)) if base.value == 10:
            exponent = literal(power)
            if exponent is None or exponent.unit or abs(exponent.value) > 400:
                return None
            step = Decimal(10) ** int(exponent.value)
            text = f"{left.text}e{int(exponent.value)}"
            unit = left.unit or (Decimal(1) if step < 1 else Decimal(0))  # 2 · 10^-4 as 2e-4
            return Written(text, left.value * step, unit * step)
        case Binary("/", Number(top), Number(bottom)) if bottom.value and not bottom.unit:
            if top.unit == 0:
                return Written(f"{top.text}/{bottom.text}", top.value / bottom.value, Decimal(0))
    return None


def names(tree: Tree) -> list[Ref]:
    """The names in a tree, in their order."""
    match tree:
        case Ref():
            return [tree]
        case Binary(_, left, right):
            return names(left) + names(right)
        case Negative(of) | Transposed(of) | Call(_, of):
            return names(of)
        case Vector(items):
            return [r for item in items for r in names(item)]
        case Chain(sides):
            return [r for side in sides for r in names(side)]
    return []


SIGNS = {"*": "·", "@": "@", "⊙": "⊙", "/": "/", "+": " + ", "-": " - ", "^": "^"}


def write(tree: Tree) -> str:
    """A side as short plain text."""
    match tree:
        case Number(written):
            return written.text
        case Ref(name, wrt):
            text = _name(name)
            return f"∂{text}/∂{_name(wrt)}" if wrt else text
        case Binary(sign, left, right):
            a, b = write(left), write(right)
            if sign not in "+-":
                a, b = (f"({t})" if " " in t else t for t in (a, b))
            return f"{a}{SIGNS[sign]}{b}"
        case Negative(of):
            inner = write(of)
            return f"-({inner})" if " " in inner else f"-{inner}"
        case Transposed(of):
            return write(of) + "ᵀ"
        case Call(function, of):
            behind = function.startswith("[")  # one number of a vector
            return f"({write(of)}){function}" if behind else f"{function}({write(of)})"
        case Vector(items):
            return "[" + ", ".join(write(i) for i in items) + "]"
        case Chain(sides):
            return " = ".join(write(s) for s in sides)
    return ""


def _name(name: Name) -> str:
    low = f"_{','.join(name.low)}" if name.low else ""
    up = f"^({','.join(u.lstrip('^') for u in name.up)})" if name.up else ""
    index = "".join(f"[{i}]" for i in name.index)
    base = name.base.removeprefix("state ").replace(" ", "_")  # of the optimizer's numbers
    return f"{base}{chr(39) if name.prime else ''}{low}{up}{index}"
