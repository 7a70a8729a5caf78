"""Plots of a training run. What is drawn is decided first, as plain panels; then it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from ..analysis.history import History, LayerHistory
from ..errors import MiyaInputError
from ..story.quantity import Symbol
from ..story.symbols import plain_symbol
from ..story.words import load
from .escape import printable
from .files import write_whole
from .plot_figure import Line, Panel, draw, settings

WHAT = ("all", "loss", "blame", "sizes")
FORMS = ("svg", "png", "pdf")
MOST_NEURONS = 8  # drawn in one panel: those under most pressure at any step
LONGEST_NAME = 24  # characters of a layer's name in a legend
WIDE_RANGE = 20.0  # a positive quantity spread wider than this is drawn on a log scale


@dataclass(frozen=True)
class Plot:
    """A plot of a run. It shows itself in a notebook; `save` writes it as SVG, PNG or PDF.

    `panels` hold the numbers drawn.
    """

    panels: tuple[Panel, ...]

    @cached_property
    def figure(self) -> Any:
        """The Matplotlib figure. Raises MiyaInputError E640 without Matplotlib."""
        return draw(self.panels)

    def svg(self) -> str:
        return self._write("svg").decode()

    def png(self) -> bytes:
        return self._write("png")

    def pdf(self) -> bytes:
        return self._write("pdf")

    def save(self, path: str | Path) -> None:
        """Write by the ending of the name. Raises MiyaInputError E646 for another, E508."""
        write_whole(path, self._write(form_of(path)))

    def _write(self, form: str) -> bytes:
        figure, file = self.figure, BytesIO()
        dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}
        with settings():
            figure.savefig(file, format=form, metadata=dates[form])
        return file.getvalue()

    def __repr__(self) -> str:
        return f"<Plot: {'; '.join(panel.title for panel in self.panels)}>"

    def _repr_svg_(self) -> str:
        svg = self.svg()
        return svg[svg.index("<svg") :]


def plot(history: History, *, what: str = "all", language: str = "en") -> Plot:
    """Loss, blame and sizes of a run ("all"), or one of them.

    Raises MiyaInputError E602 for a language, E647 for something else to plot.
    """
    if what not in WHAT:
        raise MiyaInputError("E647", f"what is {what!r}", hint=f"choose {', '.join(WHAT)}")
    words = load(language)["plots"]
    chosen = tuple(PANELS) if what == "all" else (what,)
    return Plot(tuple(p for name in chosen for p in PANELS[name](history, words)))


def form_of(path: str | Path) -> str:
    form = Path(path).suffix.lower().removeprefix(".")
    if form not in FORMS:
        raise MiyaInputError(
            "E646",
            f"cannot tell what to write to {path}",
            hint=f"end the name in {', '.join('.' + f for f in FORMS)}",
        )
    return form


Words = dict[str, str]


def _loss(run: History, words: Words) -> list[Panel]:
    lines = (Line(words["loss"], run.steps, run.loss),)
    return [Panel(words["loss_title"], words["step"], words["loss_axis"], lines, _log(lines))]


def _blame(run: History, words: Words) -> list[Panel]:
    """The pressure on each neuron, with its sign, of those under most of it at any step."""
    lines = [
        Line(_neuron(layer, i), run.steps, layer.pressure[:, i], layer.number)
        for layer in run.layers
        for i in range(layer.pressure.shape[1])
    ]
    peaks = np.array([np.abs(line.y).max() for line in lines])
    kept = sorted(np.argsort(-peaks, kind="stable")[:MOST_NEURONS].tolist())
    told = _placed([lines[k] for k in kept])
    left = len(lines) - len(told)
    note = words["left_out"].format(told=len(told), all=len(lines)) if left else ""
    return [Panel(words["blame_title"], words["step"], words["blame_axis"], told, False, note)]


def _placed(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines with their place among those of their layer."""
    count: dict[int, int] = {}
    placed = []
    for line in lines:
        count[line.layer] = count.get(line.layer, -1) + 1
        placed.append(Line(line.label, line.x, line.y, line.layer, count[line.layer]))
    return tuple(placed)


def _neuron(layer: LayerHistory, i: int) -> str:
    return plain_symbol(Symbol("δ", layer.number, (i,)))


def _sizes(run: History, words: Words) -> list[Panel]:
    return [_size(run, words, key) for key in ("gradient", "update")]


def _size(run: History, words: Words, key: str) -> Panel:
    lines = tuple(
        Line(_layer(v, words), run.steps, getattr(v, f"{key}_size"), v.number) for v in run.layers
    )
    title, axis = words[f"{key}_title"], words[f"{key}_axis"]
    return Panel(title, words["step"], axis, lines, _log(lines))


def _layer(layer: LayerHistory, words: Words) -> str:
    name = printable(layer.name)
    short = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    return words["layer"].format(number=layer.number, name=short)


PANELS: dict[str, Callable[[History, Words], list[Panel]]] = {
    "loss": _loss,
    "blame": _blame,
    "sizes": _sizes,
}


def _log(lines: Sequence[Line]) -> bool:
    """Whether a log scale helps: all values above 0, over a wide range."""
    values = np.concatenate([line.y for line in lines])
    return bool(values.min() > 0 and values.max() / values.min() > WIDE_RANGE)
