"""A run folder, read: its records, those of several ranks as one."""

from __future__ import annotations

import heapq
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from ..errors import MiyaInputError, MiyaWarning
from ..read.need import need
from .columns import records_of, schema
from .merging import merge
from .records import Finding, LayerRecord, NeuronRecord, StepRecord
from .run_folder import META, ranks_of, read_meta

ROWS = 4096  # of a table that are records at once
NAMED = {"layers": ("layer",), "neurons": ("layer",), "groups": ("optimizer", "group")}


@dataclass(frozen=True)
class Run:
    """One start of a run folder.

    meta: what meta.json says of it. starts: those that are there. ranks: those that wrote this
    one, each with its last step (0 where it wrote none).
    """

    path: Path
    start: int
    starts: tuple[int, ...]
    ranks: Mapping[int, int]
    meta: Mapping[str, Any]

    def records(self, *, neurons: bool = True, warn: bool = True) -> Iterator[StepRecord]:
        """Every watched step in order, of all ranks as one (merging.py says how). Steps that not
        every rank has written are left out: their numbers would be of a part of the batch.

        neurons: whether those of single neurons are read too. warn: whether notes() are warnings.
        Raises MiyaInputError E746 for a file that cannot be read. Warns W780 where steps are left
        out, W781 where ranks that trained have written nothing at all.
        """
        for note in self.notes() if warn else ():
            warnings.warn(note, MiyaWarning, stacklevel=2)
        ranks = [self.of_rank(rank, neurons=neurons) for rank in self.ranks]
        if len(ranks) == 1 and self.trained == 1:
            yield from ranks[0]
            return
        found = heapq.merge(*map(_attempts, ranks), key=lambda pair: pair[0])
        for _, attempt in groupby(found, key=lambda pair: pair[0]):
            same = [record for _, record in attempt]
            if len(same) == len(self.ranks):
                yield merge(same, whole=len(same) >= self.trained)

    @property
    def trained(self) -> int:
        """How many ranks trained together."""
        return max(int(self.meta.get("ranks", 1)), len(self.ranks))

    def notes(self) -> list[str]:
        """What is missing of several ranks."""
        found = []
        first, last = min(self.ranks.values()), max(self.ranks.values())
        if first < last:
            behind = ", ".join(str(rank) for rank, step in self.ranks.items() if step == first)
            found.append(
                f"W780 {self.path}: rank {behind} has written up to step {first}, others up to "
                f"step {last}: the steps after {first} are left out"
            )
        if self.trained > len(self.ranks):
            there = ", ".join(map(str, self.ranks))
            found.append(
                f"W781 {self.path}: of the {self.trained} ranks that trained together only rank "
                f"{there} has written: losses, δ and activations are of its examples alone"
            )
        return found

    def of_rank(self, rank: int, *, neurons: bool = True) -> Iterator[StepRecord]:
        """Every watched step of one rank."""
        steps = table(self.path, "steps", rank, self.start)
        parts = {
            name: _by_step(name, table(self.path, name, rank, self.start))
            for name in ("layers", "groups", *(["neurons"] if neurons else []))
        }
        for _, record in records_of("steps", steps):
            found: dict[str, Any] = {name: part(record.step) for name, part in parts.items()}
            yield replace(record, rank=rank, **found)

    def findings(self) -> tuple[Finding, ...]:
        """In the order they were found; what several ranks found alike is told once."""
        found = {
            (f.rule, f.layer, f.step): f
            for rank in reversed(self.ranks)
            for _, f in records_of("findings", table(self.path, "findings", rank, self.start))
        }
        return tuple(sorted(found.values(), key=attrgetter("step", "rule", "layer")))


def read_run(path: str | Path, *, start: int | None = None) -> Run:
    """A run folder; start: which, of a training that was started several times; the last one.

    Raises MiyaInputError E640 without pyarrow, E740 for the folder of another version, E742 for
    a strange meta.json, E744 where there is no run folder, E745 where no step is written yet,
    E747 for a start that is not there.
    """
    need("pyarrow", "watch", "a run folder needs")
    folder = Path(path)
    if not (folder / META).is_file():
        raise MiyaInputError(
            "E744",
            f"{folder} is no run folder: it has no {META}",
            hint="name the folder that miya.watch wrote",
        )
    meta, ranks = read_meta(folder), ranks_of(folder)
    starts = tuple(sorted({s for found in ranks.values() for s in found}))
    chosen = start if start is not None else starts[-1] if starts else 0
    if start is not None and start not in starts:
        raise MiyaInputError(
            "E747",
            f"{folder} has no start {start}",
            hint=f"choose one of {', '.join(map(str, starts))}" if starts else "",
        )
    written = {r: _last_step(folder, r, chosen) for r, of in ranks.items() if chosen in of}
    if not any(written.values()):
        raise MiyaInputError(
            "E745",
            f"{folder} holds no watched step",
            hint="watch at least one step: the first, and then each of the chosen interval",
        )
    told = meta["starts"].get(str(chosen), {})
    return Run(folder, chosen, starts, written, told)


def table(folder: Path, name: str, rank: int, start: int) -> Any:
    """All parts of a table of one rank as one Arrow table.

    Columns that the files do not have are null. Raises MiyaInputError E746.
    """
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    made = schema(name)
    found = [made.empty_table()]
    parts = (folder / name / f"rank={rank}" / f"start={start}").glob("*.parquet")
    for file in sorted(parts, key=lambda f: (len(f.name), f.name)):
        try:
            read = pq.ParquetFile(file).read()
        except (OSError, pa.ArrowException) as fault:
            raise MiyaInputError(
                "E746",
                f"{file} cannot be read: {str(fault).splitlines()[0]}",
                hint="the other files stand on their own: move it away to go without it",
            ) from fault
        known = pa.schema([f for f in made if f.name in read.column_names])
        found.append(read.select(known.names).cast(known))
    return pa.concat_tables(found, promote_options="default")


def _last_step(folder: Path, rank: int, start: int) -> int:
    steps = table(folder, "steps", rank, start)["step"]
    return max(steps.to_pylist(), default=0)


def _attempts(records: Iterable[StepRecord]) -> Iterator[tuple[tuple[int, int], StepRecord]]:
    """Each record with its step, and how often that was tried before: a step that a GradScaler
    skipped is told of, and tried again."""
    step, before = 0, 0
    for record in records:
        step, before = record.step, before + 1 if record.step == step else 0
        yield (step, before), record


def _by_step(table_name: str, whole: Any) -> Any:
    """A function from a step to its records. Steps are asked for in the order of the rows; one that
    was tried twice is asked for twice."""
    rows = (
        (front["step"], record)
        for at in range(0, len(whole), ROWS)
        for front, record in records_of(table_name, whole.slice(at, ROWS))
    )
    waiting: list[tuple[int, LayerRecord | NeuronRecord]] = []

    def of(step: int) -> tuple[Any, ...]:
        found: dict[Any, Any] = {}
        while pair := waiting.pop() if waiting else next(rows, None):
            name = attrgetter(*NAMED[table_name])(pair[1])
            if pair[0] > step or name in found:
                waiting.append(pair)
                break
            if pair[0] == step:
                found[name] = pair[1]
        return tuple(found.values())

    return of
