"""Places: columns of cards, an edge's end at the row that tells it, so that nothing overlaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import font
from .cat import pose_of, scale_of
from .content import Card, Content, Input, Line
from .scene import BOLD, SIZES, Box, Cat, Label, Neuron, Row, Source, Style

PAD = 14.0
HEADER = 114.0  # of a card: the neuron, its cat and its numbers
CIRCLE = 41.0  # radius of a neuron
CAT = 104.0  # side of the largest cat's box
ROW, HEADS = 18.0, 17.0
CARD_GAP = 24.0
SLOT = 44.0  # between the tables, for a tapping paw or a lock
GAP = 11.0  # between a table's columns
NAME_ROOM = 230.0
PEEK = Box(0, 0, 84, 84)
# when an animation brings each column's numbers
MOMENTS = {"arrow": "after", "after": "after", "change": "after"}
MOMENTS |= {key: key for key in ("gradient", "carried", "measure")}


def text_width(text: str, style: Style) -> float:
    return font.width(text, SIZES[style], style in BOLD)


@dataclass(frozen=True)
class Columns:
    """The table of a layer's cards: widths by column, in order, and the heads."""

    widths: Mapping[str, float]
    paths: tuple[float, float]
    facts: tuple[float, ...]
    slot: float
    header: float  # what the header needs

    @property
    def left(self) -> float:
        return sum(self.widths.values()) + GAP * (len(self.widths) - 1)

    @property
    def right(self) -> float:
        return self.paths[0] + GAP + self.paths[1] if self.paths[1] else 0.0

    @property
    def card(self) -> float:
        return max(2 * PAD + self.left + self.slot + self.right, self.header)


def heads(c: Content) -> dict[str, str]:
    """The head over each column of a card's table."""
    found = {key: c.words[f"head_{key}"] for key in ("gradient", "change", "carried", "after")}
    found["before"] = c.words["head_before" if "after" in c.columns else "head_weight"]
    found["measure"] = c.words.get(f"head_{c.measure}", "")
    found["arrow"] = ""
    return found


def columns(c: Content, cards: Sequence[Card]) -> Columns:
    lines = [line for card in cards for line in card.lines]
    over = heads(c)
    widths = {"name": max(text_width(line.ref, "symbol") for line in lines)}
    for key in c.columns:
        shown = max(text_width(line.cells[key], "number") for line in lines)
        widths[key] = max(shown, text_width(over[key], "head"))
    paths = [path for card in cards for path in card.paths]
    totals = [card.total for card in cards if card.total]
    name = max(
        [text_width(p.name, "symbol") for p in paths]
        + [text_width("∂C/∂a", "symbol") for _ in totals],
        default=0.0,
    )
    value = max(
        [text_width(v, "number") for v in (*totals, *(p.value for p in paths))], default=0.0
    )
    if value:
        name = max(name, text_width(c.words["head_back"], "head") - GAP - value)
    count = max(len(card.facts) for card in cards)
    facts = tuple(
        max(text_width(card.facts[k], "plain") for card in cards if k < len(card.facts))
        for k in range(count)
    )
    special = any(line.tapped or line.frozen for line in lines)
    slot = SLOT if special else (26.0 if value else 0.0)
    return Columns(widths, (name, value), facts, slot, _header_width(cards, facts))


def _header_width(cards: Sequence[Card], facts: tuple[float, ...]) -> float:
    text = max(
        *(min(text_width(card.name, "name"), NAME_ROOM) for card in cards),
        *(text_width(card.delta, "delta") for card in cards),
        sum(facts) + 14 * (len(facts) - 1),
    )
    peek = PEEK.width + 8 if any(card.pointed for card in cards) else 0.0
    return PAD + 8 + 2 * CIRCLE + 28 + text + peek + PAD


def card_height(card: Card) -> float:
    right = len(card.paths) + 1 if card.total else 0
    return HEADER + HEADS + ROW * max(len(card.lines), right) + 8


def place_card(c: Content, card: Card, table: Columns, x: float, y: float) -> Neuron:
    box = Box(x, y, table.card, card_height(card))
    circle = Box(x + PAD + 8, y + 20, 2 * CIRCLE, 2 * CIRCLE)
    labels = [*_header(card, table, circle), *_heads(c, card, table, box)]
    rows = [
        _line_row(c, line, table, box, y + HEADER + HEADS + ROW * k)
        for k, line in enumerate(card.lines)
    ]
    rows += _path_rows(card, table, box)
    left = box.right - PAD - table.right
    rule = Box(left, path_top(y, len(card.paths)), table.right, 0)
    peek = Box(box.right - PAD - PEEK.width, y + 16, PEEK.width, PEEK.height)
    return Neuron(
        card.ref,
        card.title,
        card.layer,
        box,
        circle,
        card.tone,
        _cat(c, card, circle),
        tuple(labels),
        tuple(rows),
        Cat("sit", 1, peek, arm=True, left=True) if card.pointed and c.miya else None,
        rule if card.paths else None,
        card.pointed and not c.miya,
    )


def _cat(c: Content, card: Card, circle: Box) -> Cat | None:
    if not c.miya:
        return None
    if c.view in ("forward", "givens"):
        pose, sign, side = ("asleep" if card.asleep else "sit"), 1, CAT * 0.85
    else:
        pose, sign = pose_of(card.tone.size), card.tone.sign
        side = CAT * scale_of(card.tone.size)
    middle = circle.x + circle.width / 2
    return Cat(pose, sign, Box(middle - side / 2, circle.bottom + 3 - side * 0.95, side, side))  # type: ignore[arg-type]


def _header(card: Card, table: Columns, circle: Box) -> list[Label]:
    x = circle.right + 28
    room = table.card - (x - circle.x) - 2 * PAD - 8 - (PEEK.width + 8 if card.pointed else 0)
    name = font.fit(card.name, min(room, NAME_ROOM), SIZES["name"], True)
    found = [Label(name, x, circle.y + 18, "name")]
    if card.delta:
        found.append(Label(card.delta, x, circle.y + 45, "delta"))
    y = circle.y + 70 if card.delta else circle.y + 45
    for text, wide in zip(card.facts, table.facts, strict=False):
        found.append(Label(text, x, y, "plain"))
        x += wide + 14
    return found


def _heads(c: Content, card: Card, table: Columns, box: Box) -> list[Label]:
    y = box.y + HEADER + 11
    over = heads(c)
    found = [
        Label(over[key], right, y, "head", "end")
        for key, right in _rights(table, box).items()
        if key != "name" and over[key]
    ]
    if card.total:
        found.append(Label(c.words["head_back"], box.right - PAD, y, "head", "end"))
    return found


def _rights(table: Columns, box: Box) -> dict[str, float]:
    """The right edge of each column."""
    found, x = {}, box.x + PAD
    for key, wide in table.widths.items():
        x += wide
        found[key] = x
        x += GAP
    return found


def _line_row(c: Content, line: Line, table: Columns, box: Box, y: float) -> Row:
    base = y + 13
    rights = _rights(table, box)
    labels = [Label(line.ref, box.x + PAD, base, "symbol")]
    labels += [
        Label(
            line.cells[key],
            rights[key],
            base,
            "quiet" if key in ("before", "arrow") and "after" in c.columns else "number",
            "end",
            MOMENTS.get(key, ""),
        )
        for key in c.columns
    ]
    end = box.x + PAD + table.left
    paw = Box(end + 5, y, 36, ROW) if line.tapped and c.miya else None
    lock = Box(end + 6, y + 3, 10, 12) if line.frozen and not paw else None
    return Row(
        line.ref,
        line.title,
        tuple(labels),
        Box(box.x + 6, y, PAD - 6 + table.left + 5, ROW),
        line.tapped,
        paw,
        lock,
    )


def path_top(y: float, k: int) -> float:
    return y + HEADER + HEADS + ROW * k


def _path_rows(card: Card, table: Columns, box: Box) -> list[Row]:
    if not card.total:
        return []
    left, right = box.right - PAD - table.right, box.right - PAD
    entries = [*((p.name, p.value) for p in card.paths), ("∂C/∂a", card.total)]
    found = []
    for k, (name, value) in enumerate(entries):
        y = path_top(box.y, k)
        labels = (
            Label(name, left, y + 13, "symbol"),
            Label(value, right, y + 13, "number", "end"),
        )
        found.append(Row(f"{card.ref}.{k}", "", labels, Box(left - 4, y, right - left + 8, ROW)))
    return found


def left_port(neuron: Neuron, k: int) -> tuple[float, float]:
    """Where the edge of line k ends."""
    return neuron.box.x, path_top(neuron.box.y, k) + ROW / 2


def right_port(neuron: Neuron, card: Card, k: int) -> tuple[float, float]:
    """Where the edge to neuron k of the next layer starts: at the path's row, where it is told."""
    if card.paths:
        return neuron.box.right, path_top(neuron.box.y, k) + ROW / 2
    if card.total:
        return neuron.box.right, path_top(neuron.box.y, 0) + ROW / 2
    return neuron.box.right, neuron.circle.middle


INPUT = Box(0, 0, 96, 46)
CONSTANT = Box(0, 0, 34, 34)


def input_width(inputs: Sequence[Input]) -> float:
    text = max(
        max(text_width(i.value, "plain"), min(text_width(i.name, "name"), 140)) for i in inputs
    )
    return max(INPUT.width, text + 28)


def place_input(item: Input, wide: float, x: float, y: float) -> Source:
    name = font.fit(item.name, wide - 24, SIZES["name"], True)
    labels = (
        Label(name, x + wide / 2, y + 19, "name", "middle"),
        Label(item.value, x + wide / 2, y + 36, "plain", "middle"),
    )
    return Source(item.ref, "input", item.title, Box(x, y, wide, INPUT.height), labels)


def place_constant(c: Content, layer: int, right: float, y: float) -> Source:
    box = Box(right - CONSTANT.width, y, CONSTANT.width, CONSTANT.height)
    label = Label("1", box.x + box.width / 2, box.y + 22, "name", "middle")
    title = c.say("constant_title", layer=layer)
    return Source(f"1.{layer}", "constant", title, box, (label,))
