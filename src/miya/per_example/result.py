"""The result: examples ranked by a named measure, and what is known of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from ..core.rounding import Array
from ..errors import MiyaInputError
from .columns import CREDIT, NORM

Pairs = tuple[tuple[str, float], ...]


class Columns(Protocol):
    """`columns.Memory` or `folder.Read`."""

    @property
    def done(self) -> int: ...

    def names(self) -> list[str]: ...

    def column(self, name: str) -> Array: ...

    def row(self, k: int) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Facts:
    """parameters: those that were measured. method: "together", or "single" where only single
    backward passes would do, for the reason `why`."""

    parameters: list[str]
    dtype: str
    credit: bool
    method: str = "together"
    why: str = ""

    @cached_property
    def layers(self) -> dict[str, list[str]]:
        """The parameters of each module that holds some."""
        found: dict[str, list[str]] = {}
        for name in self.parameters:
            found.setdefault(name.rpartition(".")[0] or name, []).append(name)
        return found


@dataclass(frozen=True)
class Measure:
    """What examples are ranked by: columns that are squared and added up, or one as it is."""

    name: str
    columns: tuple[str, ...]
    norm: bool = False

    def values(self, numbers: Any) -> Array:
        """(examples,) of `numbers(column)`; a credit keeps its sign."""
        if not self.norm:
            return np.asarray(numbers(self.columns[0]))
        return np.asarray(np.sqrt(sum(np.square(numbers(c)) for c in self.columns)))


def measure_of(facts: Facts, by: str) -> Measure:
    """Raises MiyaInputError E772 for a measure that there is not."""
    plain = ["gradient", "loss", *(["credit"] if facts.credit else [])]
    if by in plain:
        return Measure(by, (by,))
    if by in facts.layers or by in facts.parameters:
        return Measure(by, tuple(NORM + n for n in facts.layers.get(by, [by])), norm=True)
    known = [*plain, *facts.layers, *facts.parameters]
    near = get_close_matches(by, known, 1)
    said = f"did you mean {near[0]!r}? " if near else ""
    need = "credit needs an optimizer or a step; " if by == "credit" else ""
    raise MiyaInputError(
        "E772",
        f"by is {by!r}",
        hint=f"{said}{need}known: {', '.join(plain)}, and any layer or parameter",
    )


@dataclass(frozen=True, eq=False)
class ExampleRow:
    """One example in a ranking.

    value: by the measure. share: |value| / Σ |value| over all examples. layers: the norm of its
    gradient in each. neurons: δ of the most pushed; weights: ∂ℓ/∂θ of the most pushed. target,
    answer: what it should be and what the model takes it for, where these are classes. image:
    (height, width) or (height, width, 3) between 0 and 1. weights, target, answer and image are
    known of the first `top` by the measure that `blame_examples` was given, else None.
    """

    rank: int
    example: int
    value: float
    share: float
    loss: float
    gradient: float
    layers: Pairs
    neurons: Pairs
    weights: Pairs | None = None
    target: str | None = None
    answer: str | None = None
    image: Array | None = None
    credit: float | None = None


@dataclass(frozen=True, eq=False)
class Portrait:
    """What is kept of the most blamed examples beside their columns."""

    example: int
    weights: Pairs
    target: str | None
    answer: str | None
    image: Array | None


@dataclass(frozen=True, eq=False)
class ExamplesBlame:
    """Examples ranked by `by`; `print()` shows the first, `html()` draws them.

    columns: every column, by name: "loss", "gradient", "norm:<parameter>", and of a step "credit",
    "credit:<parameter>", "loss_after" and "residual".
    """

    columns: Columns
    facts: Facts
    by: str
    shown: Sequence[Portrait]

    def __len__(self) -> int:
        return self.columns.done

    def values(self, by: str | None = None) -> Array:
        """(examples,) by a measure: "gradient", "loss", "credit", a layer or a parameter."""
        return measure_of(self.facts, by or self.by).values(self.columns.column)

    def ranking(self, by: str | None = None) -> Array:
        """The examples by |value| from the largest, those that are not finite before all."""
        sizes = np.abs(self.values(by))
        sizes[~np.isfinite(sizes)] = np.inf
        return np.argsort(-sizes, kind="stable")

    def top(self, count: int = 10, by: str | None = None) -> list[ExampleRow]:
        """The first of the ranking; examples with the same value have the same rank."""
        values, order = self.values(by), self.ranking(by)[:count]
        sizes = np.abs(values)
        total = float(sizes.sum())
        rows: list[ExampleRow] = []
        for place, k in enumerate(order.tolist(), 1):
            value = float(values[k])
            same = bool(rows) and abs(rows[-1].value) == abs(value)
            row = self._row(k, rows[-1].rank if same else place, value)
            share = abs(value) / total if total > 0 and np.isfinite(total) else float("nan")
            rows.append(replace(row, share=share))
        return rows

    def _row(self, k: int, rank: int, value: float) -> ExampleRow:
        found = self.columns.row(k)
        layers = tuple(
            (layer, float(np.sqrt(sum(found[NORM + n] ** 2 for n in names))))
            for layer, names in self.facts.layers.items()
        )
        row = ExampleRow(
            rank,
            k,
            value,
            0.0,
            found["loss"],
            found["gradient"],
            layers,
            tuple(found["neurons"]),
            credit=found.get("credit"),
        )
        drawn = next((p for p in self.shown if p.example == k), None)
        if drawn is None:
            return row
        return replace(
            row,
            weights=drawn.weights,
            target=drawn.target,
            answer=drawn.answer,
            image=drawn.image,
        )

    @property
    def residual(self) -> float | None:
        """Σ credits − the real change of the loss; None without a step."""
        if not self.facts.credit:
            return None
        return float(self.columns.column("residual").sum())

    @property
    def real_change(self) -> float | None:
        """How far the step moves the loss of the data set; None without a step."""
        if not self.facts.credit:
            return None
        credit, residual = (self.columns.column(n) for n in ("credit", "residual"))
        return float((credit - residual).sum())

    def credit_by_layer(self) -> dict[str, float]:
        """Σ over the examples of what each layer's parameters brought; without a step, empty."""
        if not self.facts.credit:
            return {}
        return {
            layer: float(sum(self.columns.column(CREDIT + n).sum() for n in names))
            for layer, names in self.facts.layers.items()
        }

    def notes(self) -> list[str]:
        """What must be said of the result: warnings W773 and W774."""
        found = []
        if self.facts.method == "single":
            found.append(
                "W773 every example took a forward and a backward pass of its own: the model "
                f"{self.facts.why}"
            )
        bad = np.flatnonzero(~np.isfinite(self.columns.column("loss") + self.values("gradient")))
        if len(bad):
            some = ", ".join(map(str, bad[:5].tolist())) + (", …" if len(bad) > 5 else "")
            found.append(
                f"W774 of {len(bad)} of {len(self)} examples the loss or the gradient is not "
                f"finite: {some}"
            )
        return found

    def text(self, count: int = 10, by: str | None = None, *, language: str = "en") -> str:
        from .show import text

        return text(self, count, by, language)

    def markdown(self, count: int = 10, by: str | None = None, *, language: str = "en") -> str:
        from .show import markdown

        return markdown(self, count, by, language)

    def html(self, count: int = 10, by: str | None = None, *, language: str = "en") -> str:
        """A page that needs nothing beside it, the examples' images drawn in it."""
        from .show_html import page

        return page(self, count, by, language)

    def json(self, count: int = 10, by: str | None = None) -> str:
        from .show import as_json

        return as_json(self, count, by)

    def save(self, path: Any, count: int = 10, *, language: str = "en") -> None:
        """As its name says: .txt, .md, .html or .json. Raises MiyaInputError E772."""
        from .show import save

        save(self, path, count, language)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<{len(self)} examples by {self.by}; print() shows the most blamed>"

    def _repr_html_(self) -> str:
        from .show_html import inside

        return inside(self, 10, None, "en")
