"""One box, with its heat strip, its cat and its bar, placed at the origin's right and below."""

from __future__ import annotations

import numpy as np

from ...analysis.model.summary import Told
from ...core.rounding import Array
from .. import font
from ..cat import pose_of, scale_of
from ..content import tone
from ..scene import SIZES, Box, Cat, Label
from ..summary import binned
from .content import ModelContent
from .parts import Bar, Block, Heat

WIDE, PAD = 264.0, 12.0
INSIDE = WIDE - 2 * PAD
CELLS = 60
CAT, ROOM = 46.0, 44.0  # side of the largest cat, and the height that is kept for her
STRIP, THIN_STRIP = 28.0, 18.0
BAR = 92.0
LINE = 18.0
PORTS = 26.0  # room for lines at a box that shows nothing in this view, though it is on the way
INPUT_HIGH = 42.0


def height(c: ModelContent, one: Told) -> float:
    high = 44.0 + _strip_high(c, one)
    high += LINE if c.line(one) else 0
    return high + (22 if _barred(c, one) else 0)


def _strip_high(c: ModelContent, one: Told) -> float:
    if c.strip(one) is None:
        return PORTS if c.view == "update" else 0.0
    return ROOM + STRIP + 6 if c.cats and one.parameters else THIN_STRIP + 8


def _barred(c: ModelContent, one: Told) -> bool:
    return bool(one.parameters) and c.view != "forward"


def place(c: ModelContent, one: Told, k: int, x: float, y: float) -> Block:
    box = Box(x, y, WIDE, height(c, one))
    unit = one.unit
    lock = Box(box.right - PAD - 12, y + 9, 10, 12) if one.frozen else None
    room = INSIDE - (18 if lock else 0)
    title = font.fit(font.clean(unit.title), room, SIZES["name"], True)
    labels = [
        Label(title, x + PAD, y + 19, "name"),
        Label(font.fit(c.kind(one), INSIDE, SIZES["quiet"]), x + PAD, y + 35, "quiet"),
    ]
    heat, cat, ringed = None, None, None
    top, shown = y + 44, c.strip(one)
    if shown is not None and c.cats and one.parameters:
        heat = _heat(shown, Box(x + PAD, top + ROOM, INSIDE, STRIP))
        cat, ringed, words = _greediest(c, one, heat)
        labels += words
    elif shown is not None:
        heat = _heat(shown, Box(x + PAD, top, INSIDE, THIN_STRIP))
    top += _strip_high(c, one)
    if line := c.line(one):
        text = font.fit(line, INSIDE, SIZES["quiet"])
        labels.append(Label(text, x + PAD, top + 10, "quiet", moment="strip"))
        top += LINE
    bar = None
    if _barred(c, one):
        bar, words = _bar(c, one, x, top)
        labels += words
    return Block(
        f"box.{k}",
        "module" if unit.kind else "operation",
        _sentence(c, one),
        box,
        tuple(labels),
        heat,
        bar,
        cat,
        ringed,
        lock,
    )


def place_input(c: ModelContent, name: str, shape: tuple[int, ...], x: float, y: float) -> Block:
    box = Box(x, y, WIDE, INPUT_HIGH)
    shown = font.fit(font.clean(name), INSIDE, SIZES["name"], True)
    labels = (
        Label(shown, x + WIDE / 2, y + 18, "name", "middle"),
        Label(c.shape(shape), x + WIDE / 2, y + 33, "quiet", "middle"),
    )
    return Block(
        f"input.{font.clean(name)}",
        "input",
        c.say("input_title", name=font.clean(name)),
        box,
        labels,
    )


def _heat(shown: Array, box: Box) -> Heat:
    largest = float(np.abs(shown).max(initial=0.0))
    return Heat(box, tuple(tone(float(v), largest) for v in binned(shown, CELLS)))


def _greediest(
    c: ModelContent, one: Told, heat: Heat
) -> tuple[Cat | None, Box | None, list[Label]]:
    """Miya on the cell of the largest |δ|, and what δ is there, beside her."""
    assert one.delta is not None
    place = int(np.abs(one.delta).argmax())
    value = float(one.delta[place])
    size = tone(value, c.largest_delta)
    step = heat.box.width / len(heat.cells)
    cell = place * len(heat.cells) // one.delta.size
    middle = heat.box.x + (cell + 0.5) * step
    side = CAT * scale_of(size.size)
    left = min(max(middle - side / 2, heat.box.x), heat.box.right - side)
    seat = Box(left, heat.box.y + 2 - side * 0.97, side, side)
    cat = Cat(pose_of(size.size), size.sign, seat) if c.miya else None
    ring = Box(middle - step / 2 - 2, heat.box.y - 2, step + 4, heat.box.height + 4)
    text = c.say("delta", index=place, value=c.signed(value)) if value else c.words["delta_none"]
    label = _beside(text, seat, heat.box, heat.box.y - 14)
    return cat, None if c.miya else ring, [label]


def _beside(text: str, seat: Box, within: Box, y: float) -> Label:
    """On the side of the seat that has more room."""
    before, after = seat.x - within.x - 6, within.right - seat.right - 6
    text = font.fit(text, max(before, after), SIZES["quiet"])
    if after >= before:
        return Label(text, within.right, y, "quiet", "end", "strip")
    return Label(text, within.x, y, "quiet", moment="strip")


def _bar(c: ModelContent, one: Told, x: float, y: float) -> tuple[Bar | None, list[Label]]:
    """The worth of its parameters, or why it has none."""
    if one.worth is None:
        text = c.words["frozen" if one.frozen else "unused"]
        return None, [Label(text, x + PAD, y + 12, "quiet")]
    found = c.worth_tone(one.worth)
    text = (
        c.signed(one.worth)
        if c.measure in ("credit", "removal", "first_order")
        else c.number(one.worth)
    )
    name = c.words[f"short_{c.measure}"]
    room = INSIDE - BAR - 10
    shown = font.fit(f"{name} {text}", room, SIZES["quiet"])
    length = max(BAR * found.size, 1.0)
    bar = Bar(Box(x + PAD, y + 4, length, 9), found)
    return bar, [Label(shown, x + WIDE - PAD, y + 12, "quiet", "end", "worth")]


def _sentence(c: ModelContent, one: Told) -> str:
    """The whole box in a sentence, for who cannot see it or points at it."""
    words = [c.say("box_title", name=font.clean(one.unit.title), kind=c.kind(one))]
    if c.line(one):
        words.append(c.line(one) + ".")
    if c.cats and one.delta is not None and one.delta.size:
        place = int(np.abs(one.delta).argmax())
        value = c.signed(float(one.delta[place]))
        words.append(c.say("box_delta", index=place, value=value, count=one.delta.size))
    if one.worth is not None and c.view != "forward":
        worth = c.signed(one.worth)
        words.append(
            c.say("box_worth", measure=c.words[c.measure], value=worth, count=one.parameters)
        )
    words += [c.say("box_tied", name=font.clean(name)) for name in one.tied]
    return " ".join(words)


def loss_lines(c: ModelContent) -> list[str]:
    """C, and where the view tells of the update what it is afterwards."""
    if c.view in ("forward", "blame"):
        return [c.number(c.trace.loss)]
    before, after = c.pair(c.trace.loss, c.trace.loss_after)
    return [before, c.say("loss_after", after=after)]
