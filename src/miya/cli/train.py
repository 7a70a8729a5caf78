"""miya train: many exact steps."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

import click

from ..errors import MiyaInputError
from .options import emit, story_options


@click.command(
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
    dtype: str,
) -> None:
    """Train NET for a number of exact steps and tell who was blamed most.

    Ctrl-C stops after the step at hand; every finished step is in the file.
    """
    from ..api import Explanation, train
    from ..render.steps import line, record

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
            for trace in train(net, steps=steps, digits=digits, carry=carry, dtype=dtype):
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
    from ..render.files import line_writer

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
