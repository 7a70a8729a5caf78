"""Which kinks lie between two places of a way, and where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...core.rerun import Chosen, Zero
from ...core.rounding import Array

Sides = Sequence[Zero | Chosen]
LOCATED = 1e-7  # of the way between two places: a kink so near one of them is cut at


def crossings(low: Sides, high: Sides, located: float = LOCATED) -> Array:
    """Where, from 0 (low) to 1 (high), each kink between them is by linear interpolation.

    A kink nearer than `located` to either end is left out: the way is cut there already.
    """
    found = [_crossed(a, b) for a, b in zip(low, high, strict=False)]
    place = np.concatenate([f for f in found if f.size]) if any(f.size for f in found) else _NONE
    return place[(place > located) & (place < 1 - located)]


_NONE = np.zeros(0)


def _crossed(a: Zero | Chosen, b: Zero | Chosen) -> Array:
    """|side at low| / (|side at low| + |side at high|) of each side that changes sign."""
    if isinstance(a, Zero):
        at_low, at_high = a.values, b.values
        if at_low.shape != at_high.shape:
            return _NONE
        changed = np.flatnonzero((at_low > 0) != (at_high > 0))
        one, other = np.abs(at_low[changed]), np.abs(at_high[changed])
    else:
        assert isinstance(b, Chosen)
        if a.index.shape != b.index.shape:
            return _NONE
        row, taken = np.nonzero(a.index != b.index)
        first, second = a.index[row, taken], b.index[row, taken]
        one = np.abs(a.values[row, first] - a.values[row, second])
        other = np.abs(b.values[row, second] - b.values[row, first])
    whole = one + other
    keep = whole > 0
    return np.asarray(one[keep] / whole[keep])
