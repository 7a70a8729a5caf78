"""Marking a page that somebody worked by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.step import take_step
from .steps import Source, load

if TYPE_CHECKING:
    from ..analysis.check.mark import Marking
    from ..core.network import Network
    from ..core.page import Page


# shares of a page's numbers that come out on the network that it works on
ENOUGH, SURE, LEAD = 0.5, 0.9, 0.1
MANY = 3  # slips from which the network itself may be misread
FEW, LEAST = 2, 5  # or so few, of so many numbers, where not even half of them come out


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
    from ..read.page.read import read_page

    net = load(network) if network is not None else None
    return Checked(marked(lambda use: read_page(page, use), net), language)


def marked(read: Callable[[Network | None], Page], network: Network | None = None) -> Marking:
    """The marking of what `read` gives; where it gives no network, of the one that agrees."""
    from ..analysis.check.guess import doubted, guess
    from ..analysis.check.mark import mark_page

    page = read(network)
    if network is not None:
        return mark_page(page, network)
    made = mark_page(page, None) if page.description is not None else None
    named, (made, page) = page, _by_formulas(made, page)
    fits = _comes_out(made, page) if page is named else 1.0  # what formulas say is not doubted
    found = guess(page) if fits < SURE else None
    if found is not None and found.agreement > fits + LEAD:
        return mark_page(found.applied(page), found.network)
    if made is not None and (made.network is None or fits >= ENOUGH):
        return made
    own = mark_page(doubted(page), None)
    return made if made is not None and not own.marks else own


def _by_formulas(made: Marking | None, page: Page) -> tuple[Marking | None, Page]:
    """The marking under the names that explain most numbers: as letters are used, or as the page's
    own formulas define them."""
    from ..analysis.check.mark import explained, mark_page

    known = made is not None and made.network is not None
    if known and made is not None and not made.first_slips and not page.unread:
        return made, page
    other = page.again() if page.again is not None else None
    if other is None:
        return made, page
    marked = mark_page(other, None)
    best = explained(made) if made is not None else 0
    if marked.network is None or explained(marked) <= max(best, ENOUGH * len(marked.marks)):
        return made, page
    return marked, other


def _comes_out(made: Marking | None, page: Page) -> float:
    """The share of a page's numbers that come out on the network that its names give."""
    from ..analysis.check.guess import agreement
    from ..analysis.check.mark import fitting

    if made is None or made.network is None:
        return 0.0
    plain = page.steps == 1 and not page.softmax and made.network.optimizer.name == "sgd"
    unplaced = any(note.key == "unplaced" for note in page.assumed)
    if not plain or not (unplaced or len(made.first_slips) >= FEW):
        return 1.0
    share = fitting(made) / len(made.marks)
    if share < ENOUGH and len(made.marks) >= LEAST:
        return share
    doubtful = unplaced or len(made.first_slips) >= MANY
    return agreement(page, made.network) if doubtful else 1.0


def answer_sheet(source: Source | None = None, *, form: str = "csv") -> str:
    """An answer sheet of a network to fill in, that `check` marks: "csv" or "toml"."""
    from ..render.check_sheet import template

    return template(take_step(load(source)), form)
