"""The whole story of one step of a recorded model, part after part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches

from ...core.model import ModelTrace
from ...errors import MiyaInputError
from ..blocks import Block, Heading, Story
from . import backward, forward, outcome, setup
from .narrator import Narrator
from .voice import Voice

DIGITS = 5
TOP = 3
Part = Callable[[Narrator], Iterator[Block]]
PARTS: dict[str, tuple[Part, ...]] = {
    "forward": (forward.forward, forward.loss),
    "backward": (backward.backward, outcome.weights),
    "update": (outcome.update, outcome.outcome),
}
WHOLE: tuple[Part, ...] = (
    setup.setup,
    *(part for found in PARTS.values() for part in found),
    outcome.takeaways,
)
MODULE: tuple[Part, ...] = (forward.forward, backward.backward, outcome.weights, outcome.update)


def tell_model(
    trace: ModelTrace,
    *,
    digits: int | None = None,
    language: str = "en",
    only: str | None = None,
    miya: bool = True,
    top: int | None = None,
) -> Story:
    """The story of `trace` to `digits` significant digits (default 5).

    only: "forward", "backward", "update", or the path of a module.
    top: how many of the most pressed weights are told term by term (default 3).
    Raises MiyaInputError E602 for a language and E603 for a part that there is not.
    """
    digits = digits or DIGITS
    voice = Voice(language, digits, miya, root=trace.root)
    n = Narrator(trace, voice, TOP if top is None else top, _module(trace, only))
    chosen = WHOLE if only is None else PARTS.get(only, MODULE)
    blocks = [Heading(trace.title, 1), *(block for part in chosen for block in part(n))]
    return Story(trace.title, language, digits, "exact", tuple(blocks))


def _module(trace: ModelTrace, only: str | None) -> str:
    if only is None or only in PARTS:
        return ""
    if only in trace.modules and only:
        return only
    choices = [*PARTS, *(path for path in trace.modules if path)]
    near = get_close_matches(only, choices, 3)
    raise MiyaInputError(
        "E603",
        f"the story has no part or module {only!r}",
        hint=(f"did you mean {' or '.join(near)}? " if near else "")
        + "Choose forward, backward, update or the path of a module",
    )
