"""miya compare: the same step under several conventions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from .options import emit, examples, language_option, output_option, quiet_option

Command = Callable[..., Any]

FORMATS = ("text", "markdown", "html", "json")


def values(ctx: click.Context, param: click.Parameter, given: str | None) -> list[str]:
    """What stands between commas."""
    return [part.strip() for part in given.split(",")] if given is not None else []


def axis(name: str, what: str) -> Callable[[Command], Command]:
    return click.option(f"--{name}", callback=values, metavar="A,B", help=what)


@click.command(
    "compare",
    epilog=examples(
        "miya compare net.toml --loss squared_error,half_squared_error",
        "miya compare net.toml --reduction sum,mean --format markdown",
        "miya compare net.toml --biases trained,frozen --optimizer sgd,adam",
    ),
)
@click.argument("net", required=False, type=click.Path())
@axis("loss", "Losses, by name.")
@axis("reduction", "sum,mean: over outputs and examples.")
@axis("biases", "trained,frozen.")
@axis("optimizer", "Optimizers, by name.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="What the comparison is written as.",
)
@output_option
@click.option("--digits", type=int, help="Significant digits shown, 1 to 15.  [default: 5]")
@language_option
@quiet_option
def compare_command(
    net: str | None,
    loss: list[str],
    reduction: list[str],
    biases: list[str],
    optimizer: list[str],
    form: str,
    output: str | None,
    digits: int | None,
    language: str,
    no_miya: bool,
) -> None:
    """Show one training step of NET under several conventions side by side.

    Several options together give every combination, up to 6.
    """
    from ..api import compare

    found = compare(
        net,
        loss=loss,
        reduction=reduction,
        biases=biases,
        optimizer=optimizer,
        digits=digits,
        language=language,
        miya=not no_miya,
    )
    made: str = getattr(found, form)()
    emit(made, output)
