"""miya plot: a training run as pictures."""

from __future__ import annotations

import click

from ..errors import MiyaInputError
from .options import examples, language_option


@click.command(
    "plot",
    epilog=examples(
        "miya train net.toml --steps 100 -o run.jsonl",
        "miya plot run.jsonl -o run.svg",
        "miya plot run.jsonl -o loss.png --what loss",
    ),
)
@click.argument("run", type=click.Path())
@click.option("-o", "--output", type=click.Path(), help="FILE.svg, FILE.png or FILE.pdf.")
@click.option(
    "--what",
    type=click.Choice(["all", "loss", "blame", "sizes"]),
    default="all",
    show_default=True,
    help="loss; blame: the pressure on each neuron; sizes: gradient and update by layer.",
)
@language_option
def plot_command(run: str, output: str | None, what: str, language: str) -> None:
    """Plot RUN, the steps that `miya train NET -o RUN` wrote."""
    from ..api import plot
    from ..render.plot import form_of

    if output is None:
        raise MiyaInputError(
            "E646", "there is no file to write to", hint="name one: -o run.svg (or .png, .pdf)"
        )
    form_of(output)  # before the work
    plot(run, what=what, language=language).save(output)
