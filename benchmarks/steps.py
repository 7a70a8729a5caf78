"""One exact step with its full trace, beside PyTorch's eager step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from .networks import LARGE, SMALL, TINY, Case
from .rows import Row, seconds
from .timing import pairs
from .worker import worker

PAIRS = 40
BURST, LARGE_BURST = 100, 5  # steps timed as one


def rows(threads: int) -> Iterator[Row]:
    for case, limit in ((TINY, 1.0), (SMALL, 1.0), (LARGE, 1.5)):
        yield row(f"step {case.name}", "ours", case, threads, limit)
        for extra in (replace(case, optimizer="adam"), replace(case, dtype="float32")):
            yield row(f"step {extra.name}", "ours", extra, threads)
        yield row(f"miya.train {case.name}, each step", "train", case, threads)


def row(what: str, side: str, case: Case, threads: int, limit: float | None = None) -> Row:
    burst = LARGE_BURST if case.examples > 1 else BURST
    with (
        worker(side, case, threads, burst) as (mine, ours),
        worker("peer", case, threads, burst) as (theirs, peer),
    ):
        # both sides must do the same work: their parameters after one step agree
        tolerance = 1e-10 if case.dtype == "float64" else 1e-3
        for a, b in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
        found = pairs(ours, peer, PAIRS)
    return Row.of_pairs(what, found, seconds, limit)
