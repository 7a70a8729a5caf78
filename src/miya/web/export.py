"""The state as a file: network, program, picture or story."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from ..core.trace import Trace
from ..errors import MiyaInputError
from ..render.diagram import Diagram
from ..story.blocks import Story
from .code import numpy_code, torch_code
from .state import State, network_of
from .toml import toml
from .training import memory_of
from .views import scene_of, story_of

Made = str | bytes


def _program(make: Callable[..., str]) -> Callable[[State, str], Made]:
    def program(state: State, language: str) -> Made:
        network = network_of(state)
        return make(network, state["steps"], memory_of(state, network))

    return program


def _drawn(state: State, language: str) -> Diagram:
    return Diagram(scene_of(state, language)[1])


def _told(render: Callable[[Trace, Story, bool], str]) -> Callable[[State, str], Made]:
    def told(state: State, language: str) -> Made:
        return render(*story_of(state, language), state["shown"]["miya"])

    return told


def _markdown(trace: Trace, story: Story, miya: bool) -> str:
    from ..render.markdown import markdown

    return markdown(story)


def _latex(trace: Trace, story: Story, miya: bool) -> str:
    from ..render.latex import latex

    return latex(story)


def _html(trace: Trace, story: Story, miya: bool) -> str:
    from ..render.html import html

    return html(trace, story, miya=miya)


def _network_json(state: State, language: str) -> Made:
    return json.dumps(state["network"], ensure_ascii=False, indent=1) + "\n"


# by form: the file's name, its media type, and what makes it
FORMS: dict[str, tuple[str, str, Callable[[State, str], Made]]] = {
    "toml": ("network.toml", "application/toml", lambda state, language: toml(state["network"])),
    "json": ("network.json", "application/json", _network_json),
    "numpy": ("step_numpy.py", "text/x-python", _program(numpy_code)),
    "torch": ("step_torch.py", "text/x-python", _program(torch_code)),
    "svg": ("step.svg", "image/svg+xml", lambda s, language: _drawn(s, language).svg()),
    "png": ("step.png", "image/png", lambda s, language: _drawn(s, language).png()),
    "markdown": ("story.md", "text/markdown", _told(_markdown)),
    "latex": ("story.tex", "application/x-tex", _told(_latex)),
    "html": ("story.html", "text/html", _told(_html)),
}


def export(state: State, form: str, language: str) -> dict[str, Any]:
    """{"name", "media", "text"}, or "base64" in place of the text of what is no text.

    Raises MiyaInputError E814 for another form, E640 where PNG needs the extra `draw`.
    """
    if form not in FORMS:
        raise MiyaInputError(
            "E814", f"the form is {form!r}"[:200], hint=f"choose {', '.join(FORMS)}"
        )
    name, media, make = FORMS[form]
    made = make(state, language)
    told = {"text": made} if isinstance(made, str) else {"base64": b64encode(made).decode()}
    return {"name": name, "media": media, **told}
