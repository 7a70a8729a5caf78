"""The step of a recorded model and its story as JSON (docs/json.md)."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from ..analysis.explain_element import why_none
from ..core.calls import Call, Value
from ..core.model import ModelTrace, ParameterStep
from ..core.records import RECORDS
from ..core.rounding import Array
from ..story.blocks import Story
from .json import story_data, written

LARGEST = 1024  # numbers of an array that are written in full


def json(trace: ModelTrace, story: Story) -> str:
    return written(data(trace, story)) + "\n"


def data(trace: ModelTrace, story: Story) -> dict[str, Any]:
    """Plain lists, numbers and texts. A number that is not finite is null; an array of more than
    LARGEST numbers is told by its shape and what they are like."""
    return {
        "title": story.title,
        "step": trace.number,
        "carry": story.carry,
        "digits": story.digits,
        "dtype": trace.dtype,
        "device": trace.device,
        "loss": {
            "name": trace.root.call.name if trace.root.call else "",
            "before": finite(trace.loss),
            "after": finite(trace.loss_after),
            "predicted_change": finite(trace.predicted_change),
            "real_change": finite(trace.loss_after - trace.loss),
        },
        "optimizer": _optimizer(trace),
        "modules": [
            {"path": m.path, "kind": m.kind, "says": m.says, "training": m.training}
            for m in trace.modules.values()
        ],
        "parameters": [_parameter(p, trace.root) for p in trace.parameters.values()],
        "values": [_value(name, v) for name, v in trace.values.items() if v.name == name],
        "calls": [_call(call) for call in trace.calls],
        "notes": [{"code": code, "text": text} for code, text in trace.notes],
        **story_data(story),
    }


def finite(number: float) -> float | None:
    return float(number) if isfinite(number) else None


def _optimizer(trace: ModelTrace) -> dict[str, Any] | None:
    if trace.optimizer is None:
        return None
    groups = [{k: _plain(v) for k, v in g.items()} for g in trace.optimizer.groups]
    return {"name": trace.optimizer.name, "groups": groups}


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    if isinstance(value, bool | str | int) or value is None:
        return value
    try:
        return finite(float(value))
    except (TypeError, ValueError):
        return str(value)


def _parameter(p: ParameterStep, root: Value) -> dict[str, Any]:
    gradient = p.gradient
    return {
        "name": p.name,
        "aliases": list(p.aliases),
        "dtype": p.dtype,
        "trained": p.trained,
        "without_gradient": why_none(p, root),
        "before": array(p.before),
        "gradient": None if gradient is None else array(gradient),
        "change": array(p.change),
        "after": array(p.after),
    }


def _value(name: str, value: Value) -> dict[str, Any]:
    gradient = value.gradient
    return {
        "name": name,
        "kind": value.kind,
        "module": value.module,
        "dtype": value.dtype,
        "value": array(value.array),
        "gradient": None if gradient is None else array(gradient),
    }


def _call(call: Call) -> dict[str, Any]:
    return {
        "number": call.number,
        "operation": call.name,
        "module": call.module,
        "operands": [{"role": role, "name": v.name} for role, v in call.operands.items()],
        "results": [v.name for v in call.results],
        "recorded": call.name in RECORDS,
    }


def array(values: Array) -> dict[str, Any]:
    """shape, and values in full or what they are like."""
    found = np.asarray(values)
    shape = {"shape": list(found.shape)}
    if found.size <= LARGEST:
        return {**shape, "values": _numbers(found.tolist())}
    numbers = found.astype(np.float64)
    return {
        **shape,
        "least": finite(numbers.min()),
        "mean": finite(numbers.mean()),
        "greatest": finite(numbers.max()),
        "typical": finite(float(np.sqrt((numbers**2).mean()))),
    }


def _numbers(found: Any) -> Any:
    if isinstance(found, list):
        return [_numbers(v) for v in found]
    return finite(found) if isinstance(found, float) else found
