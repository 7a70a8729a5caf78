"""What a source is, told from its text alone: a network file, weights, an ONNX model, or code."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal

Kind = Literal["network", "weights", "onnx", "code"]
NAME = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
CODE = re.compile(rf"(?P<module>{NAME}|.+\.py):(?P<attribute>{NAME})", re.DOTALL)


def kind_of(source: Any) -> Kind:
    """ "code" of package.module:attribute and path/to/file.py:attribute, "weights" of
    .safetensors, "onnx"; all else, a Mapping and a Network too, is "network"."""
    if not isinstance(source, str | os.PathLike):
        return "network"
    text = os.fspath(source)
    if CODE.fullmatch(text) and not os.path.exists(text):
        return "code"
    suffix = Path(text).suffix.lower()
    return {".safetensors": "weights", ".onnx": "onnx"}.get(suffix, "network")  # type: ignore[return-value]
