"""Rewrites what the documents show of real commands, and the parts made from the records."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from sybil import Sybil
from sybil.parsers.markdown import CodeBlockParser

from . import PAGES, ROOT, console, made, name, pictures


def refreshed(page: Path, folder: Path) -> str:
    document = Sybil([CodeBlockParser("console", lambda example: None)]).parse(page)
    text = document.text
    for example in sorted(document.examples(), key=lambda e: -e.start):
        block = text[example.start : example.end]
        head, tail = block.index("\n") + 1, block.rindex("\n")
        shown = [
            console.Shown(s.command, console.refreshed(s.lines, console.run(s.command, folder)))
            for s in console.parse(example.parsed)
        ]
        block = block[:head] + "\n".join(map(str, shown)) + block[tail:]
        text = text[: example.start] + block + text[example.end :]
    return made.refreshed(text)


def main(chosen: list[str]) -> None:
    for page in [p for p in PAGES if not chosen or name(p) in chosen]:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(ROOT / "examples", Path(folder) / "examples")
            text = refreshed(page, Path(folder))
        if text != page.read_text("utf-8"):
            page.write_text(text, "utf-8")
            print(f"{name(page)} rewritten")
        drawn = page.parent.name == "models" and page.stem in pictures.EXAMPLES
        if drawn and pictures.refresh(page.stem):
            print(f"{name(page)}: picture drawn again")


main(sys.argv[1:])
