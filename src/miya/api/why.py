"""Why one number: what it is made of, its gradient down to the loss, its update."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..analysis.explain_element import Answer, explain_element
from ..core.model import ModelTrace
from ..core.trace import Trace
from ..errors import MiyaInputError
from ..story.blocks import Story
from ..story.model.why import tell_why
from .telling import Telling


@dataclass(frozen=True)
class Why(Telling):
    """The answer to "why this number?": `text()`, `markdown()`, `latex()`, `html()`, `pdf()`,
    `json()` and `data()` tell it. `print(why)` tells it, and a notebook shows it.

    `answer` holds every level as data: values, terms, factors, autograd's own numbers. `trace`:
    whose number it is.
    """

    answer: Answer
    trace: Trace | ModelTrace = field(repr=False)
    digits: int | None = None
    language: str = "en"
    miya: bool = True

    @cached_property
    def story(self) -> Story:
        return tell_why(self.answer, digits=self.digits, language=self.language, miya=self.miya)

    def html(self) -> str:
        """One page that needs no network, with the diagram of the step."""
        from ..render.html_model import one_page

        hint = "picture_hint" if isinstance(self.trace, Trace) else "picture_hint_model"
        return one_page(self.story, self._drawn, hint=hint)

    def _drawn(self, theme: str) -> str:
        from .views import draw

        told = {"miya": self.miya, "digits": self.digits, "language": self.language}
        return draw(self.trace, theme=theme, **told).svg(standalone=False)  # type: ignore[arg-type]

    def json(self) -> str:
        from ..render.json_why import json

        return json(self.answer, self.story)

    def data(self) -> dict[str, Any]:
        from ..render.json_why import data

        return data(self.answer, self.story)

    def __repr__(self) -> str:
        element = self.answer.element
        index = ",".join(map(str, element.index))
        return f"<Why {element.name}[{index}]: {len(self.answer.levels)} levels; print() tells>"


def why(
    trace: Trace | ModelTrace | Any,
    element: str,
    *,
    top: int | None = None,
    follow: int | Sequence[int] = (),
    digits: int | None = None,
    language: str = "en",
    miya: bool = True,
) -> Why:
    """Why one number of a trace, or of an explanation, is what it is, and why it presses on the
    loss as it does.

    element: its name and index, as "layer2.weight[3,17]" or "z1[0,2]" (docs/why.md).
    top: terms told a level (default 5). follow: the rank of the term to follow at the first
    level, or at each: 1, the largest, where it says nothing.
    Raises MiyaInputError E620 to E623, E602 and E604.
    """
    from ..analysis.why import TOP
    from .steps import check_digits

    if not isinstance(trace, Trace | ModelTrace):
        found = getattr(trace, "model", None) or getattr(trace, "trace", None)
        if not isinstance(found, Trace | ModelTrace):
            raise MiyaInputError(
                "E623",
                f"why is asked of {type(trace).__name__}",
                hint="give a trace or an explanation: miya.explain(...).why(...)",
            )
        trace = found

    check_digits(digits, "exact", "float64")
    ranks = (follow,) if isinstance(follow, int) else tuple(follow)
    answer = explain_element(trace, element, top=TOP if top is None else top, follow=ranks)
    return Why(answer, trace, digits, language, miya)
