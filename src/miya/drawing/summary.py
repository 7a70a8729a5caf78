"""A network too large to draw whole: heat strips a layer, and its top neurons in full."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..core.rounding import Array
from . import font, layout
from .content import Content, tone
from .panels import place_panels
from .scene import SIZES, Box, Label, Loss, Neuron, Scene, Strip

CELLS = 160  # of a strip at most
TOP = 3  # neurons of a layer drawn in full
ROWS = 5  # weights of each of them told
MOST_COLUMNS = 12  # layers; of more, the first and the last ones
TALL = 480.0
WIDE, BETWEEN = 56.0, 40.0


@dataclass(frozen=True)
class Column:
    strips: tuple[Strip, ...]
    neurons: tuple[Neuron, ...]
    labels: tuple[Label, ...]
    right: float


def summary(c: Content) -> Scene:
    from .build import (
        MARGIN,
        NARROWEST,
        captions,
        describe,
        headline,
        headline_height,
        place_loss,
        title_of,
    )

    note = c.say(
        "summary",
        neurons=sum(c.trace.network.sizes[1:]),
        weights=sum(u.before.size for u in c.trace.updates.values()),
    )
    y = MARGIN + headline_height(c) + 14
    x = MARGIN
    columns = [_inputs(c, x, y)]
    for k in told_layers(len(c.flows)):
        columns.append(_layer(c, k, columns[-1].right + 44, y))
    bottom = max([y + TALL + 96] + [n.box.bottom for column in columns for n in column.neurons])
    loss: Loss = place_loss(c, columns[-1].right + 44, y + TALL / 2)
    right = max(loss.box.right, NARROWEST - MARGIN)
    panels, end = place_panels(c, MARGIN, bottom + 34, right - MARGIN, whole=False)
    lines = font.wrap(note, right - MARGIN, SIZES["plain"])
    labels = [
        Label(line, MARGIN, MARGIN + headline_height(c) - 16 + 18 * k, "plain")
        for k, line in enumerate(lines[:1])
    ]
    return Scene(
        right + MARGIN,
        end + MARGIN,
        title_of(c),
        describe(c),
        c.language,
        c.view,
        c.measure,
        c.miya,
        len(c.flows),
        (*headline(c, right - MARGIN), *labels, *(t for column in columns for t in column.labels)),
        (),
        tuple(n for column in columns for n in column.neurons),
        (),
        loss,
        panels,
        tuple(s for column in columns for s in column.strips),
        captions(c),
    )


def told_layers(count: int) -> list[int]:
    if count <= MOST_COLUMNS:
        return list(range(count))
    half = MOST_COLUMNS // 2
    return [*range(half), *range(count - half, count)]


def binned(values: Array, most: int = CELLS) -> Array:
    """Of each of at most `most` runs of `values`, the one that is largest by size."""
    flat = np.asarray(values, dtype=float).ravel()
    if flat.size <= most:
        return flat
    edges = np.linspace(0, flat.size, most + 1).astype(int)
    sizes = np.abs(flat)
    return np.array([flat[a + int(sizes[a:b].argmax())] for a, b in pairwise(edges)])


def _strip(
    c: Content, ref: str, layer: int, what: str, values: Array, largest: float, box: Box
) -> Strip:
    found = binned(values)
    cells = tuple(tone(float(v), largest) for v in found)
    count = int(values.size)
    title = c.say("strip_title", layer=layer, what=what, count=count, cells=len(cells))
    key = "strip_each" if count == len(cells) else "strip_note"
    note = c.say(key, count=count, cells=len(cells))
    if ref.startswith("W"):
        note = f"{c.words['strip_largest']}: {note}"
    middle = box.x + box.width / 2
    notes = font.wrap(note, BETWEEN + WIDE - 10, SIZES["head"])
    labels = [Label(what, middle, box.y - 8, "name", "middle")]
    labels += [
        Label(line, middle, box.bottom + 15 + 13 * k, "head", "middle")
        for k, line in enumerate(notes[:3])
    ]
    high = min(box.height, max(len(cells) * 22.0, 22.0))
    if high < box.height:
        low = box.y + (box.height - high) / 2
        box = Box(box.x, low, box.width, high)
    return Strip(ref, title, box, cells, tuple(labels))


def _inputs(c: Content, x: float, y: float) -> Column:
    low, high = c.flows[0].input
    values = np.where(np.abs(low) > np.abs(high), low, high)
    left = x + BETWEEN / 2
    box = Box(left, y + 58, WIDE, TALL)
    label = Label(c.words["inputs"], x, y + 14, "name")
    strip = _strip(c, "x", 0, c.words["strip_input"], values, _size(values), box)
    return Column((strip,), (), (label,), left + WIDE + BETWEEN / 2)


def _layer(c: Content, k: int, x: float, y: float) -> Column:
    layer, found = c.trace.layers[k], c.flows[k]
    number = layer.number
    name = font.clean(layer.layer.name)
    low, high = found.a
    signal = np.where(np.abs(low) > np.abs(high), low, high)
    measured = c.values[layer.weight.name]
    strips: list[tuple[str, str, Array, str]]
    if c.view == "forward":
        strips = [
            ("W", "strip_weight", _by_row(found.carried), "carried"),
            ("a", "strip_a", signal, "a"),
        ]
    else:
        strips = [
            ("W", "strip_weight", _by_row(measured), "measure"),
            ("a", "strip_a", signal, "a"),
            ("delta", "strip_delta", found.delta, "delta"),
        ]
    placed = []
    left = x + BETWEEN / 2
    for key, word, values, scale in strips:
        box = Box(left, y + 58, WIDE, TALL)
        ref = f"{key}{number}"
        what = f"{c.words[word]}{number}"
        placed.append(_strip(c, ref, number, what, values, c.largest[scale], box))
        left += WIDE + BETWEEN
    ranked = signal if c.view == "forward" else found.delta
    cards = c.cards(k, _top(ranked, c.named(number)), ROWS)
    table = layout.columns(c, cards)
    neurons = []
    at = y + 28
    for card in cards:
        neurons.append(layout.place_card(c, card, table, left, at))
        at += layout.card_height(card) + layout.CARD_GAP
    room = left + table.card - x
    short = f"{c.say('layer', layer=number)} · {layer.layer.inputs} → {layer.layer.outputs}"
    heading, space = f"{short} · {name}", room - table.card - 20
    if layout.text_width(heading, "name") > space:
        heading = short
    note = c.say("more", count=layer.layer.inputs)
    labels = (
        Label(font.fit(heading, space, SIZES["name"], True), x, y + 14, "name"),
        Label(font.fit(note, table.card, SIZES["quiet"]), left, y + 14, "quiet"),
    )
    return Column(tuple(placed), tuple(neurons), labels, left + table.card)


def _size(values: Array) -> float:
    return float(np.abs(values).max())


def _by_row(values: Array) -> Array:
    """The largest weight by size of each neuron."""
    best = np.abs(values).argmax(axis=1)
    return np.asarray(values[np.arange(values.shape[0]), best])


def _top(values: Array, named: list[int]) -> list[int]:
    """The neurons drawn in full: those that Miya names, then the largest by size."""
    order = [int(i) for i in np.argsort(-np.abs(values), kind="stable")[: TOP + len(named)]]
    return sorted([*named, *(i for i in order if i not in named)][:TOP])
