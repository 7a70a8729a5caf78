"""Facts of layers while records are made: by layer and name, one value a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .numbers import Array


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

    def row(self, layer: int, step: int) -> dict[str, Any]:
        return {name: values[step] for name, values in self.facts[layer].items()}
