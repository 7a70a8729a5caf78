"""A worksheet in every form: the sheet, its key, its answer sheet and its network."""

from __future__ import annotations

import csv as standard
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from ..analysis.describe import describe
from ..analysis.shape import check_seed, shape
from ..core.trace import Trace
from ..drawing.build import scene
from ..errors import MiyaInputError
from ..story.blocks import Picture, Story
from ..story.parts.setup import GIVEN_DIGITS
from ..story.worked import pleasant
from ..story.worksheet import Sheets, sheets
from .files import write_whole
from .json import written
from .svg import svg

SUFFIXES = {".md": "markdown", ".html": "html", ".pdf": "pdf", ".ipynb": "notebook", ".txt": "text"}


@dataclass(frozen=True)
class Worksheet:
    """One worksheet. `print(sheet)` shows it; `save` writes it with its key and answer sheet.

    network: its givens, as a description that `miya.explain` and `miya.check` take.
    Every form takes `key=True` for the key.
    """

    sheets: Sheets
    network: Mapping[str, Any]

    def story(self, key: bool = False) -> Story:
        return self.sheets.key if key else self.sheets.sheet

    @property
    def answers(self) -> dict[str, str]:
        """What belongs in the blanks, by symbol, in the order of the sheet."""
        return dict(self.sheets.answers)

    def text(self, *, key: bool = False) -> str:
        from .text import text

        return text(self.story(key))

    def markdown(self, *, key: bool = False) -> str:
        from .markdown import markdown

        return markdown(self.story(key))

    def html(self, *, key: bool = False) -> str:
        """One page. The sheet has fields, and saves what stands in them as CSV."""
        from .worksheet_page import html

        return html(self.story(key), fields=not key)

    def pdf(self, *, key: bool = False) -> bytes:
        """Needs `pip install "miya[pdf]"`, else MiyaInputError E640."""
        from .pdf import pdf

        return pdf(self.story(key))

    def notebook(self, *, key: bool = False) -> str:
        from .worksheet_notebook import notebook

        return notebook(self.story(key), self.network)

    def csv(self, *, key: bool = False) -> str:
        """The answer sheet that `miya check` marks, columns symbol and value: what the sheet tells
        stands in it, what it leaves blank is to be filled in; the key's is filled. Where a bug is
        to be found, its one line is for the learner to name."""
        out = StringIO()
        rows = standard.writer(out, lineterminator="\n")
        rows.writerow(("symbol", "value"))
        told = dict(self.sheets.told)
        rows.writerows((told | self.answers if key else told).items())
        return out.getvalue()

    def json(self) -> str:
        """The network, as a file that `miya check --network` takes."""
        return written(dict(self.network)) + "\n"

    def save(self, path: str | Path) -> list[Path]:
        """Write the sheet, and beside it the key, the answer sheet and the network.

        "sheet.pdf" gives sheet.pdf, sheet-key.pdf, sheet-answers.csv and sheet-network.json; the
        form is that of its ending: .md, .html, .pdf, .ipynb or .txt. Returns what was written.
        Raises MiyaInputError E684 for another ending, MiyaOutputError E508.
        """
        path = Path(path)
        form = SUFFIXES.get(path.suffix.lower())
        if form is None:
            raise MiyaInputError(
                "E684",
                f"{path.name} has no ending of a worksheet",
                hint=f"choose {', '.join(SUFFIXES)}",
            )
        return self.write_beside(path, form)

    def write_beside(self, path: Path, form: str) -> list[Path]:
        make: Callable[..., str | bytes] = getattr(self, form)
        parts = {
            path: make(),
            path.with_name(f"{path.stem}-key{path.suffix}"): make(key=True),
            path.with_name(f"{path.stem}-answers.csv"): self.csv(),
            path.with_name(f"{path.stem}-network.json"): self.json(),
        }
        for name, content in parts.items():
            write_whole(name, content)
        return list(parts)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        count = len(self.sheets.sheet.blanks)
        return f"<Worksheet: {self.sheets.sheet.title}, {count} blanks; print() shows it>"


def _picture(trace: Trace, language: str, miya: bool) -> Picture:
    """The network with its givens, and nothing that is to be worked out."""
    alone = trace.network.examples == 1
    drawn = scene(
        trace,
        view="givens",
        example=0 if alone else "sum",
        digits=GIVEN_DIGITS,
        language=language,
        miya=miya,
    )
    return Picture(svg(drawn, theme="print", standalone=False), drawn.description)


def worksheet(
    layers: str = "2-2-1",
    *,
    activation: str = "sigmoid",
    loss: str = "squared_error",
    optimizer: str = "sgd",
    examples: int = 1,
    seed: int = 1,
    fade: str | None = None,
    find_the_bug: bool = False,
    dead: bool = False,
    digits: int = 4,
    language: str = "en",
    miya: bool = True,
) -> Worksheet:
    """Make a worksheet of one step in numbers that are pleasant by hand (docs/worksheets.md).

    layers: neurons from input to output. activation: of all layers, or one a layer, as in
    "relu,sigmoid". seed: the same seed gives the same sheet everywhere. fade: "full", "last",
    "half" (the default) or "solo". find_the_bug: worked in full, with one planted slip.
    dead: one hidden ReLU sleeps for every example. digits: significant digits of each result.
    Raises MiyaInputError.
    """
    if find_the_bug and fade not in (None, "full"):
        raise MiyaInputError(
            "E681",
            f"fade {fade} is asked for where a bug is to be found",
            hint="leave fade out: such a sheet is worked out in full",
        )
    wanted = shape(
        layers,
        activation=activation,
        loss=loss,
        optimizer=optimizer,
        examples=examples,
        digits=digits,
        dead=dead,
    )
    check_seed(seed)
    trace = pleasant(wanted, seed)
    made = sheets(
        trace,
        wanted,
        seed,
        fade=fade or ("full" if find_the_bug else "half"),
        bug=find_the_bug,
        language=language,
        miya=miya,
        picture=_picture(trace, language, miya),
    )
    return Worksheet(made, describe(trace.network))
