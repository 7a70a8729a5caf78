"""The colours of the page as style rules, from the themes of the diagram."""

from __future__ import annotations

from ...render.theme import THEMES, Theme, mix
from .scales import STEPS

WASH = 0.10  # of the sign's colour in the palest class of a two-way ramp next to the middle


def rules() -> str:
    """Variables and classes h0 … and d0 …, light, and dark where the reader prefers it."""
    light, dark = THEMES["light"], THEMES["dark"]
    return (
        f":root{{{_variables(light)}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{_variables(dark)}}}}}"
        + "".join(
            f".{ramp}{k}{{fill:var(--{ramp}{k})}}" for ramp in ("h", "d") for k in range(STEPS)
        )
    )


def _variables(theme: Theme) -> str:
    one = {f"h{k}": mix(theme.zero, theme.accent, k / (STEPS - 1)) for k in range(STEPS)}
    two = {f"d{k}": _two(theme, 2 * k / (STEPS - 1) - 1) for k in range(STEPS)}
    own = {
        "plus": theme.positive,
        "minus": theme.negative,
        "shade-coat": theme.shade,
        "stripe": theme.stripe,
        "hair": theme.ink if theme is THEMES["dark"] else theme.outline,
        "outline": theme.outline,
    }
    return "".join(f"--{name}:{colour};" for name, colour in (one | two | own).items())


def _two(theme: Theme, side: float) -> str:
    own = theme.positive if side > 0 else theme.negative
    return mix(theme.zero, own, 0.0 if side == 0 else WASH + (1 - WASH) * abs(side))
