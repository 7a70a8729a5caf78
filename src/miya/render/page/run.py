"""Many steps on one page: a slider over time, the numbers of each step, loss and blame plotted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from ...core.rounding import Array
from ...core.trace import LayerTrace
from ...story.numbers import number, settled
from ...story.quantity import Symbol
from ...story.symbols import plain_symbol
from ...story.words import load
from ..mathml_names import element, math
from ..mathml_names import symbol as mathml_symbol
from ..spoken import Speaker
from .blocks import text
from .plots import Line, plot
from .snapshots import Kept, Snapshot

MOST_ELEMENTS, FEWEST_ELEMENTS = 24, 4  # of one kind in a layer
MOST_CELLS = 40_000  # numbers of all kept steps together
TOP = 6  # lines in the plot of blame
Name = tuple[str, int, tuple[int, ...]]  # letter, layer, index


@dataclass(frozen=True)
class RunPage:
    """Writes what the page shows of a run, in one language."""

    kept: Kept
    digits: int
    language: str

    @property
    def words(self) -> Mapping[str, str]:
        return load(self.language)["page"]

    @property
    def steps(self) -> list[int]:
        return [s.number for s in self.kept.snapshots]

    def say(self, key: str, **values: object) -> str:
        return element("p", text(self.words[key].format(**values)), class_="note")

    def html(self) -> str:
        slider = element(
            "p",
            element("label", text(self.words["run_slider"]), for_="time"),
            " ",
            element("strong", text(self._when(self.steps[0])), class_="when"),
            f'<input type="range" id="time" min="0" max="{len(self.steps) - 1}" value="0">',
            class_="needs-script",
            hidden="hidden",
        )
        return element(
            "section",
            element("p", text(self.words["run_intro"].format(steps=self.kept.steps))),
            slider,
            self._loss(),
            self._blame(),
            *self._notes(),
            *map(self._layer, self.kept.told.layers),
            class_="step run",
            id="step-1",
            tabindex="-1",
            aria_label=self.words["run_heading"],
        )

    def _when(self, step: int) -> str:
        return self.words["run_step"].format(number=step)

    def _notes(self) -> list[str]:
        notes = []
        if self.kept.steps > len(self.steps):
            notes.append(self.say("run_thinned", told=len(self.steps), all=self.kept.steps))
        if any(a[1].size > self.room for a in self.kept.snapshots[0].parameters.values()):
            notes.append(self.say("run_elements", most=self.room))
        notes.append(self.say("run_story", number=self.kept.told.number))
        return notes

    @property
    def room(self) -> int:
        """How many elements of a kind are listed of a layer, so that the page stays small."""
        columns = 11 * len(self.kept.told.layers) * len(self.steps)
        return max(FEWEST_ELEMENTS, min(MOST_ELEMENTS, MOST_CELLS // columns))

    def _loss(self) -> str:
        values = [s.loss for s in self.kept.snapshots]
        label = self.words["run_loss_plot"].format(
            first=number(values[0], self.digits),
            last=number(values[-1], self.digits),
            start=self.steps[0],
            end=self.steps[-1],
        )
        drawn = plot(self.steps, [Line("C", values)], label)
        return element("figure", element("figcaption", text(self.words["run_loss"])), drawn)

    def _blame(self) -> str:
        names = self._most_pressed()
        lines = [
            Line(
                plain_symbol(Symbol(*name)),
                [float(s.parameters[name[0], name[1]][1][name[2]]) for s in self.kept.snapshots],
            )
            for name in names
        ]
        total = sum(a[1].size for a in self.kept.snapshots[0].parameters.values())
        drawn = plot(self.steps, lines, self.words["run_blame_plot"].format(count=len(lines)))
        return element(
            "figure",
            element("figcaption", text(self.words["run_blame"])),
            drawn,
            self.say("run_blame_note", told=len(lines), all=total),
        )

    def _most_pressed(self) -> list[Name]:
        """The parameters whose |∂C/∂θ| was largest at any step that is kept."""
        found: list[tuple[float, Name]] = []
        for letter, k in self.kept.snapshots[0].parameters:
            peak = self._peak(letter, k)
            for index in top(peak, TOP):
                found.append((-float(peak[index]), (letter, k, index)))
        return [name for _, name in sorted(found)[:TOP]]

    def _peak(self, letter: str, k: int) -> Array:
        gradients = (np.abs(s.parameters[letter, k][1]) for s in self.kept.snapshots)
        peak: Array = np.maximum.reduce(list(gradients))
        return peak

    def _layer(self, layer: LayerTrace) -> str:
        k = layer.number
        title = self.words["run_layer"].format(number=k, name=layer.name)
        neurons = [
            self._row(text(layer.layer.neurons[row[0].index[0]]), row) for row in self._neurons(k)
        ]
        parameters = [self._row(self._symbol(y), [y]) for y in self._parameters(k)]
        update = load(self.language)["update"]
        letters = [y.head for y in self._neurons(k)[0]]
        columns = [update[c] for c in ("before", "gradient", "change", "after")]
        return (
            element("h3", text(title))
            + self._table("run_values", letters, neurons)
            + self._table("run_weights", columns, parameters)
        )

    def _neurons(self, k: int) -> list[list[Symbol]]:
        """The quantities of each listed neuron, a row each."""
        first = self.kept.snapshots[0].neurons
        letters = [letter for letter in ("z", "a", "δ") if (letter, k) in first]
        count = min(len(first["δ", k]), self.room)
        return [[Symbol(letter, k, (i,)) for letter in letters] for i in range(count)]

    def _parameters(self, k: int) -> list[Symbol]:
        return [
            Symbol(letter, k, index)
            for letter in ("W", "b")
            for index in sorted(top(self._peak(letter, k), self.room))
        ]

    def _table(self, key: str, columns: Sequence[str], rows: Sequence[str]) -> str:
        heads = [self.words["run_name"], *columns]
        head = element("tr", *(element("th", text(c), scope="col") for c in heads))
        table = element("table", element("thead", head), element("tbody", *rows))
        label = f"{self.words[key]} ({self.words['scroll']})"
        return element("div", table, class_="scroll", tabindex="0", role="group", aria_label=label)

    def _symbol(self, symbol: Symbol) -> str:
        said = Speaker(load(self.language)["spoken"]).symbol(symbol)
        return math(mathml_symbol(symbol), said)

    def _row(self, head: str, symbols: Sequence[Symbol]) -> str:
        cells = [element("td", v, data_cell="1") for v in self._cells(0, symbols)]
        named = element("th", head, scope="row")
        return element("tr", named, *cells, data_ref=plain_symbol(symbols[-1]))

    def _cells(self, step: int, symbols: Sequence[Symbol]) -> list[str]:
        """What the page shows of the symbols at one kept step."""
        found = self.kept.snapshots[step]
        values = [v for y in symbols for v in _values(found, y)]
        return [settled(v, abs(v), self.digits) for v in values]

    def data(self) -> dict[str, object]:
        """The texts of every cell, step by step, in the order of the page."""
        symbols = [
            symbol
            for layer in self.kept.told.layers
            for symbol in (*chain(*self._neurons(layer.number)), *self._parameters(layer.number))
        ]
        steps = [
            {"number": s.number, "cells": self._cells(k, symbols)}
            for k, s in enumerate(self.kept.snapshots)
        ]
        return {"steps": steps, "said": self.words["run_step"]}


def _values(snapshot: Snapshot, symbol: Symbol) -> list[float]:
    assert symbol.layer is not None
    key = symbol.head, symbol.layer
    if key in snapshot.neurons:
        return [float(snapshot.neurons[key][symbol.index])]
    return [float(array[symbol.index]) for array in snapshot.parameters[key]]


def top(values: Array, count: int) -> list[tuple[int, ...]]:
    """The indices of the `count` largest, the first of equal ones first."""
    order = np.argsort(-values.ravel(), kind="stable")[:count]
    return [tuple(int(i) for i in np.unravel_index(k, values.shape)) for k in order]
