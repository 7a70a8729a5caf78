"""A finding in words: what was found with its evidence, and a likely remedy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..story.numbers import number, percent
from ..story.words import load
from .records import Finding
from .shown import short

VARIANTS: Mapping[str, tuple[str, ...]] = {
    "not_finite": ("cause",),
    "learning_rate": ("way",),
    "initialisation": ("what", "way"),
    "exploding": ("what",),
    "vanishing": ("what",),
    "dead_neurons": ("cause",),
    "saturated": ("from",),
    "frozen_layer": ("reason",),
    "recurrence": ("way",),
}  # the facts that choose among a rule's texts
PER_CENT = ("share", "flat", "often")
NAMES = ("moved", "start", "end")  # facts that may be a layer's name


@dataclass(frozen=True)
class Told:
    """Sentences; remedy is "" where none is known."""

    statement: str
    remedy: str = ""


def told(finding: Finding, language: str = "en") -> Told:
    """The finding in a language, in general words where there are none for its rule.

    Raises MiyaInputError E602 for a language that does not ship.
    """
    words = load(language)["watch"]
    variants = [str(finding.facts.get(name)) for name in VARIANTS.get(finding.rule, ())]
    key = "_".join([finding.rule, *variants])
    if key not in words:
        return _generally(finding, language)
    shown = {name: _shown(name, value, words) for name, value in finding.facts.items()}
    shown |= {"step": str(finding.step), "since": str(finding.since)}
    shown["layer"] = finding.layer or words["model"]
    said = words["gap"].join(part.format_map(shown) for part in _parts(finding, key, words))
    remedy = words.get(f"{key}_remedy") or words[f"{finding.rule}_remedy"]
    if not finding.layer and said.startswith(words["model"]):
        said = said[:1].upper() + said[1:]  # a layer's name stays as it is
    return Told(said, remedy.format_map(shown))


def _parts(finding: Finding, key: str, words: Mapping[str, str]) -> Iterator[str]:
    """The statement, and what else is known."""
    yield words[key]
    for name, value in finding.facts.items():
        more = words.get(f"{finding.rule}_if_{name}")
        if more is not None and value is not None:
            yield more
    if "{since}" not in words[key] and finding.since < finding.step:
        yield words["since"]
    if "more" in finding.facts:
        yield words["more"]


def _shown(name: str, value: Any, words: Mapping[str, str]) -> str:
    if value is None:
        return short(None)
    if name in NAMES and value == "":
        return words["model"]
    if not isinstance(value, float):
        return str(value)
    if not math.isfinite(value):
        return short(value)
    return percent(value) if name in PER_CENT else number(value, 3, pad=False)


def _generally(finding: Finding, language: str) -> Told:
    words = load(language)["watch_report"]
    facts = ", ".join(f"{name} {_fact(value)}" for name, value in finding.facts.items())
    return Told(
        words["finding"].format(
            rule=finding.rule.replace("_", " ").capitalize(),
            layer=finding.layer or words["model"],
            since=finding.since,
            facts=facts or words["no_facts"],
        )
    )


def _fact(value: Any) -> str:
    return number(value, 3) if isinstance(value, float) else str(value)
