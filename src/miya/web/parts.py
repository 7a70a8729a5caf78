"""What the parts of the picture are called."""

from __future__ import annotations

from ..analysis.blame import BlameRow
from ..story.quantity import Symbol
from ..story.symbols import plain_symbol

LETTERS = {"weight": "W", "bias": "b"}


def name_of(row: BlameRow) -> str:
    """The part that a row of a ranking is about: "W1[0][2]", "b1[0]" or "n1.0"."""
    if row.kind == "neuron":
        return f"n{row.layer}.{row.index[0]}"
    return plain_symbol(Symbol(LETTERS[row.kind], row.layer, row.index))
