"""What later stages answer when a trace is asked: core knows only where they live.

A trace has methods that need the story and the outputs (`Trace.why`). The stages stay in order:
nothing is imported before such a method is called.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

# the method, and the module under `miya` that has a function of the same name: (trace, ...)
HOMES = {"why": "api.why"}


def later(name: str) -> Callable[..., Any]:
    """The function that answers a trace's method."""
    package = __package__.rpartition(".")[0]
    found: Callable[..., Any] = getattr(import_module(f"{package}.{HOMES[name]}"), name)
    return found
