"""What the commands share: options, output, colour."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import click

from ..errors import MiyaInputError

dtype_option = click.option(
    "--dtype",
    type=click.Choice(["float64", "float32"]),
    default="float64",
    show_default=True,
    help="What the numbers are computed in.",
)


language_option = click.option(
    "--language", default="en", show_default=True, help="Language: en or ja."
)
quiet_option = click.option("--no-miya", is_flag=True, help="Leave Miya's remarks out.")


def examples(*lines: str) -> str:
    """The examples of a command's help, a line each."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def story_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(
        (
            click.option(
                "--digits", type=int, help="Significant digits shown, 1 to 15.  [default: 5]"
            ),
            click.option(
                "--carry",
                type=click.Choice(["exact", "rounded"]),
                default="exact",
                show_default=True,
                help="Carry exact values on, or each result rounded to --digits, as by hand.",
            ),
            dtype_option,
            language_option,
            quiet_option,
        )
    ):
        command = option(command)
    return command


def output_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "-o", "--output", type=click.Path(), help="Write to a file; an old one is replaced whole."
    )(command)


def width() -> int:
    import shutil

    return max(40, min(100, shutil.get_terminal_size().columns))


def style(kind: str, text: str) -> str:
    looks: dict[str, dict[str, Any]] = {
        "heading": {"bold": True},
        "formula": {"dim": True},
        "miya": {"fg": "magenta"},
    }
    # https://no-color.org
    return text if os.environ.get("NO_COLOR") else click.style(text, **looks[kind])


def emit(text: str, output: str | None) -> None:
    if output is None:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")
        click.echo(text, nl=not text.endswith("\n"))
        return
    from ..render.files import write_whole

    write_whole(output, text if text.endswith("\n") else text + "\n")


def emit_binary(make: Callable[[], bytes], output: str | None) -> None:
    """Write what `make` gives to a file or a pipe. Raises MiyaInputError E648 for a terminal."""
    if output is None and sys.stdout.isatty():
        raise MiyaInputError("E648", "this output is binary", hint="name a file with -o")
    content = make()
    if output is None:
        sys.stdout.buffer.write(content)
        return
    from ..render.files import write_whole

    write_whole(output, content)
