"""Looking into a .npz before loading it: nothing in it is unpickled, or unpacked unmeasured.

numpy.load would give an array of objects to pickle, which can run code, and would unpack what a
small archive claims to hold. Here the headers of the arrays are read first, and of a network only
they.
"""

from __future__ import annotations

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..core.rounding import Array
from ..errors import MiyaInputError

LARGEST = 32 * 2**20  # bytes, all arrays of a file together, unpacked
LONGEST_HEADER = 10_000  # characters, as numpy.load allows
MOST_ARRAYS = 10_000


@dataclass(frozen=True)
class Member:
    """One array of the archive: what its header and its directory entry say."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    size: int  # bytes unpacked: the larger of what the header and the directory claim


def refuse_npz(path: Path) -> None:
    """Raise what is wrong with a .npz that is given as a network: E502, E503 or E219."""
    members(path)
    raise MiyaInputError(
        "E219",
        f"{path} is a .npz file of arrays, not a network",
        hint="give a network as .toml or .json",
    )


def members(path: str | Path) -> list[Member]:
    """The arrays of a .npz, from their headers alone.

    Raises MiyaInputError E220 (no archive of arrays), E502 (objects), E503 (too large).
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _check_size(path, sum(e.file_size for e in entries), len(entries))
            found = [_member(path, archive, entry) for entry in entries]
    except MiyaInputError:
        raise
    # a damaged archive makes zipfile and its decompressors raise errors of many kinds
    except Exception as error:
        raise _damaged(path, str(error)) from None
    _check_size(path, sum(m.size for m in found), len(found))
    return found


def arrays(path: str | Path) -> dict[str, Array]:
    """The arrays of a .npz by name; never objects.

    Raises MiyaInputError E220, E502, E503, before anything is unpacked.
    """
    names = [member.name for member in members(path)]
    try:
        with np.load(path, allow_pickle=False) as found:
            return {name.removesuffix(".npy"): found[name.removesuffix(".npy")] for name in names}
    except Exception as error:  # as in `members`
        raise _damaged(path, str(error)) from None


def _member(path: str | Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Member:
    with archive.open(entry) as file:
        shape, dtype = _header(file)
    if dtype.hasobject:
        raise MiyaInputError(
            "E502",
            f"{path} refused: {entry.filename} holds Python objects, and reading them can run code",
            hint="save arrays of numbers: array.astype(float)",
        )
    return Member(
        entry.filename, shape, dtype, max(entry.file_size, math.prod(shape) * dtype.itemsize)
    )


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in read:
        raise ValueError(f"version {version} of the format")
    shape, _, dtype = read[version](file, max_header_size=LONGEST_HEADER)
    return shape, dtype


def _check_size(path: str | Path, size: int, count: int) -> None:
    if count > MOST_ARRAYS:
        raise MiyaInputError(
            "E503", f"{path} holds {count} arrays, limit {MOST_ARRAYS}", hint="save fewer"
        )
    if size > LARGEST:
        raise MiyaInputError(
            "E503",
            f"{path} expands to {size / 2**20:.0f} MiB, limit {LARGEST // 2**20} MiB",
            hint="save fewer numbers, or load it in Python and give miya.load the arrays",
        )


def _damaged(path: str | Path, why: str) -> MiyaInputError:
    return MiyaInputError(
        "E220", f"{path} is no .npz archive of arrays: {why}", hint="save it again with numpy.savez"
    )
