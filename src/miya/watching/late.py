"""Records that wait are told also while the training stands still, as in a long evaluation."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable

INTERVAL = 0.25  # seconds between two looks at what waits


class Late:
    """Calls `look` now and then, on a thread of its own, until stopped or its owner is gone."""

    def __init__(self, look: Callable[[], None]) -> None:
        self.over = threading.Event()
        self.thread = threading.Thread(
            target=_run, args=(weakref.WeakMethod(look), self.over), daemon=True, name="miya.watch"
        )
        self.thread.start()

    def stop(self) -> None:
        self.over.set()
        if threading.current_thread() is not self.thread:
            self.thread.join(timeout=2.0)


def _run(look: weakref.WeakMethod[Callable[[], None]], over: threading.Event) -> None:
    while not over.wait(INTERVAL):
        call = look()
        if call is None:
            return
        call()
        del call
