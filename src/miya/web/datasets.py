"""Data sets to play with, each drawn from a seed; an own one comes as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import MiyaInputError
from .fields import typed, whole

Rows = list[dict[str, Any]]
MOST_ROWS = 500
# 3 x 5 pixels a digit, row by row, as on a pocket calculator
DIGITS = (
    "111101101101111", "010110010010111", "111001111100111", "111001111001111",
    "101101111001001", "111100111001111", "111100111101111", "111001001001001",
    "111101111101111", "111101111001111",
)  # fmt: skip


def dataset(edit: Mapping[str, Any]) -> Rows:
    """The rows of {"name", "count", "noise", "seed"}. Raises MiyaInputError E806 and E803."""
    name = edit.get("name")
    make = DATASETS.get(name) if isinstance(name, str) else None
    if make is None:
        raise MiyaInputError(
            "E806", f"the data set is {name!r}"[:200], hint=f"choose {', '.join(DATASETS)}"
        )
    count = whole(edit.get("count", 40), "the number of examples", 2, MOST_ROWS, ("count",))
    noise = typed(edit.get("noise", 0.1))
    if not isinstance(noise, int | float) or isinstance(noise, bool) or not 0 <= noise <= 1:
        hint = "choose it from 0 to 1"
        raise MiyaInputError("E806", f"noise is {noise!r}"[:200], hint=hint, path=("noise",))
    rng = np.random.default_rng(whole(edit.get("seed", 1), "the seed", 0, 2**31, ("seed",)))
    return make(rng, count, float(noise))


def _points(points: Any, classes: Any) -> Rows:
    return [
        {"input": np.round(p, 3).tolist(), "target": [float(c)]}
        for p, c in zip(points, classes, strict=True)
    ]


def _xor(rng: np.random.Generator, count: int, noise: float) -> Rows:
    """The four corners alone where there is no noise, else points around them."""
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
    if noise == 0:
        return _points(corners, [0, 1, 1, 0])
    at = np.arange(count) % 4
    return _points(corners[at] + noise * rng.normal(size=(count, 2)), np.array([0, 1, 1, 0])[at])


def _circles(rng: np.random.Generator, count: int, noise: float) -> Rows:
    """One ring of radius 1 around another of radius 0.4."""
    inside = np.arange(count) % 2
    angle = rng.uniform(0, 2 * np.pi, count)
    radius = np.where(inside == 1, 0.4, 1.0) + 0.3 * noise * rng.normal(size=count)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    return _points(points, inside)


def _spirals(rng: np.random.Generator, count: int, noise: float) -> Rows:
    """Two arms, each of one and a half turns."""
    arm = np.arange(count) % 2
    along = np.sqrt((np.arange(count) // 2 + 1) / (count // 2 + 1))
    angle = 3 * np.pi * along + np.pi * arm
    points = np.stack([along * np.cos(angle), along * np.sin(angle)], 1)
    return _points(points + 0.2 * noise * rng.normal(size=(count, 2)), arm)


def _blobs(rng: np.random.Generator, count: int, noise: float) -> Rows:
    """Two clouds around (-0.6, -0.6) and (0.6, 0.6)."""
    side = np.arange(count) % 2
    centre = np.where(side[:, None] == 1, 0.6, -0.6)
    return _points(centre + (0.15 + noise) * rng.normal(size=(count, 2)), side)


def _digits(rng: np.random.Generator, count: int, noise: float) -> Rows:
    """Digits of 3 x 5 pixels, one output a digit; noise blurs every pixel."""
    rows = []
    for k in range(count):
        digit = k % 10
        pixels = np.array([int(c) for c in DIGITS[digit]], float)
        pixels = pixels + noise * rng.normal(size=15)
        target = [float(d == digit) for d in range(10)]
        rows.append({"input": np.round(pixels, 3).tolist(), "target": target})
    return rows


DATASETS: dict[str, Callable[[np.random.Generator, int, float], Rows]] = {
    "xor": _xor,
    "circles": _circles,
    "spirals": _spirals,
    "blobs": _blobs,
    "digits": _digits,
}


def csv_rows(text: str, outputs: int) -> Rows:
    """Rows of a CSV: the last `outputs` columns are the targets, or those headed y, target or
    target_...; the others are the inputs. Semicolons and tabs divide too, and with them decimal
    commas are understood.

    Raises MiyaInputError E806 with the line and the cell.
    """
    head, lines = _cells(text)
    wide = len(lines[0][1])
    named = [k for k, title in enumerate(head) if title.strip().lower().startswith(("y", "target"))]
    targets = named or list(range(wide - outputs, wide))
    if len(targets) >= wide or targets[0] < 0:
        raise MiyaInputError(
            "E806",
            f"the CSV has {wide} columns, and {outputs} of them are targets",
            hint="give a column an input as well; name the target column y",
        )
    rows = []
    for number, cells in lines:
        if len(cells) != wide:
            raise MiyaInputError(
                "E806",
                f"line {number} of the CSV has {len(cells)} cells, the first has {wide}",
                hint="give every line as many",
            )
        values = [_cell(cell, number, k) for k, cell in enumerate(cells)]
        inputs = [v for k, v in enumerate(values) if k not in targets]
        rows.append({"input": inputs, "target": [values[k] for k in targets]})
    return rows


def _cells(text: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The heads, and each further line with its number."""
    first = text.strip().split("\n", 1)[0]
    divider = next((d for d in (";", "\t") if d in first), ",")
    try:
        read = list(csv.reader(io.StringIO(text), delimiter=divider))
    except csv.Error as error:
        raise MiyaInputError("E806", f"no CSV: {error}", hint="save the table as CSV") from None
    lines = [(k, [c.strip() for c in cells]) for k, cells in enumerate(read, 1) if any(cells)]
    if not lines:
        raise MiyaInputError("E806", "the CSV is empty", hint="give a line an example")
    head: list[str] = []
    if not all(isinstance(typed(c), float) for c in lines[0][1]):
        head = lines.pop(0)[1]
    if not lines:
        raise MiyaInputError("E806", "the CSV has heads only", hint="give a line an example")
    if len(lines) > MOST_ROWS:
        raise MiyaInputError(
            "E806", f"the CSV has {len(lines)} examples", hint=f"give at most {MOST_ROWS}"
        )
    return head, lines


def _cell(text: str, line: int, column: int) -> float:
    value = typed(text)
    if isinstance(value, float) and np.isfinite(value):
        return value
    shown = text if len(text) <= 40 else f"{text[:40]}…"
    raise MiyaInputError(
        "E806", f"line {line}, column {column + 1} of the CSV is {shown!r}", hint="give a number"
    )
