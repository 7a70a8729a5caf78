"""A label that leaks through one input: its weights change most by far, and the loss vanishes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from statistics import median

from ..records import Finding, StepRecord
from .rule import Limits


class Leak:
    """One and the same input leads the change of the first layer's weights by far, each time it
    is looked at, while the loss comes down to a small part of what it was. A single strong and
    honest input looks alike: the finding says where to look."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.start: float | None = None
        self.losses: deque[float] = deque(maxlen=int(limits["window"]))
        self.input, self.count, self.since = -1, 0, 0

    def feed(self, record: StepRecord) -> Iterator[Finding]:
        if record.loss is None:
            return
        if self.start is None:
            self.start = record.loss
        self.losses.append(record.loss)
        for layer in record.layers:
            if layer.input_most is None:
                continue
            share, lead = layer.input_share or 0.0, layer.input_lead or 0.0
            self._count(layer.input_most, lead >= self.limits["lead"], record.step)
            if self.count >= self.limits["looks"] and self._has_fallen():
                facts = {
                    "input": self.input,
                    "share": share,
                    "lead": lead,
                    "start": self.start,
                    "loss": record.loss,
                }
                yield Finding("label_leak", layer.layer, record.step, self.since, facts)

    def _count(self, most: int, leads: bool, step: int) -> None:
        if not leads or most != self.input:
            self.input, self.count, self.since = most, 0, step
        if leads:
            self.count += 1

    def _has_fallen(self) -> bool:
        start = self.start or 0.0
        full = len(self.losses) == self.losses.maxlen
        return full and median(self.losses) <= self.limits["fallen"] * start
