"""Under a model's picture: what Miya says, and the legend."""

from __future__ import annotations

from ...analysis.flow import is_greedy
from ...story.numbers import percent
from .. import font
from ..panels import POSES, speech
from ..scene import SIZES, Box, Cat, Label, Panel, Sample
from .cards import CELLS
from .content import ModelContent

LEGEND, SPEECH = 430.0, 430.0
ROW = 24.0


def place_panels(
    c: ModelContent, x: float, y: float, wide: float
) -> tuple[tuple[Panel, ...], float]:
    """The panels from (x, y) on, `wide` at most, and where they end."""
    beside = wide >= LEGEND + SPEECH + 26
    said = _speech(c, x, y, wide - LEGEND - 26 if beside else wide) if c.miya else None
    left = x + wide - LEGEND if beside and said else x
    top = y if beside or said is None else said.box.bottom + 24
    legend = _legend(c, left, top)
    panels = tuple(p for p in (said, legend) if p)
    return panels, max(p.box.bottom for p in panels)


def _share(value: float) -> str:
    return percent(value).replace(" ", "\u00a0")


def remarks(c: ModelContent) -> list[str]:
    if c.view == "forward":
        return [c.say("looking", loss=c.number(c.trace.loss))]
    found = []
    if c.blame.parameters and c.blame.parameters[0].value:
        top = c.blame.parameters[0]
        found.append(
            c.say(
                "first_tied" if top.tied else "first",
                name=font.clean(top.name),
                count=f"{c.blame.total_parameters:,}",
                measure=c.words[f"short_{c.measure}"],
                value=c.signed(top.value),
            )
        )
    else:
        found.append(c.say("nobody", measure=c.words[f"short_{c.measure}"]))
    if c.greedy and c.view != "update":
        one, place, share = c.greedy
        assert one.delta is not None
        found.append(
            c.say(
                "greedy" if is_greedy(share, one.delta.size) else "largest",
                name=font.clean(one.unit.title),
                index=place,
                count=one.delta.size,
                delta=c.signed(float(one.delta[place])),
                share=_share(share),
            )
        )
    if c.view == "blame":
        return found
    before, after = c.pair(c.trace.loss, c.trace.loss_after)
    change = (c.trace.loss_after > c.trace.loss) - (c.trace.loss_after < c.trace.loss)
    found.append(c.say({-1: "fell", 0: "same", 1: "rose"}[change], before=before, after=after))
    return found


def describe(c: ModelContent) -> str:
    if c.view == "forward":
        return c.say("description_forward", count=len(c.told), loss=c.number(c.trace.loss))
    before, after = c.pair(c.trace.loss, c.trace.loss_after)
    top = c.blame.parameters[0] if c.blame.parameters else None
    return c.say(
        "description",
        count=len(c.told),
        before=before,
        after=after,
        measure=c.words[f"short_{c.measure}"],
        name=font.clean(top.name) if top else "-",
        value=c.signed(top.value) if top else "0",
    )


def _speech(c: ModelContent, x: float, y: float, wide: float) -> Panel:
    risen = c.view in ("whole", "update") and c.trace.loss_after > c.trace.loss
    return speech(remarks(c), "alarm" if risen else "sit", x, y, wide)


def _legend(c: ModelContent, x: float, y: float) -> Panel:
    samples: list[Sample] = []
    base = y + 20
    for kind in _kinds(c):
        icon = Box(x + 18, base - 9, 14 if kind == "frozen" else 40, 14)
        key = f"legend_{kind}_{c.view}"
        key = key if key in c.words else f"legend_{kind}"
        text = c.say(key, measure=c.words[c.measure], cells=CELLS)
        lines = font.wrap(text, LEGEND - 92, SIZES["quiet"])
        placed = tuple(
            Label(line, x + 70, base + 2 + 16 * k, "quiet") for k, line in enumerate(lines)
        )
        samples.append(Sample(kind, icon, placed))
        base += ROW + 16 * (len(lines) - 1)
    labels: list[Label] = []
    if c.miya and c.cats:
        base = _poses(c, samples, labels, x + 18, base - 4)
    return Panel(Box(x, y, LEGEND, base + 6 - y), tuple(labels), tuple(samples))


def _kinds(c: ModelContent) -> list[str]:
    """What the legend explains."""
    found = ["heat"] if c.view == "forward" else ["heat", "bar"]
    found += [] if c.view == "update" else ["wire"]
    found += ["same"] if c.boxes.same else []
    found += ["frozen"] if any(t.frozen for t in c.told) else []
    return found + (["cell"] if c.cats and not c.miya else [])


def _poses(
    c: ModelContent, samples: list[Sample], labels: list[Label], left: float, y: float
) -> float:
    side, step = 46.0, (LEGEND - 36) / len(POSES)
    for k, (pose, key, scale) in enumerate(POSES):
        middle, size = left + step * (k + 0.5), side * scale
        box = Box(middle - size / 2, y + side - size, size, size)
        text = Label(c.words[key], middle, y + side + 15, "quiet", "middle")
        samples.append(Sample("pose", box, (text,), Cat(pose, 1, box)))
    y += side + 34
    for key in ("looks_right", "looks_left"):
        labels.append(Label(font.fit(c.words[key], LEGEND - 36, SIZES["quiet"]), left, y, "quiet"))
        y += 17
    return y - 6
