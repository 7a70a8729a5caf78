"""The trace and its story as JSON."""

from __future__ import annotations

import json as standard
from collections.abc import Iterable
from math import isfinite
from typing import Any

from ..analysis.credit import Credit
from ..core.rounding import Array
from ..core.trace import LayerTrace, ParameterUpdate, Trace
from ..story.blocks import Remark, Story
from ..story.expression import plain
from ..story.symbols import plain_symbol


def json(trace: Trace, story: Story, credit: Credit | None) -> str:
    return written(data(trace, story, credit)) + "\n"


def written(value: Any, indent: str = "") -> str:
    """JSON with keys and parts on lines of their own, and rows of numbers whole."""
    if isinstance(value, dict) and not _flat(value.values()):
        brackets = "{}"
        parts = [f"{_dumps(str(k))}: {written(v, indent + ' ')}" for k, v in value.items()]
    elif isinstance(value, list) and not _flat(value):
        brackets = "[]"
        parts = [written(v, indent + " ") for v in value]
    else:
        return _dumps(value)
    inside = f",\n{indent} ".join(parts)
    return f"{brackets[0]}\n{indent} {inside}\n{indent}{brackets[1]}"


def _flat(values: Iterable[Any]) -> bool:
    return not any(isinstance(v, dict | list) for v in values)


def _dumps(value: Any) -> str:
    return standard.dumps(value, ensure_ascii=False, allow_nan=False)


def data(trace: Trace, story: Story, credit: Credit | None) -> dict[str, Any]:
    """Plain lists, numbers and texts. Arrays are batch first where there are more examples
    than one, plain vectors for one; weights are (out, in). Where the step makes the loss
    infinite, "after" and what follows from it is null."""
    network = trace.network
    return {
        "title": story.title,
        "step": trace.number,
        "carry": story.carry,
        "digits": story.digits,
        "learning_rate": network.learning_rate,
        "input": _examples(trace, network.inputs),
        "target": _examples(trace, network.targets),
        "loss": {
            "name": network.loss.name,
            "before": trace.loss,
            "after": _finite(trace.loss_after),
            "predicted_change": trace.predicted_change
            if isfinite(trace.predicted_change)
            else None,
            "real_change": credit and credit.real_change,
            "credit_sum": credit and credit.total,
            "residual": credit and credit.residual,
        },
        "optimizer": {"name": network.optimizer.name, **network.optimizer.options},
        "layers": [_layer(trace, layer, credit) for layer in trace.layers],
        **story_data(story),
    }


def story_data(story: Story) -> dict[str, Any]:
    """The calculations of a story in order, and what Miya says."""
    return {
        "steps": [
            {
                "kind": c.kind,
                "symbol": plain_symbol(c.symbol),
                "expression": plain(c.closed.tree, c.closed.write),
                "result": c.closed.result,
            }
            for c in story.calculations
        ],
        "remarks": [
            {"text": b.text, "measure": b.measure} for b in story.blocks if isinstance(b, Remark)
        ],
    }


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def _examples(trace: Trace, values: Array) -> Any:
    return (values if trace.network.batch else values[0]).tolist()


def _layer(trace: Trace, layer: LayerTrace, credit: Credit | None) -> dict[str, Any]:
    def arrays(values: Array) -> Any:
        return _examples(trace, values)

    return {
        "name": layer.name,
        "neurons": list(layer.layer.neurons),
        "activation": layer.layer.activation.name,
        "input": arrays(layer.input),
        "z": arrays(layer.z),
        "a": arrays(layer.a),
        "slope": None if layer.slope is None else arrays(layer.slope),
        "grad_a": arrays(layer.grad_a),
        "delta": arrays(layer.delta),
        "weight": _parameter(layer.weight, credit),
        "bias": _parameter(layer.bias, credit),
    }


def _parameter(update: ParameterUpdate, credit: Credit | None) -> dict[str, Any]:
    return {
        "before": update.before.tolist(),
        "gradient": update.gradient.tolist(),
        "change": update.change.tolist(),
        "after": update.after.tolist(),
        "credit": credit and credit.values[update.name].tolist(),
        "state": {name: values.tolist() for name, values in update.state.items()},
    }
