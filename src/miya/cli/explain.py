"""miya explain: the story of one step."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import click

from ..errors import MiyaInputError
from .options import emit, emit_binary, examples, output_option, story_options, style, width
from .source import chosen_dtype, source_options, trace_from

# what each form is written as, its usual suffix first
FORMATS: Mapping[str, tuple[str, ...]] = {
    "text": (".txt",),
    "markdown": (".md", ".markdown"),
    "latex": (".tex",),
    "json": (".json",),
    "html": (".html", ".htm"),
    "pdf": (".pdf",),
}


@click.command(
    "explain",
    epilog=examples(
        "miya explain net.toml --digits 4",
        "miya explain net.json -o story.html",
        "miya explain net.toml --only backward --carry rounded",
        "miya explain mypackage.models:make_model --data batch.npz",
    ),
)
@click.argument("net", required=False, type=click.Path())
@click.option(
    "--format",
    "form",
    type=click.Choice(tuple(FORMATS)),
    help="What the story is written as; html and pdf hold the diagram too.  "
    "[default: what the suffix of -o names, else text]",
)
@output_option
@story_options
@click.option(
    "--top",
    type=click.IntRange(min=1),
    help="Entries told of a large array and of a long sum.  [default: 8]",
)
@click.option(
    "--only",
    help="One part: forward, backward, update, or a layer (number or name; of a model a path).",
)
@source_options
def explain_command(
    net: str | None = None,
    form: str | None = None,
    output: str | None = None,
    digits: int | None = None,
    carry: str = "exact",
    language: str = "en",
    no_miya: bool = False,
    only: str | None = None,
    top: int | None = None,
    dtype: str = "float64",
    **given: Any,
) -> None:
    """Tell the story of one training step of NET (default: the original story).

    NET: a network file, package.module:make_model, .safetensors or .onnx.
    """
    from ..api import carried_digits, check_digits, explain

    form = chosen(form, output)
    check_digits(digits, carry, dtype)
    trace = trace_from(
        net,
        given,
        dtype=chosen_dtype(dtype),
        digits=carried_digits(digits, carry),
        language=language,
        only=only,
    )
    told = explain(trace, digits=digits, only=only, language=language, miya=not no_miya, top=top)
    if form == "pdf":
        emit_binary(told.pdf, output)
    else:
        emit(render(told, form, coloured=output is None), output)


def chosen(form: str | None, output: str | None) -> str:
    """The form asked for, or the one that the file's suffix names.

    Raises MiyaInputError E649 where the two disagree.
    """
    suffix = PurePath(output).suffix.lower() if output else ""
    named = next((f for f, known in FORMATS.items() if suffix in known), None)
    if form and named and named != form:
        raise MiyaInputError(
            "E649",
            f"--format is {form}, but the name of {output} says {named}",
            hint=f"leave --format out for {named}, or name the file {FORMATS[form][0]}",
        )
    return form or named or "text"


def render(told: Any, form: str, *, coloured: bool = False) -> str:
    if form == "text" and coloured and sys.stdout.isatty():
        from ..render.text import text

        return text(told.story, width=width(), style=style)
    made: str = getattr(told, form)()
    return made
