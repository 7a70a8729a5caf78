"""Views of one step or of a run: blame, draw, plot, compare."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..analysis.blame import Measure
from ..analysis.blame import blame as rank
from ..core.step import take_step
from ..core.trace import Trace
from ..errors import MiyaInputError
from .explanation import Explanation, Ranking
from .model_views import ModelRanking, draw_model, model_of, rank_model
from .steps import Source, check_digits, load

if TYPE_CHECKING:
    from ..analysis.model.blame import ModelMeasure
    from ..core.run import RunStep
    from ..drawing.scene import View
    from ..render.compare import Compared
    from ..render.diagram import Diagram
    from ..render.plot import Plot


def blame(
    source: Any = None,
    *,
    measure: Measure | ModelMeasure = "pressure",
    first_order: bool = False,
    top: int | None = None,
    chunk: int | None = None,
    dtype: str = "float64",
) -> Ranking | ModelRanking:
    """Rank parameters and neurons, of a model also layers, by a measure (docs/blame.md):
    pressure, step, credit or removal; of a model also first_order. A Ranking, or a ModelRanking.

    source: as for `explain`, or a trace or an explanation.
    first_order: of a model, credit by the slope before the step alone.
    top: how many rows to keep (default all, or 100 of a large network and of a model).
    chunk: of a model, examples evaluated together for the credit, to fit in memory.
    Raises MiyaInputError.
    """
    model = model_of(source)
    if model is None and (first_order or chunk or measure == "first_order"):
        model = getattr(source, "model", None)  # of a model that is told as a network file
    if model is not None:
        named = "first_order" if first_order else measure
        return rank_model(model, named, top=top, chunk=chunk)
    if first_order or chunk is not None:
        raise MiyaInputError(
            "E608",
            "first_order and chunk are for models",
            hint="leave them out: the credit of a network file is exact and small",
        )
    trace = source.trace if isinstance(source, Explanation) else source
    if not isinstance(trace, Trace):
        trace = take_step(load(trace, dtype=dtype))
    return Ranking(**vars(rank(trace, measure, top=top)))  # type: ignore[arg-type]


def plot(
    run: str | Path | Iterable[Trace | RunStep], *, what: str = "all", language: str = "en"
) -> Plot:
    """Plot a training run: its loss, the blame by pressure, gradient and update sizes by layer.

    run: a file that `miya train NET -o RUN.jsonl` wrote, or traces, as `train` yields them.
    what: "loss", "blame", "sizes" or "all".
    The plot shows itself in a notebook; `plot(run).save("run.svg")` writes SVG, PNG or PDF.
    Needs `pip install "miya[plot]"`. Raises MiyaInputError.
    """
    from ..analysis.history import history
    from ..core.run import run_step
    from ..read.run import read_run
    from ..render.plot import plot

    steps = read_run(run) if isinstance(run, str | Path) else run
    seen = history(run_step(s) if isinstance(s, Trace) else s for s in steps)
    return plot(seen, what=what, language=language)


def draw(
    source: Any = None,
    *,
    measure: Measure | ModelMeasure | None = None,
    view: View = "whole",
    theme: str = "light",
    miya: bool = True,
    example: int | str | None = None,
    digits: int | None = None,
    language: str = "en",
    dtype: str = "float64",
) -> Diagram:
    """Draw one training step, with Miya on each neuron, or of a model on each module's greediest
    one (docs/diagram.md).

    measure: what the edges' thickness says: "pressure", "step", "credit" or "removal"; None is
    step in the view of the update, else pressure.
    view: "whole", "forward", "blame" or "update". theme: "light", "dark" or "print".
    example: of a batch, the one drawn, by its number from 0 (default), or "sum"; a model's
    picture is always of all.
    digits: significant digits shown, 1 to 15 (default 4). Raises MiyaInputError.
    """
    from ..drawing.build import scene
    from ..render.diagram import Diagram
    from ..render.theme import theme_of

    check_digits(digits, "exact", dtype)
    theme_of(theme)
    model = model_of(source)
    if model is not None:
        return draw_model(
            model,
            measure=measure,
            view=view,
            theme=theme,
            miya=miya,
            example=example,
            digits=digits,
            language=language,
        )
    source = source.trace if isinstance(source, Explanation) else source
    if isinstance(source, Trace):
        trace = source
    else:
        trace = take_step(load(source, dtype=dtype, language=language))
    made = scene(
        trace,
        measure=measure,  # type: ignore[arg-type]
        view=view,
        example=0 if example is None else example,
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
    from ..analysis.compare import compare
    from ..render.compare import Compared

    check_digits(digits, "exact", "float64")
    axes = {"loss": loss, "reduction": reduction, "biases": biases, "optimizer": optimizer}
    found = compare(load(source), {name: list(values) for name, values in axes.items()})
    return Compared(found, digits, language, miya)
