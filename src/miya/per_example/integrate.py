"""Each example's credits: its slopes integrated along the way of the step.

The same rule as for a network's credit (analysis/credit.py): ways are cut where a pre-activation
crosses a kink, summed by Gauss-Legendre quadrature, and halved where the credits of a piece do not
add up to its own change of the loss. Here every example keeps its own credits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..analysis.credit import FULL, MANY, QUICK, ULPS
from ..analysis.way import NARROWEST, Pieces, cut, halved, joined
from ..core.rounding import Array

TOLERANCE = 1e-10  # of an example's change of the loss, or of the mean one where that is more
ROUNDS = 44
MOST = 4000  # pieces an example, beside those between kinks


class Path(Protocol):
    """Examples at places of their ways; what analysis/way.py asks of one, and their slopes."""

    kinked: bool

    def chunks(self, count: int, each: int = 1) -> Iterator[slice]: ...

    def losses(self, example: Array, u: Array) -> Array: ...

    def sides(self, example: Array, u: Array) -> Array: ...

    def side(self, example: Array, k: Array, u: Array) -> Array: ...

    def slopes(self, example: Array, u: Array) -> Array: ...


@dataclass(frozen=True, eq=False)
class Integrated:
    """values: (examples, parameters); before, after: the loss at both ends, (examples,)."""

    values: Array
    before: Array
    after: Array
    pieces: int

    @property
    def residual(self) -> Array:
        found: Array = self.values.sum(axis=1) - (self.after - self.before)
        return found


def integrate(path: Path, examples: int, parameters: int) -> Integrated:
    """The credits of examples 0 … for their own change of the loss."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return _integrate(path, examples, parameters)


def _integrate(path: Path, examples: int, parameters: int) -> Integrated:
    every = np.arange(examples)
    before, after = path.losses(every, np.zeros(examples)), path.losses(every, np.ones(examples))
    values = np.zeros((examples, parameters))
    change = np.abs(after - before)
    usable = np.isfinite(change)
    values[~usable] = np.nan
    if not usable.any():
        return Integrated(values, before, after, 0)
    tolerance = TOLERANCE * np.maximum(change, change[usable].mean())
    own = every[usable]
    waiting, done = cut(_any(path), own, np.zeros(len(own)), np.ones(len(own))), 0
    most = len(waiting) + MOST * len(own)
    rule = QUICK if len(waiting) >= MANY else FULL
    for attempt in range(ROUNDS):
        last = attempt == ROUNDS - 1 or done + len(waiting) > most
        failed = []
        for part in path.chunks(len(waiting), len(rule.nodes)):
            pieces = waiting[part]
            good = _add(path, pieces, rule, tolerance, values, accept=last and rule is FULL)
            done += int(good.sum())
            failed.append(pieces[~good])
        left = [p for p in failed if len(p)]
        if not left:
            break
        waiting = joined(left) if rule is QUICK else halved(_any(path), joined(left))
        rule = FULL
    return Integrated(values, before, after, done)


def _any(path: Path) -> Any:
    return path


def _add(
    path: Path, pieces: Pieces, rule: Any, tolerance: Array, values: Array, *, accept: bool
) -> Array:
    """Which pieces were good enough (or were to be accepted), and were added to `values`."""
    count, width = len(pieces), pieces.high - pieces.low
    u = ((pieces.high + pieces.low) / 2)[:, None] + (width / 2)[:, None] * rule.nodes
    example = np.repeat(pieces.example, len(rule.nodes))
    slopes = path.slopes(example, u.ravel()).reshape(count, len(rule.nodes), -1)
    rough, exact = (
        np.einsum("pn,pnj->pj", (width / 2)[:, None] * w, slopes) for w in (rule.coarse, rule.fine)
    )
    missed = np.abs(exact.sum(axis=1) - (pieces.at_high - pieces.at_low))
    size, apart = np.abs(exact).sum(axis=1), np.abs(exact - rough).max(axis=1, initial=0.0)
    scale = np.maximum(np.abs(pieces.at_low), np.abs(pieces.at_high))
    floor = ULPS * np.finfo(np.float64).eps * np.maximum(scale, size)
    share = np.maximum(tolerance[pieces.example] * np.maximum(width, 1 / 64), floor)
    good = (missed <= share) & (apart**2 <= share * np.maximum(size, apart))
    good |= (width <= NARROWEST) | accept
    np.add.at(values, pieces.example[good], exact[good])
    return np.asarray(good)
