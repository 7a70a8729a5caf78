"""What every teller of a story says with: the words of its language, and Miya's remarks."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from .blocks import Mood, Paragraph, Remark
from .numbers import number, percent
from .words import load


class Speaker:
    """remarks: the section of the words that Miya's own stand in."""

    language: str
    digits: int
    miya: bool
    remarks: ClassVar[str] = "remarks"

    @cached_property
    def words(self) -> dict[str, dict[str, str]]:
        return load(self.language)

    def text(self, section: str, key: str, **values: Any) -> str:
        return self.words[section][key].format(**values)

    def say(self, section: str, key: str, **values: Any) -> Paragraph:
        return Paragraph(self.text(section, key, **values))

    def remark(self, key: str, mood: Mood, measure: str = "", **values: Any) -> list[Remark]:
        """Miya's remark, or nothing where she is to keep quiet."""
        if not self.miya:
            return []
        named = self.words["measures"].get(measure, "")
        note = self.text("general", "measure", measure=named) if measure else ""
        return [Remark(self.text(self.remarks, key, **values), mood, measure, note)]

    def number(self, value: float) -> str:
        return number(value, self.digits)

    def percent(self, share: float) -> str:
        return percent(share)
