"""What was left out: a layer that does not learn, gradients that were not set back to zero."""

from __future__ import annotations

from collections.abc import Iterator

from ..records import Finding, LayerRecord, StepRecord
from .rule import Limits, Streaks, learns

GIVEN = ("Embedding", "EmbeddingBag")  # often taken over as they are, and not trained on purpose
HELD_STILL = "Norm"  # in the kind's name: norms are often kept as they were
ALL = "*"  # no layer's name


class Still:
    """A layer that does not move while others do. `reason`: "no_gradient" (none ever came),
    "zero_gradient" (it was exactly 0), "no_step" (a gradient came, and no step was made),
    "not_held" (no optimizer holds it) and "off" (its requires_grad is off). Of the last two, which
    may be meant, only where most of the model learns, and of no embedding or norm."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.streaks = Streaks()

    def feed(self, record: StepRecord) -> Iterator[Finding]:
        learning = sum(map(learns, record.layers))
        shut = any(layer.dead == 1 or layer.flat == 1 for layer in record.layers)
        moving = any(learns(layer) and layer.step for layer in record.layers)
        meant = learning <= self.limits["learning"] * len(record.layers)
        for layer in record.layers:
            reason = _reason(layer) if moving else ""
            if reason in ("not_held", "off") and (meant or _often_given(layer)):
                reason = ""
            if reason == "zero_gradient" and shut:
                reason = ""  # a layer that lets nothing through has a finding of its own
            count = self.streaks.hold(layer.layer, record.step, bool(reason))
            if count >= self.limits["window"]:
                since = self.streaks.since[layer.layer]
                facts = {"reason": reason, "gradient": layer.gradient, "watched": count}
                yield Finding("frozen_layer", layer.layer, record.step, since, facts)


def _reason(layer: LayerRecord) -> str:
    if layer.frozen:
        return "off"
    if not layer.held:
        return "not_held"
    if not layer.has_gradient:
        return "no_gradient"
    if layer.gradient == 0:
        return "zero_gradient"
    return "no_step" if layer.step == 0 and layer.gradient is not None else ""


def _often_given(layer: LayerRecord) -> bool:
    return layer.kind in GIVEN or HELD_STILL in layer.kind


class Kept:
    """Gradients of the step before were still there when new ones came: zero_grad is missing."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.streaks = Streaks()

    def feed(self, record: StepRecord) -> Iterator[Finding]:
        known = [layer for layer in record.layers if learns(layer)]
        kept = {layer.layer for layer in known if layer.kept}
        whole = bool(kept) and len(kept) >= self.limits["whole"] * len(known)
        held = [(ALL, whole), *((a.layer, a.layer in kept and not whole) for a in known)]
        for name, holds in held:
            count = self.streaks.hold(name, record.step, holds)
            if count >= self.limits["window"]:
                since = self.streaks.since[name]
                facts = {"layers": len(kept), "of": len(known), "watched": count}
                yield Finding("zero_grad", "" if name == ALL else name, record.step, since, facts)
