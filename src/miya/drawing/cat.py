"""Miya, a cat of our own drawing: vector shapes in a box of 100 × 100, standing on y = 94.

How large δ is chooses her pose and scale, its sign where she looks and how she holds her ears
and tail: δ > 0 faces right with ears up and tail up, δ < 0 faces left with ears and tail down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Pose = Literal["asleep", "loaf", "sit", "alarm"]
Role = Literal[
    "coat",
    "shade",
    "cream",
    "pink",
    "eye",
    "dark",
    "light",
    "line",
    "stripe",
    "hair",
    "tail",
    "rim",
]
GROUND = 94.0
POSES: tuple[tuple[float, Pose], ...] = (
    (0.02, "asleep"),
    (0.22, "loaf"),
    (0.62, "sit"),
    (2.0, "alarm"),
)  # each pose up to this size
SMALLEST, LARGEST = 0.66, 1.0


@dataclass(frozen=True)
class Shape:
    """A path, filled or stroked as its role says."""

    role: Role
    d: str


def pose_of(size: float) -> Pose:
    """The pose for a δ whose size is `size`, from 0 to 1."""
    return next(pose for edge, pose in POSES if size < edge)


def scale_of(size: float) -> float:
    """How large she is drawn, from 0.66 for δ = 0 to 1 for the largest δ."""
    return SMALLEST + (LARGEST - SMALLEST) * min(max(size, 0.0), 1.0)


def miya(pose: Pose, sign: int, *, arm: bool = False) -> list[Shape]:
    """Her shapes, from back to front, facing right; the renderer mirrors her for sign < 0.

    arm: she points ahead with a paw (sitting only).
    """
    down = sign < 0
    return (_arm() if arm else []) + POSE[pose](down)


def mirrored(pose: Pose, sign: int) -> bool:
    return sign < 0 and pose != "asleep"


def ellipse(x: float, y: float, rx: float, ry: float) -> str:
    return f"M{x - rx:g},{y:g}a{rx:g},{ry:g} 0 1 0 {2 * rx:g},0a{rx:g},{ry:g} 0 1 0 {-2 * rx:g},0z"


def _asleep(down: bool) -> list[Shape]:
    return [
        Shape(
            "coat", "M8,78C8,58 32,48 56,50C80,52 95,64 94,79C93,90 78,94 52,94C26,94 8,92 8,78z"
        ),
        Shape("shade", "M60,57C75,59 84,67 84,77C76,70 66,66 56,66z"),
        *_ears_up(29, 70, 0.82, tilt=True),
        Shape(
            "coat", "M9,76C9,62 19,57 30,57C42,57 51,63 51,75C51,86 42,91 30,91C18,91 9,87 9,76z"
        ),
        Shape("line", "M17,75q4,4.5 8.5,0M34,75q4,4.5 8.5,0"),
        Shape("pink", "M28,79.5h4l-2,2.4z"),
        Shape("line", "M30,82q-2.4,3 -4.8,.8M30,82q2.4,3 4.8,.8"),
        *_stripes(30, 66, 0.8),
        Shape("hair", "M13,80l-10,-1M13,83l-9,3M47,80l9,-2M47,83l9,1.5"),
        Shape("rim", "M89,82C86,90 70,91 57,89"),
        Shape("tail", "M89,82C86,90 70,91 57,89"),
        Shape("hair", "M60,40h6.5l-6.5,7.5h6.5M72,26h8.5l-8.5,10h8.5"),
    ]


def _loaf(down: bool) -> list[Shape]:
    tail = "M20,88C6,90 2,84 6,79" if down else "M16,84C2,80 2,68 9,64"
    return [
        Shape("rim", tail),
        Shape("tail", tail),
        Shape(
            "coat",
            "M12,80C12,62 26,56 44,56L70,56C86,58 92,70 91,82C90,92 84,94 52,94C20,94 12,92 12,80z",
        ),
        Shape("cream", "M58,76C64,70 76,70 82,76C86,84 82,92 70,92C58,92 54,84 58,76z"),
        Shape("line", "M57,93q3,-5.5 9,-4M83,93q-3,-5.5 -9,-4"),
        *_head(68, 50, 1.0, down, "half"),
    ]


def _sit(down: bool) -> list[Shape]:
    tail = "M30,88C12,94 4,88 8,82" if down else "M30,86C10,84 8,64 14,56C18,50 25,53 23,59"
    return [
        Shape("rim", tail),
        Shape("tail", tail),
        Shape(
            "coat",
            "M30,93C20,90 24,70 36,58C44,51 60,51 66,58C75,68 78,86 72,93C70,95 32,95 30,93z",
        ),
        Shape("cream", "M45,60C50,56 58,56 62,60C66,68 64,80 54,81C44,80 42,68 45,60z"),
        Shape("line", "M44,74q-1,10 .5,15M63,74q1,10 -.5,15M53.5,82v8"),
        Shape("coat", ellipse(46, 91, 8, 4.6)),
        Shape("coat", ellipse(61, 91, 8, 4.6)),
        Shape("line", "M44,90.5v3M48,90.5v3M59,90.5v3M63,90.5v3"),
        *_head(53, 36, 1.08, down, "open"),
    ]


def _alarm(down: bool) -> list[Shape]:
    # the tail of a fright: a bottle brush, up; tucked low where δ < 0
    tail = (
        "M16,66L6,66L11,72L1,75L9,80L2,87L13,88L14,94L21,87L24,78z"
        if down
        else "M17,64L8,58L12,53L1,47L9,42L1,33L10,31L5,21L15,23L14,11L22,19L28,12"
        "L27,24L33,28L26,33L31,41L25,45L27,54L24,58z"
    )
    return [
        Shape("coat", tail),
        Shape(
            "coat",
            "M17,93L17,80C13,66 16,54 23,46L21,38L29,40L29,30L37,35L40,25L46,32L52,24"
            "L56,33L64,28L65,38L72,38C82,46 84,60 79,72L79,93L69,93L68,77C58,70 42,69 31,77"
            "L28,93z",
        ),
        Shape("shade", "M34,62C42,56 58,56 66,64C58,66 42,66 33,71z"),
        Shape("line", "M19.5,92v-3.5M24,92v-3.5M72,92v-3.5M76,92v-3.5"),
        *_head(74, 54, 0.98, down, "wide"),
    ]


POSE: dict[Pose, Callable[[bool], list[Shape]]] = {
    "asleep": _asleep,
    "loaf": _loaf,
    "sit": _sit,
    "alarm": _alarm,
}


def paw() -> list[Shape]:
    """A paw on an arm that comes in from the right, its tip at (0, 10), 40 wide and 20 high."""
    return [
        Shape(
            "coat", "M37,4.5L15,3.5C6,1.5 1,5 1,10.5C1,16 6,19 15,16.5L37,15.5C41,15 41,5 37,4.5z"
        ),
        Shape("line", "M2.5,7.5h5M2,11h5.5M3.5,14.4h4.5"),
    ]


def _arm() -> list[Shape]:
    return [
        Shape("coat", "M58,66C72,62 82,57 92,50C99,47 103,54 98,59C88,67 76,76 62,80z"),
        Shape("line", "M93,51.5l4.4,3.4M90.5,54.5l4.2,4"),
    ]


def _head(x: float, y: float, s: float, down: bool, eyes: str) -> list[Shape]:
    ears = _ears_back(x, y, s) if down else _ears_up(x, y, s)
    return [
        *ears,
        Shape("coat", _face(x, y, s)),
        Shape("cream", ellipse(x, y + 9.5 * s, 9.5 * s, 6.2 * s)),
        *_stripes(x, y - 10 * s, s),
        *EYES[eyes](x, y, s),
        *_muzzle(x, y, s, eyes == "wide"),
        *_whiskers(x, y, s),
    ]


def _face(x: float, y: float, s: float) -> str:
    def p(dx: float, dy: float) -> str:
        return f"{x + dx * s:.4g},{y + dy * s:.4g}"

    return (
        f"M{p(-23, 3)}C{p(-23, -12)} {p(-11, -18)} {p(0, -18)}C{p(11, -18)} {p(23, -12)} {p(23, 3)}"
        f"C{p(23, 13)} {p(12, 18.5)} {p(0, 18.5)}C{p(-12, 18.5)} {p(-23, 13)} {p(-23, 3)}z"
    )


def _poly(x: float, y: float, s: float, *points: tuple[float, float]) -> str:
    return "M" + "L".join(f"{x + dx * s:.4g},{y + dy * s:.4g}" for dx, dy in points) + "z"


def _ears_up(x: float, y: float, s: float, tilt: bool = False) -> list[Shape]:
    found = []
    for side in (-1, 1):
        outer = _poly(x, y, s, (21 * side, -5), (19.5 * side, -29), (4 * side, -16))
        inner = _poly(x, y, s, (17.6 * side, -13), (17.2 * side, -23.5), (9.5 * side, -16.5))
        found += [Shape("coat", outer), Shape("pink", inner)]
    return found


def _ears_back(x: float, y: float, s: float) -> list[Shape]:
    found = []
    for side in (-1, 1):
        outer = _poly(x, y, s, (22 * side, 3), (33 * side, -13), (7 * side, -16.5))
        inner = _poly(x, y, s, (21.5 * side, -5), (27.5 * side, -11), (15 * side, -12.5))
        found += [Shape("coat", outer), Shape("pink", inner)]
    return found


def _eyes_open(x: float, y: float, s: float) -> list[Shape]:
    found = []
    for dx in (-9.5, 9.5):
        found += [
            Shape("eye", ellipse(x + dx * s, y + 1.5 * s, 5.2 * s, 5.8 * s)),
            Shape("dark", ellipse(x + (dx + 0.9) * s, y + 1.7 * s, 3.1 * s, 4.6 * s)),
            Shape("light", ellipse(x + (dx + 2) * s, y - 0.6 * s, 1.35 * s, 1.5 * s)),
        ]
    return found


def _eyes_half(x: float, y: float, s: float) -> list[Shape]:
    found = []
    for dx in (-9.5, 9.5):
        cx, cy, r = x + dx * s, y + 1.6 * s, 5 * s
        found += [
            Shape("eye", f"M{cx - r:.4g},{cy:.4g}a{r:.4g},{r:.4g} 0 0 0 {2 * r:.4g},0z"),
            Shape("dark", ellipse(cx + 0.6 * s, cy + 2 * s, 1.9 * s, 2 * s)),
            Shape("line", f"M{cx - r - s:.4g},{cy:.4g}h{2 * r + 2 * s:.4g}"),
        ]
    return found


def _eyes_wide(x: float, y: float, s: float) -> list[Shape]:
    found = []
    for dx in (-9.8, 9.8):
        found += [
            Shape("eye", ellipse(x + dx * s, y + 0.6 * s, 6.6 * s, 7 * s)),
            Shape("dark", ellipse(x + (dx + 0.6) * s, y + 0.8 * s, 1.5 * s, 3.4 * s)),
            Shape("light", ellipse(x + (dx + 2.2) * s, y - 2 * s, 1.3 * s, 1.4 * s)),
        ]
    return found


EYES = {"open": _eyes_open, "half": _eyes_half, "wide": _eyes_wide}


def _muzzle(x: float, y: float, s: float, cry: bool) -> list[Shape]:
    nose = _poly(x, y, s, (-2.4, 6.4), (2.4, 6.4), (0, 9))
    if cry:
        mouth = Shape("dark", ellipse(x, y + 12.4 * s, 2.6 * s, 2.9 * s))
    else:
        left, mid, low = x - 5 * s, y + 9 * s, 3.4 * s
        mouth = Shape(
            "line",
            f"M{x:.4g},{mid:.4g}q{-2.2 * s:.4g},{low:.4g} {left - x:.4g},{1.2 * s:.4g}"
            f"M{x:.4g},{mid:.4g}q{2.2 * s:.4g},{low:.4g} {x - left:.4g},{1.2 * s:.4g}",
        )
    return [Shape("pink", nose), mouth]


def _whiskers(x: float, y: float, s: float) -> list[Shape]:
    parts = []
    for side in (-1, 1):
        for start, end in ((7.5, 4.6), (10, 10), (12.2, 15)):
            parts.append(
                f"M{x + 16 * side * s:.4g},{y + start * s:.4g}"
                f"L{x + 31 * side * s:.4g},{y + end * s:.4g}"
            )
    return [Shape("hair", "".join(parts))]


def _stripes(x: float, y: float, s: float) -> list[Shape]:
    """A tabby's three stripes on her forehead."""
    parts = [
        f"M{x + dx * s:.4g},{y - 5.4 * s:.4g}l{-dx * 0.12 * s:.4g},{length * s:.4g}"
        for dx, length in ((-5.4, 4.6), (0.0, 6.4), (5.4, 4.6))
    ]
    return [Shape("stripe", "".join(parts))]
