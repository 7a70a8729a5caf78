"""One row of the table: a figure of ours beside the peer's, as a ratio with its limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .timing import Pairs


@dataclass(frozen=True)
class Row:
    """`ratio` is ours / peer, or peer / ours where `at_least`; the median of its pairs.

    `spread` holds the quartiles of the pairs' ratios, `fastest` the ratio of the fastest runs.
    """

    what: str
    ours: str
    peer: str
    ratio: float
    spread: tuple[float, float] | None = None
    fastest: float | None = None
    limit: float | None = None
    at_least: bool = False

    @classmethod
    def of_pairs(
        cls,
        what: str,
        found: Pairs,
        unit: Callable[[float], str],
        limit: float | None = None,
        *,
        at_least: bool = False,
    ) -> Row:
        ratio, spread = found.ratio(peer_over_ours=at_least)
        ours, peer = map(unit, found.medians)
        fastest = found.fastest(peer_over_ours=at_least)
        return cls(what, ours, peer, ratio, spread, fastest, limit, at_least)

    @property
    def met(self) -> bool:
        if self.limit is None:
            return True
        return self.ratio >= self.limit if self.at_least else self.ratio <= self.limit

    def cells(self) -> tuple[str, ...]:
        spread = "" if self.spread is None else f"{self.spread[0]:.2f} to {self.spread[1]:.2f}"
        fastest = "" if self.fastest is None else f"{self.fastest:.2f}"
        limit = "" if self.limit is None else f"{'≥' if self.at_least else '≤'} {self.limit:g}"
        verdict = "" if self.limit is None else "met" if self.met else "NOT MET"
        return self.what, self.ours, self.peer, f"{self.ratio:.2f}", spread, fastest, limit, verdict


HEADER = ("what", "ours", "peer", "ratio", "quartiles", "fastest", "limit", "verdict")


def table(rows: Iterable[Row]) -> str:
    """A Markdown table, as docs/performance.md holds it."""
    lines = [HEADER, *(row.cells() for row in rows)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(HEADER))]
    texts = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    ]
    rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
    return "\n".join([texts[0], rule, *texts[1:]])


def seconds(value: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-6:.3g} µs"


def size(value: float) -> str:
    for unit, factor in (("MiB", 2**20), ("KiB", 2**10)):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value:.0f} B"
