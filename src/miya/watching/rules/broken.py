"""Numbers that are not finite: where the first one is, and where it came from."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..records import Finding, LayerRecord, StepRecord
from .rule import Limits, largest_step


def is_broken(record: StepRecord) -> bool:
    """Whether a number of this step was not finite that should have been. A GradScaler that
    skipped a step for an infinite gradient did its work."""
    if record.loss is not None and not math.isfinite(record.loss):
        return True
    return any(layer.nonfinite for layer in record.layers) and not (
        record.skipped and not any(layer.nonfinite == "output" for layer in record.layers)
    )


class NotFinite:
    """`cause` is "weights" where the layer's weights were broken before, "inputs" where the first
    layer gives no numbers though its weights are, "inside" of another layer, "gradient" where
    only what came back was not finite, "loss" where only the loss is not. Told once: what comes
    after it follows from it."""

    def __init__(self, limits: Limits) -> None:
        self.before: StepRecord | None = None  # the last step that was whole
        self.told = False

    def feed(self, record: StepRecord) -> Iterator[Finding]:
        if not is_broken(record):
            self.before = record
            return
        if self.told:
            return
        self.told = True
        layer, cause = _where(record)
        facts = {"cause": cause, "loss": _word(record.loss)}
        if self.before is not None:
            relative, whose = largest_step(self.before)
            facts |= {
                "before": self.before.step,
                "loss_before": self.before.loss,
                "relative_step": relative,
                "moved": whose,
            }
        yield Finding("not_finite", layer, record.step, record.step, facts)


def _where(record: StepRecord) -> tuple[str, str]:
    for k, layer in enumerate(record.layers):
        if layer.nonfinite == "output" or any(map(_broken, (layer.weight, layer.input_mean))):
            return layer.layer, "weights" if _broken(layer.weight) else _origin(k)
    hurt = [layer for layer in record.layers if layer.nonfinite]
    if record.loss is not None and not math.isfinite(record.loss):
        return "", "loss"
    return _first_hurt(hurt), "gradient"


def _origin(k: int) -> str:
    return "inputs" if k == 0 else "inside"


def _first_hurt(hurt: list[LayerRecord]) -> str:
    """What comes back goes from the last layer to the first."""
    return hurt[-1].layer


def _broken(value: float | None) -> bool:
    return value is not None and not math.isfinite(value)


def _word(loss: float | None) -> str | float | None:
    if loss is None or math.isfinite(loss):
        return loss
    return "NaN" if math.isnan(loss) else "inf" if loss > 0 else "-inf"
