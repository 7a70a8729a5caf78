"""A folder of Parquet files, each complete, and a manifest that says what they are of.

Every file holds examples in a row and is named after them; it is written beside its place and
renamed, so a killed process leaves whole files only, and what comes next starts after the last.
"""

from __future__ import annotations

import json
import os
import re
import time
from bisect import insort
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..core.rounding import Array
from ..errors import MiyaInputError, MiyaOutputError
from ..render.files import REASONS, write_whole
from .columns import Block, joined, parquet
from .share import Share

FORMAT = 1
ALONE = Share()
OF_RANK = re.compile(r"\.parquet\.(\d+)\.tmp$")
MANIFEST = "_manifest.json"  # readers of Parquet leave out what starts with _ or .
PART = re.compile(r"examples-(\d{12})-(\d{12})\.parquet")
SECONDS, MOST = 2.0, 65_536  # a file is written when it is this old, or has so many examples


class Folder:
    """Takes blocks and gives columns, as `columns.Memory` does.

    Raises MiyaInputError E766 where the folder is of something else, E767 where another process
    is at it, E768 where its files do not fit together; MiyaOutputError E508 where it cannot be
    written.
    """

    def __init__(self, path: Path, manifest: dict[str, Any], share: Share = ALONE) -> None:
        self.path, self.waiting, self.since = path, list[Block](), time.monotonic()
        self.share = share
        self.lock: IO[bytes] | None = None
        parquet()
        with _told(path):
            path.mkdir(parents=True, exist_ok=True)
        self._claim()
        try:
            self.parts = parts_of(path, holes=True)
            self._compare(manifest)
        except BaseException:
            self.close(write=False)
            raise
        for left in path.glob(".*.tmp"):  # of a process that was killed
            named = OF_RANK.search(left.name)
            writer = int(named[1]) if named else 0
            mine = share.world == 1 or (named is not None and writer % share.world == share.rank)
            if mine:
                with suppress(OSError):
                    left.unlink()

    def _claim(self) -> None:
        with _told(self.path):
            name = f".lock-{self.share.rank}" if self.share.rank else ".lock"
            self.lock = (self.path / name).open("wb")
        try:
            import fcntl
        except ImportError:  # no such locks there: two processes are for the user to avoid
            return
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.lock.close()
            raise MiyaInputError(
                "E767",
                f"another process is writing to {self.path}",
                hint="wait for it, or name another folder",
            ) from None

    def _compare(self, manifest: dict[str, Any]) -> None:
        if not (self.path / MANIFEST).exists():
            if self.parts:
                raise MiyaInputError(
                    "E768",
                    f"{self.path} holds examples and no {MANIFEST}",
                    hint="name a fresh folder",
                )
            self._write_manifest(manifest)
            return
        check_same(self.path, manifest_of(self.path), manifest)

    def _write_manifest(self, manifest: dict[str, Any]) -> None:
        text = json.dumps({"format": FORMAT, **manifest}, ensure_ascii=False, indent=1)
        write_whole(self.path / MANIFEST, text)

    @property
    def done(self) -> int:
        """How many examples are safe on disk."""
        return sum(stop - first for first, stop, _ in self.parts)

    def missing(self, first: int, stop: int | None) -> list[tuple[int, int | None]]:
        """Which examples from `first` to the one before `stop` (None: the end) are not there."""
        found: list[tuple[int, int | None]] = []
        at = first
        for a, b, _ in self.parts:
            end = a if stop is None else min(a, stop)
            if at < end:
                found.append((at, end))
            at = max(at, b)
        if stop is None or at < stop:
            found.append((at, stop))
        return found

    def add(self, block: Block) -> None:
        self.waiting.append(block)
        many = sum(len(b) for b in self.waiting) >= MOST
        if many or time.monotonic() - self.since >= SECONDS:
            self.flush()

    def flush(self) -> None:
        """What waits, as one more file."""
        self.since = time.monotonic()
        if not self.waiting:
            return
        block = joined(self.waiting)
        name = f"examples-{block.first:012d}-{block.stop:012d}.parquet"
        temporary = self.path / f".{name}.{self.share.rank}.tmp"
        with _told(self.path):
            try:
                parquet().write_table(block.arrow(), temporary)
                with temporary.open("rb+") as file:
                    os.fsync(file.fileno())
                os.replace(temporary, self.path / name)
            finally:
                with suppress(OSError):
                    temporary.unlink()
        insort(self.parts, (block.first, block.stop, self.path / name))
        self.waiting = []

    def close(self, *, write: bool = True) -> None:
        try:
            if write:
                self.flush()
        finally:
            if self.lock is not None:
                self.lock.close()
                self.lock = None


class Read:
    """The columns of a folder."""

    def __init__(self, path: Path) -> None:
        self.path, self.parts = path, parts_of(path)

    @property
    def done(self) -> int:
        return self.parts[-1][1] if self.parts else 0

    def names(self) -> list[str]:
        if not self.parts:
            return []
        found = parquet().read_schema(self.parts[0][2]).names
        return [n for n in found if n not in ("example", "neuron", "delta")]

    def column(self, name: str) -> Array:
        if not self.parts:
            return np.zeros(0)
        found = [parquet().read_table(p, columns=[name])[name].to_numpy() for _, _, p in self.parts]
        return np.concatenate(found)

    def row(self, k: int) -> dict[str, Any]:
        first, _, path = next(p for p in self.parts if p[0] <= k < p[1])
        found: dict[str, Any] = parquet().read_table(path).slice(k - first, 1).to_pylist()[0]
        del found["example"]
        names, deltas = found.pop("neuron", None) or [], found.pop("delta", None) or []
        found["neurons"] = [(n, d) for n, d in zip(names, deltas, strict=True) if d != 0]
        return found


def manifest_of(path: Path) -> dict[str, Any]:
    """Raises MiyaInputError E766."""
    try:
        found = json.loads((path / MANIFEST).read_text("utf-8"))
        number = found["format"]
    except (OSError, ValueError, KeyError, TypeError):
        raise MiyaInputError(
            "E766",
            f"{path} has no {MANIFEST} that can be read",
            hint="name the folder that blame_examples wrote, or a fresh one",
        ) from None
    if number != FORMAT:
        raise MiyaInputError(
            "E766",
            f"{path} was written in format {number}; this version of Miya has format {FORMAT}",
            hint="name a fresh folder, or read it with the version that wrote it",
        )
    return dict(found)


def check_same(path: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Raises MiyaInputError E766 where a folder was started with something else."""
    fresh = json.loads(json.dumps(new))
    other = [key for key, value in fresh.items() if old.get(key) != value]
    if other:
        shown = [k for k in other if len(str(old.get(k))) + len(str(fresh[k])) < 80]
        tail = f": {shown[0]} was {old.get(shown[0])}, is {fresh[shown[0]]}" if shown else ""
        raise MiyaInputError(
            "E766",
            f"{path} was started with another {', '.join(other)}{tail}",
            hint="go on with what it was started with, or name a fresh folder",
        )


def parts_of(path: Path, *, holes: bool = False) -> list[tuple[int, int, Path]]:
    """The files with their first example and the one after their last, in order. holes: whether
    examples may be missing, as where several processes are not done.

    Raises MiyaInputError E768 where an example is missing between two or stands in two.
    """
    found = []
    for file in path.iterdir() if path.is_dir() else ():
        if match := PART.fullmatch(file.name):
            found.append((int(match[1]), int(match[2]), file))
    found.sort()
    at = 0
    for first, stop, file in found:
        if first < at or (first > at and not holes):
            raise MiyaInputError(
                "E768",
                f"{file} starts at example {first}, where {at} was expected",
                hint="put the missing file back, or name a fresh folder",
            )
        at = stop
    return found


class _told:
    """Turns what the system says into MiyaOutputError E508."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, OSError):
            system = error.strerror or str(error)
            what, hint = REASONS.get(type(error), (system, "choose a folder that has room"))
            if isinstance(error, FileExistsError):
                what, hint = "it is a file", "name a folder"
            raise MiyaOutputError("E508", f"cannot write {self.path}: {what}", hint=hint) from error
