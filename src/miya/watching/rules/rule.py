"""What a rule is: a name, where it comes from, its limits, and what looks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ..records import Finding, LayerRecord, StepRecord

Limits = Mapping[str, float]


class Finder(Protocol):
    """Looks at one watched step after the other. It may find the same thing again and again:
    `Rules` tells each once. What it remembers does not grow with the number of steps."""

    def feed(self, record: StepRecord) -> Iterable[Finding]: ...


@dataclass(frozen=True)
class Rule:
    """name: of its findings. source: the paper or document that it is from. limits: its
    thresholds, by name, as docs/watching.md tells them; a window counts watched steps.
    makes: a finder with these limits. broken: whether it also looks at steps whose numbers are
    not finite; always: at every watched step, not only at those that `Rules` picks.
    """

    name: str
    source: str
    limits: Limits
    makes: Callable[[Limits], Finder]
    broken: bool = False
    always: bool = False


class Streaks:
    """By layer, for how many watched steps in a row something holds, and since which step."""

    def __init__(self) -> None:
        self.since: dict[str, int] = {}
        self.counts: dict[str, int] = {}

    def hold(self, layer: str, step: int, holds: bool) -> int:
        """How many watched steps in a row it holds, this one included."""
        if not holds:
            if layer in self.counts:
                del self.counts[layer], self.since[layer]
            return 0
        self.since.setdefault(layer, step)
        count = self.counts[layer] = self.counts.get(layer, 0) + 1
        return count


def largest_step(record: StepRecord) -> tuple[float, str]:
    """The largest step relative to its weight among the layers, and whose; 0 where none is."""
    best, whose = 0.0, ""
    for layer in record.layers:
        relative = layer.relative_step
        if relative is not None and relative > best:
            best, whose = relative, layer.layer
    return best, whose


def learns(layer: LayerRecord) -> bool:
    """Whether the training means to move it."""
    return layer.held and not layer.frozen
