"""Pooling: the largest, or the mean, of each window."""

from __future__ import annotations

import numpy as np

from ..calls import Call, Terms, Worked, element, local, picked
from ..graph import Index
from ..rounding import Array
from .record import Record, back, record
from .windows import Row, members, reading, rows_of


def _dimensions(call: Call) -> int:
    return next(n for n in (1, 2, 3) if f"{n}d" in call.name)


def _split(call: Call, index: Index) -> tuple[Index, Index, tuple[Row, ...]]:
    n = _dimensions(call)
    return index[:-n], index[-n:], rows_of(call, n)


def _winner(call: Call, lead: Index, rows: tuple[Row, ...], window: Index) -> Index:
    """The place of the largest: of equal ones the first, and a nan is larger than all (the last
    one, as torch goes on looking)."""
    places = members(rows, window)
    at = _joined(lead, places)
    numbers = picked(call.operands["input"].array, at)
    missing = np.flatnonzero(np.isnan(numbers))
    k = missing[-1] if len(missing) else int(np.argmax(numbers))
    return tuple(int(i) for i in at[k])


def _max_back(call: Call, role: str, index: Index) -> list[Terms]:
    lead, place, rows = _split(call, index)
    windows = reading(rows, place)
    won = [_winner(call, lead, rows, tuple(w)) == tuple(index) for w in windows]
    at = _joined(lead, windows)
    rule = "1 where it is the largest of the window, the first of equal ones; else 0"
    return [back(call, at, local(np.asarray(won, np.float64), "∂max/∂x", rule))]


def _joined(lead: Index, windows: Array) -> Array:
    before = np.broadcast_to(np.asarray(lead, np.int64), (len(windows), len(lead)))
    return np.concatenate([before, windows], axis=1)


def _max(call: Call, slot: int, index: Index) -> Worked | None:
    if slot:
        return None
    lead, window, rows = _split(call, index)
    x, at = call.operands["input"], _winner(call, lead, rows, window)
    return Worked("largest", {"largest": (x, at, float(x.array[at]))})


def _counts(call: Call, rows: tuple[Row, ...], windows: Array) -> tuple[Array, str]:
    """What each window's sum is divided by, and what that is."""
    fixed = call.option("divisor_override")
    if fixed is not None:
        return np.full(len(windows), float(fixed)), "divisor"
    padded = call.option("count_include_pad", True) and not call.name.startswith("adaptive")
    sizes = [row.spans if padded else (row.places >= 0).sum(axis=1) for row in rows]
    each = [size[w] for size, w in zip(sizes, windows.T, strict=True)]
    return np.prod(np.asarray(each, np.float64), axis=0), "places of the window"


def _mean_back(call: Call, role: str, index: Index) -> list[Terms]:
    lead, place, rows = _split(call, index)
    windows = reading(rows, place)
    counts, word = _counts(call, rows, windows)
    return [back(call, _joined(lead, windows), local(1 / counts, "1 / N", f"N = {word}"))]


def _mean(call: Call, slot: int, index: Index) -> list[Terms]:
    lead, window, rows = _split(call, index)
    places = members(rows, window)
    counts, word = _counts(call, rows, np.asarray([window], np.int64))
    share = local(np.full(len(places), 1 / counts[0]), "1 / N", f"N = {word}")
    return [Terms((share, element(call.operands["input"], _joined(lead, places))))]


WINDOW = "input kernel_size stride padding dilation ceil_mode return_indices output_size"
MEAN = f"{WINDOW} count_include_pad divisor_override"
for _n in (1, 2, 3):
    record(
        Record(
            f"max_pool{_n}d",
            "y[p] = the largest x[q] of window p",
            {"input": "∂C/∂x[q] = Σ δ[p] over the windows p whose largest is x[q]"},
            f"torch.nn.MaxPool{_n}d, torch.nn.AdaptiveMaxPool{_n}d",
            _max_back,
            _max,
            frozenset(WINDOW.split()),
        ),
        f"max_pool{_n}d_with_indices",
        f"adaptive_max_pool{_n}d",
        f"adaptive_max_pool{_n}d_with_indices",
    )
    record(
        Record(
            f"avg_pool{_n}d",
            "y[p] = Σ_q x[q] / N over window p",
            {"input": "∂C/∂x[q] = Σ_p δ[p] / N over the windows p that hold q"},
            f"torch.nn.AvgPool{_n}d, torch.nn.AdaptiveAvgPool{_n}d",
            _mean_back,
            _mean,
            frozenset(MEAN.split()),
        ),
        f"adaptive_avg_pool{_n}d",
    )
