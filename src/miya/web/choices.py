"""What can be chosen by name, from the core's own tables."""

from __future__ import annotations

from typing import Any, get_args

from ..analysis.blame import Measure
from ..core import activations, losses, optimizers
from ..drawing.scene import VIEWS
from ..story.words import load
from .datasets import DATASETS
from .edits import EDITS
from .examples import FILES


def choices(language: str) -> dict[str, Any]:
    """Names with the defaults of their options, and the words that the page says."""
    return {
        "activations": {name: _options(kind) for name, kind in activations.KINDS.items()},
        "losses": {name: _options(kind) for name, kind in losses.KINDS.items()},
        "optimizers": {name: _options(kind) for name, kind in optimizers.KINDS.items()},
        "datasets": list(DATASETS),
        "examples": list(FILES),
        "measures": list(get_args(Measure)),
        "views": list(VIEWS),
        "edits": list(EDITS),
        "words": load(language)["play"],
        "page_words": load(language)["page"],
    }


def _options(kind: Any) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in kind.defaults.items()}
