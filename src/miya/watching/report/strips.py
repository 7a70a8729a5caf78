"""Heat strips: a row a layer, the steps from left to right, the size as colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile

import numpy as np

from ...render.escape import printable
from ...render.mathml_names import element
from ...render.page.blocks import text
from ...story.numbers import percent
from ..shown import short
from .history import Floats, History, Series, buckets
from .scales import Colours, one_way, share, two_ways

COLUMNS = 120  # at most, each the largest of its steps
ROWS = 60  # at most
DENSE = 16  # rows, beyond which they are low
HEALTHY = 1e-3  # of a step relative to its weight (docs/watching.md names the source)
DECADES = 3  # around it
MEASURES = ("gradient", "delta", "relative_step", "dead", "saturated")
SHARES = ("dead", "saturated", "greedy")
UNMEASURED, BROKEN = "hn", "hx"


def strips(run: History, measure: str, words: Mapping[str, str], first: Sequence[str]) -> str:
    """The strip of a measure, or "" where no layer has it. first: layers that have to be shown."""
    found = run.of(measure)
    if not found:
        return ""
    parts = buckets(len(run.steps), COLUMNS)
    rows = {layer: _largest(found[layer], parts) for layer in shown(list(found), first)}
    colours = _colours(measure, [s.values[s.finite] for s in rows.values()])
    front = common(list(rows))
    drawn = [
        _row(k or words["model"], k[len(front) :], values, colours, measure)
        for k, values in rows.items()
    ]
    notes = [words[f"about_{measure}"]]
    if front:
        notes.append(words["strip_names"].format(front=front))
    if len(parts) < len(run.steps):
        notes.append(words["strip_parts"].format(columns=len(parts), steps=len(run.steps)))
    if len(rows) < len(found):
        notes.append(words["strip_rows"].format(told=len(rows), all=len(found)))
    return element(
        "figure",
        element("figcaption", text(words[measure])),
        _scale(colours, measure, words, list(rows.values())),
        element("div", *drawn, class_="strips dense" if len(rows) > DENSE else "strips"),
        element("p", *(element("i", str(run.steps[k])) for k in (0, -1)), class_="ends"),
        element("p", text(words["join"].join(notes)), class_="note"),
        class_="strip",
    )


def shown(layers: Sequence[str], first: Sequence[str], most: int = ROWS) -> list[str]:
    """At most `most` of the layers, in their order: those of `first`, and others evenly spread."""
    if len(layers) <= most:
        return list(layers)
    chosen = [layer for layer in layers if layer in set(first)][:most]
    others = [layer for layer in layers if layer not in set(chosen)]
    spread = np.linspace(0, len(others) - 1, most - len(chosen)).round().astype(int)
    keep = {*chosen, *(others[k] for k in spread)}
    return [layer for layer in layers if layer in keep]


def common(layers: Sequence[str]) -> str:
    """What all paths begin with, up to a dot; "" where there is nothing."""
    parts = [layer.split(".")[:-1] for layer in layers]
    kept = [of[0] for of in takewhile(lambda of: len(set(of)) == 1, zip(*parts, strict=False))]
    return ".".join([*kept, ""]) if len(layers) > 1 else ""


def _largest(found: Series, parts: Sequence[slice]) -> Series:
    """The largest finite number of each part; broken where any of it is."""
    values = np.full(len(parts), np.nan)
    measured = np.zeros(len(parts), dtype=np.bool_)
    for k, part in enumerate(parts):
        kept = found.values[part][found.finite[part]]
        if found.broken[part].any():
            measured[k] = True
        elif kept.size:
            values[k], measured[k] = kept.max(), True
    return Series(values, measured)


def _colours(measure: str, found: Sequence[Floats]) -> Colours:
    if measure in SHARES:
        return share()
    if measure == "relative_step":
        return two_ways(HEALTHY, DECADES)
    return one_way(np.concatenate(found))


def _row(layer: str, ending: str, found: Series, colours: Colours, measure: str) -> str:
    names = np.full(len(found.values), UNMEASURED, dtype=object)
    finite = found.finite
    names[finite] = [f"{colours.name}{c}" for c in colours.classes(found.values[finite])]
    names[found.broken] = BROKEN
    cells: dict[str, list[str]] = {}
    start = 0
    for k in range(1, len(names) + 1):
        if k == len(names) or names[k] != names[start]:
            cells.setdefault(names[start], []).append(f"M{start} 0h{k - start}v1h-{k - start}z")
            start = k
    drawing = element(
        "svg",
        *(element("path", class_=name, d="".join(paths)) for name, paths in cells.items()),
        viewBox=f"0 0 {len(names)} 1",
        preserveAspectRatio="none",
        role="img",
        aria_label=printable(f"{layer}: {_spoken(found, measure)}"),
    )
    name = element("span", element("bdi", text(ending or layer)), title=printable(layer))
    return element("div", name, drawing, class_="row")


def _spoken(found: Series, measure: str) -> str:
    kept = found.values[found.finite]
    if not kept.size:
        return short(None)
    write = percent if measure in SHARES else short
    return f"{write(float(kept.min()))} … {write(float(kept.max()))}"


def _scale(colours: Colours, measure: str, words: Mapping[str, str], rows: Sequence[Series]) -> str:
    boxes = [element("rect", class_=f"{colours.name}{k}", x=str(k), y="0", width="1", height="1")
             for k in range(colours.count)]  # fmt: skip
    drawing = element(
        "svg",
        *boxes,
        viewBox=f"0 0 {colours.count} 1",
        preserveAspectRatio="none",
        aria_hidden="true",
    )
    write = percent if measure in SHARES else short
    ends = [
        element("i", text(_bound(colours, place) + write(value)), style=f"left:{place * 100:g}%")
        for value, place in colours.marks
    ]
    keys = [
        element("span", _key(name), text(words[word]), class_="key")
        for name, word, there in (
            (UNMEASURED, "not_measured", any(not s.measured.all() for s in rows)),
            (BROKEN, "not_finite", any(s.broken.any() for s in rows)),
        )
        if there
    ]
    bar = element("span", drawing, element("span", *ends, class_="under"), class_="ramp")
    return element("div", bar, *keys, class_="scale")


def _bound(colours: Colours, place: float) -> str:
    """What stands in front of an end of the scale that other numbers lie beyond."""
    low, high = colours.beyond
    return "≤ " if place == 0 and low else "≥ " if place == 1 and high else ""


def _key(name: str) -> str:
    box = element("rect", class_=name, width="1", height="1")
    return element("svg", box, viewBox="0 0 1 1", aria_hidden="true")
