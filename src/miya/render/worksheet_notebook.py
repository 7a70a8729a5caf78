"""A worksheet as a Jupyter notebook: prose in Markdown, a code cell for each run of blanks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..story.blocks import Blank, Block, Calculation, Calculations, Heading, Story
from ..story.expression import plain
from ..story.symbols import plain_symbol
from ..story.words import load
from .json import written
from .markdown import markdown

Cell = dict[str, Any]
CHECK = """import csv
from pathlib import Path

import miya

with Path("answers.csv").open("w", encoding="utf-8", newline="") as file:
    rows = csv.writer(file)
    rows.writerow(["symbol", "value"])
    rows.writerows((symbol, value) for symbol, value in answers.items() if value is not None)
print(miya.check("answers.csv", network=network))
"""


def notebook(story: Story, network: Mapping[str, Any]) -> str:
    """The notebook's JSON. Where there is something to fill in, it opens with what is given and
    ends with a cell that has the answers marked."""
    words = load(story.language)["worksheet"]
    cells = list(_cells(story))
    if story.blanks:
        given = f"network = {_python(network)}\nanswers = {{}}"
        first = next(k for k, c in enumerate(cells) if "answers[" in "".join(c["source"]))
        cells[first:first] = [_markdown(words["setup_cell"]), _code(given)]
        cells += [_markdown(words["check_cell"]), _code(CHECK)]
    for k, cell in enumerate(cells, 1):
        cell["id"] = f"cell-{k}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made = {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def _python(network: Mapping[str, Any]) -> str:
    """The description as Python, which here reads as JSON does, but for its true and false."""
    return written(dict(network)).replace(": true", ": True").replace(": false", ": False")


def _cells(story: Story) -> Iterator[Cell]:
    """A code cell where lines are blank; what stands between goes together, a heading first."""
    kept: list[Block] = []
    for block in story.blocks:
        blank = isinstance(block, Calculations) and any(isinstance(c, Blank) for c in block.items)
        if kept and (blank or isinstance(block, Heading)):
            yield _markdown(markdown(replace(story, blocks=tuple(kept))))
            kept = []
        if blank and isinstance(block, Calculations):
            yield _code("\n".join(_asked(c) for c in block.items))
        else:
            kept.append(block)
    if kept:
        yield _markdown(markdown(replace(story, blocks=tuple(kept))))


def _asked(item: Calculation | Blank) -> str:
    """An entry to fill in, its expression beside it."""
    name = plain_symbol(item.symbol)
    if isinstance(item, Calculation):
        return f"# {name} = {item.closed.result}"
    note = "" if item.tree is None else f"  # {plain(item.tree, item.write)}"
    return f"answers[{json.dumps(name, ensure_ascii=False)}] = None{note}"


def _markdown(text: str) -> Cell:
    return {"cell_type": "markdown", "id": "", "metadata": {}, "source": _source(text.rstrip())}


def _code(text: str) -> Cell:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": "",
        "metadata": {},
        "outputs": [],
        "source": _source(text.rstrip()),
    }


def _source(text: str) -> list[str]:
    return text.splitlines(keepends=True)
