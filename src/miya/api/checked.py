"""Marking a page that somebody worked by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.step import take_step
from .steps import Source, load

if TYPE_CHECKING:
    from ..analysis.check.mark import Marking


@dataclass(frozen=True)
class Checked:
    """A hand-worked page, marked: `print()` reports it. `marking` holds every mark."""

    marking: Marking
    language: str = "en"

    def text(self) -> str:
        from ..render.check import check_text

        return check_text(self.marking, self.language)

    def markdown(self) -> str:
        from ..render.check import check_markdown

        return check_markdown(self.marking, self.language)

    def html(self) -> str:
        from ..render.check import check_html

        return check_html(self.marking, self.language)

    def json(self) -> str:
        from ..render.check import check_json

        return check_json(self.marking)

    def data(self) -> dict[str, Any]:
        from ..render.check import data

        return data(self.marking)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        slips = len(self.marking.first_slips)
        return f"<Checked: {len(self.marking.marks)} numbers, {slips} slips; print() reports>"


def check(page: str | Path, *, network: Source | None = None, language: str = "en") -> Checked:
    """Mark a hand-worked page, number by number (docs/checking.md).

    page: a file: Markdown, LaTeX, text, HTML, a notebook, or an answer sheet (CSV, TOML, JSON).
    network: what the page works on, where it does not give that itself (see `load`).
    Needs `pip install "miya[check]"`. Raises MiyaInputError.
    """
    from ..analysis.check.mark import mark_page
    from ..read.page.read import read_page

    net = load(network) if network is not None else None
    return Checked(mark_page(read_page(page, net), net), language)


def answer_sheet(source: Source | None = None, *, form: str = "csv") -> str:
    """An answer sheet of a network to fill in, that `check` marks: "csv" or "toml"."""
    from ..render.check_sheet import template

    return template(take_step(load(source)), form)
