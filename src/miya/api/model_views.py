"""Views of one step of a model: blame and the diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..analysis.model.blame import ModelBlame, model_blame
from ..core.model import ModelTrace
from ..errors import MiyaInputError

if TYPE_CHECKING:
    from ..analysis.model.credit import Progress
    from ..drawing.scene import View
    from ..render.diagram import Diagram


class ModelRanking(ModelBlame):
    """A ModelBlame that shows itself: `print()` as text, and in a notebook as tables with bars."""

    def text(self, digits: int = 5, language: str = "en") -> str:
        from ..render.blame_model import model_blame_text

        return model_blame_text(self, digits, language)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        rows = f"{self.total_parameters} parameters, {self.total_neurons} neurons"
        return f"<Blame by {self.measure}: {rows}, {self.total_layers} layers; print() ranks them>"

    def _repr_html_(self) -> str:
        return self._repr_mimebundle_()["text/html"]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from ..render.notebook_model import model_blame_bundle

        return model_blame_bundle(self)


def model_of(source: object) -> ModelTrace | None:
    """The trace of a model that a source is or holds; None where it is no model's."""
    found = source if isinstance(source, ModelTrace) else getattr(source, "trace", None)
    return found if isinstance(found, ModelTrace) else None


def rank_model(
    trace: ModelTrace,
    measure: Any = "pressure",
    *,
    top: int | None = None,
    chunk: int | None = None,
    progress: Progress | None = None,
) -> ModelRanking:
    """See `miya.blame`."""
    found = model_blame(trace, measure, top=top, chunk=chunk, progress=progress)
    return ModelRanking(**vars(found))


def draw_model(
    trace: ModelTrace,
    *,
    measure: str | None = None,
    view: View = "whole",
    theme: str = "light",
    miya: bool = True,
    example: int | str | None = None,
    digits: int | None = None,
    language: str = "en",
) -> Diagram:
    """See `miya.draw`. Raises MiyaInputError E658 for one example of a batch."""
    from ..drawing.model.build import model_scene
    from ..render.diagram import Diagram

    if example not in (None, "sum"):
        raise MiyaInputError(
            "E658",
            f"example is {example!r}, and a model's picture is of all examples together: which "
            "axis of a tensor counts them, a model does not say",
            hint="leave example out, or give the model that example alone",
        )
    made = model_scene(
        trace, measure=measure, digits=digits, language=language, miya=miya, view=view
    )
    return Diagram(made, theme)
