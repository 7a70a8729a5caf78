"""What a reader of a step must know, each a code and a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ...core.calls import Value
from .corners import corners
from .unrecorded import OUTSIDE
from .values import TensorCall, TensorValue

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
    yield from corners(step.recorder.calls)
    if step.only is not None:
        yield "W422", f"only the calls inside {step.only or 'the model'} and the loss are recorded"


def listed(names: Iterable[str]) -> str:
    """The first few, and how many more."""
    every = list(names)
    more = f" and {len(every) - FEW} more" if len(every) > FEW else ""
    return ", ".join(every[:FEW]) + more


def _unused(step: Step) -> Iterator[tuple[str, str]]:
    """Parameters without a gradient, by why there is none."""
    reasons: dict[str, list[str]] = {}
    for name, p in step.named.items():
        if p.requires_grad and step.values[name].grad is None:
            reasons.setdefault(_no_gradient(step, step.values[name]), []).append(name)
    for reason, names in reasons.items():
        yield (
            "W403",
            f"{reason.format(listed(names))}: the gradient is None, which is not 0, and the "
            "optimizer leaves them alone",
        )


def _no_gradient(step: Step, value: TensorValue) -> str:
    if not value.uses:
        return "the loss does not use {}"
    needed = _made_of(step.root)
    if not any(id(call) in needed for call, _ in value.uses):
        return "the loss does not use {}, though the forward pass reads it"
    ends = list(dict.fromkeys(_end(c) for c in _cuts(value, needed)))
    at = f" at {listed(ends)}" if ends else ""
    return f"the loss reads {{}}, and no gradient comes back to it, which is cut off{at}"


def _made_of(root: Value) -> set[int]:
    """The ids of the calls that a value is made of."""
    found: set[int] = set()
    waiting = [root]
    while waiting:
        call = waiting.pop().call
        if call is not None and id(call) not in found:
            found.add(id(call))
            waiting += call.operands.values()
    return found


def _cuts(value: TensorValue, needed: set[int]) -> Iterator[TensorCall]:
    """The calls on the way to the loss whose results autograd no longer follows."""
    seen = {id(value)}
    waiting: list[Value] = [value]
    while waiting:
        for call, _ in waiting.pop().uses:
            if id(call) not in needed or not isinstance(call, TensorCall):
                continue
            on = [r for r in call.results if isinstance(r, TensorValue) and r.wanted]
            if not on:
                yield call
            waiting += [r for r in on if id(r) not in seen]
            seen.update(map(id, on))


def _end(call: TensorCall) -> str:
    how = "" if call.graded else " under no_grad"
    place = f" in {call.module}" if call.module else ""
    return f"{call.name.strip('_')}{how}{place}"


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
