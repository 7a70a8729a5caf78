"""When the memory of traces that were let go is taken back.

A trace's values and calls refer to each other, so that only the garbage collector frees them; it
counts objects, not their bytes, and would let many large traces pile up.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

ENOUGH = 2**25  # bytes
_recorded = [0]  # bytes recorded since the last collection


def recorded(size: int) -> None:
    _recorded[0] += size


@contextmanager
def collecting() -> Iterator[None]:
    """Collect first where much was recorded, and not inside: a trace is many small objects at
    once, none of them garbage."""
    enabled = gc.isenabled()
    if enabled and _recorded[0] > ENOUGH:
        _recorded[0] = 0
        gc.collect(1)
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
