"""The most blamed examples as text, Markdown and JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..core.rounding import Array
from ..errors import MiyaInputError
from ..render import escape
from ..render.files import write_whole
from ..render.text import columns
from ..story.numbers import number, percent, signed
from ..story.words import load
from .result import ExampleRow, ExamplesBlame, Pairs

DIGITS = 5
MOST_LAYERS = 6
SHADES = " ░▒▓█"
TALLEST = 16  # lines of an image in characters
PLAIN = ("gradient", "loss", "credit")
Words = Mapping[str, str]


def shown(value: float, sign: bool = False) -> str:
    """A number as it is told; of what is not finite its name."""
    if not math.isfinite(value):
        return str(value)
    return signed(value, DIGITS) if sign else number(value, DIGITS)


def heading(found: ExamplesBlame, by: str, words: Words) -> str:
    key = f"measure_{by}" if by in PLAIN else "measure_layer"
    measure = words[key].format(name=escape.printable(by))
    return words["heading"].format(count=f"{len(found):,}", measure=measure)


def told(found: ExamplesBlame, by: str, words: Words) -> list[str]:
    """What the measure says, and of credits how far they add up."""
    said = [words[f"explain_{by}" if by in PLAIN else "explain_layer"]]
    residual, real = found.residual, found.real_change
    if residual is not None and real is not None:
        values = {
            "total": shown(real + residual, True),
            "real": shown(real, True),
            "residual": shown(residual, True),
        }
        if real:
            said.append(words["residual"].format(relative=shown(abs(residual / real)), **values))
        else:
            said.append(words["residual_zero"].format(**values))
        layers = found.credit_by_layer().items()
        parts = ", ".join(f"{escape.printable(n)} {shown(v, True)}" for n, v in layers)
        said.append(words["by_layer"].format(layers=parts))
    key = "dtype_credit" if found.facts.credit else "dtype"
    return [*said, words[key].format(dtype=found.facts.dtype)]


def facts(row: ExampleRow, by: str, words: Words) -> list[str]:
    """The numbers of an example in short: value, share, loss, gradient, target and answer."""
    name = words[by] if by in PLAIN else escape.printable(by)
    share = f" ({percent(row.share)})" if math.isfinite(row.share) else ""
    made = [f"{name} {shown(row.value, by == 'credit')}{share}"]
    others = {"loss": row.loss, "gradient": row.gradient, "credit": row.credit}
    made += [
        f"{words[k]} {shown(v, k == 'credit')}"
        for k, v in others.items()
        if v is not None and k != by
    ]
    if row.answer is not None:
        made.append(words["answer"].format(target=row.target, answer=row.answer))
    elif row.target is not None:
        made.append(words["target"].format(target=row.target))
    return made


def details(row: ExampleRow, words: Words) -> list[tuple[str, str, Pairs]]:
    """(what, what it means, names and values) of its layers, neurons and weights."""
    layers = tuple(sorted(row.layers, key=lambda pair: -pair[1])[:MOST_LAYERS])
    made = [("layers", layers), ("neurons", row.neurons)]
    made += [] if row.weights is None else [("weights", row.weights)]
    return [(words[key], words[f"{key}_told"], pairs) for key, pairs in made]


def pairs_of(pairs: Pairs, words: Words, sign: bool, safe: Callable[[str], str]) -> str:
    if not pairs:
        return safe(words["unknown_neurons"])
    return " · ".join(f"{safe(name)} {safe(shown(value, sign))}" for name, value in pairs)


def text(found: ExamplesBlame, count: int, by: str | None, language: str) -> str:
    words, by = load(language)["examples"], by or found.by
    lines = [heading(found, by, words), *told(found, by, words), ""]
    rows = found.top(count, by)
    for row in rows:
        lines += [*_row(row, by, words), ""]
    lines.append(_left_out(found, len(rows), words))
    return "\n".join(lines) + "\n"


def _left_out(found: ExamplesBlame, told: int, words: Words) -> str:
    if not told:
        return words["none"]
    return words["left_out"].format(told=f"{told:,}", all=f"{len(found):,}")


def _row(row: ExampleRow, by: str, words: Words) -> list[str]:
    head = f"{row.rank:>4}  {words['example']} {row.example}   " + "   ".join(facts(row, by, words))
    made = details(row, words)
    wide = max(columns(name) for name, _, _ in made)
    lines = [head]
    for k, (name, _, pairs) in enumerate(made):
        shown = pairs_of(pairs, words, k > 0, escape.printable)
        lines.append(f"      {name}{' ' * (wide - columns(name))}  {shown}")
    if row.image is not None:
        lines += [f"      {line}" for line in in_characters(row.image)]
    return lines


def in_characters(image: Array) -> list[str]:
    """An image in shades, two characters a pixel; larger ones by means of squares of pixels."""
    grey = image.mean(axis=2) if image.ndim == 3 else image
    step = max(1, math.ceil(grey.shape[0] / TALLEST), math.ceil(grey.shape[1] / (2 * TALLEST)))
    high, wide = (max(1, n // step) for n in grey.shape)
    small = grey[: high * step, : wide * step].reshape(high, step, wide, step).mean(axis=(1, 3))
    places = np.minimum((small * len(SHADES)).astype(int), len(SHADES) - 1)
    return ["".join(SHADES[p] * 2 for p in line).rstrip() for line in places]


def markdown(found: ExamplesBlame, count: int, by: str | None, language: str) -> str:
    words, by = load(language)["examples"], by or found.by
    safe = escape.markdown
    lines = [f"# {safe(heading(found, by, words))}", ""]
    lines += [part for said in told(found, by, words) for part in (safe(said), "")]
    rows = found.top(count, by)
    for row in rows:
        lines += [f"## {row.rank}. {safe(words['example'])} {row.example}", ""]
        lines += [safe(" · ".join(facts(row, by, words))), ""]
        for k, (_, meaning, pairs) in enumerate(details(row, words)):
            lines.append(f"- {safe(meaning)}: {pairs_of(pairs, words, k > 0, safe)}")
        lines.append("")
        if row.image is not None:
            lines += ["```text", *in_characters(row.image), "```", ""]
    lines.append(safe(_left_out(found, len(rows), words)))
    return "\n".join(lines) + "\n"


def as_json(found: ExamplesBlame, count: int, by: str | None) -> str:
    """What `text` shows, with all digits; what is not finite is a text."""
    by = by or found.by
    data = {
        "measure": by,
        "examples": len(found),
        "dtype": found.facts.dtype,
        "method": found.facts.method,
        "why": found.facts.why,
        "real_change": found.real_change,
        "residual": found.residual,
        "credit_by_layer": found.credit_by_layer(),
        "top": [_data(row) for row in found.top(count, by)],
    }
    return json.dumps(_finite(data), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _data(row: ExampleRow) -> dict[str, Any]:
    image = None if row.image is None else row.image.tolist()
    found = dict(vars(replace(row, image=None)))
    for key in ("layers", "neurons", "weights"):
        pairs = found[key]
        found[key] = None if pairs is None else [{"name": n, "value": v} for n, v in pairs]
    return {**found, "image": image}


def _finite(found: Any) -> Any:
    if isinstance(found, float) and not math.isfinite(found):
        return str(found)
    if isinstance(found, dict):
        return {key: _finite(value) for key, value in found.items()}
    return [_finite(item) for item in found] if isinstance(found, list) else found


def _form(form: str) -> Callable[[ExamplesBlame, int, str], str] | None:
    """What writes a file with this ending."""
    forms: dict[str, Callable[[ExamplesBlame, int, str], str]] = {
        ".txt": lambda found, count, language: text(found, count, None, language),
        ".md": lambda found, count, language: markdown(found, count, None, language),
        ".json": lambda found, count, language: as_json(found, count, None),
        ".html": lambda found, count, language: found.html(count, language=language),
    }
    return forms.get(form)


def save(found: ExamplesBlame, path: Any, count: int, language: str) -> None:
    """Raises MiyaInputError E771 for a name of another form, MiyaOutputError E508."""
    form = Path(path).suffix.lower()
    write = _form(form)
    if write is None:
        raise MiyaInputError(
            "E771",
            f"{path} has the ending {form or 'none'!r}",
            hint="choose .txt, .md, .json or .html",
        )
    write_whole(path, write(found, count, language))
