"""What the picture of a model says: numbers as text, and their places on the scales."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from ...analysis.model.blame import ModelBlame, check_measure, model_blame
from ...analysis.model.boxes import boxes_of
from ...analysis.model.summary import Told, greediest, told
from ...core.model import ModelTrace
from ...story.numbers import number
from ...story.words import load
from ..content import minus, tone
from ..font import clean
from ..scene import Tone

DIGITS = 4


class ModelContent:
    """The trace's numbers for one picture, worked out once."""

    def __init__(
        self, trace: ModelTrace, measure: str, digits: int | None, language: str, miya: bool
    ) -> None:
        check_measure(measure)
        self.trace, self.measure, self.miya = trace, measure, miya
        self.digits, self.language = digits or DIGITS, language
        self.words: dict[str, str] = load(language)["model_diagram"]
        self.boxes = boxes_of(trace)
        self.told = told(trace, self.boxes, measure)

    @cached_property
    def blame(self) -> ModelBlame:
        return model_blame(self.trace, self.measure, top=2)  # type: ignore[arg-type]

    @cached_property
    def greedy(self) -> tuple[Told, int, float] | None:
        return greediest(self.told)

    @cached_property
    def largest_delta(self) -> float:
        sizes = [np.abs(t.delta).max(initial=0.0) for t in self.told if t.delta is not None]
        return float(max(sizes, default=0.0))

    @cached_property
    def largest_worth(self) -> float:
        found = [abs(t.worth) for t in self.told if t.worth is not None]
        return max((w for w in found if np.isfinite(w)), default=0.0)

    @cached_property
    def largest_size(self) -> float:
        return max((t.size for t in self.told), default=0.0)

    def say(self, key: str, **values: Any) -> str:
        return self.words[key].format(**values)

    def number(self, value: float) -> str:
        return minus(number(float(value), self.digits))

    def signed(self, value: float) -> str:
        text = self.number(value)
        return f"+{text}" if value > 0 else text

    def worth_tone(self, value: float) -> Tone:
        return tone(value, self.largest_worth)

    def shape(self, shape: tuple[int, ...]) -> str:
        return " × ".join(map(str, shape)) or "1"

    def kind(self, one: Told) -> str:
        """The line under a box's name."""
        unit = one.unit
        words = [clean(unit.kind)] if unit.kind else [clean(unit.path)] if unit.path else []
        if unit.many > 1:
            key = "many" if unit.kind else "many_mixed"
            words = [self.say(key, count=unit.many, kind=clean(unit.kind))]
        given = self.trace.values.get(unit.path) if unit.kind else None
        # a module may have moved its last result: its own shape is the one that readers know
        moved = given is not None and given.size == unit.result.size
        words.append(self.shape(given.shape if moved and given else unit.result.shape))
        return " · ".join(words)

    def pair(self, before: float, after: float) -> tuple[str, str]:
        """Both to as many digits as tell them apart, up to 8."""
        for digits in range(self.digits, max(8, self.digits) + 1):
            found = minus(number(before, digits)), minus(number(after, digits))
            if found[0] != found[1] or before == after:
                return found
        return found
