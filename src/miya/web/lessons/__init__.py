"""Lessons with tasks that Miya marks: every expected number is worked out by the core.

A lesson is a TOML file in this folder: its network, and in each language its title, what Miya
says, and its tasks. A task asks for a number (`of`: a quantity), for the part that comes first by
a measure (`first`), or for a network that fulfils something (`until`).
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

from ...errors import MiyaInputError
from ...story.words import load
from ..fields import typed
from ..state import SHOWN, State, network_of, new_state
from ..training import traced
from .asked import GOALS, expected, first_by, names, normal

NAMES = ("story", "bias", "paths", "saturation", "credit", "overshoot")
CLOSE = 0.01  # of the value, for a number that is nearly right


@cache
def _lesson(name: str) -> dict[str, Any]:
    found = resources.files(__package__).joinpath(f"{name}.toml").read_text("utf-8")
    return tomllib.loads(found)


def told(language: str) -> list[dict[str, Any]]:
    """Every lesson in order: its name, title, what Miya says, its state, and its tasks."""
    return [_told(name, language) for name in NAMES]


def _told(name: str, language: str) -> dict[str, Any]:
    lesson = _lesson(name)
    words = lesson[language]
    tasks = [
        {"name": task["name"], "kind": kind_of(task), "text": words[task["name"]]}
        for task in lesson["tasks"]
    ]
    return {
        "name": name,
        "title": words["title"],
        "text": words["text"],
        "state": new_state(lesson["network"]) | {"shown": _shown(lesson)},
        "tasks": tasks,
    }


def _shown(lesson: dict[str, Any]) -> dict[str, Any]:
    return {**SHOWN, **lesson.get("shown", {})}


def kind_of(task: dict[str, Any]) -> str:
    return next(kind for kind in ("of", "first", "until") if kind in task)


def mark(state: State, lesson: str, task: str, answer: Any, language: str) -> dict[str, Any]:
    """{"right", "said"}: whether the answer holds for the state as it is now, and why.

    answer: a number as typed, the name of a part ("W1[0,2]", "n1.0"), or nothing where the state
    itself is the answer. Raises MiyaInputError E815 for a lesson or task that there is not.
    """
    found = _task(lesson, task)
    network_of(state)
    words = load(language)["play"]
    if "of" in found:
        return _number(expected(traced(state), found["of"]), answer, words)
    if "first" in found:
        known = names(traced(state), found["among"])
        if normal(answer) not in map(normal, known):
            return {"right": False, "said": words["mark_no_name"].format(example=known[0])}
        right = first_by(traced(state), found["first"], found["among"], answer)
        return {"right": right, "said": words["mark_right" if right else "mark_first"]}
    right = GOALS[found["until"]](traced(state))
    return {"right": right, "said": words["mark_right" if right else "mark_not_yet"]}


def _task(lesson: str, task: str) -> dict[str, Any]:
    tasks = _lesson(lesson)["tasks"] if lesson in NAMES else []
    found = next((t for t in tasks if t["name"] == task), None)
    if found is None:
        raise MiyaInputError(
            "E815", f"there is no task {task[:80]!r} in {lesson[:80]!r}", hint="see the lessons"
        )
    return dict(found)


def _number(value: float, answer: Any, words: dict[str, str]) -> dict[str, Any]:
    """Right to the digits given, or within 1 %; a wrong sign is named before the size."""
    given = typed(answer)
    if not isinstance(given, int | float) or isinstance(given, bool):
        return {"right": False, "said": words["mark_no_number"]}
    if abs(given - value) <= max(CLOSE * abs(value), _half_digit(answer)):
        return {"right": True, "said": words["mark_right"]}
    if given * value < 0:
        return {"right": False, "said": words["mark_sign"]}
    return {
        "right": False,
        "said": words["mark_larger" if abs(given) < abs(value) else "mark_smaller"],
    }


def _half_digit(answer: Any) -> float:
    """Half a unit of the last decimal that was written; 0 of a number without decimals."""
    text = str(answer).replace(",", ".").lower()
    if "e" in text or "." not in text:
        return 0.0
    return float(0.5 * 10.0 ** -len(text.rpartition(".")[2].strip()))
