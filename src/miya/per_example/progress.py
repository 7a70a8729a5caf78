"""A bar on the terminal while a data set goes by."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(total: int | None, done: int, wanted: bool) -> Iterator[Callable[[int], None]]:
    """What to call with the number of examples that were measured; silent where nobody looks."""
    if not wanted or not sys.stderr.isatty():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    shown = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    )  # fmt: skip
    with Progress(*shown, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("blame_examples", total=total, completed=done)
        yield lambda count: progress.advance(task, count)
