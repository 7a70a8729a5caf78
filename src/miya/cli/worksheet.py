"""miya worksheet: a sheet to work on by hand, with its key and answer sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import MiyaInputError
from .options import emit, emit_binary, examples, language_option, output_option, quiet_option

FORMATS = ("text", "markdown", "html", "pdf", "notebook", "csv", "network")
FADES = ("full", "last", "half", "solo")


@click.command(
    "worksheet",
    epilog=examples(
        "miya worksheet --seed 7 --fade half --format pdf -o sheet.pdf --beside",
        "miya worksheet --layers 2-3-1 --activation relu --fade solo --format markdown",
        "miya worksheet --seed 7 --find-the-bug --key",
    ),
)
@click.option("--layers", default="2-2-1", show_default=True, help="Neurons, from input to output.")
@click.option(
    "--activation",
    default="sigmoid",
    show_default=True,
    help="Of all layers, or one a layer: relu,sigmoid.",
)
@click.option("--loss", default="squared_error", show_default=True, help="The loss.")
@click.option("--optimizer", default="sgd", show_default=True, help="The optimizer.")
@click.option("--examples", "count", type=int, default=1, show_default=True, help="In the batch.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, other numbers.")
@click.option(
    "--fade",
    type=click.Choice(FADES),
    help="How much is left blank: nothing, the last step, all results, all.  [default: half]",
)
@click.option("--find-the-bug", "bug", is_flag=True, help="Worked in full, with one planted slip.")
@click.option("--dead", is_flag=True, help="One hidden ReLU sleeps for every example.")
@click.option(
    "--digits",
    type=int,
    default=4,
    show_default=True,
    help="Significant digits that each result is rounded to, and carried on.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="csv is the answer sheet, network the givens as JSON.",
)
@click.option("--key", is_flag=True, help="The key, with every calculation, instead of the sheet.")
@click.option(
    "--beside", is_flag=True, help="With -o: also write the key, answer sheet and network."
)
@output_option
@language_option
@quiet_option
def worksheet_command(
    layers: str,
    activation: str,
    loss: str,
    optimizer: str,
    count: int,
    seed: int,
    fade: str | None,
    bug: bool,
    dead: bool,
    digits: int,
    form: str,
    key: bool,
    beside: bool,
    output: str | None,
    language: str,
    no_miya: bool,
) -> None:
    """Make a worksheet: one training step to work out by hand, in numbers that are pleasant."""
    from ..render.worksheet import worksheet

    made = worksheet(
        layers,
        activation=activation,
        loss=loss,
        optimizer=optimizer,
        examples=count,
        seed=seed,
        fade=fade,
        find_the_bug=bug,
        dead=dead,
        digits=digits,
        language=language,
        miya=not no_miya,
    )
    if beside:
        _beside(made, form, output, key)
    elif form == "pdf":
        emit_binary(lambda: made.pdf(key=key), output)
    elif form == "network":
        emit(made.json(), output)
    else:
        emit(getattr(made, form)(key=key), output)


def _beside(made: Any, form: str, output: str | None, key: bool) -> None:
    if output is None or key or form in ("csv", "network"):
        raise MiyaInputError(
            "E685",
            "--beside writes a sheet's key, answer sheet and network beside it",
            hint="name the sheet with -o and its form with --format, without --key",
        )
    for path in made.write_beside(Path(output), form):
        click.echo(str(path))
