"""The whole story of a trace, part after part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches

from ..core.trace import LayerTrace, Trace
from ..errors import MiyaInputError
from .blocks import Block, Heading, Story
from .parts import backward, forward, outcome, setup, update
from .teller import Teller

DIGITS = 5
Part = Callable[[Teller], Iterator[Block]]
PARTS: dict[str, tuple[Part, ...]] = {
    "forward": (forward.forward,),
    "backward": (backward.output_delta, backward.output_parameters, backward.earlier_layers),
    "update": (update.update, outcome.outcome),
}
WHOLE: tuple[Part, ...] = (
    setup.setup,
    *(part for parts in PARTS.values() for part in parts),
    outcome.takeaways,
)


def tell(
    trace: Trace,
    *,
    digits: int | None = None,
    language: str = "en",
    only: str | None = None,
    miya: bool = True,
    top: int | None = None,
) -> Story:
    """The story of `trace` to `digits` significant digits (default 5, or the trace's own).

    only: "forward", "backward", "update", or a layer by its number (from 1) or name.
    top: how many entries of a large array, and terms of a long sum, are told.
    Raises MiyaInputError E602 for a language and E603 for a part that there is not.
    """
    digits = digits or trace.digits or DIGITS
    teller = Teller(trace, language, digits, miya, top)
    title = trace.network.title or teller.text("general", "title")
    blocks = [Heading(title, 1), *_parts(teller, only)]
    carry = "exact" if trace.digits is None else "rounded"
    return Story(title, language, digits, carry, tuple(blocks))


def _parts(teller: Teller, only: str | None) -> Iterator[Block]:
    if only is None or only in PARTS:
        for part in WHOLE if only is None else PARTS[only]:
            yield from part(teller)
    else:
        yield from _layer(teller, find_layer(teller.trace, only))


def _layer(teller: Teller, layer: LayerTrace) -> Iterator[Block]:
    yield from forward.layer_forward(teller, layer)
    if layer.number == len(teller.layers):
        yield from forward.loss_forward(teller)
        yield from backward.output_delta(teller)
        yield from backward.output_parameters(teller)
    else:
        yield from backward.layer_backward(teller, layer)
    yield from update.layer_update(teller, layer)


def find_layer(trace: Trace, name: str) -> LayerTrace:
    for layer in trace.layers:
        if name in (layer.name, str(layer.number)):
            return layer
    choices = [*PARTS, *(v.name for v in trace.layers)]
    near = get_close_matches(name, choices, 1)
    raise MiyaInputError(
        "E603",
        f"the story has no part or layer {name!r}",
        hint=(f"did you mean {near[0]}? " if near else "")
        + "Choose forward, backward, update or a layer: "
        + ", ".join(f"{v.number} ({v.name})" for v in trace.layers),
    )
