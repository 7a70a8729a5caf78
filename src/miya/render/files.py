"""Writing an output whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import MiyaOutputError

REASONS: dict[type[Exception], tuple[str, str]] = {
    FileNotFoundError: ("its folder does not exist", "make the folder first, or choose another"),
    NotADirectoryError: ("its folder is a file", "choose another folder"),
    PermissionError: ("it may not be written", "choose another file or folder"),
    IsADirectoryError: ("it is a folder", "name a file in it"),
}


def write_whole(path: str | Path, content: str | bytes) -> None:
    """Write `content` beside `path` and rename, so an old file is replaced whole or kept.

    A link keeps pointing where it did; a device or a pipe (/dev/null) is written to directly.
    Raises MiyaOutputError E508 where the folder is missing, read-only or full; no temporary
    file is left behind.
    """
    with _refusals(path):
        new = Replacement(path)
        try:
            new.write(content)
            new.commit()
        finally:
            new.discard()


@contextmanager
def line_writer(path: str | Path) -> Iterator[Callable[[str], None]]:
    """Write whole lines to a fresh file beside `path`, renamed to it at the end.

    On any exception, Ctrl-C included, the finished lines are kept under `path`. An old file
    stays where there is no line to replace it, or where one cannot be written.
    Raises MiyaOutputError E508.
    """
    with _refusals(path):
        new = Replacement(path)
    written = 0

    def write(line: str) -> None:
        nonlocal written
        with _refusals(path):
            new.write(line + "\n")
        written += 1

    try:
        yield write
    except MiyaOutputError:
        written = 0
        raise
    finally:
        try:
            if written:
                with _refusals(path):
                    new.commit()
        finally:
            new.discard()


class Replacement:
    """A file beside `path` that takes its place on `commit`, or is gone on `discard`."""

    def __init__(self, path: str | Path) -> None:
        # not Path.resolve, which raises RuntimeError on a loop of links
        self.real = Path(os.path.realpath(path))
        self.temporary: str | None = None
        if _is_special(self.real):
            self.file = self.real.open("wb", buffering=0)
            return
        if self.real.is_dir():
            raise IsADirectoryError
        # a rename would put a new file in the place of one that is write-protected
        with suppress(FileNotFoundError):
            os.close(os.open(self.real, os.O_WRONLY))
        handle, self.temporary = tempfile.mkstemp(
            dir=self.real.parent, prefix=".miya-", suffix=".tmp"
        )
        self.file = os.fdopen(handle, "wb", buffering=0)

    def write(self, content: str | bytes) -> None:
        """Write it all, so that nothing waits in a buffer. Raises OSError."""
        rest = memoryview(content.encode() if isinstance(content, str) else content)
        while rest:
            rest = rest[self.file.write(rest) or 0 :]

    def commit(self) -> None:
        if self.temporary is None:
            return
        os.fsync(self.file.fileno())
        self.file.close()
        with suppress(OSError):  # some file systems know no modes
            os.chmod(self.temporary, _mode(self.real))
        os.replace(self.temporary, self.real)
        self.temporary = None

    def discard(self) -> None:
        with suppress(OSError):
            self.file.close()
        if self.temporary:
            with suppress(OSError):
                os.unlink(self.temporary)


@contextmanager
def _refusals(path: str | Path) -> Iterator[None]:
    """Turns what the system says into MiyaOutputError E508."""
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a name or a text that no file can hold
        system = getattr(error, "strerror", None) or str(error)
        what, hint = REASONS.get(type(error), (system, "choose a folder that has room"))
        raise MiyaOutputError("E508", f"cannot write {path}: {what}", hint=hint) from error


def _is_special(path: Path) -> bool:
    """Whether it is a device or a pipe, which no other file can stand for."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _mode(path: Path) -> int:
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
