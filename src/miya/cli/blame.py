"""miya blame: who is to blame, by a named measure."""

from __future__ import annotations

from typing import Any

import click

from .options import dtype_option, emit, examples, language_option, output_option

MEASURES = ("pressure", "step", "credit", "removal")


@click.command(
    "blame",
    epilog=examples(
        "miya blame net.toml",
        "miya blame net.toml --measure credit --top 5",
        "miya blame net.toml --measure removal --format json",
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
@language_option
@dtype_option
@output_option
def blame_command(
    net: str | None,
    measure: Any,
    top: int,
    form: str,
    digits: int,
    language: str,
    dtype: str,
    output: str | None,
) -> None:
    """Rank the weights, biases and neurons of NET by a measure of blame.

    pressure: the slope of the loss (δ for a neuron). step: what the optimizer moved. credit: a
    share of the real change of the loss; negative lowered it. removal: what setting it to 0
    would do to the loss.
    """
    from ..api import blame
    from ..render.blame import blame_json, blame_text

    found = blame(net, measure=measure, top=top, dtype=dtype)
    emit(blame_json(found) if form == "json" else blame_text(found, digits, language), output)
