"""Everything about one number of a trace: what it is made of, its gradient, its update."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..core.calls import Value
from ..core.graph import Index
from ..core.model import ModelTrace, ParameterStep
from ..core.network_calls import network_calls
from ..core.trace import Trace
from ..errors import MiyaInputError
from .element_update import ElementUpdate, update_in_model, update_in_network
from .elements import Element, element_of_model, element_of_network
from .why import TOP, Level, Made, chain, made

Absent = Literal["frozen", "unused", "stopped", "constant"]


@dataclass(frozen=True, eq=False)
class Answer:
    """levels: from the element's gradient to the loss; empty for the loss itself.

    absent: why there is no gradient: a frozen parameter, one that the loss does not depend on,
    one that is read where nothing is passed back (detached, statistics), or no floating-point
    number. frozen: its gradient is there, and the update leaves it alone.
    """

    title: str
    element: Element
    made: Made | None
    levels: tuple[Level, ...]
    update: ElementUpdate | None
    absent: Absent | None
    frozen: bool
    loss: float
    batch: bool
    dtype: str
    root: Value

    @property
    def index(self) -> Index:
        return self.element.index


def explain_element(
    trace: Trace | ModelTrace, text: str, *, top: int = TOP, follow: Sequence[int] = ()
) -> Answer:
    """Raises MiyaInputError E620 to E622."""
    if top < 1 or any(rank < 1 for rank in follow):
        raise MiyaInputError(
            "E622", f"top is {top} and follow {list(follow)}", hint="count terms from 1"
        )
    if isinstance(trace, Trace):
        return _in_network(trace, text, top, follow)
    return _in_model(trace, text, top, follow)


def _in_network(trace: Trace, text: str, top: int, follow: Sequence[int]) -> Answer:
    calls = network_calls(trace)
    element = element_of_network(trace, calls, text)
    value, index = element.value, element.index
    assert value is not None
    coarse = 0.0 if trace.digits is None else 10.0 ** (1 - trace.digits)
    constant = value.kind == "target"
    update = trace.updates.get(value.name)
    frozen = update is not None and not bool(update.mask[index])
    name = trace.network.optimizer.name
    return Answer(
        trace.network.title,
        element,
        made(value, index, top=top, coarse=coarse),
        ()
        if constant
        else tuple(chain(calls.root, value, index, top=top, follow=follow, coarse=coarse)),
        None if update is None or frozen else update_in_network(update, index, name),
        "constant" if constant else None,
        frozen,
        trace.loss,
        trace.network.batch,
        str(trace.network.dtype),
        calls.root,
    )


def _in_model(trace: ModelTrace, text: str, top: int, follow: Sequence[int]) -> Answer:
    element = element_of_model(trace, text)
    value, index, parameter = element.value, element.index, element.parameter
    absent = absence(element, trace.root)
    levels = (
        ()
        if absent or value is None
        else tuple(chain(trace.root, value, index, top=top, follow=follow))
    )
    if absent == "unused" and value is not None and _leads_to(value, trace.root):
        absent = "stopped"
    elif levels and levels[0].gradient is None and not levels[0].uses_with_terms:
        absent, levels = "stopped", ()
    return Answer(
        trace.title,
        element,
        None if value is None else made(value, index, top=top),
        levels,
        None if parameter is None else update_in_model(parameter, trace.optimizer, index),
        absent,
        parameter is not None and not parameter.trained,
        trace.loss,
        True,
        value.dtype if value is not None else parameter.dtype if parameter else trace.dtype,
        trace.root,
    )


def absence(element: Element, root: Value) -> Absent | None:
    """Why an element has no gradient, or None where it has one."""
    value, parameter = element.value, element.parameter
    if parameter is not None:
        return why_none(parameter, root)
    if value is None or not value.dtype.startswith(("float", "bfloat")):
        return "constant"
    reached = value.call is None or value.has_gradient
    depends = any(r.has_gradient for call, _ in value.uses for r in call.results)
    return None if reached and (depends or value.has_gradient) else "unused"


def _leads_to(value: Value, root: Value) -> bool:
    """Whether the loss is worked out from a value, by whatever way."""
    seen, waiting = {id(value)}, [value]
    while waiting:
        found = waiting.pop()
        if found is root:
            return True
        made = [r for call, _ in found.uses for r in call.results if id(r) not in seen]
        seen.update(map(id, made))
        waiting += made
    return False


def why_none(parameter: ParameterStep, root: Value) -> Absent | None:
    """Why a parameter has no gradient: it is frozen, or the loss does not depend on it, or it
    does, and nothing is passed back. root: the loss."""
    if parameter.gradient is not None:
        return None
    uses = () if parameter.value is None else parameter.value.uses
    read = any(r.has_gradient for call, _ in uses for r in call.results)
    frozen = not parameter.trained and (read or parameter.group is not None)
    if frozen:
        return "frozen"
    stopped = parameter.value is not None and _leads_to(parameter.value, root)
    return "stopped" if stopped else "unused"
