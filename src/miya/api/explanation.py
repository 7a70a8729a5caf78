"""What the calls give: an explanation, a ranking, each showing itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..analysis.blame import Blame
from ..analysis.credit import Credit, try_credit
from ..core.model import ModelTrace
from ..core.trace import Trace
from ..story.blocks import Story
from ..story.tell import tell
from .telling import StepTelling


@dataclass(frozen=True)
class Explanation(StepTelling):
    """One step, explained. The story is told when a format is first asked for.

    `trace` holds every number as NumPy arrays; `text()`, `markdown()`, `latex()`, `json()` and
    `data()` tell them. `print(explanation)` tells the story. `model` is the recorded step of a
    torch.nn.Module that is told as the network that it is; None of a network file.
    """

    trace: Trace
    digits: int | None = None
    language: str = "en"
    only: str | None = None
    miya: bool = True
    top: int | None = None
    model: ModelTrace | None = None

    @cached_property
    def story(self) -> Story:
        return tell(
            self.trace,
            digits=self.digits,
            language=self.language,
            only=self.only,
            miya=self.miya,
            top=self.top,
        )

    @cached_property
    def credit(self) -> Credit | None:
        """The credits of the step, or None where it made the loss infinite."""
        return try_credit(self.trace)

    def html(self) -> str:
        """The story as one HTML page that needs no network (docs/html-story.md)."""
        from ..render.html import html

        return html(self.trace, self.story, miya=self.miya)

    def json(self) -> str:
        from ..render.json import json

        return json(self.trace, self.story, self.credit)

    def data(self) -> dict[str, Any]:
        from ..render.json import data

        return data(self.trace, self.story, self.credit)

    def _diagram(self) -> str:
        from .views import draw

        drawn = draw(
            self, theme="print", miya=self.miya, digits=self.digits, language=self.language
        )
        return drawn.svg(standalone=False)

    def __repr__(self) -> str:
        return f"<Explanation: {self.trace.network.sizes}, step {self.trace.number}; print() tells>"


class Ranking(Blame):
    """A Blame that shows itself: `print()` as text, and in a notebook as tables with bars."""

    def text(self, digits: int = 5, language: str = "en") -> str:
        from ..render.blame import blame_text

        return blame_text(self, digits, language)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        rows = f"{self.total_parameters} parameters, {self.total_neurons} neurons"
        return f"<Blame by {self.measure}: {rows}; print() ranks them>"

    def _repr_html_(self) -> str:
        return self._repr_mimebundle_()["text/html"]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from ..render.notebook import blame_bundle

        return blame_bundle(self)
