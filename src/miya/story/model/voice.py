"""What the stories of recorded models tell with: words, symbols, and sums that close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...analysis.why import Part, Piece, Sum
from ...core.calls import Call, Value
from ...core.graph import Index
from ..blocks import Calculation
from ..closing import close
from ..expression import Expression, Number, product, total
from ..numbers import signed
from ..quantity import Symbol
from ..speaker import Speaker
from ..symbols import plain_symbol
from .notation import in_words

OWN = ("network_affine", "network_activation", "network_loss")


@dataclass(frozen=True)
class Voice(Speaker):
    """batch: whether an index of a network's signal shows its example. root: the loss, called C."""

    language: str
    digits: int
    miya: bool = True
    batch: bool = True
    root: Value | None = None
    remarks: ClassVar[str] = "model_remarks"

    def signed(self, value: float) -> str:
        return signed(value, self.digits)

    def count(self, value: int) -> str:
        return f"{value:,}"

    def symbol(self, value: Value, index: Index, *, gradient: bool = False) -> Symbol:
        """What an element is called: the network's own letters, or the model's own names."""
        if value is self.root:
            return Symbol("∂C/∂C" if gradient else "C")
        known = getattr(value, "symbol", None)
        if known is None:
            return Symbol(("∂C/∂" if gradient else "") + value.name, None, index, own=True)
        head, layer = known
        if value.kind != "parameter" and not self.batch:
            index = index[1:]
        if gradient:
            head = "δ" if head == "z" else f"∂C/∂{head}"
        return Symbol(head, layer, index)

    def name(self, value: Value, index: Index, *, gradient: bool = False) -> str:
        return plain_symbol(self.symbol(value, index, gradient=gradient))

    def formula(self, text: str) -> str:
        """A record's formula, its words in the story's language."""
        return in_words(text, self.words["formula_words"])

    def operation(self, call: Call) -> str:
        """An operation and the module that it runs in."""
        name = call.name.strip("_")
        if call.name in OWN:
            return self.words["why"][call.name]
        return self.text("why", "in_module", name=name, module=call.module) if call.module else name

    def piece(self, piece: Piece) -> str:
        if piece.of is None:
            return self.formula(piece.symbol) if piece.symbol else self.number(piece.number)
        return self.name(piece.of, piece.index, gradient=piece.gradient)

    def factors(self, part: Part) -> str:
        """A term by the names of its factors; constants of 1 are left out."""
        told = list(map(self.piece, told_pieces(part)))
        if len(told) > 1:
            told = [f"({name})" if " " in name else name for name in told]
        return " · ".join(told)

    def tree(self, found: Sum) -> Expression:
        """The sum with its numbers; what is not told stands at its end as one number."""
        parts: list[Expression] = [self._product(part) for part in found.parts]
        if found.others:
            parts.append(Number(found.others_total))
        return total(parts)

    def _product(self, part: Part) -> Expression:
        if not part.pieces:
            return Number(part.number)
        return product(map(self._factor, told_pieces(part)))

    def _factor(self, piece: Piece) -> Number:
        if piece.of is None:
            return Number(piece.number)
        return Number(piece.number, self.symbol(piece.of, piece.index, gradient=piece.gradient))

    def calculation(
        self, kind: str, symbol: Symbol, tree: Expression, result: float
    ) -> Calculation:
        return Calculation(kind, symbol, close(tree, float(result), self.digits))


def told_pieces(part: Part) -> list[Piece]:
    """The factors that are told: all but constants of 1, and at least one."""
    told = [p for p in part.pieces if not _is_one(p)]
    return told or list(part.pieces[:1])


def _is_one(piece: Piece) -> bool:
    """Whether it is a constant of 1: the number itself, or an option of that value."""
    option = piece.symbol == "1" or piece.symbol.isidentifier()
    return piece.of is None and piece.number == 1 and option and not piece.formula
