"""Writing an output whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import MiyaOutputError


def write_whole(path: str | Path, content: str) -> None:
    """Write `content` beside `path` and rename, so an old file is replaced whole or kept.

    Raises MiyaOutputError E508 where the folder is missing, read-only or full.
    """
    target = Path(path)
    if target.is_dir():
        raise MiyaOutputError(
            "E508", f"cannot write {target}: it is a folder", hint="name a file in it"
        )
    temporary = None
    try:
        # a link keeps pointing where it did
        real = target.resolve()
        handle, temporary = tempfile.mkstemp(dir=real.parent, prefix=".miya-", suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _mode(real))
        os.replace(temporary, real)
    except OSError as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        raise _refused(target, error) from error


def _refused(target: Path, error: OSError) -> MiyaOutputError:
    return MiyaOutputError(
        "E508",
        f"cannot write {target}: {error.strerror or error}",
        hint="choose a folder that exists, may be written and has room",
    )


def _mode(path: Path) -> int:
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


@contextmanager
def line_writer(path: str | Path) -> Iterator[Callable[[str], None]]:
    """Append whole lines to a fresh file beside `path`, renamed to it at the end.

    Each line is flushed when written; on any exception, Ctrl-C included, the finished lines
    are kept under `path`. An old file stays until the first line is there to replace it.
    Raises MiyaOutputError E508.
    """
    target = Path(path)
    part = target.with_name(f".{target.name}.part")
    if target.is_dir():
        raise MiyaOutputError(
            "E508", f"cannot write {target}: it is a folder", hint="name a file in it"
        )
    try:
        file = part.open("w", encoding="utf-8", newline="\n")
    except OSError as error:
        raise _refused(target, error) from error
    written = 0

    def write(line: str) -> None:
        nonlocal written
        try:
            file.write(line + "\n")
            file.flush()
        except OSError as error:
            raise _refused(target, error) from error
        written += 1

    try:
        yield write
    finally:
        with suppress(OSError):
            file.close()
        if written:
            os.replace(part, target)
        else:
            part.unlink(missing_ok=True)
