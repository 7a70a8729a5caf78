"""What one calls: explain, blame, train. Each wires the stages and does nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .analysis.blame import Blame, Measure
from .analysis.blame import blame as rank
from .analysis.credit import Credit, try_credit
from .core.build import network as build
from .core.network import Network
from .core.step import take_step
from .core.trace import Trace
from .errors import MiyaInputError
from .read.file import original, read_network
from .story.blocks import Story
from .story.tell import tell

if TYPE_CHECKING:
    from .analysis.check.mark import Marking
    from .core.run import RunStep
    from .drawing.scene import View
    from .render.compare import Compared
    from .render.diagram import Diagram
    from .render.plot import Plot

Source = str | Path | Mapping[str, Any] | Network
MOST_DIGITS, MOST_CARRIED = 15, 12


@dataclass(frozen=True)
class Explanation:
    """One step, explained. The story is told when a format is first asked for.

    `trace` holds every number as NumPy arrays; `text()`, `markdown()`, `latex()`, `json()` and
    `data()` tell them. `print(explanation)` tells the story.
    """

    trace: Trace
    digits: int | None = None
    language: str = "en"
    only: str | None = None
    miya: bool = True
    top: int | None = None

    @cached_property
    def story(self) -> Story:
        return tell(
            self.trace,
            digits=self.digits,
            language=self.language,
            only=self.only,
            miya=self.miya,
            top=self.top,
        )

    @cached_property
    def credit(self) -> Credit | None:
        """The credits of the step, or None where it made the loss infinite."""
        return try_credit(self.trace)

    def text(self, width: int = 88) -> str:
        from .render.text import text

        return text(self.story, width=width)

    def markdown(self) -> str:
        from .render.markdown import markdown

        return markdown(self.story)

    def latex(self) -> str:
        from .render.latex import latex

        return latex(self.story)

    def html(self) -> str:
        """The story as one HTML page that needs no network (docs/html-story.md)."""
        from .render.html import html

        return html(self.trace, self.story, miya=self.miya)

    def json(self) -> str:
        from .render.json import json

        return json(self.trace, self.story, self.credit)

    def data(self) -> dict[str, Any]:
        from .render.json import data

        return data(self.trace, self.story, self.credit)

    def pdf(self) -> bytes:
        """The story typeset as PDF, a whole one with its diagram.

        Needs `pip install "miya[pdf]"`, else MiyaInputError E640.
        """
        from .render.pdf import pdf

        return pdf(self.story, diagram="" if self.only else self._diagram())

    def _diagram(self) -> str:
        drawn = draw(
            self, theme="print", miya=self.miya, digits=self.digits, language=self.language
        )
        return drawn.svg(standalone=False)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<Explanation: {self.trace.network.sizes}, step {self.trace.number}; print() tells>"

    def _repr_html_(self) -> str:
        return self._repr_mimebundle_()["text/html"]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from .render.notebook import story_bundle

        return story_bundle(self.story)


class Ranking(Blame):
    """A Blame that shows itself: `print()` as text, and in a notebook as tables with bars."""

    def text(self, digits: int = 5, language: str = "en") -> str:
        from .render.blame import blame_text

        return blame_text(self, digits, language)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        rows = f"{self.total_parameters} parameters, {self.total_neurons} neurons"
        return f"<Blame by {self.measure}: {rows}; print() ranks them>"

    def _repr_html_(self) -> str:
        return self._repr_mimebundle_()["text/html"]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from .render.notebook import blame_bundle

        return blame_bundle(self)


def load(source: Source | None = None, *, dtype: str = "float64", language: str = "en") -> Network:
    """A network from a TOML or JSON file, a description (dict) or a Network; None is the
    original story's, with its names in `language`. Raises MiyaInputError for what is no
    network."""
    if source is None:
        return original(dtype=dtype, language=language)
    if isinstance(source, Network):
        return source
    if isinstance(source, Mapping):
        return build(source, dtype=dtype)
    return read_network(source, dtype=dtype)


def explain(
    source: Source | None = None,
    *,
    digits: int | None = None,
    carry: str = "exact",
    only: str | None = None,
    language: str = "en",
    miya: bool = True,
    top: int | None = None,
    dtype: str = "float64",
) -> Explanation:
    """Explain one training step of a network.

    source: a file, a description or a Network (see `load`).
    digits: significant digits shown, 1 to 15, or 12 where they are carried on (default 5).
    carry: "exact", or "rounded" to carry each result on rounded to `digits`, as by hand.
    only: "forward", "backward", "update", or a layer by its number (from 1) or name.
    top: how many entries of a large array, and terms of a long sum, are told (default 8 of
        arrays above 64 and sums above 40; smaller ones are told in full).
    dtype: "float64" or "float32", what the arrays are computed in.
    Raises MiyaInputError.
    """
    check_digits(digits, carry, dtype)
    if top is not None and top < 1:
        raise MiyaInputError("E611", f"top is {top}", hint="tell at least 1")
    net = load(source, dtype=dtype, language=language)
    trace = take_step(net, digits=carried_digits(digits, carry))
    return Explanation(trace, digits, language, only, miya, top)


def check_digits(digits: int | None, carry: str, dtype: str) -> None:
    if digits is not None and not 1 <= digits <= MOST_DIGITS:
        raise MiyaInputError(
            "E604", f"digits is {digits}", hint=f"choose 1 to {MOST_DIGITS} significant digits"
        )
    if carry not in ("exact", "rounded"):
        raise MiyaInputError("E605", f"carry is {carry!r}", hint="choose exact or rounded")
    if carry == "rounded" and digits is not None and digits > MOST_CARRIED:
        raise MiyaInputError(
            "E604",
            f"digits is {digits} with carry rounded",
            hint=f"choose 1 to {MOST_CARRIED}; float64 has no more to round to for sure",
        )
    if carry == "rounded" and dtype == "float32":
        raise MiyaInputError(
            "E612",
            "carry rounded rounds to decimal digits, which float32 cannot hold",
            hint="use dtype float64 with it",
        )


def carried_digits(digits: int | None, carry: str) -> int | None:
    from .story.tell import DIGITS

    return (digits or DIGITS) if carry == "rounded" else None


def blame(
    source: Source | Trace | None = None,
    *,
    measure: Measure = "pressure",
    top: int | None = None,
    dtype: str = "float64",
) -> Ranking:
    """Rank weights, biases and neurons by a measure: pressure, step, credit or removal.

    top: how many rows to keep (default all, or 100 of a large network).
    Raises MiyaInputError.
    """
    trace = source if isinstance(source, Trace) else take_step(load(source, dtype=dtype))
    return Ranking(**vars(rank(trace, measure, top=top)))


def plot(
    run: str | Path | Iterable[Trace | RunStep], *, what: str = "all", language: str = "en"
) -> Plot:
    """Plot a training run: its loss, the blame by pressure, gradient and update sizes by layer.

    run: a file that `miya train NET -o RUN.jsonl` wrote, or traces, as `train` yields them.
    what: "loss", "blame", "sizes" or "all".
    The plot shows itself in a notebook; `plot(run).save("run.svg")` writes SVG, PNG or PDF.
    Needs `pip install "miya[plot]"`. Raises MiyaInputError.
    """
    from .analysis.history import history
    from .core.run import run_step
    from .read.run import read_run
    from .render.plot import plot

    steps = read_run(run) if isinstance(run, str | Path) else run
    seen = history(run_step(s) if isinstance(s, Trace) else s for s in steps)
    return plot(seen, what=what, language=language)


def page(
    traces: Iterable[Trace],
    *,
    story: int | None = None,
    digits: int | None = None,
    language: str = "en",
    miya: bool = True,
) -> str:
    """Many steps as one HTML page: a time slider, plots of loss and blame, the story of a step.

    traces: as `train` yields them; of a long run up to 100 steps, evenly spread, are kept.
    story: the step whose story is told: the first, or the last where the run ends before it.
    Raises MiyaInputError E645 where there is no step.
    """
    from .render.html import html
    from .render.page.run import RunPage
    from .render.page.snapshots import keep

    kept = keep(traces, story)
    told = tell(kept.told, digits=digits, language=language, miya=miya)
    return html(kept.told, told, miya=miya, run=RunPage(kept, told.digits, language))


def draw(
    source: Source | Trace | Explanation | None = None,
    *,
    measure: Measure | None = None,
    view: View = "whole",
    theme: str = "light",
    miya: bool = True,
    example: int | str = 0,
    digits: int | None = None,
    language: str = "en",
    dtype: str = "float64",
) -> Diagram:
    """Draw one training step, with Miya on each neuron (docs/diagram.md).

    measure: what the edges' thickness says: "pressure", "step", "credit" or "removal"; None is
    step in the view of the update, else pressure.
    view: "whole", "forward", "blame" or "update". theme: "light", "dark" or "print".
    example: of a batch, the one drawn, by its number from 0, or "sum".
    digits: significant digits shown, 1 to 15 (default 4). Raises MiyaInputError.
    """
    from .drawing.build import scene
    from .render.diagram import Diagram
    from .render.theme import theme_of

    check_digits(digits, "exact", dtype)
    theme_of(theme)
    source = source.trace if isinstance(source, Explanation) else source
    if isinstance(source, Trace):
        trace = source
    else:
        trace = take_step(load(source, dtype=dtype, language=language))
    made = scene(
        trace,
        measure=measure,
        view=view,
        example=example,
        digits=digits,
        language=language,
        miya=miya,
    )
    return Diagram(made, theme)


def compare(
    source: Source | None = None,
    *,
    loss: Iterable[str] = (),
    reduction: Iterable[str] = (),
    biases: Iterable[str] = (),
    optimizer: Iterable[str] = (),
    digits: int | None = None,
    language: str = "en",
    miya: bool = True,
) -> Compared:
    """Compare one step of a network under several conventions (docs/compare.md).

    loss, optimizer: names. reduction: "sum", "mean". biases: "trained", "frozen". Several give
    every combination, up to 6. Raises MiyaInputError.
    """
    from .analysis.compare import compare
    from .render.compare import Compared

    check_digits(digits, "exact", "float64")
    axes = {"loss": loss, "reduction": reduction, "biases": biases, "optimizer": optimizer}
    found = compare(load(source), {name: list(values) for name, values in axes.items()})
    return Compared(found, digits, language, miya)


def train(
    source: Source | None = None,
    *,
    steps: int,
    digits: int | None = None,
    carry: str = "exact",
    dtype: str = "float64",
) -> Iterator[Trace]:
    """Yield the trace of each of `steps` exact steps, the optimizer's state carried along.

    Each step starts from the parameters that the one before left. A trace is complete when it
    is yielded; nothing is kept of the earlier ones. Raises MiyaInputError.
    """
    if steps < 1:
        raise MiyaInputError("E606", f"steps is {steps}", hint="take at least 1 step")
    check_digits(digits, carry, dtype)
    return _steps(load(source, dtype=dtype), steps, carried_digits(digits, carry))


def _steps(network: Network, steps: int, digits: int | None) -> Iterator[Trace]:
    state = None
    for number in range(1, steps + 1):
        trace = take_step(network, digits=digits, number=number, state=state)
        yield trace
        network = trace.after
        state = {name: update.state for name, update in trace.updates.items()}


@dataclass(frozen=True)
class Checked:
    """A hand-worked page, marked: `print()` reports it. `marking` holds every mark."""

    marking: Marking
    language: str = "en"

    def text(self) -> str:
        from .render.check import check_text

        return check_text(self.marking, self.language)

    def markdown(self) -> str:
        from .render.check import check_markdown

        return check_markdown(self.marking, self.language)

    def html(self) -> str:
        from .render.check import check_html

        return check_html(self.marking, self.language)

    def json(self) -> str:
        from .render.check import check_json

        return check_json(self.marking)

    def data(self) -> dict[str, Any]:
        from .render.check import data

        return data(self.marking)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        slips = len(self.marking.first_slips)
        return f"<Checked: {len(self.marking.marks)} numbers, {slips} slips; print() reports>"


def check(page: str | Path, *, network: Source | None = None, language: str = "en") -> Checked:
    """Mark a hand-worked page, number by number (docs/checking.md).

    page: a file: Markdown, LaTeX, text, HTML, a notebook, or an answer sheet (CSV, TOML, JSON).
    network: what the page works on, where it does not give that itself (see `load`).
    Needs `pip install "miya[check]"`. Raises MiyaInputError.
    """
    from .analysis.check.mark import mark_page
    from .read.page.read import read_page

    net = load(network) if network is not None else None
    return Checked(mark_page(read_page(page, net), net), language)


def answer_sheet(source: Source | None = None, *, form: str = "csv") -> str:
    """An answer sheet of a network to fill in, that `check` marks: "csv" or "toml"."""
    from .render.check_sheet import template

    return template(take_step(load(source)), form)
