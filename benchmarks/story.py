"""The story of a network of about 1,000,000 weights: how long it takes, how long it is."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .networks import Case, description
from .processes import SCRIPT, run
from .rows import Row, seconds

MILLION = Case((784, 900, 300, 10), 1, "relu", "identity", "cross_entropy")
LIMIT, LINES = 5.0, 1000
RUNS = 3
DECIMALS = 6  # of each number, as a person would write them


def rows(threads: int) -> Iterator[Row]:
    given = description(MILLION)
    for table in (*given["layers"], *given["examples"]):
        for key, value in table.items():
            if isinstance(value, np.ndarray):
                table[key] = value.round(DECIMALS).tolist()
    weights = sum(a * b for a, b in zip(MILLION.sizes, MILLION.sizes[1:], strict=False))
    with tempfile.TemporaryDirectory() as folder:
        for form, write in (("json", json.dumps), ("toml", toml)):
            file = Path(folder, f"large.{form}")
            file.write_text(write(given), "utf-8")
            yield from _told(file, f"miya explain, {weights:,} weights, {form}")


def _told(file: Path, what: str) -> Iterator[Row]:
    times, lines = [], 0
    for _ in range(RUNS):
        start = time.perf_counter()
        told = run([SCRIPT, "explain", str(file)])
        times.append(time.perf_counter() - start)
        lines = len(told.splitlines())
    took = statistics.median(times)
    yield Row(
        what,
        seconds(took),
        f"{LIMIT:g} s",
        took / LIMIT,
        fastest=min(times) / LIMIT,
        limit=1.0,
    )
    yield Row(f"{what}: lines printed", str(lines), str(LINES), lines / LINES, limit=1.0)


def toml(given: dict[str, Any]) -> str:
    """A description of plain values as TOML; JSON's lists, numbers and texts are TOML's too."""
    tables = {k: v for k, v in given.items() if k in ("layers", "examples")}
    lines = [f"{k} = {json.dumps(v)}" for k, v in given.items() if k not in tables]
    for name, rows_ in tables.items():
        for row in rows_:
            lines += [f"[[{name}]]", *(f"{k} = {json.dumps(v)}" for k, v in row.items())]
    return "\n".join(lines) + "\n"
