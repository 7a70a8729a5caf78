"""What runs outside of the one module that is recorded: all of it, as one operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .recorder import Recorder
from .values import TensorCall, TensorValue, tensors_in

OUTSIDE = "outside"


def file_outside(
    recorder: Recorder, output: Any, only: str, names: Mapping[str, Iterable[str]]
) -> None:
    """After the forward pass: the call that stands for what was not recorded. It gives the model's
    outputs. What it passes back to a parameter, to an input of the module and to what the module
    gave is what the recorded uses do not. names: all those of each parameter, by the first."""
    results = [v for t in tensors_in(output) if _came_in(v := recorder.value_of(t))]
    if not results:
        return
    left = [v for visit in recorder.visits if visit.path == only for v in visit.outputs]
    home = f"{only}."
    given = [
        v
        for v in recorder.made
        if v.kind == "input" or not all(n.startswith(home) for n in names.get(v.name, [home]))
    ]
    operands = {id(v): v for v in (*given, *left) if v.wanted and v not in results}
    arguments = {f"input{k or ''}": v for k, v in enumerate(operands.values())}
    call = TensorCall(OUTSIDE, arguments, tuple(results), "", None, None)
    call.number, call.by_rest = len(recorder.calls), True
    recorder.calls.append(call)
    for role, operand in call.operands.items():
        operand.uses.append((call, role))
    for slot, value in enumerate(results):
        value.call, value.slot, value.kind = call, slot, "result"


def _came_in(value: TensorValue) -> bool:
    """Whether it was made where nothing was recorded."""
    return value.call is None and value.kind == "input" and value.hooked
