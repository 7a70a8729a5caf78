"""What Miya says when something is wrong: a code, what, where, and what to do."""

from __future__ import annotations

Path = tuple[str | int, ...]


class MiyaError(Exception):
    """Anything Miya raises on purpose. `str()` is one message a person can act on."""


class MiyaInputError(MiyaError):
    """The input is at fault.

    Attributes: `code` ("E101"), `what` (the fault with the value met), `hint` (what to do),
    `path` (keys and 0-based indices into the network description, such as
    ("layers", 0, "weight", 1)), `place` (file, line and column, once a reader knows them).
    """

    def __init__(
        self, code: str, what: str, *, hint: str = "", path: Path = (), place: str = ""
    ) -> None:
        self.code, self.what, self.hint, self.path, self.place = code, what, hint, path, place
        super().__init__(what)

    def __str__(self) -> str:
        head = f"{self.place}: " if self.place else ""
        tail = f". {self.hint[0].upper()}{self.hint[1:]}" if self.hint else ""
        return f"{self.code} {head}{self.what}{tail}"

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (self.code, self.what, self.hint, self.path, self.place))


class MiyaOutputError(MiyaInputError):
    """An output could not be written; the old file is untouched."""


class MiyaWarning(UserWarning):
    """Something allowed that is rarely meant. Its text starts with the code ("W301")."""


def _rebuild(code: str, what: str, hint: str, path: Path, place: str) -> MiyaInputError:
    return MiyaInputError(code, what, hint=hint, path=path, place=place)
