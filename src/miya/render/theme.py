"""Colours of the picture: light, dark and print, each centred on a neutral zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..drawing import font
from ..drawing.scene import BOLD, SIZES, Tone
from ..errors import MiyaInputError


@dataclass(frozen=True)
class Theme:
    """Hex colours. positive and negative: the blue and the orange of Okabe and Ito's palette,
    which people with any colour vision tell apart; print knows black and hatch alone."""

    page: str
    card: str
    border: str
    ink: str
    quiet: str
    accent: str  # what Miya taps or says
    zero: str
    positive: str
    negative: str
    hatch: str
    bubble: str
    coat: str
    shade: str
    stripe: str
    outline: str
    cream: str
    pink: str
    eye: str
    plain_fill: bool = False  # fills stay white: sign by hatch, size by the ring


THEMES: Mapping[str, Theme] = {
    "light": Theme(
        page="#fbf8f2",
        card="#ffffff",
        border="#ddd5c8",
        ink="#2a2633",
        quiet="#6a6474",
        accent="#a8336b",
        zero="#efebe4",
        positive="#d55e00",
        negative="#0072b2",
        hatch="#ffffff",
        bubble="#ffffff",
        coat="#6b6480",
        shade="#5a536d",
        stripe="#4b445f",
        outline="#2d2838",
        cream="#f6ead8",
        pink="#f2a7ad",
        eye="#f6c64b",
    ),
    "dark": Theme(
        page="#17161d",
        card="#211f2a",
        border="#3a3747",
        ink="#f1edf6",
        quiet="#aaa4b8",
        accent="#ff9cc8",
        zero="#3a3744",
        positive="#f08a3c",
        negative="#56b4e9",
        hatch="#17161d",
        bubble="#2a2735",
        coat="#8a82a3",
        shade="#766e90",
        stripe="#635b7c",
        outline="#0f0d15",
        cream="#f6ead8",
        pink="#f2a7ad",
        eye="#f6c64b",
    ),
    "print": Theme(
        page="#ffffff",
        card="#ffffff",
        border="#000000",
        ink="#000000",
        quiet="#333333",
        accent="#000000",
        zero="#ffffff",
        positive="#000000",
        negative="#000000",
        hatch="#000000",
        bubble="#ffffff",
        coat="#ffffff",
        shade="#ffffff",
        stripe="#000000",
        outline="#000000",
        cream="#ffffff",
        pink="#ffffff",
        eye="#ffffff",
        plain_fill=True,
    ),
}


def theme_of(name: str) -> Theme:
    if name not in THEMES:
        raise MiyaInputError("E652", f"theme is {name!r}", hint=f"choose {', '.join(THEMES)}")
    return THEMES[name]


def fill(theme: Theme, tone: Tone, bar: bool = False) -> str:
    """The colour of an area: from the neutral zero to the sign's own. A bar is never white."""
    if theme.plain_fill and bar:
        return theme.quiet
    if theme.plain_fill or tone.sign == 0:
        return theme.zero
    return mix(theme.zero, _own(theme, tone), 0.15 + 0.85 * tone.size)


def stroke(theme: Theme, tone: Tone) -> str:
    """The colour of a line, which must be seen where it is thin."""
    if tone.sign == 0:
        return theme.quiet if theme.plain_fill else theme.border
    return mix(theme.quiet, _own(theme, tone), 0.45 + 0.55 * tone.size)


def _own(theme: Theme, tone: Tone) -> str:
    return theme.positive if tone.sign > 0 else theme.negative


def mix(one: str, other: str, share: float) -> str:
    parts = (
        round(int(one[k : k + 2], 16) * (1 - share) + int(other[k : k + 2], 16) * share)
        for k in (1, 3, 5)
    )
    return "#" + "".join(f"{p:02x}" for p in parts)


def style(name: str) -> str:
    """The rules of a theme, kept to its own pictures by a class of the root."""
    t, root = theme_of(name), f".miya-{name}"
    inks = {"quiet": t.quiet, "head": t.quiet, "symbol": t.quiet}
    rules = [
        f"{root} text{{font-family:'{font.FAMILY}',Verdana,'Noto Sans CJK JP','Hiragino Sans',"
        f"'Yu Gothic',sans-serif;fill:{t.ink}}}"
    ]
    for key, size in SIZES.items():
        weight = ";font-weight:700" if key in BOLD else ""
        ink = f";fill:{inks[key]}" if key in inks else ""
        rules.append(f"{root} .t-{key}{{font-size:{size:g}px{weight}{ink}}}")
    body = f"stroke:{t.outline};stroke-width:2.2;stroke-linejoin:round"
    thin = "fill:none;stroke-linecap:round;stroke-linejoin:round"
    looks = {
        "card": f"fill:{t.card};stroke:{t.border};stroke-width:1.2",
        "bubble": f"fill:{t.bubble};stroke:{t.border};stroke-width:1.2",
        "rule": f"fill:none;stroke:{t.border};stroke-width:1",
        "tap": f"fill:none;stroke:{t.accent};stroke-width:1.6",
        "greediest": f"fill:none;stroke:{t.accent};stroke-width:3",
        "ring": f"fill:none;stroke:{t.outline}",
        "badge": f"fill:{t.card};stroke:{t.ink};stroke-width:1.4",
        "mark": f"{thin};stroke:{t.ink};stroke-width:1.9",
        "lock": f"{thin};stroke:{t.quiet};stroke-width:1.4",
        "c-coat": f"fill:{t.coat};{body}",
        "c-shade": f"fill:{t.shade}",
        "c-cream": f"fill:{t.cream}",
        "c-pink": f"fill:{t.pink}",
        "c-eye": f"fill:{t.eye};stroke:{t.outline};stroke-width:1.3",
        "c-dark": f"fill:{t.outline}",
        "c-light": "fill:#fff",
        "c-stripe": f"{thin};stroke:{t.stripe};stroke-width:2.4",
        "c-line": f"{thin};stroke:{t.outline};stroke-width:1.7",
        "c-hair": f"{thin};stroke:{t.ink if name == 'dark' else t.outline};stroke-width:1.1",
        "c-rim": f"{thin};stroke:{t.outline};stroke-width:11.2",
        "c-tail": f"{thin};stroke:{t.coat};stroke-width:7",
    }
    rules += [f"{root} .{key}{{{look}}}" for key, look in looks.items()]
    return "".join(rules)
