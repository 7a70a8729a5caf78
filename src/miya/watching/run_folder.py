"""A run folder: where a watched training is written, and what says which version wrote it.

    run/meta.json                               format, versions, when each start began, layers
    run/steps/rank=0/start=0/00000.parquet      and so for layers, neurons, groups, findings

A training that is started again in the same folder appends: it gets the next start.
"""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..errors import MiyaInputError, MiyaOutputError
from ..render.files import REASONS, write_whole
from .columns import RECORDS
from .records import FORMAT

META = "meta.json"


@dataclass(frozen=True)
class RunFolder:
    """The place of one rank and one start in a run folder."""

    path: Path
    rank: int
    start: int

    def part(self, table: str, number: int) -> Path:
        """The file of a part of a table."""
        return self.place(table) / f"{number:05}.parquet"

    def place(self, table: str) -> Path:
        return self.path / table / f"rank={self.rank}" / f"start={self.start}"

    def tell_layers(self, layers: Iterable[tuple[str, str]], ranks: int = 1) -> None:
        """Write the layers (path and kind) of this start into meta.json, and how many ranks train
        together. Raises OSError."""
        meta = read_meta(self.path)
        start = meta["starts"].setdefault(str(self.start), _now())
        start["layers"], start["ranks"] = [list(layer) for layer in layers], ranks
        _write_meta(self.path, meta)


def open_run(path: str | Path, *, rank: int = 0, start: int | None = None) -> RunFolder:
    """Make the folder, or take the next start in one that is there, and say so in meta.json.

    start: told by who knows it of all ranks; otherwise ranks agree by what they find.
    Raises MiyaInputError E740 for the folder of another version, MiyaOutputError E741 where it
    cannot be written, E742 where meta.json is none of Miya's.
    """
    folder = Path(path)
    try:
        there = (folder / META).exists()
        if there:
            read_meta(folder)
        begun = _starts(folder)
        run = RunFolder(folder, rank, _next(begun, rank) if start is None else start)
        for table in RECORDS:
            run.place(table).mkdir(parents=True, exist_ok=True)
        if rank == 0 or not there:
            _begin(run)
    except OSError as fault:
        raise cannot_write(folder, fault) from fault
    return run


def _begin(run: RunFolder) -> None:
    with suppress(FileNotFoundError):
        meta = read_meta(run.path)
        if str(run.start) not in meta["starts"]:
            meta["starts"][str(run.start)] = _now()
            _write_meta(run.path, meta)
        return
    _write_meta(run.path, {"format": FORMAT, "starts": {str(run.start): _now()}})


def cannot_write(folder: Path, fault: OSError) -> MiyaOutputError:
    system = fault.strerror or str(fault)
    what, _ = REASONS.get(type(fault), (system, ""))
    what = what.replace("its folder", "a folder above it").replace("it is a folder", system)
    if folder.is_file():
        what = "it is a file"
    return MiyaOutputError(
        "E741",
        f"cannot write the run folder {folder}: {what}",
        hint="choose a folder that may be written",
    )


def read_meta(folder: Path) -> dict[str, Any]:
    """What meta.json says. Raises FileNotFoundError; MiyaInputError E740 for another format,
    E742 for what is no meta.json of Miya's."""
    file = folder / META
    try:
        meta = json.loads(file.read_text("utf-8"))
    except ValueError:
        meta = None
    if not isinstance(meta, dict) or not isinstance(meta.get("format"), int):
        raise _not_ours(file)
    if meta["format"] != FORMAT:
        raise MiyaInputError(
            "E740",
            f"{folder} is a run folder of format {meta['format']}; this version of Miya reads "
            f"and writes format {FORMAT}",
            hint="choose another folder, or the version of Miya that wrote it",
        )
    starts = meta.get("starts")
    if not isinstance(starts, dict) or not all(isinstance(s, dict) for s in starts.values()):
        raise _not_ours(file)
    return meta


def _not_ours(file: Path) -> MiyaInputError:
    return MiyaInputError("E742", f"{file} is not what Miya writes", hint="choose another folder")


def ranks_of(folder: Path) -> dict[int, tuple[int, ...]]:
    """The ranks that have written, each with its starts."""
    return {rank: tuple(sorted(found)) for rank, found in sorted(_starts(folder).items())}


def newest_start(folder: str | Path) -> int:
    """The newest of all ranks; -1 where nothing was begun."""
    return max((s for found in _starts(Path(folder)).values() for s in found), default=-1)


def _starts(folder: Path) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for place in (folder / "steps").glob("rank=*/start=*"):
        named = re.fullmatch(r"rank=(\d+)/start=(\d+)", "/".join(place.parts[-2:]))
        if named:
            found.setdefault(int(named[1]), set()).add(int(named[2]))
    return found


def _next(begun: Mapping[int, set[int]], rank: int) -> int:
    """The newest start of any rank where this one has not joined it, otherwise the one after."""
    mine = max(begun.get(rank, {-1}))
    newest = max((max(found) for found in begun.values()), default=0)
    return newest if newest > mine else mine + 1


def _now() -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "miya": _version("miya"),
        "torch": _version("torch"),
        "python": platform.python_version(),
        "layers": [],
    }


def _version(package: str) -> str | None:
    with suppress(PackageNotFoundError):
        return version(package)
    return None


def _write_meta(folder: Path, meta: Mapping[str, Any]) -> None:
    write_whole(folder / META, json.dumps(meta, ensure_ascii=False, indent=1) + "\n")
