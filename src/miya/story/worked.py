"""The worked lines of a worksheet: every calculation a hand makes in one step."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

import numpy as np

from ..analysis.shape import Shape
from ..analysis.worksheet import candidates
from ..core.step import take_step
from ..core.trace import Trace
from .blocks import Blank, Block, Calculation, Calculations, Paragraph, Table
from .expression import quantities
from .parts import backward, forward, update
from .quantity import Symbol
from .teller import Teller
from .trees import numbers

Part = Callable[[Teller], Iterator[Block]]
PARTS: tuple[Part, ...] = (
    forward.forward,
    backward.output_delta,
    backward.output_parameters,
    backward.earlier_layers,
    update.update,
)
GIVEN = ("x", "y", "W", "b")


def pleasant(shape: Shape, seed: int) -> Trace:
    """The first step by the seed whose every line closes on the very number that is carried on.

    Raises MiyaInputError E682 where none is found.
    """
    return next(t for t in candidates(shape, seed) if as_carried(t))


def as_carried(trace: Trace) -> bool:
    assert trace.digits is not None
    teller = Teller(trace, "en", trace.digits, False)
    told = [c for part in PARTS for c in calculations(list(part(teller)))]
    shown = {c.symbol: float(c.closed.result) for c in told}
    used = (n for c in told for n in numbers(c.closed.tree))
    carried = {n.of: n.value for n in used if n.of in shown} | _ends(trace)
    return all(shown[s] == value for s, value in carried.items() if s is not None)


def _ends(trace: Trace) -> dict[Symbol | None, float]:
    """What no other line reads: the loss and the new parameters."""
    found: dict[Symbol | None, float] = {Symbol("C"): trace.loss}
    for layer in trace.layers:
        for letter, after in (("W", layer.weight.after), ("b", layer.bias.after)):
            for index in np.ndindex(after.shape):
                symbol = Symbol(letter, layer.number, index, "new")
                found[symbol] = float(after[index])
    return found


def answer(line: Calculation, digits: int) -> str:
    """The result as a hand writes it: what is rounded, or comes of what was, with all its digits,
    0.2590 for 0.259."""
    text = line.closed.result
    short = digits - len(Decimal(text).as_tuple().digits)
    worked = any(s.head not in GIVEN or s.mark for s in quantities(line.closed.tree))
    if not (line.closed.relation == "≈" or worked) or short <= 0 or "e" in text:
        return text
    return text + ("" if "." in text else ".") + "0" * short


def kept(blocks: list[Block], digits: int) -> Iterator[Block]:
    """The blocks with each result as a hand writes it, in lines, tables and the loss's sentence."""
    texts = {c.symbol: (c.closed.result, answer(c, digits)) for c in calculations(blocks)}
    for block in blocks:
        match block:
            case Calculations(items):
                yield Calculations(tuple(_kept(c, digits) for c in items))
            case Table(header, rows):
                yield Table(header, tuple(_row(row, texts) for row in rows))
            case Paragraph(words, True) if Symbol("C") in texts:
                short, whole = texts[Symbol("C")]
                there = rf"(?<![\d.]){re.escape(short)}(?![\d.]*\d)"
                yield Paragraph(re.sub(there, whole, words), True)
            case _:
                yield block


def _kept(item: Calculation | Blank, digits: int) -> Calculation | Blank:
    if isinstance(item, Blank):
        return item
    return replace(item, closed=replace(item.closed, result=answer(item, digits)))


def _row(
    row: tuple[str | Symbol, ...], texts: Mapping[Symbol, tuple[str, str]]
) -> tuple[str | Symbol, ...]:
    """A parameter's row with its new value, in the last column, as its line has it."""
    first, *rest = row
    if not isinstance(first, Symbol) or not rest:
        return row
    short, whole = texts.get(replace(first, mark="new"), ("", ""))
    return (first, *rest[:-1], whole if rest[-1] == short else rest[-1])


def calculations(blocks: list[Block]) -> Iterator[Calculation]:
    for block in blocks:
        if isinstance(block, Calculations):
            yield from (c for c in block.items if isinstance(c, Calculation))


def exactly(t: Teller) -> Mapping[Symbol, Calculation]:
    """The lines where exact values are carried on."""
    exact = replace(t, trace=take_step(t.trace.network))
    return {c.symbol: c for part in PARTS for c in calculations(list(part(exact)))}
