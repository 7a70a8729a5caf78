"""Networks to start from, by name: those of the folder examples/, which ship with the package."""

from __future__ import annotations

from importlib import resources
from typing import Any

from ..errors import MiyaInputError
from ..read.file import original_text

FILES = {
    "original": "original.toml",
    "xor_tanh": "xor_tanh.toml",
    "relu_classifier": "relu_classifier.json",
    "adam_batch": "adam_batch.toml",
    "frozen_shared_biases": "frozen_shared_biases.toml",
}


def example(name: Any, language: str) -> tuple[str, str]:
    """The text of a network file and its form, "toml" or "json". Raises MiyaInputError E806."""
    file = FILES.get(name) if isinstance(name, str) else None
    if file is None:
        raise MiyaInputError(
            "E806", f"the example is {name!r}"[:200], hint=f"choose {', '.join(FILES)}"
        )
    if name == "original":
        return original_text(language), "toml"
    text = resources.files("miya").joinpath("networks", file).read_text("utf-8")
    return text, file.rpartition(".")[2]
