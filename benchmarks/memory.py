"""What a trace holds in memory, beside the arrays that it keeps."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from miya.core.graph import Node
from miya.core.network import Network
from miya.core.step import take_step
from miya.core.trace import Trace

from .networks import LARGE, SMALL, TINY, build
from .rows import Row, size

LIMIT = 1.3


def rows(threads: int) -> Iterator[Row]:
    network = build(LARGE)
    retained, peak, kept = measure(network)
    name = f"trace {LARGE.name}"
    yield Row(
        f"{name}: held / arrays kept", size(retained), size(kept), retained / kept, limit=LIMIT
    )
    yield Row(f"{name}: peak / arrays kept", size(peak), size(kept), peak / kept)
    for case in (TINY, SMALL):
        retained, _, kept = measure(build(case))
        what = f"trace {case.name}: held / arrays kept"
        yield Row(what, size(retained), size(kept), retained / kept)


def measure(network: Network) -> tuple[int, int, int]:
    """Bytes that one trace holds, that making it took at most, and of the arrays it keeps.

    Only what the step made counts, on both sides: the network was there before.
    """
    take_step(network)  # caches that outlive a trace are filled here
    gc.collect()
    tracemalloc.start()
    try:
        trace = take_step(network)
        retained, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return retained, peak, bytes_kept(trace)


def bytes_kept(trace: Trace) -> int:
    """Σ nbytes of the distinct arrays that the trace keeps and its network does not."""
    before = arrays(trace.network)
    return sum(a.nbytes for key, a in arrays(trace).items() if key not in before)


def arrays(thing: Any) -> dict[int, np.ndarray[Any, Any]]:
    """The distinct arrays that own their memory, in an object and all it holds, by id."""
    found: dict[int, np.ndarray[Any, Any]] = {}
    seen: set[int] = set()
    waiting = [thing]
    while waiting:
        at = waiting.pop()
        if id(at) in seen:
            continue
        seen.add(id(at))
        if isinstance(at, np.ndarray):
            if isinstance(at.base, np.ndarray):
                waiting.append(at.base)
            else:
                found[id(at)] = at
        else:
            waiting += _parts(at)
    return found


def _parts(at: Any) -> list[Any]:
    if isinstance(at, dict):
        return list(at.values())
    if isinstance(at, list | tuple):
        return list(at)
    if isinstance(at, Node):
        return [getattr(at, name) for name in Node.__slots__]
    if is_dataclass(at) and not isinstance(at, type):
        return [getattr(at, field.name) for field in fields(at)]
    return list(vars(at).values()) if type(at).__module__.startswith("miya.") else []
