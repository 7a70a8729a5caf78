"""The playground in a notebook: the same page in a frame, which asks this process for numbers.

The frame is a sandbox without an origin of its own: its script reaches neither the notebook nor a
network. It passes requests of web/actions.py on as messages, and they are answered here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from ..core.build import network as build
from ..core.network import Network
from ..read.need import need
from .actions import act
from .assets import inlined
from .state import State, new_state

Source = str | Path | Mapping[str, Any] | Network
HEIGHT = 760  # pixels of the frame, which can be dragged to another height
SCRIPT = """
const PAGE = %s;
export default {
  render({ model, el }) {
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts allow-downloads");
    frame.title = "Miya";
    const height = `${model.get("height")}px`;
    Object.assign(frame.style, { width: "100%%", height, border: "0", resize: "vertical" });
    const language = JSON.stringify(model.get("language"));
    frame.srcdoc = PAGE.replace('data-language=""', `data-language=${language}`);
    const heard = (event) => {
      if (event.source !== frame.contentWindow) return;
      const { miya, request, miyaState } = event.data ?? {};
      if (request) model.send({ miya, request });
      if (miyaState) {
        model.set("state", miyaState);
        model.save_changes();
      }
    };
    const answered = (message) => frame.contentWindow?.postMessage(message, "*");
    window.addEventListener("message", heard);
    model.on("msg:custom", answered);
    el.replaceChildren(frame);
    return () => {
      window.removeEventListener("message", heard);
      model.off("msg:custom", answered);
    };
  },
};
"""


def play(net: Source | None = None, *, language: str = "", height: int = HEIGHT) -> Any:
    """The playground as a widget of Jupyter or marimo.

    net: a network file, a description as a dict, or a Network; the original story without one.
    language: "en" or "ja", else the reader's. What the page shows is in the widget's `network`, a
    description as `miya.explain` takes it, and `state`. Raises MiyaInputError for a network that is
    none, E640 where the extra `widget` is not installed.
    """
    need("anywidget", "widget", "miya.play needs")
    return _kind()(state=opening(net, language or "en"), language=language, height=height)


def opening(net: Source | None, language: str = "en") -> State:
    """The state that a network starts with."""
    if net is None:
        found: State = act({"action": "open", "language": language})["state"]
        return found
    return new_state(_description(net))


def _description(net: Source) -> dict[str, Any]:
    """Plain lists and numbers, as the page holds them."""
    if isinstance(net, str | Path):
        from ..read.file import read_description, read_network

        read_network(Path(net))  # whose faults name the line
        found: dict[str, Any] = read_description(Path(net))
        return found
    if isinstance(net, Mapping):
        with suppress(TypeError, ValueError):
            plain: dict[str, Any] = json.loads(json.dumps(net))
            return plain
    from ..analysis.describe import describe

    return describe(net if isinstance(net, Network) else build(net))


@cache
def _kind() -> Any:
    """The widget's class, made where it is first used: anywidget is an extra."""
    import anywidget
    import traitlets

    class Playground(anywidget.AnyWidget):
        """state: what the page shows. network: the description in it."""

        _esm = SCRIPT % json.dumps(inlined()).replace("</", "<\\/")
        state = traitlets.Dict().tag(sync=True)
        language = traitlets.Unicode().tag(sync=True)
        height = traitlets.Int().tag(sync=True)

        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            self.on_msg(self._heard)

        @property
        def network(self) -> dict[str, Any]:
            return dict(self.state["network"])

        def _heard(self, _: Any, content: Any, __: Any) -> None:
            """One request of the page. What it opens with is what the widget was given."""
            if not isinstance(content, dict) or not isinstance(content.get("miya"), int):
                return
            request = content.get("request")
            asked = request if isinstance(request, dict) else {}
            if asked.get("action") == "open" and "text" not in asked:
                answer: dict[str, Any] = {"state": self.state, "warnings": []}
            else:
                answer = act(request)
            self.send({"miya": content["miya"], "answer": answer})

    return Playground
