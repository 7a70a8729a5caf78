"""Gradients that explode: through a sequence's time, or from one step to the next."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from statistics import median

from ..records import Finding, LayerRecord, StepRecord
from .rule import Limits, Streaks

KINDS = ("RNN", "LSTM", "GRU")


def _is_recurrent(layer: LayerRecord) -> bool:
    return any(kind in layer.kind for kind in KINDS)


class Recurrence:
    """A recurrent layer whose gradient dwarfs all others (`way` "others"), whose output grows
    large ("outputs"), or whose slope grows from its last call to its first ("calls"): on the
    first watched step, or on a window of them."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.first = True
        self.streaks = Streaks()

    def feed(self, record: StepRecord) -> Iterator[Finding]:
        rest = [a.gradient or 0.0 for a in record.layers if not _is_recurrent(a)]
        other, window = max(rest, default=0.0), 1 if self.first else self.limits["window"]
        self.first = False
        for layer in record.layers:
            if not _is_recurrent(layer) and layer.unrolled is None:
                continue
            way, factor = max(self._factors(layer, other), key=lambda found: found[1])
            explodes = factor >= self.limits["factor"]
            if self.streaks.hold(layer.layer, record.step, explodes) >= window:
                facts = {"way": way, "factor": factor, "gradient": layer.gradient}
                since = self.streaks.since[layer.layer]
                yield Finding("recurrence", layer.layer, record.step, since, facts)

    def _factors(self, layer: LayerRecord, other: float) -> Iterator[tuple[str, float]]:
        yield "calls", layer.unrolled or 0.0
        if _is_recurrent(layer):
            yield "outputs", layer.activation_deviation or 0.0
            yield "others", (layer.gradient or 0.0) / other if other > 0 else 0.0


class Spikes:
    """A layer's gradient is suddenly many times its usual size, and more than in the beginning,
    more than once. Told once, of the layer where it is most so: they mostly jump together."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.usual: dict[str, deque[float]] = {}
        self.early: dict[str, tuple[int, float]] = {}  # watched steps, largest gradient
        self.spikes: dict[str, list[int]] = {}
        self.told = False

    def feed(self, record: StepRecord) -> Iterator[Finding]:
        if self.told:
            return
        found = [
            finding
            for layer in record.layers
            if layer.gradient is not None and layer.gradient > 0
            for finding in self._look(layer.layer, layer.gradient, record.step)
        ]
        if found:
            self.told = True
            yield max(found, key=lambda finding: float(finding.facts["factor"]))

    def _look(self, name: str, gradient: float, step: int) -> Iterator[Finding]:
        limits = self.limits
        count, early = self.early.get(name, (0, 0.0))
        if count < limits["early"]:
            self.early[name] = (count + 1, max(early, gradient))
        usual = self.usual.setdefault(name, deque(maxlen=int(limits["window"])))
        spike = (
            count >= limits["early"]
            and gradient >= limits["beginning"] * early
            and gradient >= limits["factor"] * median(usual)
        )
        if not spike:
            usual.append(gradient)
            return
        found = self.spikes.setdefault(name, [])
        if len(found) < limits["times"]:
            found.append(step)
        if len(found) >= limits["times"]:
            facts = {
                "gradient": gradient,
                "usual": median(usual),
                "factor": gradient / median(usual),
                "times": len(found),
            }
            yield Finding("gradient_spikes", name, step, found[0], facts)
