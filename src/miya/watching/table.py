"""Facts of layers while records are made: by layer and name, one value a step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from itertools import repeat
from typing import Any

from .numbers import Array
from .records import LayerRecord

FIELDS = fields(LayerRecord)


class Table:
    """A fact that was not measured is not there."""

    def __init__(self, layers: int, steps: int) -> None:
        self.steps = steps
        self.facts: list[dict[str, Sequence[Any]]] = [{} for _ in range(layers)]

    def put(self, name: str, layers: Sequence[int], columns: Array) -> None:
        """columns: (steps, those layers)."""
        for layer, values in zip(layers, columns.T.tolist(), strict=True):
            self.facts[layer][name] = values

    def known(self, name: str, layers: Sequence[int], columns: Array) -> None:
        """The same, of numbers of which NaN says that there is none."""
        for layer, values in zip(layers, columns.T.tolist(), strict=True):
            self.facts[layer][name] = [None if v != v else v for v in values]

    def column(self, name: str, layer: int, values: Sequence[Any]) -> None:
        self.facts[layer][name] = values

    def same(self, name: str, layer: int, value: Any) -> None:
        """The same in every step."""
        self.facts[layer][name] = [value] * self.steps

    def bad(self, what: str, layers: Sequence[int], columns: Array) -> None:
        """Where something is not finite; what is said later counts for more."""
        if columns.any():
            for layer, values in zip(layers, columns.T.tolist(), strict=True):
                before = self.facts[layer].get("nonfinite", [""] * self.steps)
                self.facts[layer]["nonfinite"] = [
                    what if now else old for old, now in zip(before, values, strict=True)
                ]

    def records(self, layer: int) -> Iterator[LayerRecord]:
        """One a step: what was not put is as a record has it by itself."""
        facts = self.facts[layer]
        known = [facts.get(f.name) or repeat(f.default, self.steps) for f in FIELDS]
        return map(LayerRecord, *known)
