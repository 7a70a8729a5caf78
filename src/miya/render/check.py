"""A marked page as text, Markdown, HTML and JSON."""

from __future__ import annotations

import html as html_of
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from ..analysis.check.judge import Mark
from ..analysis.check.mark import Answer, Convention, Marking
from ..core.page import Note
from ..story.numbers import number
from ..story.words import load
from .escape import markdown as escape_markdown
from .escape import printable
from .text import columns

VERDICTS = ("right", "rounding", "last_digit", "wrong", "follows", "not_carried", "unclear")
DIGITS = 5
MOST_UNREAD = 20
NAME_LENGTH = 40


@dataclass(frozen=True)
class Section:
    """A heading with lines, or a table whose first row names the columns."""

    heading: str
    lines: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()


def data(made: Marking) -> dict[str, Any]:
    """Plain data: network, items, first_slips, claims, conventions, unread, assumed."""
    en = load("en")["check"]
    return {
        "page": made.page.name,
        "network": _network_data(made),
        "items": [item(m) for m in made.marks],
        "first_slips": [item(m) for m in made.first_slips],
        "counts": {v: made.counts.get(v, 0) for v in VERDICTS},
        "claims": [
            {
                "text": a.claim.text,
                "line": a.claim.line,
                "holds": dict(a.held),
                "leads": dict(a.leads),
            }
            for a in made.answers
        ],
        "conventions": [
            {"name": c.name, "chosen": c.chosen, "fits": dict(c.fits), "of": c.total}
            for c in made.conventions
        ],
        "unread": [
            {"number": n, "line": at, "around": around} for n, at, around in made.page.unread
        ],
        "assumed": [{"line": n.line, "text": note(n, en)} for n in made.page.assumed],
    }


def item(m: Mark) -> dict[str, Any]:
    return {
        "symbol": m.of.symbol if m.of else m.formula,
        "index": list(m.of.index) if m.of else [],
        "stated": m.stated.text,
        "line": m.line,
        "step": m.step,
        "verdict": m.verdict,
        "exact": _plain(m.exact),
        "given_page": _plain(m.own),
        "diagnosis": list(m.diagnosis),
        "inherited": [_source(m, k) for k in range(len(m.inherited))],
        "arithmetic": None
        if m.work is None
        else {"text": m.work.text, "value": _plain(m.work.value)},
    }


def _source(m: Mark, k: int) -> dict[str, Any]:
    of, text = m.inherited[k]
    earlier = {"step": m.inherited_in[k]} if m.inherited_in[k] != m.step else {}
    return {"symbol": str(of), "stated": text, **earlier}


def _plain(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _network_data(made: Marking) -> dict[str, Any] | None:
    net = made.network
    if net is None:
        return None
    return {
        "sizes": list(net.sizes),
        "activations": [layer.activation.name for layer in net.layers],
        "loss": net.loss.name,
        "learning_rate": net.learning_rate,
        "given": dict(made.page.given),
    }


def check_json(made: Marking) -> str:
    return json.dumps(data(made), ensure_ascii=False, allow_nan=False, indent=1)


def note(found: Note, words: dict[str, str]) -> str:
    return words[f"note_{found.key}"].format(**found.values)


def shown(value: float | None, m: Mark) -> str:
    if value is None or not isfinite(value):
        return "-"
    digits = len(m.stated.value.as_tuple().digits) + 1
    return number(value, min(max(DIGITS, digits), 15), pad=False)


def remark(m: Mark, words: dict[str, str]) -> str:
    """What is said beside a number."""
    parts = []
    if m.work is not None and m.work_fails:
        parts.append(words["work_fails"].format(work=m.work.text, value=shown(m.work.value, m)))
    kinds = [words[f"kind_{k}"] for k in m.diagnosis if k != "line"]
    if kinds:
        parts.append(words["may_be"].format(kinds="; ".join(kinds)))
    if m.verdict == "not_carried" and not m.work_fails:
        parts.append(words["not_carried"].format(own=shown(m.own, m)))
    if m.trivial:
        parts.append(words["trivial"])
    if m.inherited and m.verdict in ("follows", "not_carried", "wrong", "last_digit"):
        said = [
            words["source"].format(what=_in_step(str(q), step, step != m.step, words), stated=text)
            for (q, text), step in zip(m.inherited, m.inherited_in, strict=True)
        ]
        parts.append(words["inherits"].format(sources=", ".join(said)))
    return "; ".join(parts)


def sections(made: Marking, language: str = "en") -> list[Section]:
    words = load(language)["check"]
    found = [Section(words["heading"].format(page=made.page.name), (_counts(made, words),))]
    several = made.page.steps > 1
    slips = tuple(_slip(m, words, several) for m in made.first_slips)
    found.append(Section(words["slips_heading"], slips or (words["no_slips"],)))
    found.append(Section(words["items_heading"], (), _items(made, words)))
    if made.answers:
        lines = tuple(_claim(a, words) for a in made.answers)
        found.append(Section(words["claims_heading"], lines))
    found.append(Section(words["read_heading"], tuple(_read(made, words))))
    if made.page.unread:
        found.append(Section(words["unread_heading"], tuple(_unread(made, words))))
    return [s for s in found if s.lines or s.table]


def _counts(made: Marking, words: dict[str, str]) -> str:
    counts = [f"{made.counts[v]} {words[f'verdict_{v}']}" for v in VERDICTS if v in made.counts]
    return words["counts"].format(total=len(made.marks), counts=", ".join(counts))


def _slip(m: Mark, words: dict[str, str], several: bool) -> str:
    what = _in_step(_what(m), m.step, several, words)
    parts = [
        words["slip"].format(line=m.line, what=what, stated=m.stated.text, exact=shown(m.exact, m))
    ]
    own, exact = shown(m.own, m), shown(m.exact, m)
    if m.of is not None and own != exact:
        parts.append(words["slip_own"].format(own=own))
    said = remark(m, words)
    return "; ".join([*parts, said] if said else parts)


def _what(m: Mark) -> str:
    return str(m.of) if m.of is not None else m.formula[:NAME_LENGTH]


def _in_step(what: str, step: int, told: bool, words: dict[str, str]) -> str:
    """A quantity with its training step, where that is to be `told`."""
    return words["in_step"].format(what=what, step=step) if told else what


def _items(made: Marking, words: dict[str, str]) -> tuple[tuple[str, ...], ...]:
    keys = ("line", "what", "stated", "verdict", "exact", "own", "remark")
    rows = [tuple(words[f"column_{k}"] for k in keys)]
    for m in made.marks:
        verdict = words[f"verdict_{m.verdict}"]
        exact, own = shown(m.exact, m), shown(m.own, m)
        what = _in_step(_what(m), m.step, made.page.steps > 1, words)
        rows.append((str(m.line), what, m.stated.text, verdict, exact, own, remark(m, words)))
    return tuple(rows)


def _claim(a: Answer, words: dict[str, str]) -> str:
    held = ", ".join(k for k, good in a.held.items() if good)
    failed = [k for k, good in a.held.items() if not good]
    key = "claim_both" if held and failed else "claim_holds" if held else "claim_fails"
    text = words[key].format(
        line=a.claim.line, text=a.claim.text, held=held, failed=", ".join(failed)
    )
    leads = [words["claim_lead"].format(measure=k, lead=a.leads[k]) for k in failed]
    return "; ".join([text, *leads])


def _read(made: Marking, words: dict[str, str]) -> list[str]:
    found = []
    net = made.network
    if net is not None:
        found.append(
            words["network"].format(
                sizes="-".join(map(str, net.sizes)),
                activations=", ".join(layer.activation.name for layer in net.layers),
                loss=net.loss.name,
                rate=number(net.learning_rate, DIGITS, pad=False),
            )
        )
    if made.page.given:
        places = [words["given"].format(symbol=s, line=n) for s, n in made.page.given.items()]
        found.append(words["givens"].format(givens=", ".join(places)))
    found += [note(n, words) for n in made.page.assumed]
    found += [_convention(c, words) for c in made.conventions]
    return found


def _convention(c: Convention, words: dict[str, str]) -> str:
    fits = [
        words["convention_fit"].format(option=o, count=n, total=c.total) for o, n in c.fits.items()
    ]
    return words["convention"].format(name=c.name, chosen=c.chosen, fits=", ".join(fits))


def _unread(made: Marking, words: dict[str, str]) -> list[str]:
    unread = made.page.unread
    lines = [
        words["unread"].format(line=at, number=n, around=around)
        for n, at, around in unread[:MOST_UNREAD]
    ]
    if len(unread) > MOST_UNREAD:
        lines.append(words["unread_more"].format(count=len(unread) - MOST_UNREAD))
    return lines


def check_text(made: Marking, language: str = "en") -> str:
    lines: list[str] = []
    for section in sections(made, language):
        lines += [printable(section.heading), ""]
        lines += [f"  {printable(line)}" for line in section.lines]
        lines += _aligned([tuple(map(printable, row)) for row in section.table])
        lines.append("")
    return "\n".join(lines)


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    widths = [max(columns(row[k]) for row in rows) for k in range(len(rows[0]))]
    found = []
    for row in rows:
        cells = [cell + " " * (w - columns(cell)) for cell, w in zip(row, widths, strict=True)]
        found.append(("  " + "  ".join(cells)).rstrip())
    return found


def check_markdown(made: Marking, language: str = "en") -> str:
    lines: list[str] = []
    for k, section in enumerate(sections(made, language)):
        lines += [f"{'#' if not k else '##'} {escape_markdown(section.heading)}", ""]
        bullet = "- " if k else ""
        lines += [f"{bullet}{escape_markdown(line)}" for line in section.lines]
        for j, row in enumerate(section.table):
            lines.append("| " + " | ".join(escape_markdown(c) for c in row) + " |")
            if not j:
                lines.append("|" + " --- |" * len(row))
        lines.append("")
    return "\n".join(lines)


STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;"
    "color:#1b1b1f;background:#fff}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #ccc;vertical-align:top}"
    ".wrong td{background:#fde3e0}.last_digit td,.not_carried td{background:#fff3cd}"
    ".follows td{background:#e8eefb}.scroll{overflow-x:auto}"
    "@media(prefers-color-scheme:dark){body{background:#17171b;color:#eee}"
    ".wrong td{background:#5a1f1a}.last_digit td,.not_carried td{background:#4d3f10}"
    ".follows td{background:#22304f}}"
)


def check_html(made: Marking, language: str = "en") -> str:
    """One page that needs no network; each row's class is its verdict."""
    title = _safe(sections(made, language)[0].heading)
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><main>\n"
        + check_sections_html(made, language)
        + "\n</main></body></html>\n"
    )


def _safe(text: str) -> str:
    return html_of.escape(printable(text))


def check_sections_html(made: Marking, language: str = "en") -> str:
    """The report's headings, lists and tables, as they stand in a page."""
    body: list[str] = []
    for k, section in enumerate(sections(made, language)):
        level = 1 if not k else 2
        body.append(f"<h{level}>{_safe(section.heading)}</h{level}>")
        if section.lines:
            body.append("<ul>" + "".join(f"<li>{_safe(x)}</li>" for x in section.lines) + "</ul>")
        if section.table:
            body.append(_html_table(section.table, made.marks, _safe))
    return "\n".join(body)


def _html_table(
    table: tuple[tuple[str, ...], ...], marks: tuple[Mark, ...], safe: Callable[[str], str]
) -> str:
    head = "".join(f'<th scope="col">{safe(c)}</th>' for c in table[0])
    rows = [
        f'<tr class="{m.verdict}">' + "".join(f"<td>{safe(c)}</td>" for c in row) + "</tr>"
        for row, m in zip(table[1:], marks, strict=True)
    ]
    return (
        f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>\n'
        + "\n".join(rows)
        + "</tbody></table></div>"
    )


def class_table(all_made: Sequence[Marking], language: str = "en") -> str:
    """Who slipped where: a line a page, then each place with how many slipped there."""
    words = load(language)["check"]
    lines = [words["table_heading"], ""]
    places: dict[str, int] = {}
    for made in all_made:
        slipped = list(dict.fromkeys(m.place for m in made.first_slips))
        for place in slipped:
            places[place] = places.get(place, 0) + 1
        said = ", ".join(slipped) or words["table_none"]
        lines.append("  " + words["table_row"].format(page=made.page.name, slips=said))
    lines.append("")
    for place, count in sorted(places.items(), key=lambda p: (-p[1], p[0])):
        lines.append(
            "  " + words["table_totals"].format(place=place, count=count, all=len(all_made))
        )
    return printable_lines(lines)


def printable_lines(lines: Sequence[str]) -> str:
    return "\n".join(printable(line) for line in lines) + "\n"
