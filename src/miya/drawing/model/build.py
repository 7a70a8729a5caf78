"""The scene of a model's step: boxes in columns, wires between them, the loss, what Miya says."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.model import ModelTrace
from ...errors import MiyaInputError
from .. import font
from ..frames import PARTS
from ..scene import SIZES, VIEWS, Box, Label, Loss, View
from . import cards, routes
from .content import ModelContent
from .panels import describe, place_panels
from .parts import Block, ModelScene, Wire

MARGIN, GAP = 36.0, 22.0
SHAPE = 1.6  # of the picture: how much wider than high
LOSS_HIGH = 84.0
NARROWEST = 890.0  # room for the two panels side by side
MOST_COLUMNS = 8


def model_scene(
    trace: ModelTrace,
    *,
    measure: str | None = None,
    digits: int | None = None,
    language: str = "en",
    miya: bool = True,
    view: View = "whole",
) -> ModelScene:
    """The picture of `trace`, placed. measure: None is step in the view of the update, else
    pressure. Raises MiyaInputError E608 for an unknown measure, E650 for an unknown view."""
    if view not in VIEWS:
        raise MiyaInputError("E650", f"view is {view!r}", hint=f"choose {', '.join(VIEWS)}")
    measure = measure or ("step" if view == "update" else "pressure")
    c = ModelContent(trace, measure, digits, language, miya, view)
    heights = [
        *(cards.INPUT_HIGH for _ in c.boxes.inputs),
        *(cards.height(c, one) for one in c.told),
        LOSS_HIGH,
    ]
    columns = _columns(heights)
    pairs, kinds = _pairs(c)
    heads = _headline(c)
    flat = [
        routes.Spot(column, 0.0, y, cards.WIDE, y + high)
        for (column, y), high in zip(_stacked(heights, columns, 0.0), heights, strict=True)
    ]
    # the lanes are counted first: they say how wide the gutters and how high the bus are
    _, gutters, bus = routes.ways(flat, pairs, [kind == "flow" for kind in kinds])
    top = MARGIN + 30 + 18 * len(heads) + 26 + (routes.LANE * bus + 8 if bus else 0)
    lefts, rights = _sides(c, gutters, columns)
    spots = [
        routes.Spot(column, lefts[column], y, lefts[column] + cards.WIDE, y + high)
        for (column, y), high in zip(_stacked(heights, columns, top), heights, strict=True)
    ]
    found, _, _ = routes.ways(spots, pairs, [kind == "flow" for kind in kinds])
    wires = tuple(
        _wire(c, way, kind, routes.points(way, spots, rights, top - 14))
        for way, kind in zip(found, kinds, strict=True)
    )
    blocks = _blocks(c, spots)
    loss = _loss(c, spots[-1])
    bottom = max(s.bottom for s in spots)
    right = max(rights[-1] + gutters[-1].width, MARGIN + NARROWEST)
    panels, end = place_panels(c, MARGIN, bottom + 30, right - MARGIN)
    return ModelScene(
        right + MARGIN,
        end + MARGIN,
        font.clean(trace.title) or c.words["title"],
        describe(c),
        language,
        view,
        measure,
        miya,
        len(blocks),
        tuple(_labels(c, heads, right - MARGIN)),
        (),
        (),
        (),
        loss,
        panels,
        captions=tuple((m, c.words[f"phase_{m}"]) for m in (*PARTS[view], "tell")),
        blocks=tuple(blocks),
        wires=wires,
    )


def _headline(c: ModelContent) -> list[str]:
    """The lines under the title, none wider than the narrowest picture."""
    trace = c.trace
    optimizer = trace.optimizer.name if trace.optimizer else c.words["no_optimizer"]
    first = c.say(
        "subtitle",
        parameters=f"{trace.size:,}",
        calls=len(trace.calls),
        dtype=trace.dtype,
        optimizer=font.clean(optimizer),
    )
    key = "measured" if c.view == "whole" else f"measured_{c.view}"
    said = (first, c.say(key, measure=c.words[c.measure]))
    return [line for text in said for line in font.wrap(text, NARROWEST, SIZES["plain"])]


def _labels(c: ModelContent, lines: Sequence[str], room: float) -> list[Label]:
    title = font.clean(c.trace.title) or c.words["title"]
    found = [Label(font.fit(title, room, SIZES["title"], True), MARGIN, MARGIN + 20, "title")]
    return found + [
        Label(line, MARGIN, MARGIN + 44 + 18 * k, "plain") for k, line in enumerate(lines)
    ]


def _columns(heights: Sequence[float]) -> list[int]:
    """Which column each box is in: as many columns as make the picture's shape."""
    whole = sum(heights) + GAP * len(heights)

    def off(count: int) -> float:
        return abs(count * (cards.WIDE + 60) / (whole / count + 260) - SHAPE)

    count = min(range(1, MOST_COLUMNS + 1), key=off)
    found, column, filled, limit = [], 0, 0.0, whole / count
    for k, high in enumerate(heights):
        left = sum(heights[k:]) + GAP * (len(heights) - k)
        if filled and column + 1 < count and filled + (high + GAP) / 2 > limit:
            column, filled = column + 1, 0.0
            limit = left / (count - column)
        found.append(column)
        filled += high + GAP
    return found


def _stacked(
    heights: Sequence[float], columns: Sequence[int], top: float
) -> list[tuple[int, float]]:
    found, y, now = [], top, 0
    for high, column in zip(heights, columns, strict=True):
        if column != now:
            y, now = top, column
        found.append((column, y))
        y += high + GAP
    return found


def _sides(
    c: ModelContent, gutters: Sequence[routes.Gutter], columns: Sequence[int]
) -> tuple[list[float], list[float]]:
    lefts, rights, x = [], [], MARGIN
    for gutter in gutters:
        lefts.append(x)
        rights.append(x + cards.WIDE)
        x += cards.WIDE + gutter.width
    return lefts, rights


def _pairs(c: ModelContent) -> tuple[list[tuple[int, int]], list[str]]:
    """What is joined: places among inputs, boxes and the loss, and how."""
    shift, last = len(c.boxes.inputs), len(c.boxes.inputs) + len(c.told)
    pairs = [
        (-1 - link.source if link.source < 0 else link.source + shift, link.target + shift)
        for link in c.boxes.links
    ]
    pairs += [(k + shift, last) for k in c.boxes.into_loss]
    # short ways first: they get the lanes nearest to the boxes
    pairs.sort(key=lambda p: (p[1] - p[0], p[0]))
    same = [(a + shift, b + shift) for a, b in c.boxes.same]
    return pairs + same, ["flow"] * len(pairs) + ["same"] * len(same)


def _wire(c: ModelContent, way: routes.Way, kind: str, corners: tuple[routes.Point, ...]) -> Wire:
    shift = len(c.boxes.inputs)
    k = way.source - shift
    size = c.sizes[k] / c.largest_size if k >= 0 and c.largest_size else 0.0
    names = [_name(c, way.source), _name(c, way.target)]
    title = c.say(f"wire_{kind}", source=names[0], target=names[1])
    ends = way.source, way.target
    return Wire(kind, title, corners, size**0.5, *ends)  # type: ignore[arg-type]


def _name(c: ModelContent, place: int) -> str:
    shift = len(c.boxes.inputs)
    if place < shift:
        return font.clean(c.boxes.inputs[place].name)
    if place - shift < len(c.told):
        return font.clean(c.told[place - shift].unit.title)
    return c.words["loss"]


def _blocks(c: ModelContent, spots: Sequence[routes.Spot]) -> list[Block]:
    shift = len(c.boxes.inputs)
    inputs = [
        cards.place_input(c, value.name, value.shape, spot.x, spot.y)
        for value, spot in zip(c.boxes.inputs, spots[:shift], strict=True)
    ]
    return inputs + [
        cards.place(c, one, k, spot.x, spot.y)
        for k, (one, spot) in enumerate(zip(c.told, spots[shift:-1], strict=True))
    ]


def _loss(c: ModelContent, spot: routes.Spot) -> Loss:
    before, *after = cards.loss_lines(c)
    box = Box(spot.x, spot.y, cards.WIDE, LOSS_HIGH)
    middle, room = spot.x + cards.WIDE / 2, cards.INSIDE
    labels = (
        Label(c.words["loss"], middle, spot.y + 23, "name", "middle"),
        Label(font.fit(before, room, SIZES["delta"], True), middle, spot.y + 47, "delta", "middle"),
        *(
            Label(font.fit(text, room, SIZES["plain"]), middle, spot.y + 69, "plain", "middle")
            for text in after
        ),
    )
    key = "loss_title" if after else "loss_now"
    return Loss("C", c.say(key, before=before, after="".join(after)), box, labels)
