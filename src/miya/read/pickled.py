"""Telling a pickle from its name or its first bytes, so that it is refused unread.

Reading a pickle runs what it says; `.pt`, `.pth`, `.bin` and `.ckpt` files of torch hold one.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import NoReturn

from ..errors import MiyaInputError

SUFFIXES = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".joblib", ".ckpt")
PROTOCOLS = range(2, 6)  # older ones have no mark of their own
ZIP = b"PK\x03\x04"


def refuse(path: Path) -> NoReturn:
    """Raise MiyaInputError E501."""
    raise MiyaInputError(
        "E501",
        f"{path} refused: pickles can run code",
        hint="write the weights from your own process as safetensors "
        "(safetensors.torch.save_file(model.state_dict(), ...)), TOML or JSON",
    )


def refuse_pickle(path: Path) -> None:
    """Raise MiyaInputError E501 where `path` is a pickle by its name, or holds one by its content
    whatever its name."""
    if path.suffix.lower() in SUFFIXES or is_pickle(path):
        refuse(path)


def is_pickle(path: Path) -> bool:
    """Whether the file's content is a pickle, or a zip archive with one; False where it cannot
    be read."""
    try:
        with path.open("rb") as file:
            start = file.read(9)
        if start.startswith(ZIP):
            with zipfile.ZipFile(path) as archive:
                return any(n.endswith((".pkl", ".pickle")) for n in archive.namelist())
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False
    # safetensors starts with the length of its header, which may look like a protocol's mark
    marked = len(start) > 1 and start[0] == 0x80 and start[1] in PROTOCOLS
    return marked and start[8:9] != b"{"
