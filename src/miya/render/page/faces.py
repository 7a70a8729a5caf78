"""Miya's face by mood, small enough to stand beside a line. All drawn here."""

from __future__ import annotations

from ...story.blocks import Mood
from ..mathml_names import element

HEAD = (
    '<path class="coat" d="M7 22 6 5.5Q6 3.5 8 4.8L17 11q7-2.4 14 0l9-6.2q2-1.3 2 .7L41 22'
    'q3 5 2 10-3 11-19 11T5 32q-1-5 2-10z"/>'
    '<path class="ear" d="M10 15 9.3 9.5l5.5 4zM38 15l.7-5.5-5.5 4z"/>'
    '<path class="stripe" d="M24 11.5v6M19.5 12.5l1 4.5M28.5 12.5l-1 4.5"/>'
    '<path class="muzzle" d="M24 29.5q8 0 8 6T24 41t-8-5.5 8-6z"/>'
    '<path class="nose" d="M21.8 31h4.4L24 33.4z"/>'
    '<path class="whisker" d="M12 33 3 31.5M12 35.5 3.5 37M36 33l9-1.5M36 35.5l8.5 1.5"/>'
)
ROUND = '<circle class="eye" cx="15.5" cy="25" r="4"/><circle class="eye" cx="32.5" cy="25" r="4"/>'
SMILE = '<path class="line" d="M20 36q2 2.4 4 0 2 2.4 4 0"/>'


def _pupils(dx: float, dy: float, wide: float = 1.7) -> str:
    return "".join(
        f'<ellipse class="pupil" cx="{x + dx:g}" cy="{25 + dy:g}" rx="{wide}" ry="3"/>'
        for x in (15.5, 32.5)
    )


def _lids(path: str) -> str:
    return "".join(f'<path class="lid" d="M{x} {path}"/>' for x in ("11", "28"))


MOODS: dict[Mood, str] = {
    "calm": ROUND + _pupils(0, 0) + SMILE,
    "alarm": ROUND
    + _pupils(0, 0, 1)
    + '<ellipse class="mouth" cx="24" cy="36.8" rx="2.4" ry="2.8"/>',
    "proud": _lids("26q4.5-5 9 0") + '<path class="line" d="M19 35.5q2.5 4 5 0 2.5 4 5 0"/>',
    "sleepy": _lids("24.5q4.5 4 9 0") + '<path class="line" d="M21.5 36.5h5"/>',
    "pointing": ROUND + _pupils(1.6, 1) + SMILE,
    "side-eye": ROUND + _pupils(-2, 0) + _lids("22.5h9") + '<path class="line" d="M21 36.8l6-1"/>',
}


def face(mood: Mood) -> str:
    return element("svg", HEAD, MOODS[mood], class_="face", viewBox="0 0 48 46", aria_hidden="true")
