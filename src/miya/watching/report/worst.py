"""The step that the report tells a story of: where it went wrong first, or the loss rose most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..records import Finding
from .history import History, Series

Why = Literal["broken", "finding", "real", "real_fall", "rise", "fall"]
MUCH = 2.0  # times its own median over the run: told
SHARE = 0.05  # a share of neurons that changed by this since the watched step before: told


@dataclass(frozen=True)
class Notable:
    """What a layer did there that it does not do otherwise.

    measure: of LayerRecord. value: at the step. usual: its median over the run, or of a share
    its value at the watched step before.
    """

    measure: str
    layer: str
    value: float
    usual: float


@dataclass(frozen=True)
class Worst:
    """k: the index of the step in the history. why: it was chosen. finding: which began there.
    of: the index of the step whose layers are told: the same, or the one before a broken one,
    whose update came before it."""

    k: int
    of: int
    why: Why
    finding: Finding | None
    notable: tuple[Notable, ...]


def worst(run: History, findings: Sequence[Finding]) -> Worst:
    """The first step whose loss, or whose layers' numbers, are not finite, where the optimizer did
    not skip it; else where the first finding began; else the step that raised the loss of its
    own batch most; else the one after which the loss rose most."""
    k, why, finding = _chosen(run, findings)
    of = k - 1 if why == "broken" and k > 0 else k
    return Worst(k, of, why, finding, tuple(_notable(run, of)))


def _chosen(run: History, findings: Sequence[Finding]) -> tuple[int, Why, Finding | None]:
    loss, real = run.whole["loss"], run.whole["real"]
    broken = [k for k in run.nonfinite if not run.skipped[k]]
    broken += np.flatnonzero(loss.broken & ~run.skipped).tolist()
    if broken:
        return min(broken), "broken", None
    if findings:
        first = min(findings, key=lambda f: (f.since, f.step))
        k = int(np.searchsorted(run.steps, first.since))
        return min(k, len(run.steps) - 1), "finding", first
    if real.finite.any():
        k = _largest(real)
        return k, "real" if real.values[k] > 0 else "real_fall", None
    if loss.finite.sum() > 1:
        rises = np.where(loss.finite[1:] & loss.finite[:-1], np.diff(loss.values), -np.inf)
        k = int(np.argmax(rises))
        return k, "rise" if rises[k] > 0 else "fall", None
    return 0, "fall", None


def _largest(values: Series) -> int:
    return int(np.argmax(np.where(values.finite, values.values, -np.inf)))


def _notable(run: History, k: int) -> Iterator[Notable]:
    """Of each measure the layer that is farthest from its usual, where it is far."""
    for measure in ("relative_step", "gradient", "delta"):
        found = [n for n in _at(run, measure, k) if n.usual > 0 and n.value >= MUCH * n.usual]
        if found:
            yield max(found, key=lambda n: n.value / n.usual)
    odd = {layer for layer, _ in run.nonfinite.get(k, ())}  # a NaN is neither silent nor not
    for measure in ("dead", "saturated"):
        found = [
            Notable(measure, layer, float(s.values[k]), float(s.values[k - 1]))
            for layer, s in run.of(measure).items()
            if k > 0 and s.finite[k] and s.finite[k - 1] and layer not in odd
        ]
        found = [n for n in found if n.value - n.usual >= SHARE]
        if found:
            yield max(found, key=lambda n: n.value - n.usual)


def _at(run: History, measure: str, k: int) -> Iterator[Notable]:
    for layer, values in run.of(measure).items():
        usual = values.median
        if values.finite[k] and usual is not None:
            yield Notable(measure, layer, float(values.values[k]), usual)
