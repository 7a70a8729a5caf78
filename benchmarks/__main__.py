"""`python -m benchmarks [PART ...]` prints one table; it exits with 1 where a limit is missed.

Parts: steps, memory, processes, story, pictures, models, watching, per_example, play. Without a
name, all of them.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys

import numpy as np
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from . import memory, models, per_example, pictures, play, processes, steps, story, watching
from .rows import Row, table

PARTS = {
    "steps": steps.rows,
    "memory": memory.rows,
    "processes": processes.rows,
    "story": story.rows,
    "pictures": pictures.rows,
    "models": models.rows,
    "watching": watching.rows,
    "per_example": per_example.rows,
    "play": play.rows,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(unknown)}; choose {', '.join(PARTS)}")
    torch.set_num_threads(given.threads)
    found: list[Row] = []
    with threadpool_limits(given.threads, user_api="blas"):
        print(machine())
        for part in given.parts or PARTS:
            for row in PARTS[part](given.threads):
                found.append(row)
                print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(table(found))
    missed = [row.what for row in found if not row.met]
    print("\nevery limit is met" if not missed else "\nnot met: " + "; ".join(missed))
    return 1 if missed else 0


def machine() -> str:
    blas = {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
    threads = "/".join(map(str, sorted(blas)))
    return (
        f"{os.cpu_count()} cores; Python {platform.python_version()}, NumPy {np.__version__} "
        f"({threads} BLAS threads), PyTorch {torch.__version__} ({torch.get_num_threads()} "
        "threads), float64 where no other is named\n"
    )


if __name__ == "__main__":
    sys.exit(main())
