"""miya why: one number, and why it is what it is."""

from __future__ import annotations

import sys
from typing import Any

import click

from ..errors import MiyaInputError
from .options import emit, examples, output_option, story_options, style, width
from .source import chosen_dtype, source_options, trace_from

FORMATS = ("text", "markdown", "latex", "html", "json")
ORIGINAL = "-"


@click.command(
    "why",
    epilog=examples(
        'miya why net.toml "weight2[0,1]"',
        'miya why - "z1[1]" --follow 2',
        'miya why mypackage.models:make_model "layer2.weight[3,17]" --data batch.npz',
    ),
)
@click.argument("net", type=click.Path(allow_dash=True))
@click.argument("element")
@click.option("--top", type=click.IntRange(min=1), help="Terms told of each sum.  [default: 5]")
@click.option(
    "--follow",
    metavar="RANKS",
    default="",
    help="The terms to follow, a rank a level: 2,1,3.  [default: the largest, 1]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="What the answer is written as.",
)
@output_option
@story_options
@source_options
def why_command(
    net: str,
    element: str,
    top: int | None,
    follow: str,
    form: str,
    output: str | None,
    digits: int | None,
    carry: str,
    language: str,
    no_miya: bool,
    dtype: str,
    **given: Any,
) -> None:
    """Tell why one number of NET is what it is, and why it presses on the loss as it does.

    NET: a network file, package.module:make_model, .safetensors or .onnx; - is the original
    story. ELEMENT: a name and an index from 0: "weight2[0,1]", "z1[0,2]", of a model
    "layer2.weight[3,17]" or "layer2[0,5]".
    """
    from ..api import carried_digits, check_digits, why

    check_digits(digits, carry, dtype)
    trace = trace_from(
        None if net == ORIGINAL else net,
        given,
        dtype=chosen_dtype(dtype),
        digits=carried_digits(digits, carry),
        language=language,
    )
    found = why(
        trace,
        element,
        top=top,
        follow=_ranks(follow),
        digits=digits,
        language=language,
        miya=not no_miya,
    )
    if form == "text" and output is None and sys.stdout.isatty():
        from ..render.text import text

        emit(text(found.story, width=width(), style=style), output)
        return
    emit(getattr(found, form)(), output)


def _ranks(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise MiyaInputError(
            "E622", f"--follow is {text!r}", hint="give the rank of a term for each level: 2,1,3"
        )
    return tuple(int(part) for part in parts)
