"""Records with only what one rule reads, and what the rules find in them."""

from miya.watching.records import LayerRecord, StepRecord
from miya.watching.rules import Rules

SOUND = {"gradient": 0.1, "weight": 1.0, "step": 0.001, "relative_step": 0.001}


def layer(name="0", kind="Linear", **facts):
    return LayerRecord(name, kind, **{**SOUND, **facts})


def record(step, *layers, loss=1.0, predicted=-1e-3, neurons=(), **more):
    facts = {"seconds": 0.0, "real": None, "examples": 8, "skipped": False, **more}
    found = layers or (layer(),)
    return StepRecord(
        step=step, loss=loss, predicted=predicted, layers=found, neurons=tuple(neurons), **facts
    )


def fed(records, rules=None):
    rules = rules or Rules()
    return [f for r in records for f in rules.feed(r)]


def named(found):
    return [(f.rule, f.layer, f.since, f.step) for f in found]
