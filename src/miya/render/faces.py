"""Miya in one line of text, by mood."""

from __future__ import annotations

from ..story.blocks import Mood

FACES: dict[Mood, str] = {
    "calm": "(=^.^=)",
    "alarm": "(=O.O=)",
    "proud": "(=^w^=)",
    "sleepy": "(=-.-=)",
    "pointing": "(=^.^=)>",
    "side-eye": "(=<.<=)",
}
