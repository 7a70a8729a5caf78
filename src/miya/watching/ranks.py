"""This process's place among those that train together (torch.distributed)."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch.distributed as dist

from .run_folder import newest_start

_asked: dict[str, int] = {}  # how often a run folder was begun in this process


def rank() -> int:
    return dist.get_rank() if _together() else int(os.environ.get("RANK", "0"))


def world() -> int:
    return dist.get_world_size() if _together() else int(os.environ.get("WORLD_SIZE", "1"))


def agreed_start(folder: str | Path) -> int | None:
    """The start of a run folder that all ranks of this training write: the process that comes
    first says which, in the store that the process group was made with. Nobody waits, and no
    collective is called. None where there is no such store: ranks then agree by what they find."""
    if not _together() or world() == 1:
        return None
    name = os.path.abspath(folder)
    _asked[name] = turn = _asked.get(name, -1) + 1
    kept = store()
    if kept is None:
        return None
    found = kept.compare_set(f"miya/{name}/{turn}", "", str(newest_start(name) + 1))
    return int(found)


def _together() -> bool:
    return dist.is_available() and dist.is_initialized()


def store() -> Any:
    """That the process group was made with; None where there is none."""
    with suppress(AttributeError, RuntimeError, ValueError):
        return dist.distributed_c10d._get_default_store()
    return None
