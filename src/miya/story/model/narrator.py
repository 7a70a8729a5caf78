"""What every part of a model's story tells with: the trace, its outline, and the words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ...analysis.outline import Outline, Unit, outline
from ...core.calls import Value
from ...core.model import ModelTrace
from ..blocks import Paragraph
from .voice import Voice

TERMS = 4  # of one sum


@dataclass(frozen=True)
class Narrator:
    """The trace, its outline and the words. only: the module that is told alone, or ""."""

    trace: ModelTrace
    v: Voice
    top: int
    only: str = ""

    @cached_property
    def outline(self) -> Outline:
        return outline(self.trace, top=self.terms)

    @property
    def terms(self) -> int:
        return max(TERMS, self.top)

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        return tuple(u for u in self.outline.units if self.told(u.path))

    def told(self, path: str) -> bool:
        return not self.only or path == self.only or path.startswith(f"{self.only}.")

    def say(self, key: str, **values: object) -> Paragraph:
        return self.v.say("model", key, **values)

    def text(self, key: str, **values: object) -> str:
        return self.v.text("model", key, **values)

    def header(self, *keys: str) -> tuple[str, ...]:
        return tuple(self.v.words["model"][key] for key in keys)


def shape_of(value: Value) -> str:
    return " x ".join(map(str, value.shape)) or "1"


def listed(paths: Sequence[str]) -> str:
    return ", ".join(paths) if len(paths) <= 4 else f"{paths[0]}, …, {paths[-1]} ({len(paths)})"
