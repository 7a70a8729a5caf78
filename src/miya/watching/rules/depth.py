"""Signals and their slopes on the way through the layers: they grow or die out layer by layer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..records import Array, Finding, LayerRecord, StepRecord
from .rule import Limits, Streaks

MEASURES = ("activations", "deltas")
WAYS = ("exploding", "vanishing")
BETWEEN = ("Norm", "Embedding")  # in the kind: layers that set a size of their own end a run


@dataclass(frozen=True)
class Run:
    """Layers in a row over which a measure keeps growing or shrinking, in the direction that it
    flows: activations from the first, deltas from the last. factor: the end's over the start's."""

    start: str
    end: str
    gaps: int
    factor: float


def measures(record: StepRecord) -> dict[str, list[tuple[str, float]]]:
    """Each in the direction of its flow, of the layers it was measured of; 0 of a layer that sets
    a size of its own."""
    found: list[tuple[str, float | None, float | None]] = [
        (a.layer, 0.0, 0.0)
        if any(kind in a.kind for kind in BETWEEN)
        else (a.layer, a.activation_deviation, a.delta)
        for a in record.layers
    ]
    return {
        "activations": [(name, v) for name, v, _ in found if v is not None],
        "deltas": [(name, v) for name, _, v in reversed(found) if v is not None],
    }


def runs(values: Sequence[tuple[str, float]], each: float) -> Iterator[Run]:
    """The longest runs whose every gap has a factor of at least `each` (above 1), or at most
    (below 1). A 0 or what is not finite ends a run."""
    begin = 0
    for k in range(1, len(values) + 1):
        if k < len(values) and _goes_on(values[k - 1][1], values[k][1], each):
            continue
        if k - 1 > begin:
            (start, first), (end, last) = values[begin], values[k - 1]
            yield Run(start, end, k - 1 - begin, last / first)
        begin = k


def _goes_on(before: float, after: float, each: float) -> bool:
    if not (before > 0 and 0 < after < math.inf):
        return False
    return after >= each * before if each > 1 else after <= each * before


class Extremes:
    """Where a measure explodes or vanishes (`way`) over the layers: over all its gaps by `whole`;
    or by less, `short`, if it is fast enough, `fast` a gap."""

    def __init__(self, way: str, limits: Limits) -> None:
        self.way = way
        self.limits = {"short": limits["whole"], "fast": limits["each"], **limits}

    def of(self, record: StepRecord) -> Iterator[tuple[str, Run]]:
        """The most extreme run of each measure, where one is."""
        for what, values in measures(record).items():
            if not self._can_be(values):
                continue
            found = list(filter(self._is_extreme, runs(values, self.limits["each"])))
            if found:
                most = max if self.limits["whole"] > 1 else min
                yield what, most(found, key=lambda run: run.factor)

    def _can_be(self, values: Sequence[tuple[str, float]]) -> bool:
        """Cheaply: whether any two are far enough apart."""
        sizes = [value for _, value in values if value > 0]
        far = max(self.limits["short"], 1 / self.limits["short"])
        return len(sizes) > self.limits["gaps"] and not max(sizes) < far * min(sizes)

    def _is_extreme(self, run: Run) -> bool:
        limits, each = self.limits, run.factor ** (1 / run.gaps)
        if run.gaps < limits["gaps"]:
            return False
        if limits["whole"] > 1:
            short = run.factor >= limits["short"] and each >= limits["fast"]
            return short or run.factor >= limits["whole"]
        short = run.factor <= limits["short"] and each <= limits["fast"]
        return short or run.factor <= limits["whole"]


class Growth:
    """A measure that comes to explode or vanish over the layers, and goes on. What was so on the
    first watched step is `initialisation`'s."""

    def __init__(self, way: str, limits: Limits) -> None:
        self.limits, self.extremes = limits, Extremes(way, limits)
        self.first: set[str] | None = None
        self.streaks = Streaks()

    def feed(self, record: StepRecord) -> Iterator[Finding]:
        found = dict(self.extremes.of(record))
        if self.first is None:
            self.first = set(found)
        for what in MEASURES:
            count = self.streaks.hold(what, record.step, what in found and what not in self.first)
            if count >= self.limits["window"]:
                run, since = found[what], self.streaks.since[what]
                facts = {"what": what, **_facts(run), "watched": count}
                yield Finding(self.extremes.way, run.end, record.step, since, facts)


class Beginning:
    """What a model begins with: signals or slopes that explode or vanish over the layers on the
    first watched step; neurons of a layer that are all alike, and stay so."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.extremes = [Extremes(way, _of(limits, f"{way}_")) for way in WAYS]
        self.first = True
        self.alike = Streaks()

    def feed(self, record: StepRecord) -> Iterator[Finding]:
        if self.first:
            for extreme in self.extremes:
                for what, run in extreme.of(record):
                    facts = {"what": what, "way": extreme.way, **_facts(run)}
                    yield Finding("initialisation", run.end, record.step, record.step, facts)
        if self.first or self.alike.counts:
            yield from self._alike(record)
        self.first = False

    def _alike(self, record: StepRecord) -> Iterator[Finding]:
        """The last layer is left out: two outputs of a softmax mirror each other."""
        kinds = {layer.layer: layer for layer in record.layers[:-1]}
        for neurons in record.neurons:
            layer = kinds.get(neurons.layer)
            if layer is None or not (self.first or layer.layer in self.alike.counts):
                continue
            same = _can_differ(layer) and _same(neurons.gradient, self.limits["alike"])
            count = self.alike.hold(layer.layer, record.step, same)
            if count >= self.limits["window"]:
                facts = {"what": "neurons", "way": "alike", "neurons": len(neurons.gradient)}
                since = self.alike.since[layer.layer]
                yield Finding("initialisation", layer.layer, record.step, since, facts)
                self.alike.hold(layer.layer, record.step, False)


def _of(limits: Limits, front: str) -> Limits:
    return {k.removeprefix(front): v for k, v in limits.items() if k.startswith(front)}


def _can_differ(layer: LayerRecord) -> bool:
    return layer.kind == "Linear" or layer.kind.startswith("Conv")


def _same(sizes: Array, within: float) -> bool:
    if len(sizes) < 4:
        return False
    least, most = float(sizes.min()), float(sizes.max())
    return 0 < most < math.inf and most - least <= within * most


def _facts(run: Run) -> dict[str, object]:
    return {
        "start": run.start,
        "end": run.end,
        "layers": run.gaps + 1,
        "factor": run.factor,
        "each": run.factor ** (1 / run.gaps),
    }
