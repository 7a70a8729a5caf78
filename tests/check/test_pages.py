"""Our own pages in many notations: clean they have no slip, and each planted mistake is named."""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from pathlib import Path

import pytest

import miya

HERE = Path(__file__).parent / "pages"
NETWORKS = {"answers.csv": Path(__file__).parents[2] / "examples" / "original.toml"}
PAGES = sorted(p.name for p in HERE.iterdir() if p.suffix != ".tsv" and p.name != "original.txt")
with (HERE / "planted.tsv").open(encoding="utf-8") as file:
    PLANTED = list(csv.DictReader(file, delimiter="\t"))


def checked(path, page):
    return miya.check(path, network=NETWORKS.get(page))


@lru_cache(maxsize=32)
def clean(page):
    return checked(HERE / page, page)


def with_number(page, row):
    """The page with one number changed, on the line where it is stated."""
    index = tuple(int(i) for i in row["index"].split(",") if i)
    (mark, *_) = [
        m
        for m in clean(page).marking.marks
        if m.of and (m.of.symbol, m.of.index) == (row["symbol"], index)
    ]
    lines = (HERE / page).read_text("utf-8").split("\n")
    old, new = mark.stated.text, row["number"]
    for before, after in ((old, new), *signs(old, new)):
        line = lines[mark.line - 1]
        places = [m.start() for m in re.finditer(rf"(?<![\d.]){re.escape(before)}(?![\d])", line)]
        if places:
            at = places[-1]
            lines[mark.line - 1] = line[:at] + after + line[at + len(before) :]
            return "\n".join(lines)
    raise AssertionError(f"{page}: {old} is not on line {mark.line}")


def signs(old, new):
    """The same numbers as other pages write them."""
    for change in (
        lambda t: t.replace("-", "−"),
        lambda t: t.replace(".", ","),
        lambda t: f"<mo>-</mo><mn>{t[1:]}</mn>" if t.startswith("-") else f"<mn>{t}</mn>",
    ):
        yield change(old), change(new)


def test_there_are_twelve_pages_and_more():
    assert len(PAGES) >= 12 and len(PLANTED) >= 80


@pytest.mark.parametrize("page", PAGES)
def test_a_clean_page_has_no_slip(page):
    made = clean(page).marking
    assert len(made.marks) >= 9
    assert {m.verdict for m in made.marks} <= {"right", "rounding"}, [
        (m.place, m.stated.text, m.verdict)
        for m in made.marks
        if m.verdict not in ("right", "rounding")
    ]


@pytest.mark.parametrize("row", PLANTED, ids=lambda r: f"{r['page']}-{r['symbol']}-{r['kind']}")
def test_a_planted_mistake_is_named(row, tmp_path):
    page = row["page"]
    path = tmp_path / page
    path.write_text(with_number(page, row), "utf-8")
    slips = checked(path, page).data()["first_slips"]
    index = [int(i) for i in row["index"].split(",") if i]
    assert [(s["symbol"], s["index"]) for s in slips] == [(row["symbol"], index)]
    assert row["kind"] in slips[0]["diagnosis"]
