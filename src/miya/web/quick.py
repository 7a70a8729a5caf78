"""What the server works out itself: the next number of a slider on a small network.

That is what must be back within a frame or two, and all that it costs is known from its size: some
milliseconds, and little memory. Everything else is for a worker that can be ended (workers.py).
"""

from __future__ import annotations

import gc
from typing import Any

from .edits import MOST_DEEP
from .state import count

MOST_BYTES = 64 * 1024
MOST_NUMBERS = 2000  # of the network and its examples
MEASURES = ("pressure", "step")  # the others take a step, or a run, for each parameter


def warm() -> None:
    """Load what such an answer needs, and answer once, before anybody waits for one."""
    from . import numbers, training  # noqa: F401
    from .actions import act

    state = act({"action": "open"})["state"]
    edit = {"kind": "set", "path": ["learning_rate"], "value": 0.1}
    act({"action": "edit", "state": state, "edit": edit})
    gc.collect()
    gc.freeze()  # the modules are there for good: no collection need go through them


def is_quick(request: Any, size: int) -> bool:
    """Whether `request`, of so many bytes, sets one number of a small network."""
    if size > MOST_BYTES or not isinstance(request, dict) or request.get("action") != "edit":
        return False
    edit, state = request.get("edit"), request.get("state")
    if not isinstance(edit, dict) or not isinstance(state, dict):
        return False
    return edit.get("kind") == "set" and type(edit.get("value")) in (int, float) and _small(state)


def _small(state: dict[str, Any]) -> bool:
    shown, network = state.get("shown"), state.get("network")
    if not isinstance(shown, dict) or not isinstance(network, dict):
        return False
    layers, examples = network.get("layers"), network.get("examples")
    if not isinstance(layers, list) or not isinstance(examples, list) or len(layers) > MOST_DEEP:
        return False
    tables = [part for part in (*layers, *examples) if isinstance(part, dict)]
    numbers = sum(count(value) for table in tables for value in table.values())
    return numbers <= MOST_NUMBERS and shown.get("measure") in MEASURES
