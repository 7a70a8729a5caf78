"""Neurons that say nothing (dead) or always the same (saturated), and what silenced them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ..records import Array, Finding, LayerRecord, StepRecord
from .rule import Limits, Streaks


@dataclass
class Past:
    """Of one layer, up to now. largest, at: the largest relative step, and when. negative: the
    step at which the mean of its bias went below 0; None where it never did, or began there.
    first: the first watched step. since: for each neuron, the step from which it is silent on
    every row (0: it is not), seen: on how many watched steps, rows: on how many rows."""

    first: int
    largest: float = 0.0
    at: int = 0
    negative: int | None = None
    bias: float | None = None
    since: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    seen: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    rows: Array = field(default_factory=lambda: np.zeros(0, np.int64))

    def note(self, layer: LayerRecord, step: int) -> None:
        if layer.relative_step is not None and layer.relative_step > self.largest:
            self.largest, self.at = layer.relative_step, step
        if layer.bias_mean is None:
            return
        after = layer.bias_mean + (layer.bias_step or 0.0)
        before = layer.bias_mean if self.bias is None else self.bias
        if before >= 0 > after:
            self.negative = step
        self.bias = after

    def count(self, silent: Array, rows: int, step: int) -> None:
        """silent: whether each neuron was, on every row."""
        if self.since.shape != silent.shape:
            self.forget(len(silent))
        self.since = np.where(silent, np.where(self.since > 0, self.since, step), 0)
        self.seen = np.where(silent, self.seen + 1, 0)
        self.rows = np.where(silent, self.rows + rows, 0)

    def forget(self, neurons: int = 0) -> None:
        self.since, self.seen, self.rows = (np.zeros(neurons, np.int64) for _ in range(3))


class Dead:
    """Neurons whose activation is 0 on every sampled row of every watched step of the window."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.past: dict[str, Past] = {}

    def feed(self, record: StepRecord) -> Iterator[Finding]:
        silent = {n.layer: n.silent for n in record.neurons}
        for layer in record.layers:
            if layer.dead is None:
                continue
            past = self.past.setdefault(layer.layer, Past(record.step))
            past.note(layer, record.step)
            if layer.dead < self.limits["share"]:
                if past.since.size:
                    past.forget()
                continue
            of = silent.get(layer.layer)
            if of is not None and of.size:
                past.count(of == 1, layer.sample or 1, record.step)
                yield from self._judge(layer, past, record.step)

    def _judge(self, layer: LayerRecord, past: Past, step: int) -> Iterator[Finding]:
        limits = self.limits
        long = step - past.since >= limits["steps"]
        dead = long & (past.seen >= limits["window"]) & (past.rows >= limits["rows"])
        count = int(np.count_nonzero(dead))
        if count < max(limits["share"] * len(dead), 1):
            return
        since = int(past.since[dead].max())
        facts = {
            "cause": self._cause(past, since),
            "share": count / len(dead),
            "count": count,
            "neurons": len(dead),
            "input_mean": layer.input_mean,
            "bias_mean": layer.bias_mean,
            "negative": past.negative,
            "relative_step": past.largest,
            "at": past.at,
            "watched": int(past.seen[dead].min()),
        }
        yield Finding("dead_neurons", layer.layer, step, since, facts)

    def _cause(self, past: Past, since: int) -> str:
        """What came before it: "bias" (it went below 0 about a large step), "step" (a large one
        was made), "start" (they were silent from the first watched step on), or "unknown"."""
        large = past.largest >= self.limits["relative_step"] and past.at <= since
        if large and past.negative is not None and past.at <= past.negative <= since:
            return "bias"
        if large:
            return "step"
        return "start" if since == past.first else "unknown"


class Saturated:
    """Most activations of a hidden layer stand where the sigmoid or tanh is flat. The last layer
    is left out: it may be sure of what it says."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.streaks = Streaks()
        self.first: int | None = None

    def feed(self, record: StepRecord) -> Iterator[Finding]:
        if self.first is None:
            self.first = record.step
        for layer in record.layers[:-1]:
            if layer.flat is None:
                continue
            count = self.streaks.hold(layer.layer, record.step, layer.flat >= self.limits["flat"])
            if count >= self.limits["window"]:
                yield self._found(layer, record.step, count)

    def _found(self, layer: LayerRecord, step: int, count: int) -> Finding:
        since = self.streaks.since[layer.layer]
        facts = {
            "from": "start" if since == self.first else "later",
            "flat": layer.flat,
            "saturated": layer.saturated,
            "activation": layer.activation,
            "input_mean": layer.input_mean,
            "watched": count,
        }
        return Finding("saturated", layer.layer, step, since, facts)
