"""A model's ranking as tables with bars, for a notebook and for the page."""

from __future__ import annotations

from collections.abc import Sequence

from ..analysis.model.blame import ModelBlame
from ..analysis.model.ranking import ModelRow
from ..story.numbers import percent, signed
from ..story.words import load
from .blame_model import RANKINGS, left_out, model_blame_text, name_of, notes
from .notebook import MOST_ROWS, STYLE, bundle
from .notebook import _safe as safe


def model_blame_bundle(found: ModelBlame, digits: int = 5, language: str = "en") -> dict[str, str]:
    inside = model_blame_html(found, digits, language)
    html = f'{STYLE}\n<div class="miya-view" lang="{safe(language)}">{inside}</div>'
    return bundle(html, "", model_blame_text(found, digits, language))


def model_blame_html(
    found: ModelBlame, digits: int = 5, language: str = "en", *, level: int = 3
) -> str:
    """All rankings; a bar is a row's share, in another colour below 0. level: of the heading."""
    words = load(language)
    measure = words["model_diagram"][f"short_{found.measure}"]
    parts = [
        f"<h{level}>{safe(words['blame']['heading'].format(measure=measure))}</h{level}>",
        f"<p>{safe(words['model_blame'][found.measure])}</p>",
        *(f"<p>{safe(note)}</p>" for note in notes(found, digits, language)),
    ]
    for key in RANKINGS:
        rows: Sequence[ModelRow] = getattr(found, key)[:MOST_ROWS]
        parts.append(f"<h{level + 1}>{safe(words['model_blame'][key])}</h{level + 1}>")
        parts.append(_table(rows, digits, language) if rows else _none(language))
        every = getattr(found, f"total_{key}")
        said = list(left_out(found, key, language))
        if said and found.measure == "removal":
            parts.append(f"<p>{safe(said[0].strip())}</p>")
        elif every > len(rows):
            told = words["notebook"]["left_out"].format(told=len(rows), all=every)
            parts.append(f"<p>{safe(told)}</p>")
    return "".join(parts)


def _none(language: str) -> str:
    return f"<p>{safe(load(language)['model_blame']['none'].strip())}</p>"


def _table(rows: Sequence[ModelRow], digits: int, language: str) -> str:
    words = load(language)["blame"]
    rank, name, value, share = (safe(words[k]) for k in ("rank", "name", "value", "share"))
    head = (
        f'<th scope="col">{rank}</th><th scope="col" class="miya-name">{name}</th>'
        f'<th scope="col">{value}</th><th scope="col">{share}</th>'
    )
    longest = max((row.share for row in rows), default=0.0) or 1.0
    body = "".join(_row(row, digits, words, longest) for row in rows)
    return f"<table><thead><tr>{head}<td></td></tr></thead><tbody>{body}</tbody></table>"


def _row(row: ModelRow, digits: int, words: dict[str, str], longest: float) -> str:
    side = ' class="miya-negative"' if row.value < 0 else ""
    long = round(row.share / longest * 100)
    # the width is an attribute, which a page's policy on styles lets stand
    bar = (
        f'<svg class="miya-scale" width="120" height="10" aria-hidden="true">'
        f'<rect{side} width="{long * 1.2:.0f}" height="10" rx="2"/></svg>'
    )
    cells = f'<td>{row.rank}</td><td class="miya-name">{safe(name_of(row, words))}</td>'
    cells += f"<td>{safe(signed(row.value, digits))}</td><td>{safe(percent(row.share))}</td>"
    return f'<tr>{cells}<td class="miya-bar">{bar}</td></tr>'
