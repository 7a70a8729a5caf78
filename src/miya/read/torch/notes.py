"""What a reader of a step must know, each a code and a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from .unrecorded import OUTSIDE
from .values import TensorCall

if TYPE_CHECKING:
    from .step import Step

FEW = 4


def notes_of(step: Step) -> Iterator[tuple[str, str]]:
    yield from step.notes
    yield from _unused(step)
    yield from _tied(step)
    yield from _hooked(step)
    yield from _past_the_recorder(step)
    yield from _stale(step)
    if step.only is not None:
        yield "W422", f"only the calls inside {step.only or 'the model'} and the loss are recorded"


def listed(names: Iterable[str]) -> str:
    """The first few, and how many more."""
    every = list(names)
    more = f" and {len(every) - FEW} more" if len(every) > FEW else ""
    return ", ".join(every[:FEW]) + more


def _unused(step: Step) -> Iterator[tuple[str, str]]:
    unused = [n for n, p in step.named.items() if p.requires_grad and step.values[n].grad is None]
    if unused:
        yield (
            "W403",
            f"the loss does not use {listed(unused)}: the gradient is None, which is not 0, and "
            "the optimizer leaves them alone",
        )


def _tied(step: Step) -> Iterator[tuple[str, str]]:
    for name, tied in step.parameters.items():
        if tied.aliases:
            uses = len(step.values[name].uses)
            yield (
                "W406",
                f"{name} is tied with {listed(tied.aliases)}: one parameter, {uses} "
                f"use{'s' * (uses != 1)}; its gradient is their sum",
            )


def _hooked(step: Step) -> Iterator[tuple[str, str]]:
    hooked = [n for n, p in step.named.items() if p._backward_hooks]
    if hooked:
        yield (
            "W423",
            f"a hook of yours may change the gradient of {listed(hooked)} after backward: then the "
            "contributions add up to what it was before",
        )


def _past_the_recorder(step: Step) -> Iterator[tuple[str, str]]:
    names = {c.name for c in step.recorder.calls if _opaque(c)}
    if names:
        yield (
            "W424",
            f"{listed(sorted(names))} ran past the recorder: told at the level of tensors, by the "
            "gradients that autograd passed through",
        )


def _opaque(call: TensorCall) -> bool:
    return call.again is None and call.name not in ("changed_in_place", OUTSIDE)


def _stale(step: Step) -> Iterator[tuple[str, str]]:
    if step.stale:
        yield (
            "W425",
            f"{listed(v.name for v in step.stale)} was changed in place where the recorder could "
            "not see it: its numbers are those after the change",
        )
