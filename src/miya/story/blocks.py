"""What a story is made of. A renderer lowers each block to its own output."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .closing import Closed
from .expression import Expression
from .numbers import number
from .quantity import Symbol

Mood = Literal["calm", "alarm", "proud", "sleepy", "pointing", "side-eye"]


@dataclass(frozen=True)
class Heading:
    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """tells: it says results, which a worksheet leaves to be found."""

    text: str
    tells: bool = False


@dataclass(frozen=True)
class Formula:
    """A formula in symbols, in the notation of a record and in LaTeX."""

    plain: str
    latex: str


@dataclass(frozen=True)
class Calculation:
    """symbol = expression = result, in digits that close."""

    kind: str
    symbol: Symbol
    closed: Closed


@dataclass(frozen=True)
class Blank:
    """symbol = expression = a line to fill in. It holds no answer, so no output can show one.

    tree: names in the place of numbers that are to be found; None where it is to be found too.
    digits: what the expression's numbers are written to.
    """

    kind: str
    symbol: Symbol
    tree: Expression | None
    digits: int

    def write(self, value: float) -> str:
        return number(value, self.digits, pad=False)


@dataclass(frozen=True)
class Calculations:
    items: tuple[Calculation | Blank, ...]


@dataclass(frozen=True)
class Matrix:
    """Numbers given, row by row; a vector is one column."""

    symbol: Symbol
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Table:
    header: tuple[str, ...]
    rows: tuple[tuple[str | Symbol, ...], ...]


@dataclass(frozen=True)
class Remark:
    """Miya speaks. `measure` is what she ranks by, "" where she ranks nothing; `note` says it in
    words."""

    text: str
    mood: Mood
    measure: str = ""
    note: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture as SVG without an XML declaration, and what it shows in words."""

    svg: str = field(repr=False)
    words: str


@dataclass(frozen=True)
class Bullets:
    items: tuple[str, ...]


Block = (
    Heading
    | Paragraph
    | Formula
    | Calculation
    | Calculations
    | Matrix
    | Table
    | Remark
    | Bullets
    | Picture
)


@dataclass(frozen=True)
class Story:
    """Blocks in reading order, and what they were told with."""

    title: str
    language: str
    digits: int
    carry: str
    blocks: tuple[Block, ...] = field(repr=False)

    @property
    def calculations(self) -> list[Calculation]:
        items = (c for b in self.blocks if isinstance(b, Calculations) for c in b.items)
        return [c for c in items if isinstance(c, Calculation)]

    @property
    def blanks(self) -> list[Blank]:
        items = (c for b in self.blocks if isinstance(b, Calculations) for c in b.items)
        return [c for c in items if isinstance(c, Blank)]
