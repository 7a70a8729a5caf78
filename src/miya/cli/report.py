"""miya report: a watched run as one page."""

from __future__ import annotations

from pathlib import Path

import click

from .options import emit, examples, language_option


@click.command(
    "report",
    epilog=examples(
        "miya report runs/first",
        "miya report runs/first -o first.html --language ja",
    ),
)
@click.argument("run", type=click.Path())
@click.option("-o", "--output", type=click.Path(), help="FILE.html.  [default: report.html in RUN]")
@click.option(
    "--start",
    type=click.IntRange(min=0),
    help="Of a training that was started several times in RUN: which, from 0.  [default: the last]",
)
@language_option
def report_command(run: str, output: str | None, start: int | None, language: str) -> None:
    """Write a page on RUN, the folder that `miya.watch` wrote: plots, layers over time, findings,
    and the story of the worst step."""
    from ..watching.reading import read_run
    from ..watching.report import report

    page = report(read_run(run, start=start), language=language)
    place = output if output is not None else str(Path(run) / "report.html")
    emit(page, place)
    if output is None:
        click.echo(f"miya: wrote {place}", err=True)
