"""Networks, and pieces of them, as documents show them."""

from __future__ import annotations

import json
import tomllib
from typing import Any

READERS = {"toml": tomllib.loads, "json": json.loads}
BASE = {
    "learning_rate": 0.1,
    "loss": "squared_error",
    "layers": [{"weight": [[0.5, -0.25]], "bias": [0.1], "activation": "sigmoid"}],
}


def whole(text: str, form: str) -> dict[str, Any]:
    """The description in `text`; what it leaves out comes from a small network around it."""
    given = READERS[form](text)
    found = {**BASE, **given}
    if "lr" in _table(given.get("optimizer")) and "learning_rate" not in given:
        del found["learning_rate"]
    return found if "examples" in found else {**found, "examples": [_example(found["layers"])]}


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _example(layers: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "input": [0.5] * len(layers[0]["weight"][0]),
        "target": [1] + [0] * (len(layers[-1]["weight"]) - 1),
    }
