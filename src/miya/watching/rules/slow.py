"""What goes wrong slowly: a bias that drifts, a gradient that is mostly noise."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from statistics import median

from ..records import Finding, LayerRecord, StepRecord
from .rule import Limits

LOOK = 8  # watched steps from one look at the noise to the next


class Drift:
    """The mean of a hidden layer's bias keeps moving one way, until it outweighs what the
    activations differ by."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.past: dict[str, deque[tuple[int, float]]] = {}

    def feed(self, record: StepRecord) -> Iterator[Finding]:
        for layer in record.layers:
            if layer.bias_mean is not None and layer.activation is not None:
                yield from self._look(layer, layer.bias_mean, record.step)

    def _look(self, layer: LayerRecord, bias: float, step: int) -> Iterator[Finding]:
        past = self.past.setdefault(layer.layer, deque(maxlen=int(self.limits["window"])))
        if len(past) > 1 and (past[-1][1] - past[-2][1]) * (bias - past[-1][1]) <= 0:
            last = past[-1]
            past.clear()  # it turned: a new way begins
            past.append(last)
        past.append((step, bias))
        spread = layer.activation_deviation
        if len(past) < self.limits["window"] or not spread:
            return
        moved = bias - past[0][1]
        if abs(moved) >= self.limits["deviations"] * spread and abs(bias) >= abs(moved):
            facts = {
                "bias_mean": bias,
                "moved": moved,
                "deviations": abs(moved) / spread,
                "deviation": spread,
                "input_mean": layer.input_mean,
                "watched": len(past),
            }
            yield Finding("bias_drift", layer.layer, step, past[0][0], facts)


class Noise:
    """Batches disagree so much that their mean gradient can hardly be told from none, and the
    loss has not fallen."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.looks: deque[tuple[int, float, float]] = deque()  # step, loss, noise
        self.early: list[float] = []
        self.watched = 0

    def feed(self, record: StepRecord) -> Iterator[Finding]:
        noises = [layer.noise for layer in record.layers if layer.noise is not None]
        if not noises or record.loss is None:
            return
        limits, looks = self.limits, self.looks
        if len(self.early) < limits["early"]:
            self.early.append(record.loss)
        looks.append((record.step, record.loss, median(noises)))
        while len(looks) > limits["window"] and record.step - looks[0][0] > limits["steps"]:
            looks.popleft()
        self.watched += 1
        long = len(looks) >= limits["window"] and record.step - looks[0][0] >= limits["steps"]
        if long and self.watched % LOOK == 0:
            yield from self._judge(record)

    def _judge(self, record: StepRecord) -> Iterator[Finding]:
        limits, start = self.limits, median(self.early)
        often = sum(noise >= limits["noise"] for _, _, noise in self.looks) / len(self.looks)
        now = median(loss for _, loss, _ in self.looks)
        if often >= limits["often"] and now >= start - limits["fallen"] * abs(start):
            facts = {
                "often": often,
                "noise": limits["noise"],
                "examples": record.examples,
                "loss": now,
                "start": start,
                "watched": len(self.looks),
            }
            yield Finding("gradient_noise", "", record.step, self.looks[0][0], facts)
