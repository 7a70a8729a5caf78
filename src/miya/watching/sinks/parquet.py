"""Parquet, written beside the training: a killed process loses at most its last second.

A step only queues its record. A thread writes what waits more than once a second: each table's
newest part is written whole under another name and takes the old one's place, so a file is either
as it was or as it is to be. A part that is full is packed and left, and the next one is begun.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
import warnings
from collections import deque
from contextlib import suppress
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from ...errors import MiyaWarning
from ...read.need import need
from ..columns import as_table, numbers, rows
from ..ranks import world
from ..records import Finding, StepRecord
from ..run_folder import open_run

INTERVAL = 0.7  # seconds from one writing to the next
FULL = {"neurons": 1_000_000}  # bytes of a part, in memory; beyond it the next is begun
FULL_OTHERS = 500_000
MOST_WAITING = 1_000_000  # numbers; beyond it a step waits until they are written


class ParquetSink:
    """Writes a run folder (run_folder.py says its layout), or appends to one.

    neurons: whether the numbers of single neurons are written, by far the most of them.
    rank: of this process; start: the start that all ranks of this training write, where known.
    Raises MiyaInputError E640 without pyarrow, and what `open_run` does. Later it raises
    nothing: where a file cannot be written (a full disk) it warns once, W743, tries again with
    the next ones, and drops what is too much to keep.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        rank: int = 0,
        start: int | None = None,
        neurons: bool = True,
    ) -> None:
        need("pyarrow", "watch", "a run folder needs")
        _load()
        self.run = open_run(folder, rank=rank, start=start)
        self.neurons, self.ranks = neurons, world()
        self.waiting: deque[StepRecord | Finding] = deque()
        self.count = 0  # about how many numbers wait
        self.told = rank != 0  # whether meta.json names the layers and counts the ranks
        self.tables: dict[str, _Table] = {}
        self.fault: Exception | None = None
        self.warned = False
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.process = os.getpid()
        self.thread = threading.Thread(target=self._write_on, name="miya-parquet", daemon=True)
        self.thread.start()
        atexit.register(self.close)

    def step(self, record: StepRecord) -> None:
        self.count += numbers(record)
        self.waiting.append(record)
        if self.count > MOST_WAITING:
            self.flush()
        self._warn()

    def finding(self, finding: Finding) -> None:
        self.waiting.append(finding)

    def flush(self) -> None:
        """Write what waits. It is in the files when this returns, unless they cannot be written."""
        if os.getpid() != self.process:  # a fork has the records, and no right to the files
            self.waiting.clear()
            return
        with self.lock:
            self.count = 0
            found: list[StepRecord | Finding] = []
            while self.waiting:
                found.append(self.waiting.popleft())
            try:
                self._write(found)
            except Exception as fault:
                self.fault = self.fault or fault
                for table in self.tables.values():
                    table.forget()

    def close(self) -> None:
        self.over.set()
        if self.process == os.getpid() and self.thread is not threading.current_thread():
            self.thread.join()
        self.flush()
        atexit.unregister(self.close)
        self._warn()

    def _write_on(self) -> None:
        pause = INTERVAL
        while not self.over.wait(pause):
            begun = time.monotonic()
            self.flush()
            pause = max(INTERVAL - (time.monotonic() - begun), 0.05)

    def _write(self, found: list[StepRecord | Finding]) -> None:
        gathered: dict[str, list[tuple[Any, ...]]] = {}
        for record in found:
            for table, made in rows(record).items():
                if made and (self.neurons or table != "neurons"):
                    gathered.setdefault(table, []).extend(made)
        for table, made in gathered.items():
            self.tables.setdefault(table, _Table(table)).add(made)
        steps = [record for record in found if isinstance(record, StepRecord)]
        if steps and not self.told:
            self.run.tell_layers(((a.layer, a.kind) for a in steps[0].layers), self.ranks)
            self.told = True
        # steps last: a step that is told of has its layers
        for part in sorted(self.tables.values(), key=lambda t: t.name == "steps"):
            if part.fresh or (self.over.is_set() and part.held is not None):
                part.write(self.run.part(part.name, part.number), packed=self.over.is_set())

    def _warn(self) -> None:
        """Say once what went wrong, in the training's own thread. Nothing is ever raised there,
        so where warnings are made errors it goes to stderr."""
        if self.fault is None or self.warned:
            return
        self.warned = True
        system = getattr(self.fault, "strerror", None) or str(self.fault)
        said = (
            f"W743 the run folder {self.run.path} cannot be written: {system}. What is watched "
            "from here on may be missing there; the training goes on"
        )
        try:
            warnings.warn(said, MiyaWarning, stacklevel=3)
        except MiyaWarning:
            print(f"miya: {said}", file=sys.stderr)


class _Table:
    """The newest part of a table: the rows that are in its file, and those that are to be."""

    def __init__(self, name: str) -> None:
        self.name, self.number = name, 0
        self.held: Any = None
        self.written = 0  # rows

    @property
    def fresh(self) -> bool:
        return self.held is not None and len(self.held) > self.written

    def add(self, found: list[tuple[Any, ...]]) -> None:
        import pyarrow as pa  # type: ignore[import-untyped]

        made = as_table(self.name, found)
        self.held = made if self.held is None else pa.concat_tables([self.held, made])

    def write(self, path: Path, *, packed: bool = False) -> None:
        """Put what is held in the place of the file. Raises OSError; the old one then stays."""
        beside = path.with_name(f".{path.name}.tmp")  # a name that no reader of the folder takes
        try:
            beside.write_bytes(parquet_bytes(self.held, packed=packed or self.is_full))
            os.replace(beside, path)
        except BaseException:
            with suppress(OSError):
                beside.unlink()
            raise
        self.written = len(self.held)
        if self.is_full:
            self.number, self.held, self.written = self.number + 1, None, 0

    @property
    def is_full(self) -> bool:
        size: int = self.held.nbytes
        return size > FULL.get(self.name, FULL_OTHERS)

    def forget(self) -> None:
        """Of a part that cannot be written, keep no more than a part may hold."""
        if self.fresh and self.is_full:
            self.held = self.held.slice(0, self.written)


@lru_cache(maxsize=1)
def _load() -> None:
    """What pyarrow loads late is loaded now, not while the training runs or the process ends."""
    parquet_bytes(as_table("neurons", []), packed=True)


def parquet_bytes(table: Any, *, packed: bool) -> bytes:
    """A Parquet file, float64 in whole.

    packed: small, which takes three times as long. Bytes are then split by their place in the
    number, so that what was float32 takes half the room.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    texts = [f.name for f in table.schema if pa.types.is_string(f.type)]
    floats = [f.name for f in table.schema if pa.types.is_float64(f.type)]
    floats += [f"{f.name}.list.element" for f in table.schema if pa.types.is_list(f.type)]
    file = BytesIO()
    pq.write_table(
        table,
        file,
        compression="zstd" if packed else "none",
        use_dictionary=texts,
        use_byte_stream_split=floats if packed else False,
    )
    return file.getvalue()
