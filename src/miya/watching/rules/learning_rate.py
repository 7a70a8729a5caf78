"""Too large a learning rate: the steps promise much, and the loss does not keep the promise."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from ..records import Finding, StepRecord
from .broken import is_broken
from .rule import Limits, largest_step


@dataclass(frozen=True)
class Look:
    """What one watched step says of the learning rate. promise: the predicted fall over |loss|.
    relative, whose: the largest step relative to its weight. risen: whether the real change was a
    rise by more than the promised fall."""

    step: int
    loss: float | None
    promise: float
    relative: float
    whose: str
    risen: bool
    predicted: float | None
    real: float | None


class LearningRate:
    """Four ways to tell it (`way`): over the window the loss is no lower than at the start though
    most steps promise much ("start"), or well above it after a step that was large beside its
    weight ("risen"); the loss of the same batch rose by more than the promised fall on most steps
    ("same_batch"); most steps are so large beside the weights that little is left of what was
    learned ("weights"; not at first, where a weight may grow from 0). And at once, where the
    numbers broke right after a step of either kind ("broke_promise", "broke_steps")."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.start: float | None = None
        self.largest: Look | None = None  # by its step
        self.watched = 0
        self.looks: deque[Look] = deque(maxlen=int(limits["window"]))

    def feed(self, record: StepRecord) -> Iterator[Finding]:
        if is_broken(record):
            yield from self._broke(record)
            return
        if self.start is None:
            self.start = record.loss
        look = _look(record)
        self.looks.append(look)
        self.watched += 1
        if self.largest is None or look.relative > self.largest.relative:
            self.largest = look
        way = self._way(self.largest) if len(self.looks) == self.looks.maxlen else None
        if way is not None:
            yield self._found(way, record.step)

    def _way(self, largest: Look) -> str | None:
        limits, looks = self.limits, self.looks
        if sum(look.risen for look in looks) >= limits["most"]:
            return "same_batch"
        if sum(map(self._promises, looks)) >= limits["most"] and self._is_above(1):
            return "start"
        if self._is_large(largest) and self._is_above(limits["risen"]):
            return "risen"
        settled = self.watched > limits["settled"]
        return "weights" if settled and sum(map(self._is_large, looks)) >= limits["most"] else None

    def _promises(self, look: Look) -> bool:
        return look.promise >= self.limits["promise"]

    def _is_large(self, look: Look) -> bool:
        return look.relative >= self.limits["relative_step"]

    def _is_above(self, times: float) -> bool:
        """Whether the loss of the window is at least so many times that of the start."""
        losses = [look.loss for look in self.looks if look.loss is not None]
        if self.start is None or len(losses) < len(self.looks):
            return False
        return median(losses) >= self.start + (times - 1) * abs(self.start)

    def _broke(self, record: StepRecord) -> Iterator[Finding]:
        last = self.looks[-1] if self.looks else None
        if last is not None and (self._promises(last) or self._is_large(last)):
            way = "broke_promise" if self._promises(last) else "broke_steps"
            yield self._found(way, record.step)
            self.looks.clear()

    def _found(self, way: str, step: int) -> Finding:
        looks = [self.looks[-1]] if way.startswith("broke") else list(self.looks)
        worst = max(looks, key=lambda look: look.relative)
        if way == "risen" and self.largest is not None:
            worst = self.largest
        facts = {
            "way": way,
            "relative_step": worst.relative,
            "moved": worst.whose,
            "at": worst.step,
            "promise": median(look.promise for look in looks),
            "start": self.start,
            "loss": looks[-1].loss,
            "predicted": looks[-1].predicted,
            "real": looks[-1].real,
            "watched": len(looks),
        }
        return Finding("learning_rate", "", step, looks[0].step, facts)


def _look(record: StepRecord) -> Look:
    loss, predicted, real = record.loss, record.predicted, record.real
    promise = 0.0
    if loss and predicted is not None and predicted < 0:
        promise = min(-predicted / abs(loss), math.inf)
    risen = (
        predicted is not None
        and real is not None
        and predicted < 0
        and real >= max(-predicted, 1e-3 * abs(loss or 0.0))
    )
    relative, whose = largest_step(record)
    return Look(record.step, loss, promise, relative, whose, risen, predicted, real)
