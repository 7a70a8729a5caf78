"""What the picture of a model says: numbers as text, and their places on the scales."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from ...analysis.model.blame import ModelBlame, check_measure, model_blame
from ...analysis.model.boxes import boxes_of, parameters_read
from ...analysis.model.shown import Carried, Moved, carried, moved
from ...analysis.model.summary import Told, greediest, told
from ...core.model import ModelTrace
from ...core.rounding import Array
from ...story.numbers import number
from ...story.words import load
from ..content import minus, tone
from ..font import clean
from ..scene import Tone, View

DIGITS = 4


class ModelContent:
    """The trace's numbers for one picture, worked out once."""

    def __init__(
        self,
        trace: ModelTrace,
        measure: str,
        digits: int | None,
        language: str,
        miya: bool,
        view: View = "whole",
    ) -> None:
        check_measure(measure)
        self.trace, self.measure, self.miya, self.view = trace, measure, miya, view
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
    def carried(self) -> dict[Told, Carried | None]:
        """What each box gives, where the picture is of the forward pass."""
        return {t: carried(t.unit) for t in self.told} if self.view == "forward" else {}

    @cached_property
    def moved(self) -> dict[Told, Moved | None]:
        """What each box's parameters move by, where the picture is of the update."""
        if self.view != "update":
            return {}
        known = self.trace.parameters
        read = {t: [n for n in parameters_read(t.unit) if n in known] for t in self.told}
        return {t: moved([known[n] for n in some]) for t, some in read.items()}

    @cached_property
    def sizes(self) -> list[float]:
        """How much of what the view is of goes along the wires from each box."""
        if self.view == "forward":
            return [found.size if found else 0.0 for found in self.carried.values()]
        return [0.0 if self.view == "update" else t.size for t in self.told]

    @cached_property
    def largest_size(self) -> float:
        return max(self.sizes, default=0.0)

    def strip(self, one: Told) -> Array | None:
        """What a box's strip shows."""
        if self.view == "forward":
            found = self.carried[one]
            return None if found is None else found.means
        if self.view == "update":
            change = self.moved[one]
            return None if change is None else change.change
        return one.delta

    def line(self, one: Told) -> str:
        """The line under a box's strip; "" where there is none."""
        if self.view == "forward" and (found := self.carried[one]) is not None:
            low, mean, high = map(self.number, (found.low, found.mean, found.high))
            key = "values" if found.finite else "values_finite"
            return self.say(key, low=low, mean=mean, high=high)
        if self.view == "blame" and one.delta is not None:
            return self.say("delta_size", size=self.number(one.size))
        if self.view == "update" and (change := self.moved[one]) is not None:
            before, after = self.pair(change.before, change.after)
            return self.say("moved", before=before, after=after, size=self.number(change.size))
        return ""

    @property
    def cats(self) -> bool:
        """Whether Miya sits on the boxes: where δ is told."""
        return self.view in ("whole", "blame")

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
