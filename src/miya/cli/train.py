"""miya train: many exact steps."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING

import click

from ..errors import MiyaInputError
from .explain import FORMATS
from .options import emit, examples, story_options

if TYPE_CHECKING:
    from ..core.trace import Trace


@click.command(
    "train",
    epilog=examples(
        "miya train net.toml --steps 100 -o run.jsonl",
        "miya train net.toml --steps 50 --story 50",
        "miya train net.toml --steps 50 --html run.html",
    ),
)
@click.argument("net", required=False, type=click.Path())
@click.option(
    "--steps", type=click.IntRange(min=1), default=10, show_default=True, help="Steps to take."
)
@click.option("--story", type=click.IntRange(min=1), help="Tell the story of this step.")
@click.option(
    "--every", type=click.IntRange(min=1), help="Print each K-th step.  [default: about 20 lines]"
)
@click.option("-o", "--output", type=click.Path(), help="Write each step to a JSON lines file.")
@click.option("--html", type=click.Path(), help="Write a page with a time slider and a story.")
@story_options
def train_command(
    net: str | None,
    steps: int,
    story: int | None,
    every: int | None,
    output: str | None,
    html: str | None,
    digits: int | None,
    carry: str,
    language: str,
    no_miya: bool,
    dtype: str,
) -> None:
    """Train NET for a number of exact steps and tell who was blamed most.

    Ctrl-C stops after the step at hand; every finished step is in the file. With --html the
    story of step --story (or the first) is in the page.
    """
    from ..api import Explanation, page, train
    from ..render.steps import line, record

    if story is not None and story > steps:
        raise MiyaInputError(
            "E607", f"--story {story} is after the last step, {steps}", hint="raise --steps"
        )
    if html is not None:
        accept_page(html)
    every = every or max(1, steps // 20)
    told: list[Trace] = []
    stopped = False

    def finished() -> Iterator[Trace]:
        """Each step when it is done; Ctrl-C ends them."""
        nonlocal stopped
        try:
            for trace in train(net, steps=steps, digits=digits, carry=carry, dtype=dtype):
                write(record(trace))
                if trace.number == 1 or trace.number % every == 0 or trace.number == steps:
                    advance(line(trace, digits or 5, language))
                else:
                    advance(None)
                if trace.number == story:
                    told.append(trace)
                yield trace
        except KeyboardInterrupt:
            stopped = True

    with contextlib.ExitStack() as stack:
        write = stack.enter_context(step_file(output))
        advance = stack.enter_context(progress(steps))
        if html is None:
            for _ in finished():
                pass
        else:
            made = page(finished(), story=story, digits=digits, language=language, miya=not no_miya)
    if html is not None:
        emit(made, html)
    elif told:
        emit(Explanation(told[0], digits, language, None, not no_miya).text(), None)
    if stopped:
        click.echo("miya: stopped; every finished step is kept", err=True)
        sys.exit(130)


def accept_page(html: str) -> None:
    """Raises before any step is taken: MiyaInputError E649 for a name that is no page's,
    MiyaOutputError E508 where it cannot be written."""
    from ..render.files import line_writer

    suffix = PurePath(html).suffix.lower()
    if suffix and suffix not in FORMATS["html"]:
        raise MiyaInputError(
            "E649", f"--html writes a page, but is to go to {html}", hint="name the file .html"
        )
    with line_writer(html):  # takes its place only where a line is written
        pass


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
