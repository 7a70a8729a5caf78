"""The command line. Exit codes: 0 done, 2 bad input, 130 stopped by Ctrl-C."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import click

from . import __version__
from .errors import MiyaInputError, MiyaWarning

FORMATS = ("text", "markdown", "latex", "json")
MEASURES = ("pressure", "step", "credit", "removal")


class Group(click.Group):
    """Turns every MiyaInputError into one message and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", MiyaWarning)
            try:
                return super().invoke(ctx)
            except MiyaInputError as error:
                show_warnings(caught)
                click.echo(f"miya: {printable(str(error))}", err=True)
                sys.exit(2)
            finally:
                if sys.exc_info()[0] is None:
                    show_warnings(caught)


def show_warnings(caught: list[warnings.WarningMessage]) -> None:
    for warning in caught:
        if issubclass(warning.category, MiyaWarning):
            click.echo(f"miya: warning: {printable(str(warning.message))}", err=True)
    caught.clear()


def printable(text: str) -> str:
    from .render.escape import printable

    return printable(text)


@click.group(
    cls=Group,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Without a command, Miya tells the original story. Shell completion: "
    'eval "$(_MIYA_COMPLETE=bash_source miya)" (or zsh_source, fish_source).',
)
@click.version_option(__version__, prog_name="miya")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Miya shows exactly how backprop blames every weight, bias and neuron for the loss."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(explain_command)


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
            click.option("--language", default="en", show_default=True, help="Language: en or ja."),
            click.option("--no-miya", is_flag=True, help="Leave Miya's remarks out."),
        )
    ):
        command = option(command)
    return command


def output_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "-o", "--output", type=click.Path(), help="Write to a file; an old one is replaced whole."
    )(command)


@main.command(
    "explain",
    epilog="Examples: miya explain net.toml --digits 4 | "
    "miya explain net.json --format markdown -o story.md | "
    "miya explain net.toml --only backward --carry rounded",
)
@click.argument("net", required=False, type=click.Path())
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@output_option
@story_options
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
) -> None:
    """Tell the story of one training step of NET (default: the original story)."""
    from .api import explain

    told = explain(net, digits=digits, carry=carry, only=only, language=language, miya=not no_miya)
    emit(render(told, form, coloured=output is None), output)


def render(told: Any, form: str, *, coloured: bool = False) -> str:
    if form == "text" and coloured and sys.stdout.isatty():
        from .render.text import text

        return text(told.story, width=width(), style=style)
    made: str = getattr(told, form)()
    return made


def width() -> int:
    import shutil

    return max(40, min(100, shutil.get_terminal_size().columns))


def style(kind: str, text: str) -> str:
    looks: dict[str, dict[str, Any]] = {
        "heading": {"bold": True},
        "formula": {"dim": True},
        "miya": {"fg": "magenta"},
    }
    return click.style(text, **looks[kind])


def emit(text: str, output: str | None) -> None:
    if output is None:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")
        click.echo(text, nl=not text.endswith("\n"))
        return
    from .render.files import write_whole

    write_whole(output, text if text.endswith("\n") else text + "\n")


@main.command(
    "blame",
    epilog="Examples: miya blame net.toml | miya blame net.toml --measure credit "
    "--top 5 | miya blame net.toml --measure removal --format json",
)
@click.argument("net", required=False, type=click.Path())
@click.option("--measure", type=click.Choice(MEASURES), default="pressure", show_default=True)
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="Rows told.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option("--digits", type=click.IntRange(1, 15), default=5, show_default=True)
@click.option("--language", default="en", show_default=True, help="Language: en or ja.")
@output_option
def blame_command(
    net: str | None,
    measure: Any,
    top: int,
    form: str,
    digits: int,
    language: str,
    output: str | None,
) -> None:
    """Rank the weights, biases and neurons of NET by a measure of blame.

    pressure: the slope of the loss (δ for a neuron). step: what the optimizer moved. credit: a
    share of the real change of the loss; negative lowered it. removal: what setting it to 0
    would do to the loss.
    """
    from .api import blame
    from .render.blame import blame_json, blame_text

    found = blame(net, measure=measure, top=top)
    emit(blame_json(found) if form == "json" else blame_text(found, digits, language), output)


@main.command(
    "train",
    epilog="Examples: miya train net.toml --steps 100 -o run.jsonl | "
    "miya train net.toml --steps 50 --story 50",
)
@click.argument("net", required=False, type=click.Path())
@click.option("--steps", type=click.IntRange(min=1), default=10, show_default=True)
@click.option("--story", type=click.IntRange(min=1), help="Tell the story of this step.")
@click.option(
    "--every", type=click.IntRange(min=1), help="Print each K-th step.  [default: about 20 lines]"
)
@click.option("-o", "--output", type=click.Path(), help="Write each step to a JSON lines file.")
@story_options
def train_command(
    net: str | None,
    steps: int,
    story: int | None,
    every: int | None,
    output: str | None,
    digits: int | None,
    carry: str,
    language: str,
    no_miya: bool,
) -> None:
    """Train NET for a number of exact steps and tell who was blamed most.

    Ctrl-C stops after the step at hand; every finished step is in the file.
    """
    from .api import Explanation, train
    from .render.steps import line, record

    if story is not None and story > steps:
        raise MiyaInputError(
            "E607", f"--story {story} is after the last step, {steps}", hint="raise --steps"
        )
    every = every or max(1, steps // 20)
    told = None
    stopped = False
    with contextlib.ExitStack() as stack:
        write = stack.enter_context(step_file(output))
        advance = stack.enter_context(progress(steps))
        try:
            for trace in train(net, steps=steps, digits=digits, carry=carry):
                write(record(trace))
                if trace.number == 1 or trace.number % every == 0 or trace.number == steps:
                    advance(line(trace, digits or 5, language))
                else:
                    advance(None)
                if trace.number == story:
                    told = Explanation(trace, digits, language, None, not no_miya)
        except KeyboardInterrupt:
            stopped = True
    if told is not None:
        emit(told.text(), None)
    if stopped:
        click.echo("miya: stopped; every finished step is kept", err=True)
        sys.exit(130)


@contextlib.contextmanager
def step_file(output: str | None) -> Iterator[Callable[[str], None]]:
    if output is None:
        yield lambda text: None
        return
    from .render.files import line_writer

    with line_writer(output) as write:
        yield write


@contextlib.contextmanager
def progress(steps: int) -> Iterator[Callable[[str | None], None]]:
    """A bar on a terminal; lines go to standard output either way."""
    if not sys.stderr.isatty():
        yield lambda text: click.echo(text) if text else None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("steps", total=steps)

        def advance(text: str | None) -> None:
            if text:
                bar.console.print(text, highlight=False, markup=False, soft_wrap=True)
            bar.advance(task)

        yield advance


@main.command("schema")
@output_option
def schema_command(output: str | None) -> None:
    """Print the JSON Schema of a network file."""
    import json

    from .read.schema import schema

    emit(json.dumps(schema(), indent=2, ensure_ascii=False), output)


if __name__ == "__main__":
    main()
