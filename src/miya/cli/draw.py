"""miya draw: the diagram."""

from __future__ import annotations

from typing import Any

import click

from ..errors import MiyaInputError
from .blame import MEASURES
from .options import examples, language_option
from .source import source_options, trace_from

VIEWS = ("whole", "forward", "blame", "update")
THEMES = ("light", "dark", "print")


def example_of(ctx: click.Context, param: click.Parameter, value: str | None) -> int | str | None:
    """An example's number, from 0, or "sum"; None where none is given."""
    if value is None or value == "sum":
        return value
    try:
        return int(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no number, from 0, and not sum") from None


@click.command(
    "draw",
    epilog=examples(
        "miya draw net.toml -o net.svg",
        "miya draw net.toml --view blame --measure credit -o blame.png",
        "miya draw --animate -o story.svg",
        "miya draw -o story.gif",
        "miya draw package.module:make_model --data batch.npz -o model.svg",
    ),
)
@click.argument("net", required=False, type=click.Path())
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    required=True,
    help="FILE.svg, .png, .pdf, .gif or .webp; an old one is replaced whole.",
)
@click.option(
    "--measure",
    type=click.Choice(MEASURES),
    help="The blame that the edges show.  [default: pressure; step with --view update]",
)
@click.option(
    "--view",
    type=click.Choice(VIEWS),
    default="whole",
    show_default=True,
    help="The whole step, or one part of it.",
)
@click.option(
    "--theme",
    type=click.Choice(THEMES),
    default="light",
    show_default=True,
    help="print is black on white.",
)
@click.option(
    "--example",
    callback=example_of,
    metavar="N|sum",
    help="Of a network's batch: the example drawn, from 0, or sum.  [default: 0]",
)
@click.option("--digits", type=click.IntRange(1, 15), help="Significant digits.  [default: 4]")
@click.option(
    "--scale",
    type=float,
    help="Pixels a unit, of a PNG.  [default: 2, or less to fit a large picture]",
)
@click.option("--animate", is_flag=True, help="An SVG that plays by itself.")
@source_options
@language_option
@click.option("--no-miya", is_flag=True, help="Plain circles, without Miya.")
def draw_command(
    net: str | None,
    output: str,
    measure: Any,
    view: Any,
    theme: str,
    example: Any,
    digits: int | None,
    scale: float | None,
    animate: bool,
    language: str,
    no_miya: bool,
    **given: Any,
) -> None:
    """Draw one training step of NET (default: the original story), with Miya on each neuron, or of
    a model on each box's greediest one.

    NET: a network file, package.module:make_model, .safetensors or .onnx.
    """
    from ..api import draw

    if animate and not output.lower().endswith(".svg"):
        raise MiyaInputError(
            "E655", f"--animate is for SVG, not {output}", hint="GIF and WebP move without it"
        )
    picture = draw(
        trace_from(net, given, language=language),
        measure=measure,
        view=view,
        theme=theme,
        miya=not no_miya,
        example=example,
        digits=digits,
        language=language,
    )
    picture.save(output, scale=scale, animate=animate)
