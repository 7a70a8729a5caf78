"""A ranking of blame as text and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ..analysis.blame import Blame, BlameRow
from ..story.numbers import percent, signed
from ..story.quantity import Symbol
from ..story.symbols import plain_symbol
from ..story.words import load
from .escape import printable
from .text import columns

LETTERS = {"weight": "W", "bias": "b", "neuron": "δ"}


def blame_json(found: Blame) -> str:
    return json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False, indent=1)


def blame_text(found: Blame, digits: int, language: str = "en") -> str:
    words = load(language)["blame"]
    lines = [words["heading"].format(measure=found.measure), words[found.measure], ""]
    for key, rows, total in (
        ("parameters", found.parameters, found.total_parameters),
        ("neurons", found.neurons, found.total_neurons),
    ):
        lines += [words[key], *_table(rows, digits, words)]
        if total > len(rows):
            lines.append(words["left_out"].format(told=len(rows), all=total))
        lines.append("")
    return "\n".join(lines)


def _table(rows: Sequence[BlameRow], digits: int, words: dict[str, str]) -> list[str]:
    cells = [tuple(words[k] for k in ("rank", "name", "value", "share"))]
    for row in rows:
        name = plain_symbol(Symbol(LETTERS[row.kind], row.layer, row.index))
        if row.kind == "neuron":
            name += f" ({printable(row.name)})"
        notes = [words[k] for k in ("frozen", "tied") if getattr(row, k)]
        name += f" [{', '.join(notes)}]" if notes else ""
        cells.append((str(row.rank), name, signed(row.value, digits), percent(row.share)))
    widths = [max(columns(row[j]) for row in cells) for j in range(4)]
    made = []
    for row_cells in cells:
        rank, name, value, share = row_cells
        gap = [" " * (w - columns(c)) for c, w in zip(row_cells, widths, strict=True)]
        made.append(f"  {gap[0]}{rank}  {name}{gap[1]}  {gap[2]}{value}  {gap[3]}{share}")
    return made
