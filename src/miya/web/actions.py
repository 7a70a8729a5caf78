"""What the page can ask of the core, as pure functions from JSON to JSON.

A request is {"action": NAME, "state": STATE, ...}; ACTIONS is the table. The same functions answer
the server, which calls them in a worker process, and the notebook's widget. Nothing is kept
between two requests: the state goes back and forth whole (web/state.py). Each answer holds what it
says below, and "warnings", a list of texts. Texts of numbers are written here; a page never
formats or computes one.

    open       {text?, form?} or {example?}    -> state     (of nothing: the original story)
    link       {hash}                          -> state
    edit       {state, edit}                   -> state, numbers   (web/edits.py has the edits)
    numbers    {state}                         -> numbers            (web/numbers.py)
    picture    {state}                         -> svg, names
    story      {state}                         -> title, html, titles, views
    blame      {state, measure}                -> rows, neurons, sum, change, residual, said
    step       {state, steps?}                 -> state, numbers, trail
    rewind     {state}                         -> state, numbers
    boundary   {state, size?}                  -> values, low, high, points
    check      {state, page, name}             -> html, slips
    export     {state, form}                   -> name, media, text or base64
    lessons    {}                              -> lessons
    mark       {state, lesson, task, answer}   -> right, said
    choices    {}                              -> activations, losses, optimizers, datasets, edits

Each may name its "language"; English is the default. What answers with numbers may name the
"cards", a list such as ["n1.0"], whose texts are wanted; all are where it does not.

A fault of the input is {"error": {"code", "text", "hint", "path"}}; the page keeps its last good
state and shows the text beside the field that `path` leads to.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..core.network import Network
from ..errors import MiyaInputError, MiyaWarning
from . import state as states
from .edits import edited
from .faults import said, warned
from .fields import whole
from .state import State

Request = Mapping[str, Any]
Answer = dict[str, Any]
LANGUAGES = ("en", "ja")
MOST_STEPS = 200


def act(request: Any) -> Answer:
    """Answer one request. Never raises for bad input; a MemoryError or a bug does go through."""
    language = spoken(request)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            answer = _answer(request)
        except MiyaInputError as error:
            answer = {"error": fault(error, language)}
    answer["warnings"] = sorted(
        {warned(str(w.message), language) for w in caught if issubclass(w.category, MiyaWarning)}
    )
    return answer


def spoken(request: Any) -> str:
    """The language that a fault of the request is told in, whatever the request is."""
    given = request.get("language") if isinstance(request, dict) else None
    return given if isinstance(given, str) and given in LANGUAGES else LANGUAGES[0]


def fault(error: MiyaInputError, language: str = LANGUAGES[0]) -> dict[str, Any]:
    text, hint = said(error.code, error.what, error.hint, language)
    return {
        "code": error.code,
        "text": text,
        "hint": hint,
        "path": [p if isinstance(p, int) else str(p) for p in error.path],
        "place": error.place,
    }


def _answer(request: Any) -> Answer:
    if not isinstance(request, dict):
        raise MiyaInputError("E808", "the request is no table", hint="send an action by its name")
    name = request.get("action")
    action = ACTIONS.get(name) if isinstance(name, str) else None
    if action is None:
        raise MiyaInputError(
            "E808", f"the action is {name!r}"[:200], hint=f"choose one of {', '.join(ACTIONS)}"
        )
    return action(request)


def _state(request: Request) -> State:
    return states.checked(request.get("state"))


def _language(request: Request) -> str:
    given = request.get("language", "en")
    if given not in LANGUAGES:
        raise MiyaInputError(
            "E808", f"the language is {given!r}"[:200], hint=f"choose {' or '.join(LANGUAGES)}"
        )
    return str(given)


def _text(request: Request, key: str) -> str:
    given = request.get(key)
    if not isinstance(given, str):
        raise MiyaInputError("E808", f"{key} is no text", hint="send it as a text")
    return given


def _open(request: Request) -> Answer:
    from ..read.file import refuse_kind
    from ..read.parse import parse
    from .examples import example

    form = request.get("form", "toml")
    if form not in ("toml", "json"):
        if isinstance(form, str) and form.isalnum():
            refuse_kind(Path(f"a .{form}"[:20]))
        raise MiyaInputError("E219", f"the form is {form!r}"[:200], hint="choose toml or json")
    text = request.get("text")
    if text is None:
        text, form = example(request.get("example", "original"), _language(request))
    elif not isinstance(text, str):
        raise MiyaInputError("E808", "text is no text", hint="send the network file's text")
    return {"state": states.new_state(parse(text, form))}


def _link(request: Request) -> Answer:
    found = states.decode(_text(request, "hash"))
    states.network_of(found)
    return {"state": found}


def _edit(request: Request) -> Answer:
    given = request.get("edit")
    if not isinstance(given, dict):
        raise MiyaInputError("E804", "the edit is no table", hint="send its kind and its keys")
    state, network = edited(_state(request), given)
    return {"state": state, **_told(state, request, network)}


def _told(state: State, request: Request, network: Network | None = None) -> Answer:
    from .numbers import numbers
    from .training import traced

    trace = traced(state, network)
    return {"numbers": numbers(state, trace, _language(request), only=_cards(request))}


def _cards(request: Request) -> frozenset[str] | None:
    given = request.get("cards")
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(ref, str) for ref in given):
        raise MiyaInputError("E808", "cards is no list of neurons", hint='send such as ["n1.0"]')
    return frozenset(given)


def _numbers(request: Request) -> Answer:
    return _told(_state(request), request)


def _picture(request: Request) -> Answer:
    from .views import picture

    return picture(_state(request), _language(request))


def _story(request: Request) -> Answer:
    from .views import story

    return story(_state(request), _language(request))


def _blame(request: Request) -> Answer:
    from .views import ranking

    return ranking(_state(request), request.get("measure", "pressure"), _language(request))


def _step(request: Request) -> Answer:
    from .training import stepped

    state, trail = stepped(
        _state(request), whole(request.get("steps", 1), "the number of steps", 1, MOST_STEPS)
    )
    return {"state": state, **_told(state, request), "trail": trail}


def _rewind(request: Request) -> Answer:
    from .training import rewound

    state = rewound(_state(request))
    return {"state": state, **_told(state, request)}


def _boundary(request: Request) -> Answer:
    from .training import boundary

    return boundary(_state(request), whole(request.get("size", 40), "the grid's size", 2, 80))


def _check(request: Request) -> Answer:
    from .marking import marked

    page, name = _text(request, "page"), _text(request, "name")
    return marked(_state(request), page, name, _language(request))


def _export(request: Request) -> Answer:
    from .export import export

    return export(_state(request), _text(request, "form"), _language(request))


def _lessons(request: Request) -> Answer:
    from .lessons import told

    return {"lessons": told(_language(request))}


def _mark(request: Request) -> Answer:
    from .lessons import mark

    found: Answer = mark(
        _state(request),
        _text(request, "lesson"),
        _text(request, "task"),
        request.get("answer"),
        _language(request),
    )
    return found


def _choices(request: Request) -> Answer:
    from .choices import choices

    return choices(_language(request))


ACTIONS: dict[str, Callable[[Request], Answer]] = {
    "open": _open,
    "link": _link,
    "edit": _edit,
    "numbers": _numbers,
    "picture": _picture,
    "story": _story,
    "blame": _blame,
    "step": _step,
    "rewind": _rewind,
    "boundary": _boundary,
    "check": _check,
    "export": _export,
    "lessons": _lessons,
    "mark": _mark,
    "choices": _choices,
}
