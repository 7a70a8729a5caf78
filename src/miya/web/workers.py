"""Where a request is worked out: processes that may be ended, with bounded time and memory.

pebble keeps the pool: a computation over its time ends with its process, and another is started.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
from concurrent.futures import TimeoutError as OutOfTime
from typing import Any

from .actions import Answer

SECONDS = 10.0
MEMORY = 512 * 2**20  # bytes above what the process has when it is ready
QUEUE = 16  # computations that wait or run


class Busy(Exception):
    """More than QUEUE computations are wanted at once."""


class Leaving(Exception):
    """The server stops, and what waited is not begun."""


class Failed(Exception):
    """A computation was ended: `code` of the answer, `text` for the person."""

    def __init__(self, code: str, text: str, hint: str) -> None:
        super().__init__(text)
        self.code, self.text, self.hint = code, text, hint


class Workers:
    """A pool of `count` processes. `ask` is called from one event loop."""

    def __init__(self, count: int = 2, *, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        from pebble import ProcessPool

        self.seconds, self.waiting, self.leaving = seconds, 0, False
        self.free = asyncio.Semaphore(count)
        self.pool = ProcessPool(
            max_workers=count,
            max_tasks=0,
            context=multiprocessing.get_context("spawn"),
            initializer=_prepare,
            initargs=(memory,),
        )

    async def ask(self, request: Any) -> Answer:
        """The answer of `act`. Raises Busy, Leaving, and Failed E810 out of time, E811 out of
        memory."""
        if self.waiting >= QUEUE:
            raise Busy
        self.waiting += 1
        try:
            async with self.free:  # what waits is here, where it can be sent away
                if self.leaving:
                    raise Leaving
                future = self.pool.schedule(_act, args=[request], timeout=self.seconds)
                answer: Answer = await asyncio.wrap_future(future)
                return answer
        except (TimeoutError, OutOfTime):
            raise Failed(
                "E810",
                f"this took over {self.seconds:g} seconds and was ended",
                "make the network, its data or the number of steps smaller",
            ) from None
        except MemoryError:
            raise _too_large() from None
        except Exception as error:
            if type(error).__name__ == "ProcessExpired":
                raise _too_large() from None
            raise
        finally:
            self.waiting -= 1

    def leave(self) -> None:
        """Finish what runs, and begin nothing more: what waits gets Leaving."""
        self.leaving = True

    def close(self) -> None:
        """End every process; what is being worked out is lost."""
        self.pool.stop()  # type: ignore[no-untyped-call]
        self.pool.join(5)


def _too_large() -> Failed:
    return Failed(
        "E811",
        "this needed more memory than the playground gives a computation",
        "make the network or its data smaller",
    )


def _prepare(memory: int) -> None:
    """Load what the answers need, then bound what may come on top of it."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's, which ends these
    from . import marking, numbers, training, views  # noqa: F401

    gc.collect()
    gc.freeze()  # the modules are there for good: no collection need go through them
    try:
        import resource

        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
    except (ImportError, OSError, ValueError):
        pass  # no such bound on this system; the bound of time stays


def _act(request: Any) -> Answer:
    from .actions import act

    return act(request)
