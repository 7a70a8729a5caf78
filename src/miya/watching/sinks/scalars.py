"""The numbers of a step by name, for sinks that plot one line a name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from ..records import GroupRecord, LayerRecord, StepRecord

WHOLE = ("loss", "predicted", "real")
LAYER = tuple(f.name for f in fields(LayerRecord) if f.type == "float | None")
GROUP = tuple(f.name for f in fields(GroupRecord) if str(f.type).startswith("float"))


def scalars(record: StepRecord) -> Iterator[tuple[str, float]]:
    """What was measured: "loss", "gradient/LAYER", "group 0.1/learning_rate" and so on."""
    for name in WHOLE:
        value = getattr(record, name)
        if value is not None:
            yield name, value
    for layer in record.layers:
        for name in LAYER:
            value = getattr(layer, name)
            if value is not None:
                yield f"{name}/{layer.layer or 'model'}", value
    for group in record.groups:
        for name in GROUP:
            value = getattr(group, name)
            if value is not None:
                yield f"group {group.optimizer}.{group.group}/{name}", value
