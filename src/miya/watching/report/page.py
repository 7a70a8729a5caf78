"""The page: what was found, the plots, the strips and the story of the worst step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from string import Template

import numpy as np

from ...render.mathml_names import element
from ...render.page import asset
from ...render.page.blocks import text
from ...render.page.faces import face
from ...story.numbers import percent
from ...story.words import load
from ..reading import Run
from ..records import Finding
from ..shown import short
from .charts import Line, Mark, chart
from .history import History, Series, history_of
from .palette import rules
from .strips import MEASURES, strips
from .telling import Telling, stated
from .worst import worst

MOST = 100  # findings told
SHARES = {"dead_neurons": ("share", "dead"), "saturated": ("flat", "flat")}  # a fact, its measure
Words = Mapping[str, str]


def report(run: Run, *, language: str = "en") -> str:
    """One self-contained HTML page that makes no request and runs no script.

    Raises MiyaInputError E602 for a language that does not ship, E746 for a damaged file.
    """
    words = load(language)["watch_report"]
    found, seen = run.findings(), history_of(run)
    story = Telling(seen, worst(seen, found), words, language)
    sections = [
        _section(words["findings_heading"], _findings(found, seen, words, language)),
        _section(words["training_heading"], *_charts(seen, found, words)),
        _section(words["layers_heading"], *_strips(seen, found, words)),
        _section(words["worst_heading"], story.html()),
    ]
    style = asset("miya.css").decode() + rules() + _own("report.css")
    return Template(_own("report.html")).substitute(
        language=language,
        title=text(words["title"].format(name=run.path.name or run.path)),
        style=style,
        facts=_facts(run, seen, found, words),
        says=_says(found, seen, words),
        sections="".join(sections),
    )


def _own(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def _section(title: str, *inside: str) -> str:
    return element("section", element("h2", text(title)), *inside, class_="chapter")


def _facts(run: Run, seen: History, found: Sequence[Finding], words: Words) -> str:
    loss = seen.whole["loss"]
    kept = loss.values[loss.measured]
    tiles = [
        (words["tile_steps"], f"{seen.steps[0]} – {seen.steps[-1]}"),
        (words["tile_watched"], str(len(seen.steps))),
        (
            words["tile_loss"],
            f"{short(float(kept[0]))} → {short(float(kept[-1]))}" if kept.size else short(None),
        ),
        (words["tile_findings"], str(len(found))),
    ]
    listed = [element("div", element("dt", text(k)), element("dd", text(v))) for k, v in tiles]
    return element("dl", *listed, class_="tiles") + element(
        "p", text(words["join"].join(_notes(run, seen, words))), class_="note"
    )


def _notes(run: Run, seen: History, words: Words) -> Iterator[str]:
    told_of = run.meta.get
    yield words["begun"].format(
        at=told_of("at", "?"), miya=told_of("miya", "?"), torch=told_of("torch", "?")
    )
    if len(run.ranks) > 1:
        yield words["ranks"].format(count=len(run.ranks))
    last = max(run.ranks.values())
    for rank, step in run.ranks.items():
        if step < last:
            yield words["lost_rank"].format(rank=rank, step=step, last=last)
    if run.trained > len(run.ranks):
        there = ", ".join(map(str, run.ranks))
        yield words["missing_ranks"].format(trained=run.trained, ranks=there)
    if len(run.starts) > 1:
        yield words["starts"].format(start=run.start, count=len(run.starts))
    if seen.skipped.any():
        yield words["skips"].format(count=int(seen.skipped.sum()))


def _says(found: Sequence[Finding], seen: History, words: Words) -> str:
    broken = seen.whole["loss"].broken
    if broken.any():
        said = words["says_broken"].format(step=seen.steps[int(np.argmax(broken))])
    elif found:
        first = min(found, key=lambda f: f.since)
        said = words["says_found_one" if len(found) == 1 else "says_found"].format(
            count=len(found), step=first.since
        )
    else:
        said = words["says_well"]
    mood = face("alarm" if broken.any() or found else "proud")
    bubble = element("div", element("p", text(said)), class_="bubble")
    return element("div", mood, bubble, class_="remark", role="note")


def _findings(found: Sequence[Finding], seen: History, words: Words, language: str) -> str:
    if not found:
        return element("p", text(words["no_findings"]))
    rows = []
    for k, finding in enumerate(found[:MOST], 1):
        said = stated(finding, seen.kinds, language)
        parts = [element("p", text(said.statement), class_="stated")]
        if said.remedy:
            parts.append(element("p", text(said.remedy), class_="remedy"))
        when = [words["found_at"].format(step=finding.step), *_went_on(finding, seen, words)]
        body = element("div", *parts, _small(words["join"].join(when)))
        rows.append(element("li", element("b", str(k)), body, class_="found"))
    more = len(found) - len(rows)
    left = element("p", text(words["more_findings"].format(count=more)), class_="note")
    return element("ol", *rows, class_="findings") + (left if more else "")


def _went_on(finding: Finding, seen: History, words: Words) -> Iterator[str]:
    """A share that grew or fell after it was found: as it was then, and in the end."""
    fact, measure = SHARES.get(finding.rule, ("", ""))
    then, layer = finding.facts.get(fact), seen.layers.get(finding.layer)
    kept = np.flatnonzero(layer[measure].finite) if layer and measure else np.array([])
    if not isinstance(then, float) or layer is None or not kept.size:
        return
    last = int(kept[-1])
    if seen.steps[last] > finding.step:
        now = float(layer[measure].values[last])
        yield words["went_on"].format(then=percent(then), now=percent(now), last=seen.steps[last])


def _small(words: str) -> str:
    return element("p", text(words), class_="note")


def _charts(seen: History, found: Sequence[Finding], words: Words) -> Iterator[str]:
    marks = _marks(found)
    whole = seen.whole
    if whole["loss"].measured.any():
        note = words["marks_note"] if marks else ""
        yield chart(
            seen, words["loss"], [Line(words["loss"], whole["loss"])], note=note, marks=marks
        )
    else:
        yield _small(words["no_loss"])
    changes = [Line(words[n], whole[n]) for n in ("predicted", "real") if whole[n].measured.any()]
    if changes:
        note = words["join"].join([words["change_note"], words["no_real"]][: 3 - len(changes)])
        yield chart(seen, words["change"], changes, note=note)
    norms = [Line(words[n], seen.norm(n)) for n in ("gradient", "step", "weight")]
    norms = [line for line in norms if line.values.measured.any()]
    if norms:
        yield chart(seen, words["norms"], norms, note=words["norms_note"])
    relative = _spread(seen, "relative_step", words)
    if relative:
        yield chart(seen, words["relative_steps"], relative, note=words["about_relative_step"])


def _marks(found: Sequence[Finding]) -> list[Mark]:
    """The findings by number, those of one step together."""
    names: dict[int, list[str]] = {}
    for k, finding in enumerate(found[:MOST], 1):
        names.setdefault(finding.since, []).append(str(k))
    return [Mark(step, _run(of)) for step, of in sorted(names.items())]


def _run(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]}–{names[-1]}"


def _spread(seen: History, measure: str, words: Words) -> list[Line]:
    """The largest, the middle and the smallest of the layers at each step."""
    found = list(seen.of(measure).values())
    if not found:
        return []
    values = np.array([np.where(s.finite, s.values, np.nan) for s in found])
    there = np.isfinite(values).any(axis=0)
    broken = np.any([s.broken for s in found], axis=0)
    kept = values[:, there]
    lines = []
    for name, of in (("largest", np.nanmax), ("middle", np.nanmedian), ("smallest", np.nanmin)):
        made = np.full(len(seen.steps), np.nan)
        made[there] = of(kept, axis=0)
        lines.append(Line(words[name], Series(made, there | broken)))
    return lines if len(found) > 1 else lines[:1]


def _strips(seen: History, found: Sequence[Finding], words: Words) -> Iterator[str]:
    first = [f.layer for f in found]
    made = [strips(seen, measure, words, first) for measure in MEASURES]
    yield from filter(None, made)
    if not any(made):
        yield element("p", text(words["no_layers"]))
