"""The texts of a picture's numbers alone, for a picture whose shape has not changed.

A slider asks for these many times a second. Each text stands where the scene puts its label: the
order within a card is that of its labels in the picture, which a test holds to.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..core.trace import Trace
from ..drawing.build import example_of, fits, loss_lines
from ..drawing.content import Content
from ..drawing.texts import card_texts
from .state import State

Texts = dict[str, list[str]]


def content_of(state: State, trace: Trace, language: str) -> Content:
    """What the picture of the state says. Raises MiyaInputError E651."""
    shown = state["shown"]
    return Content(
        trace,
        shown["measure"],
        shown["view"],
        example_of(trace, shown["example"]),
        shown["digits"],
        language,
        shown["miya"],
    )


def numbers(
    state: State, trace: Trace, language: str = "en", *, only: Collection[str] | None = None
) -> dict[str, Any]:
    """{"loss", "after", "predicted"} as texts, {"cards": texts by neuron, "inputs": texts by input,
    "total": of the loss card}, None in "cards" where the picture is a summary: then it is drawn
    anew as a whole.

    trace: the state's next step. only: the neurons ("n1.0") whose cards are wanted, None for all.
    """
    content = content_of(state, trace, language)
    before, after = content.pair(trace.loss, trace.loss_after)
    found: dict[str, Any] = {
        "loss": before,
        "after": after,
        "predicted": content.signed(trace.predicted_change),
        "value": trace.loss,
        "cards": None,
    }
    if fits(trace):
        found["cards"] = _cards(content, only)
        found["inputs"] = {item.ref: [item.value] for item in content.inputs()}
        found["total"] = [text for text, _ in loss_lines(content)]
    return found


def _cards(content: Content, only: Collection[str] | None) -> Texts:
    found: Texts = {}
    for k, layer in enumerate(content.trace.layers):
        refs = [f"n{layer.number}.{i}" for i in range(layer.layer.outputs)]
        wanted = [i for i, ref in enumerate(refs) if only is None or ref in only]
        found |= zip((refs[i] for i in wanted), card_texts(content, k, wanted), strict=True)
    return found
