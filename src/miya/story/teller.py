"""What every section of a story tells with: the trace, the words, and how much fits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import fsum
from typing import Any, TypeVar

import numpy as np

from ..analysis.blame import Blame, Measure, blame
from ..analysis.credit import Credit, try_credit
from ..core.graph import Term
from ..core.rounding import Array
from ..core.trace import LayerTrace, Trace
from .blocks import Calculation, Calculations, Paragraph
from .closing import close
from .expression import Expression, Number, bind, parse, product, total
from .quantity import Symbol
from .speaker import Speaker

MOST_ELEMENTS = 64  # of one array told in full; beyond it, the top ones
TOP = 8
MOST_TERMS = 40  # of one sum told in full; beyond it, the largest ones and the rest together
Names = Mapping[str, Expression | float]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Teller(Speaker):
    trace: Trace
    language: str
    digits: int
    miya: bool
    most: int | None = None  # entries told of a large array and terms of a long sum

    @property
    def top_count(self) -> int:
        return self.most or TOP

    @property
    def most_elements(self) -> int:
        return max(MOST_ELEMENTS, self.most or 0)

    @property
    def most_terms(self) -> int:
        return max(MOST_TERMS, self.most or 0)

    @cached_property
    def credit(self) -> Credit | None:
        return try_credit(self.trace)

    @cached_property
    def _rankings(self) -> dict[Measure, Blame]:
        return {}

    def blame(self, measure: Measure) -> Blame:
        """The ranking by a measure, worked out once a story."""
        if measure not in self._rankings:
            self._rankings[measure] = blame(self.trace, measure)
        return self._rankings[measure]

    @property
    def layers(self) -> tuple[LayerTrace, ...]:
        return self.trace.layers

    def symbol(self, head: str, layer: int | None, n: int, *index: int, mark: str = "") -> Symbol:
        """The symbol of an element; the example's index is shown where there are several."""
        first = (n,) if self.trace.network.batch else ()
        return Symbol(head, layer, (*first, *index), mark)

    def calculation(
        self,
        kind: str,
        symbol: Symbol,
        tree: Expression,
        result: float,
        *,
        carried: bool | None = None,
    ) -> Calculation:
        """carried: whether the result is carried on rounded; by default as the trace does."""
        if carried is None:
            carried = self.trace.digits is not None
        closed = close(tree, float(result), self.digits, carried=carried)
        return Calculation(kind, symbol, closed)

    def formula(
        self, kind: str, symbol: Symbol, formula: str, names: Names, result: float
    ) -> Calculation:
        """A record's formula with its numbers put in."""
        return self.calculation(kind, symbol, bind(parse(formula), names), result)

    def value(self, values: Array, head: str, layer: int | None, *index: int) -> Number:
        """values[index], an element of the arrays that have a row an example."""
        return Number(float(values[index]), self.symbol(head, layer, *index))

    def row(self, values: Array, head: str, layer: int | None, n: int) -> list[Number]:
        return [self.value(values, head, layer, n, i) for i in range(values.shape[1])]

    def factor(self, layer: LayerTrace, factor: tuple[str, tuple[int, ...], float]) -> Number:
        """A factor of one of the layer's terms, by the name that the story gives it."""
        head, index, value = factor
        if head == "1":
            return Number(value)
        if head in ("W", "b"):
            return Number(value, Symbol(head, layer.number, index))
        if head == "δ":
            return Number(value, self.symbol("δ", layer.number, *index))
        signal = ("x", None) if layer.number == 1 else ("a", layer.number - 1)
        return Number(value, self.symbol(*signal, *index))

    def sum_of(self, layer: LayerTrace, terms: Iterable[Term]) -> Expression:
        """A sum written term by term; of a long one the largest, and the rest as one number."""
        found, rest = self.largest(list(terms), lambda term: term.value)
        return total([*(product(self.factor(layer, f) for f in t.factors) for t in found), *rest])

    def largest(
        self, terms: list[Item], value: Callable[[Item], float]
    ) -> tuple[list[Item], list[Expression]]:
        """All of few terms; of many the largest, and what is left together as one number."""
        if len(terms) <= self.most_terms:
            return terms, []
        ordered = sorted(terms, key=lambda term: -abs(value(term)))
        count = self.top_count
        return ordered[:count], [Number(fsum(value(term) for term in ordered[count:]))]

    def picks(self, layer: LayerTrace) -> list[tuple[int, int]]:
        """The (example, neuron) pairs of a layer that are told: all, or those of largest |δ|."""
        return self.top(layer.delta)

    def top(self, values: Array) -> list[tuple[Any, ...]]:
        """Indices of `values`: all of few, the largest by size of many."""
        if values.size <= self.most_elements:
            return list(np.ndindex(values.shape))
        flat = np.abs(values).ravel()
        best = np.argpartition(-flat, self.top_count - 1)[: self.top_count]
        best = best[np.lexsort((best, -flat[best]))]
        return [tuple(int(i) for i in np.unravel_index(k, values.shape)) for k in best]

    def left_out(self, values: Array, told: int, what: str) -> list[Paragraph]:
        if values.size <= told:
            return []
        return [self.say("general", "left_out", told=told, all=values.size, what=what)]

    def calculations(
        self, indices: Iterable[tuple[Any, ...]], tell: Callable[..., Iterable[Calculation]]
    ) -> list[Calculations]:
        items = tuple(c for index in indices for c in tell(*index))
        return [Calculations(items)] if items else []
