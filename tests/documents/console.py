"""Console blocks: "$ command", then what it prints; a line "..." stands for any lines."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

ELIDED = "..."
COMMANDS = ("miya", "cat", "head", "tail", "grep", "sed", "ls", "echo", "python")


@dataclass(frozen=True)
class Shown:
    """A command and the lines that a document shows of its output."""

    command: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([f"$ {self.command}", *self.lines])


def parse(block: str) -> list[Shown]:
    found: list[Shown] = []
    for line in block.rstrip("\n").split("\n"):
        if line.startswith("$ "):
            found.append(Shown(line[2:], ()))
        elif found:
            found[-1] = Shown(found[-1].command, (*found[-1].lines, line))
        else:
            raise ValueError(f"a console block starts with '$ ', not {line!r}")
    return [Shown(s.command, _without_blank_end(s.lines)) for s in found]


def run(command: str, folder: Path) -> tuple[str, ...]:
    """What the command prints, errors included, in a shell whose `miya` is the one tested."""
    first = command.split()[0]
    if first not in COMMANDS:
        raise ValueError(f"{first} is not run in documents: show it in a sh block")
    here = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{here}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "88",
        "NO_COLOR": "1",
        "PYTHONUTF8": "1",
    }
    made = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=120,
    )
    return _without_blank_end(tuple(line.rstrip() for line in made.stdout.split("\n")))


def _without_blank_end(lines: tuple[str, ...]) -> tuple[str, ...]:
    return lines if not lines or lines[-1].strip() else _without_blank_end(lines[:-1])


def agrees(shown: tuple[str, ...], printed: tuple[str, ...]) -> bool:
    parts = [r"(?:.*\n)*" if line == ELIDED else re.escape(line) + r"\n" for line in shown]
    return bool(re.fullmatch("".join(parts), "".join(f"{line}\n" for line in printed)))


def refreshed(shown: tuple[str, ...], printed: tuple[str, ...]) -> tuple[str, ...]:
    """`shown` as it is printed now: each stretch between elisions becomes the lines, as many,
    that are most like it."""
    if ELIDED not in shown:
        return printed
    found: list[str] = []
    start = 0
    for stretch in _stretches(shown):
        if stretch == [ELIDED]:
            found.append(ELIDED)
            continue
        last = max(start, len(printed) - len(stretch))
        k = max(range(start, last + 1), key=lambda k: _likeness(stretch, printed[k:]))
        start = k + len(stretch)
        found += printed[k:start]
    return tuple(found)


def _stretches(lines: tuple[str, ...]) -> list[list[str]]:
    found: list[list[str]] = []
    for line in lines:
        if line != ELIDED and found and found[-1] != [ELIDED]:
            found[-1].append(line)
        else:
            found.append([line])
    return found


def _likeness(stretch: list[str], printed: tuple[str, ...]) -> float:
    return sum(
        SequenceMatcher(None, a, b, autojunk=False).ratio()
        for a, b in zip(stretch, printed, strict=False)
    )
