"""Miya carrying a number: its sign by where she looks and by the parcel, its size by both."""

from __future__ import annotations

import math

from ...drawing.cat import Pose, mirrored, miya, pose_of, scale_of
from ...render.mathml_names import element
from ...render.svg import shapes

# where the parcel lies on her, in the box of her shapes, where she faces right
REST: dict[Pose, tuple[float, float]] = {
    "asleep": (62.0, 49.0),
    "loaf": (28.0, 58.0),
    "sit": (53.0, 19.0),
    "alarm": (46.0, 28.0),
}
SMALL, LARGE = 8.0, 21.0  # radius of the parcel
TOP, SIDE, HEIGHT = -28.0, 104.0, 124.0  # of the drawing


def carrying(value: float, largest: float) -> str:
    """Her with a parcel of `value`; largest: the largest |value| of all that are shown."""
    share = abs(value) / largest if largest > 0 and math.isfinite(value) else 0.0
    size = math.sqrt(min(share, 1.0)) if math.isfinite(value) else 1.0
    sign = 0 if value == 0 or math.isnan(value) else 1 if value > 0 else -1
    pose, scale = pose_of(size), scale_of(size)
    flip = mirrored(pose, sign)
    x, y = REST[pose]
    radius = SMALL + (LARGE - SMALL) * size
    # she stands on the ground line, in the middle, whatever her scale
    left = 50 - 50 * scale
    down = 94 - 94 * scale
    turn = f"translate({left + 100 * scale:.2f} {down:.2f}) scale(-{scale:.3f} {scale:.3f})"
    straight = f"translate({left:.2f} {down:.2f}) scale({scale:.3f})"
    across = left + scale * (100 - x if flip else x)
    body = element("g", shapes(miya(pose, sign)), transform=turn if flip else straight)
    parcel = _parcel(across, down + scale * y - radius * 0.72, radius, sign)
    return element(
        "svg",
        body,
        parcel,
        class_="carrier",
        viewBox=f"-2 {TOP:g} {SIDE:g} {HEIGHT:g}",
        aria_hidden="true",
    )


def _parcel(x: float, y: float, radius: float, sign: int) -> str:
    """Round, with its sign on it."""
    kind = {1: "plus", -1: "minus", 0: "none"}[sign]
    arm = radius * 0.5
    across = f"M{x - arm:.1f} {y:.1f}h{2 * arm:.1f}"
    stroke = across + (f"M{x:.1f} {y - arm:.1f}v{2 * arm:.1f}" if sign > 0 else "")
    ball = element(
        "circle", class_=f"parcel {kind}", cx=f"{x:.1f}", cy=f"{y:.1f}", r=f"{radius:.1f}"
    )
    return ball + (element("path", class_="sign", d=stroke) if sign else "")
