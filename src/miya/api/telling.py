"""What every explanation can do with its story: be written, and show itself."""

from __future__ import annotations

from typing import Any

from ..story.blocks import Story


class Telling:
    """An object with a `story`. only: the part of the step that it tells, None for all."""

    only: str | None = None

    def text(self, width: int = 88) -> str:
        from ..render.text import text

        return text(self._story, width=width)

    def markdown(self) -> str:
        from ..render.markdown import markdown

        return markdown(self._story)

    def latex(self) -> str:
        from ..render.latex import latex

        return latex(self._story)

    def pdf(self) -> bytes:
        """The story typeset as PDF, a whole one with its diagram.

        Needs `pip install "miya[pdf]"`, else MiyaInputError E640.
        """
        from ..render.pdf import pdf

        return pdf(self._story, diagram="" if self.only else self._diagram())

    @property
    def _story(self) -> Story:
        found: Story = self.story  # type: ignore[attr-defined]
        return found

    def _diagram(self) -> str:
        """An SVG for the first page of the PDF, or "" for none."""
        return ""

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self._repr_mimebundle_()["text/html"]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from ..render.notebook import story_bundle

        return story_bundle(self._story)


class StepTelling(Telling):
    """The telling of one step. trace: its own; model: the recorded step of a torch.nn.Module,
    None of a network file."""

    def why(self, element: str, **options: Any) -> Any:
        """Why one number is what it is: `why("weight2[0,1]")`, of a model `why("fc.weight[0,1]")`
        (docs/why.md)."""
        told: Any = self
        given = {"digits": told.digits, "language": told.language, "miya": told.miya, **options}
        return (told.trace if told.model is None else told.model).why(element, **given)
