"""Two sides timed in turn, so that a busy machine slows both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Measure = Callable[[], float]  # runs once and gives its seconds


@dataclass(frozen=True)
class Pairs:
    """Seconds of each run; run k of both sides lies side by side in time."""

    ours: list[float]
    peer: list[float]

    @property
    def medians(self) -> tuple[float, float]:
        return statistics.median(self.ours), statistics.median(self.peer)

    def ratio(self, *, peer_over_ours: bool = False) -> tuple[float, tuple[float, float]]:
        """The median of the paired ratios, and their quartiles."""
        over, under = (self.peer, self.ours) if peer_over_ours else (self.ours, self.peer)
        ratios = [a / b for a, b in zip(over, under, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        return middle, (low, high)

    def fastest(self, *, peer_over_ours: bool = False) -> float:
        """The ratio of the fastest runs, which other programs disturbed least."""
        ours, peer = min(self.ours), min(self.peer)
        return peer / ours if peer_over_ours else ours / peer


def pairs(ours: Measure, peer: Measure, count: int) -> Pairs:
    """Measure both sides `count` times, in turn; who goes first changes from pair to pair."""
    times: dict[Measure, list[float]] = {ours: [], peer: []}
    for measure in (ours, peer):
        measure()
    for k in range(count):
        for measure in (ours, peer) if k % 2 else (peer, ours):
            times[measure].append(measure())
    return Pairs(times[ours], times[peer])


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
