"""The scene of a trace: the whole network where it fits, a summary where it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from ..analysis.blame import Measure
from ..core.trace import Trace
from ..errors import MiyaInputError
from . import font, layout
from .content import Card, Content
from .frames import PARTS
from .givens import Givens
from .panels import place_panels
from .scene import SIZES, VIEWS, Box, Edge, Label, Loss, Neuron, Scene, Source, Style, Tone, View

MARGIN = 36.0
# of a network drawn in full: what its columns hold, the rows of a column's cards together (a card
# is itself as tall as CARD_ROWS of them), weights and biases, layers with the inputs
MOST_CARDS, MOST_INPUTS, MOST_ROWS, CARD_ROWS = 12, 24, 264, 9
MOST_PARAMETERS, MOST_LAYERS = 480, 10
NARROWEST = 860.0
EXAMPLE_NAME = 40


def scene(
    trace: Trace,
    *,
    measure: Measure | None = None,
    view: View = "whole",
    example: int | str | None = 0,
    digits: int | None = None,
    language: str = "en",
    miya: bool = True,
) -> Scene:
    """The picture of `trace`, placed. example: by number from 0, or "sum" (or None).
    measure: None is step in the view of the update, else pressure. view "givens" shows the network
    in full before anything is worked out, with no result in it.

    Raises MiyaInputError E608 for a measure, E650 for a view and E651 for an example that there
    is not.
    """
    measure = measure or ("step" if view == "update" else "pressure")
    if measure not in get_args(Measure):
        raise MiyaInputError(
            "E608", f"measure is {measure!r}", hint=f"choose {', '.join(get_args(Measure))}"
        )
    if view not in (*VIEWS, "givens"):
        raise MiyaInputError("E650", f"view is {view!r}", hint=f"choose {', '.join(VIEWS)}")
    one = example_of(trace, example)
    kind = Givens if view == "givens" else Content
    content = kind(trace, measure, view, one, digits, language, miya)
    if view != "givens" and not fits(trace):
        from .summary import summary

        return summary(content)
    return _full(content)


def example_of(trace: Trace, example: int | str | None) -> int | None:
    """The example's number, or None for the sum."""
    count = trace.network.examples
    if example is None or example == "sum":
        return None
    if isinstance(example, int) and 0 <= example < count:
        return example
    raise MiyaInputError(
        "E651",
        f"example {example!r} is not there: there are {count}, counted from 0",
        hint="choose one of them, or sum",
    )


def fits(trace: Trace) -> bool:
    """Whether every neuron and weight is drawn: what counts is how tall the columns become."""
    sizes = trace.network.sizes
    after = [*sizes[2:], 0]
    rows = [
        cards * (max(inputs, paths) + 1 + CARD_ROWS)
        for inputs, cards, paths in zip(sizes[:-1], sizes[1:], after, strict=True)
    ]
    return (
        max(sizes[1:]) <= MOST_CARDS
        and sizes[0] <= MOST_INPUTS
        and max(rows) <= MOST_ROWS
        and sum(u.before.size for u in trace.updates.values()) <= MOST_PARAMETERS
        and len(sizes) <= MOST_LAYERS
    )


@dataclass(frozen=True)
class Column:
    """One layer's cards, placed; sources holds what its edges start from, in order."""

    cards: list[Card]
    neurons: list[Neuron]
    table: layout.Columns


def _full(c: Content) -> Scene:
    top = MARGIN + headline_height(c)
    inputs = c.inputs()
    cards = [c.cards(k) for k in range(len(c.flows))]
    heights = [
        sum(map(layout.card_height, some)) + layout.CARD_GAP * (len(some) - 1) for some in cards
    ]
    loss_high = loss_height(c)
    spare = layout.CONSTANT.height + 22  # under each column that has a bias's 1
    input_high = len(inputs) * (layout.INPUT.height + 22) - 22
    tall = (
        max(*(h + spare for h in heights[:-1]), heights[-1], input_high + spare, loss_high)
        if len(heights) > 1
        else max(heights[0], input_high + spare, loss_high)
    )
    gutter = min(max(96.0, 70 + 0.075 * tall), 300.0)
    x = MARGIN
    wide = layout.input_width(inputs)
    y = top + (tall - input_high - spare) / 2
    sources: list[Source] = []
    for item in inputs:
        sources.append(layout.place_input(item, wide, x, y))
        y += layout.INPUT.height + 22
    constants = [layout.place_constant(c, 1, x + wide, y)]
    x += wide + gutter
    columns: list[Column] = []
    for k, some in enumerate(cards):
        table = layout.columns(c, some)
        last = k + 1 == len(cards)
        y = top + (tall - heights[k] - (0 if last else spare)) / 2
        placed = []
        for card in some:
            placed.append(layout.place_card(c, card, table, x, y))
            y += layout.card_height(card) + layout.CARD_GAP
        columns.append(Column(some, placed, table))
        x += table.card
        if not last:
            constants.append(layout.place_constant(c, k + 2, x, y - layout.CARD_GAP + 22))
            x += gutter
    edges = [e for k in range(len(columns)) for e in _edges(c, columns, k, sources, constants)]
    x += min(gutter, 120.0)
    loss = place_loss(c, x, top + tall / 2)
    edges += _links(c, columns[-1], loss)
    right = max(loss.box.right, NARROWEST - MARGIN)
    panels, bottom = place_panels(c, MARGIN, top + tall + 34, right - MARGIN)
    return Scene(
        right + MARGIN,
        bottom + MARGIN,
        title_of(c),
        describe(c),
        c.language,
        c.view,
        c.measure,
        c.miya,
        len(cards),
        tuple(headline(c, right - MARGIN)),
        (*sources, *constants),
        tuple(n for column in columns for n in column.neurons),
        tuple(edges),
        loss,
        panels,
        captions=captions(c),
    )


def captions(c: Content) -> tuple[tuple[str, str], ...]:
    return tuple((motion, c.words[f"phase_{motion}"]) for motion in (*PARTS[c.view], "tell"))


def _edges(
    c: Content, columns: list[Column], k: int, inputs: list[Source], constants: list[Source]
) -> list[Edge]:
    found = []
    column = columns[k]
    one = constants[k].box
    for i, (card, neuron) in enumerate(zip(column.cards, column.neurons, strict=True)):
        for row, line in enumerate(card.lines):
            if line.kind == "bias":
                start = (one.right, one.middle)
            elif k == 0:
                start = (inputs[line.source].box.right, inputs[line.source].box.middle)
            else:
                before = columns[k - 1]
                j = line.source
                start = layout.right_port(before.neurons[j], before.cards[j], i)
            found.append(
                Edge(
                    line.ref,
                    "bias" if line.kind == "bias" else "weight",
                    line.title,
                    k + 1,
                    start,
                    layout.left_port(neuron, row),
                    line.tone,
                    line.passed if c.view in ("whole", "blame") else None,
                    line.frozen,
                    line.tapped,
                )
            )
    return found


def _links(c: Content, column: Column, loss: Loss) -> list[Edge]:
    """From each output to the loss."""
    found = []
    for i, (card, neuron) in enumerate(zip(column.cards, column.neurons, strict=True)):
        end = (
            loss.box.x,
            loss.box.y + 27 + (loss.box.height - 54) * (i + 1) / (len(column.cards) + 1),
        )
        start = layout.right_port(neuron, card, 0)
        key = "link_given" if isinstance(c, Givens) else "link_title"
        title = c.say(key, name=card.name[:60])
        sign = Tone(card.tone.sign, 0.35) if card.total else None
        found.append(Edge("C", "link", title, len(c.flows) + 1, start, end, Tone(), sign))
    return found


def loss_lines(c: Content) -> list[tuple[str, Style]]:
    """What the loss card says, line by line."""
    if isinstance(c, Givens):
        return _given_loss(c)
    trace = c.trace
    before, after = c.pair(trace.loss, trace.loss_after)
    lines: list[tuple[str, Style]] = [
        (c.words["loss"], "name"),
        (before, "delta"),
        (trace.network.loss.name.replace("_", " "), "quiet"),
    ]
    if c.view in ("whole", "update"):
        lines.append((c.say("loss_after", after=after), "plain"))
    if c.example is not None and trace.network.sizes[-1] <= MOST_CARDS:
        targets = trace.network.targets[c.example]
        names = trace.network.layers[-1].neurons
        for i, target in enumerate(targets):
            text = c.say("target", value=c.number(float(target)))
            name = font.clean(names[i])
            if len(targets) > 1:
                text = f"{font.fit(name, 110, SIZES['quiet'])}: {text}"
            lines.append((text, "quiet"))
    return lines


def _given_loss(c: Givens) -> list[tuple[str, Style]]:
    network = c.network
    lines: list[tuple[str, Style]] = [
        (c.words["loss"], "name"),
        (network.loss.name.replace("_", " "), "quiet"),
    ]
    names = network.layers[-1].neurons
    for name, value in zip(names, c.targets(), strict=True):
        text = c.say("target", value=value)
        if len(names) > 1:
            text = f"{font.fit(font.clean(name), 110, SIZES['quiet'])}: {text}"
        lines.append((text, "quiet"))
    return lines


STEPS: dict[Style, float] = {"name": 20.0, "delta": 27.0, "plain": 22.0, "quiet": 18.0}


def loss_height(c: Content) -> float:
    return 26 + sum(STEPS[style] for _, style in loss_lines(c))


def place_loss(c: Content, x: float, middle: float) -> Loss:
    lines = loss_lines(c)
    wide = max(layout.text_width(text, style) for text, style in lines) + 36
    high = loss_height(c)
    box = Box(x, middle - high / 2, wide, high)
    y, labels = box.y + 9, []
    for text, style in lines:
        y += STEPS[style]
        labels.append(
            Label(text, x + wide / 2, y, style, "middle", "after" if style == "plain" else "")
        )
    return Loss("C", _loss_title(c), box, tuple(labels))


def _loss_title(c: Content) -> str:
    if isinstance(c, Givens):
        return c.words["loss"]
    before, after = c.pair(c.trace.loss, c.trace.loss_after)
    return c.say("loss_title", before=before, after=after)


def title_of(c: Content) -> str:
    own = c.words["givens_title" if isinstance(c, Givens) else "title"]
    return font.clean(c.trace.network.title) or own


def subtitles(c: Content) -> list[str]:
    network = c.trace.network
    shown = c.words["carried" if c.view == "forward" else c.measure]
    first = c.words[c.view]
    rate = c.say("rate", optimizer=network.optimizer.name, rate=c.number(network.learning_rate))
    if isinstance(c, Givens):
        return [first, rate]
    second = f"{c.say('measured', measure=shown)} · {rate}"
    if c.example is None:
        second = f"{c.say('all', all=network.examples)} · {second}"
    elif network.examples > 1:
        names = network.example_names
        name = font.clean(names[c.example])[:EXAMPLE_NAME] if names else ""
        name = f" ({name})" if name else ""
        said = c.say("one", example=c.example, all=network.examples, name=name)
        second = f"{said} · {second}"
    return [first, second]


def headline(c: Content, room: float) -> list[Label]:
    title = font.fit(title_of(c), room, SIZES["title"], True)
    found = [Label(title, MARGIN, MARGIN + 20, "title")]
    y = MARGIN + 44
    for text in subtitles(c):
        for line in font.wrap(text, min(room, NARROWEST - 2 * MARGIN), SIZES["plain"]):
            found.append(Label(line, MARGIN, y, "plain"))
            y += 18
    return found


def headline_height(c: Content) -> float:
    lines = sum(len(font.wrap(t, NARROWEST - 2 * MARGIN, SIZES["plain"])) for t in subtitles(c))
    return 30.0 + 18 * lines + 30


def describe(c: Content) -> str:
    if isinstance(c, Givens):
        return c.say("givens_description", sizes="-".join(map(str, c.network.sizes)))
    top = c.blame.parameters[0]
    before, after = c.pair(c.trace.loss, c.trace.loss_after)
    return c.say(
        "description",
        sizes="-".join(map(str, c.trace.network.sizes)),
        before=before,
        after=after,
        measure=c.words[c.measure],
        symbol=c.tapped or "-",
        value=c.signed(top.value),
    )
