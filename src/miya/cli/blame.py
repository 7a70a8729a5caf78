"""miya blame: who is to blame, by a named measure."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from .options import dtype_option, emit, examples, language_option, output_option
from .source import chosen_dtype, source_options, trace_from

if TYPE_CHECKING:
    from ..core.model import ModelTrace

MEASURES = ("pressure", "step", "credit", "removal", "first_order")


@click.command(
    "blame",
    epilog=examples(
        "miya blame net.toml",
        "miya blame net.toml --measure credit --top 5",
        "miya blame net.toml --measure removal --format json",
        "miya blame package.module:make_model --data batch.npz --measure credit",
    ),
)
@click.argument("net", required=False, type=click.Path())
@click.option(
    "--measure",
    type=click.Choice(MEASURES),
    default="pressure",
    show_default=True,
    help="What to rank by.",
)
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="Rows told.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What the ranking is written as.",
)
@click.option(
    "--digits",
    type=click.IntRange(1, 15),
    default=5,
    show_default=True,
    help="Significant digits shown.",
)
@click.option(
    "--chunk",
    type=click.IntRange(min=1),
    help="Of a model: examples evaluated together for the credit, to fit in memory.",
)
@source_options
@language_option
@dtype_option
@output_option
def blame_command(
    net: str | None,
    measure: Any,
    top: int,
    form: str,
    digits: int,
    chunk: int | None,
    language: str,
    dtype: str,
    output: str | None,
    **given: Any,
) -> None:
    """Rank the parameters and neurons of NET, and of a model its layers, by a measure of blame.

    NET: a network file, package.module:make_model, .safetensors or .onnx. pressure: the slope of
    the loss (δ for a neuron). step: what the optimizer moved. credit: a share of the real change
    of the loss; negative lowered it. removal: what setting it to 0 would do to the loss.
    first_order: of a model, what the slope alone promises.
    """
    from ..api import blame
    from ..api.model_views import model_of

    trace = trace_from(net, given, dtype=chosen_dtype(dtype), language=language)
    model = model_of(trace)
    if model is not None:
        emit(_of_model(model, measure, top, chunk, form, digits, language), output)
        return
    from ..api import Ranking
    from ..render.blame import blame_json, blame_text

    found = blame(trace, measure=measure, top=top, chunk=chunk)
    assert isinstance(found, Ranking)
    emit(blame_json(found) if form == "json" else blame_text(found, digits, language), output)


def _of_model(
    trace: ModelTrace,
    measure: Any,
    top: int,
    chunk: int | None,
    form: str,
    digits: int,
    language: str,
) -> str:
    from ..api.model_views import rank_model
    from ..render.blame_model import model_blame_json, model_blame_text

    with progress_of(measure) as progress:
        found = rank_model(trace, measure, top=top, chunk=chunk, progress=progress)
    return model_blame_json(found) if form == "json" else model_blame_text(found, digits, language)


@contextmanager
def progress_of(measure: str) -> Iterator[Callable[[float], None] | None]:
    """A bar on the terminal while credits are worked out; none where nobody sees it."""
    if measure != "credit" or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("credit", total=1.0)
        yield lambda done: bar.update(task, completed=done)
