"""Why one number, as JSON (docs/json.md)."""

from __future__ import annotations

from typing import Any

from ..analysis.explain_element import Answer
from ..analysis.why import Level, Made, Part, Piece, Sum
from ..story.blocks import Story
from .json import story_data, written
from .json_model import finite


def json(answer: Answer, story: Story) -> str:
    return written(data(answer, story)) + "\n"


def data(answer: Answer, story: Story) -> dict[str, Any]:
    """Plain lists, numbers and texts; a number that is not finite is null."""
    element = answer.element
    return {
        "title": story.title,
        "element": element.name,
        "index": list(element.index),
        "shape": list(element.shape),
        "dtype": answer.dtype,
        "loss": finite(answer.loss),
        "without_gradient": answer.absent,
        "frozen": answer.frozen,
        "made": None if answer.made is None else _made(answer.made),
        "levels": [_level(level) for level in answer.levels],
        "update": _update(answer),
        **story_data(story),
    }


def _made(made: Made) -> dict[str, Any]:
    worked = made.worked
    return {
        "value": finite(made.number),
        "operation": None if made.call is None else made.call.name,
        "formula": None if worked is None else worked.formula,
        "names": {}
        if worked is None
        else {name: finite(value) for name, (_, _, value) in worked.names.items()},
        "sum": None if made.sum is None else _sum(made.sum),
    }


def _level(level: Level) -> dict[str, Any]:
    return {
        "of": level.value.name,
        "index": list(level.index),
        "gradient": None if level.gradient is None else finite(level.gradient),
        "difference": finite(level.difference),
        "rounding": finite(level.rounding),
        "exact": None if level.exact is None else finite(level.exact),
        "agrees": level.agrees,
        "followed": None if level.followed is None else level.followed.rank,
        "sum": _sum(level.sum),
    }


def _sum(found: Sum) -> dict[str, Any]:
    return {
        "terms": [_term(part) for part in found.parts],
        "count": found.count,
        "others": found.others,
        "others_total": finite(found.others_total),
        "total": finite(found.total),
    }


def _term(part: Part) -> dict[str, Any]:
    return {
        "rank": part.rank,
        "value": finite(part.number),
        "operation": None if part.call is None else part.call.name,
        "module": None if part.call is None else part.call.module,
        "role": part.role,
        "factors": [_factor(piece) for piece in part.pieces],
    }


def _factor(piece: Piece) -> dict[str, Any]:
    return {
        "value": finite(piece.number),
        "of": None if piece.of is None else piece.of.name,
        "index": list(piece.index),
        "gradient": piece.gradient,
        "symbol": piece.symbol,
        "formula": piece.formula,
        "reads": {name: finite(read.number) for name, read in piece.reads.items()},
    }


def _update(answer: Answer) -> dict[str, Any] | None:
    update = answer.update
    if update is None:
        return None
    return {
        "optimizer": update.optimizer,
        "before": finite(update.before),
        "change": finite(update.change),
        "after": finite(update.after),
        "lines": [
            {"name": line.name, "formula": line.formula, "result": finite(line.result)}
            for line in update.lines
        ],
        "names": {name: finite(value) for name, value in update.names.items()},
    }
