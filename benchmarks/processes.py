"""Whole commands, each a new process, beside `python -c "import torch"`."""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import miya

from .rows import Row, seconds
from .timing import pairs, timed

RUNS = 15
SCRIPT = str(Path(sys.executable).with_name("miya"))


def rows(threads: int) -> Iterator[Row]:
    compileall.compile_dir(Path(miya.__file__).parent, quiet=1)
    for what, command, limit in (
        ("miya --version", [SCRIPT, "--version"], 5.0),
        ("miya (the original story)", [SCRIPT], 3.0),
    ):
        found = pairs(
            lambda command=command: timed(lambda: run(command)),
            lambda: timed(lambda: run([sys.executable, "-c", "import torch"])),
            RUNS,
        )
        yield Row.of_pairs(f"{what} / import torch", found, seconds, limit, at_least=True)


def run(command: list[str]) -> str:
    """What the command prints. Its bytecode may be written, so that only the first run compiles."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            command, env=kept, cwd=folder, capture_output=True, text=True, encoding="utf-8"
        )
    if done.returncode:
        raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout
