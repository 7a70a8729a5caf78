"""Conventions side by side, in every form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..analysis.compare import Comparison, Group
from ..story.blocks import Story
from ..story.compare import told
from ..story.quantity import Symbol
from ..story.symbols import plain_symbol
from .json import written


@dataclass(frozen=True)
class Compared:
    """A comparison that shows itself. `print()` tells it; `comparison` holds every number."""

    comparison: Comparison
    digits: int | None = None
    language: str = "en"
    miya: bool = True

    @property
    def story(self) -> Story:
        return told(self.comparison, digits=self.digits, language=self.language, miya=self.miya)

    def text(self, width: int = 88) -> str:
        from .text import text

        return text(self.story, width=width)

    def markdown(self) -> str:
        from .markdown import markdown

        return markdown(self.story)

    def html(self) -> str:
        from .worksheet_page import html

        return html(self.story, fields=False)

    def json(self) -> str:
        return written(self.data()) + "\n"

    def data(self) -> dict[str, Any]:
        """Variants, and each array under each; "factor" is that to the first variant, null where
        there is none."""
        return {
            "variants": [{"name": v.name, **v.chosen} for v in self.comparison.variants],
            "quantities": [_group(g) for g in self.comparison.groups],
        }

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        names = " | ".join(v.name for v in self.comparison.variants)
        return f"<Compared: {names}; print() tells>"


def _group(group: Group) -> dict[str, Any]:
    return {
        "symbol": plain_symbol(Symbol(group.head, group.layer, (), group.mark)),
        "step": group.step,
        "agrees": group.agrees,
        "factors": [r.factor for r in group.relations],
        "values": [v.tolist() for v in group.values],
    }
