"""Each side steps in a process of its own, where no memory or threads of the other are.

A worker builds its side, sends the parameters after one step, and then answers each request for
a burst of steps with the seconds that one took.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

import miya
from miya.core.step import take_step

from .networks import Case, build, peer
from .timing import timed

Array = np.ndarray[Any, Any]
Side = tuple[Callable[[int], None], list[Array]]  # takes so many steps; parameters after one
SETTLE = 0.03  # s: idle threads of either side spin on for a while before they sleep


def _ours(case: Case) -> Side:
    network = build(case)

    def steps(count: int) -> None:
        for _ in range(count):
            take_step(network)

    return steps, list(take_step(network).after.parameters().values())


def _train(case: Case) -> Side:
    network = build(case)

    def steps(count: int) -> None:
        for _ in miya.train(network, steps=count):
            pass

    return steps, list(take_step(network).after.parameters().values())


def _peer(case: Case) -> Side:
    made = peer(case, build(case))

    def steps(count: int) -> None:
        for _ in range(count):
            made.step()

    steps(1)
    return steps, [p.detach().numpy().copy() for p in made.model.parameters()]


SIDES = {"ours": _ours, "train": _train, "peer": _peer}


def serve(line: Connection, side: str, case: Case, threads: int) -> None:
    torch.set_num_threads(threads)
    with threadpool_limits(threads, user_api="blas"):
        steps, after = SIDES[side](case)
        line.send(after)
        while count := line.recv():
            time.sleep(SETTLE)
            steps(max(1, count // 10))  # wakes this side's threads, fills its caches
            line.send(timed(lambda count=count: steps(count)) / count)


@contextmanager
def worker(side: str, case: Case, threads: int, count: int) -> Iterator[Any]:
    """The parameters after one step, and a call that gives the seconds of one in `count`."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(there, side, case, threads), daemon=True)
    process.start()
    there.close()

    def measure() -> float:
        here.send(count)
        return float(here.recv())

    try:
        yield here.recv(), measure
    finally:
        here.send(0)
        process.join()
