"""A model's ranking of blame as text and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from ..analysis.model.blame import ModelBlame
from ..analysis.model.ranking import ModelRow
from ..story.numbers import number, percent, signed
from ..story.words import load
from .escape import printable
from .text import columns

MOST_NAMES = 8  # of what is not ranked
RANKINGS = ("parameters", "neurons", "layers")


def model_blame_json(found: ModelBlame) -> str:
    return json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False, indent=1)


def model_blame_text(found: ModelBlame, digits: int, language: str = "en") -> str:
    words = load(language)
    ours, theirs = words["model_blame"], words["blame"]
    measure = words["model_diagram"][f"short_{found.measure}"]
    lines = [theirs["heading"].format(measure=measure), ours[found.measure]]
    lines += [*notes(found, digits, language), ""]
    for key in RANKINGS:
        rows: Sequence[ModelRow] = getattr(found, key)
        lines += [ours[key], *(_table(rows, digits, theirs) if rows else [ours["none"]])]
        lines += [*left_out(found, key, language), ""]
    return "\n".join(lines)


def left_out(found: ModelBlame, key: str, language: str) -> Iterator[str]:
    words = load(language)
    told, every = len(getattr(found, key)), getattr(found, f"total_{key}")
    done = getattr(found, f"removed_{key}", 0)
    if found.measure == "removal" and 0 < done < every:
        yield words["model_blame"]["removed"].format(done=done, all=every)
    elif every > told:
        yield words["blame"]["left_out"].format(told=told, all=every)


def notes(found: ModelBlame, digits: int, language: str) -> Iterator[str]:
    """The credit's residual, and what is not ranked and why."""
    words = load(language)["model_blame"]
    credit = found.credit
    if credit is not None:
        said = {
            "total": signed(credit.total, digits),
            "real": signed(credit.real_change, digits),
            "residual": signed(credit.residual, 3),
            "evaluations": credit.evaluations,
            "dtype": credit.dtype,
        }
        if credit.real_change:
            relative = number(abs(credit.residual / credit.real_change), 3)
            yield words["residual"].format(relative=relative, **said)
        else:
            yield words["residual_zero"].format(**said)
        yield words["first_order_total"].format(first_order=signed(credit.first_order, digits))
        if not credit.met:
            yield words["goal_missed"].format(dtype=credit.dtype)
    reasons: dict[str, list[str]] = {}
    for name, reason in found.unranked:
        reasons.setdefault(reason, []).append(printable(name))
    for reason, names in reasons.items():
        shown = names[:MOST_NAMES]
        if len(names) > MOST_NAMES:
            shown.append(words["more_names"].format(count=len(names) - MOST_NAMES))
        yield words[f"unranked_{reason}"].format(names=", ".join(shown))


def name_of(row: ModelRow, words: dict[str, str]) -> str:
    marks = [words[key] for key in ("frozen", "tied") if getattr(row, key)]
    name = row.name if row.kind in ("parameter", "layer") else f"{row.name} ({row.kind})"
    return printable(name + (f" [{', '.join(marks)}]" if marks else ""))


def _table(rows: Sequence[ModelRow], digits: int, words: dict[str, str]) -> list[str]:
    cells = [tuple(words[k] for k in ("rank", "name", "value", "share"))]
    for row in rows:
        share = percent(row.share)
        cells.append((str(row.rank), name_of(row, words), signed(row.value, digits), share))
    widths = [max(columns(line[j]) for line in cells) for j in range(4)]
    made = []
    for line in cells:
        gap = [" " * (wide - columns(c)) for c, wide in zip(line, widths, strict=True)]
        rank, name, value, share = line
        made.append(f"  {gap[0]}{rank}  {name}{gap[1]}  {gap[2]}{value}  {gap[3]}{share}")
    return made
