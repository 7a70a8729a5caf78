"""miya explain: the story of one step."""

from __future__ import annotations

import sys
from typing import Any

import click

from .options import emit, emit_binary, examples, output_option, story_options, style, width

FORMATS = ("text", "markdown", "latex", "json", "html", "pdf")


@click.command(
    "explain",
    epilog=examples(
        "miya explain net.toml --digits 4",
        "miya explain net.json --format markdown -o story.md",
        "miya explain net.toml --only backward --carry rounded",
    ),
)
@click.argument("net", required=False, type=click.Path())
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="What the story is written as; html and pdf hold the diagram too.",
)
@output_option
@story_options
@click.option(
    "--top",
    type=click.IntRange(min=1),
    help="Entries told of a large array and of a long sum.  [default: 8]",
)
@click.option("--only", help="One part: forward, backward, update, or a layer (number or name).")
def explain_command(
    net: str | None = None,
    form: str = "text",
    output: str | None = None,
    digits: int | None = None,
    carry: str = "exact",
    language: str = "en",
    no_miya: bool = False,
    only: str | None = None,
    top: int | None = None,
    dtype: str = "float64",
) -> None:
    """Tell the story of one training step of NET (default: the original story)."""
    from ..api import explain

    told = explain(
        net,
        digits=digits,
        carry=carry,
        only=only,
        language=language,
        miya=not no_miya,
        top=top,
        dtype=dtype,
    )
    if form == "pdf":
        emit_binary(told.pdf, output)
    else:
        emit(render(told, form, coloured=output is None), output)


def render(told: Any, form: str, *, coloured: bool = False) -> str:
    if form == "text" and coloured and sys.stdout.isatty():
        from ..render.text import text

        return text(told.story, width=width(), style=style)
    made: str = getattr(told, form)()
    return made
