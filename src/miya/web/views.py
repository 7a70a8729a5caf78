"""What is shown of a state besides its numbers: picture, story, ranking."""

from __future__ import annotations

from typing import Any, get_args

from ..analysis.blame import Blame, Measure, blame
from ..analysis.credit import try_credit
from ..core.trace import Trace
from ..drawing.build import scene
from ..drawing.scene import Scene
from ..errors import MiyaInputError
from ..render.escape import printable
from ..render.html import chapters_of, names_of
from ..render.page.picture import one_picture
from ..render.svg import svg
from ..story.blocks import Story
from ..story.numbers import percent, signed
from ..story.tell import tell
from ..story.words import load
from .parts import name_of
from .state import State
from .training import traced

MOST_ROWS = 40


def scene_of(state: State, language: str) -> tuple[Trace, Scene]:
    """The next step and its picture as the state has it shown. Raises MiyaInputError."""
    trace, shown = traced(state), state["shown"]
    return trace, scene(
        trace,
        measure=shown["measure"],
        view=shown["view"],
        example=shown["example"],
        digits=shown["digits"],
        language=language,
        miya=shown["miya"],
    )


def story_of(state: State, language: str) -> tuple[Trace, Story]:
    """The next step and its story as the state has it shown. Raises MiyaInputError."""
    trace, shown = traced(state), state["shown"]
    return trace, tell(trace, digits=shown["digits"], language=language, miya=shown["miya"])


def picture(state: State, language: str) -> dict[str, Any]:
    """svg: the diagram with its style, in colours that follow the reader's theme. names: of the
    parts that have one."""
    trace, placed = scene_of(state, language)
    drawn = one_picture(lambda theme: svg(placed, theme=theme, standalone=False))
    return {"svg": drawn, "names": dict(names_of(trace))}


def story(state: State, language: str) -> dict[str, Any]:
    """The chapters of the next step's story as HTML, and what the page's links need."""
    _, told = story_of(state, language)
    html, titles, views = chapters_of(told)
    return {"title": printable(told.title), "html": html, "titles": titles, "views": views}


def ranking(state: State, measure: Any, language: str) -> dict[str, Any]:
    """The ranking by a measure, each row with its text, size and share; of credit also the sum,
    the real change that it adds up to and the residual.

    Raises MiyaInputError E608.
    """
    if measure not in get_args(Measure):
        raise MiyaInputError(
            "E608", f"measure is {measure!r}"[:200], hint=f"choose {', '.join(get_args(Measure))}"
        )
    trace, digits = traced(state), state["shown"]["digits"]
    found = blame(trace, measure, top=MOST_ROWS)
    words = load(language)["blame"]
    answer = {
        "measure": measure,
        "said": words[measure],
        "rows": _rows(found, digits, "parameters"),
        "neurons": _rows(found, digits, "neurons"),
        "all": found.total_parameters,
    }
    return answer | (_sums(trace, digits) if measure == "credit" else {})


def _rows(found: Blame, digits: int, key: str) -> list[dict[str, Any]]:
    return [
        {
            "ref": name_of(row),
            "name": printable(row.name),
            "kind": row.kind,
            "rank": row.rank,
            "text": signed(row.value, digits),
            "share": percent(row.share),
            "size": row.share,
            "sign": (row.value > 0) - (row.value < 0),
            "frozen": row.frozen,
            "tied": row.tied,
        }
        for row in getattr(found, key)
    ]


def _sums(trace: Trace, digits: int) -> dict[str, Any]:
    credit = try_credit(trace)
    if credit is None:
        return {}
    return {
        "sum": signed(credit.total, digits),
        "change": signed(credit.real_change, digits),
        "residual": f"{credit.residual:.1e}",
    }
