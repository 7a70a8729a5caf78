"""Explaining a torch.nn.Module: one real step on a copy, told."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..analysis.as_network import as_network
from ..core.model import ModelTrace
from ..core.trace import Trace
from ..errors import MiyaInputError, MiyaWarning
from ..story.blocks import Story
from ..story.model.tell import tell_model
from .explanation import Explanation
from .telling import StepTelling


@dataclass(frozen=True)
class ModelExplanation(StepTelling):
    """One step of a model, explained. The story is told when a format is first asked for.

    `trace` is the ModelTrace: every call, value, gradient and parameter of the step. `text()`,
    `markdown()`, `latex()`, `html()`, `pdf()`, `json()` and `data()` tell them, `why()` tells one
    number. `print(explanation)` tells the story.
    """

    trace: ModelTrace
    digits: int | None = None
    language: str = "en"
    only: str | None = None
    miya: bool = True
    top: int | None = None

    @cached_property
    def story(self) -> Story:
        return tell_model(
            self.trace,
            digits=self.digits,
            language=self.language,
            only=self.only,
            miya=self.miya,
            top=self.top,
        )

    @property
    def model(self) -> ModelTrace:
        """The trace, as every explanation of a model has it."""
        return self.trace

    def html(self) -> str:
        """The story as one HTML page that needs no network, with its diagram and rankings."""
        from ..render.html_model import model_html

        return model_html(self.trace, self.story, miya=self.miya)

    def json(self) -> str:
        from ..render.json_model import json

        return json(self.trace, self.story)

    def data(self) -> dict[str, Any]:
        from ..render.json_model import data

        return data(self.trace, self.story)

    def _diagram(self) -> str:
        from .model_views import draw_model

        drawn = draw_model(
            self.trace,
            theme="print",
            miya=self.miya,
            digits=self.digits,
            language=self.language,
        )
        return drawn.svg(standalone=False)

    def __repr__(self) -> str:
        count = f"{self.trace.size:,} numbers in {len(self.trace.parameters)} parameters"
        return f"<ModelExplanation: {self.trace.title}, {count}; print() tells>"


def is_module(source: object) -> bool:
    """Whether it is a torch.nn.Module; torch is not imported to find out."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(source, torch.nn.Module)


def explain_model(
    model: Any,
    inputs: Any,
    target: Any = None,
    *,
    loss: Any = None,
    optimizer: Any = None,
    apply: bool = False,
    **told: Any,
) -> Explanation | ModelExplanation:
    """See `miya.explain`."""
    from ..read.torch.checks import recorded_part
    from ..read.torch.named import loss_named, optimizer_named
    from ..read.torch.step import model_step

    if inputs is None:
        raise MiyaInputError(
            "E623", "a model is given without inputs", hint="miya.explain(model, inputs, target)"
        )
    if isinstance(loss, str):
        loss = loss_named(loss)
    if isinstance(optimizer, str):
        optimizer = optimizer_named(optimizer, model.parameters(), None)
    only = recorded_part(model, told.get("only"))
    trace = model_step(
        model, inputs, target, loss=loss, optimizer=optimizer, apply=apply, only=only
    )
    return explanation_of(trace, **told)


def explanation_of(
    trace: Trace | ModelTrace,
    *,
    digits: int | None = None,
    language: str = "en",
    only: str | None = None,
    miya: bool = True,
    top: int | None = None,
) -> Explanation | ModelExplanation:
    """The explanation of a step that has been traced. A model that is a plain chain of dense
    layers is explained as a network file is, with the recorded numbers."""
    told = (digits, language, only, miya, top)
    if isinstance(trace, Trace):
        return Explanation(trace, *told)
    with warnings.catch_warnings():
        if any(code == "W310" for code, _ in trace.notes):  # said of the model already
            warnings.filterwarnings("ignore", "W310", MiyaWarning)
        classical = as_network(trace)
    if classical is not None:
        return Explanation(classical, *told, model=trace)
    return ModelExplanation(trace, *told)
