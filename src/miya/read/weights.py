"""Weights in a safetensors file: named arrays, read without running anything.

Format: https://huggingface.co/docs/safetensors (a length, a JSON header, the bytes).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..core.rounding import Array
from ..errors import MiyaInputError
from .file import check_regular, unreadable
from .need import need
from .pickled import refuse_pickle

LARGEST = 256 * 2**20  # bytes


def _brain_float(data: bytes) -> Array:
    """bfloat16 is the upper half of float32."""
    return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)


def _as(kind: str) -> Callable[[bytes], Array]:
    return lambda data: np.frombuffer(data, kind)


READ: Mapping[str, Callable[[bytes], Array]] = {
    "F64": _as("<f8"),
    "F32": _as("<f4"),
    "F16": _as("<f2"),
    "BF16": _brain_float,
}


def read_weights(path: str | os.PathLike[str]) -> dict[str, Array]:
    """The arrays of a safetensors file by name, in float64, float32 or float16 (bfloat16 exactly
    in float32).

    Raises MiyaInputError E220, E407 (integers), E501 (a pickle by another name), E503, E640.
    """
    return {name: _array(path, name, found) for name, found in _entries(Path(path))}


def _entries(path: Path) -> list[tuple[str, dict[str, Any]]]:
    check_safetensors(path)
    from safetensors import SafetensorError, deserialize

    if path.stat().st_size > LARGEST:
        raise MiyaInputError(
            "E503",
            f"{path} has {path.stat().st_size / 2**20:.0f} MiB, limit {LARGEST // 2**20} MiB",
            hint="name package.module:make_model as --network: a model is read without that limit",
        )
    try:
        data = path.read_bytes()
        found: list[tuple[str, dict[str, Any]]] = deserialize(data)  # type: ignore[no-untyped-call]
        return found
    except OSError as error:
        raise unreadable(path, error) from error
    except SafetensorError as error:
        raise damaged(path, error) from None


def check_safetensors(path: Path) -> None:
    """Raise what is wrong with the file before it is read: E220, E501; E640 where the package
    is not installed."""
    refuse_pickle(path)
    check_regular(path)
    need("safetensors", "torch", "safetensors files need")


def damaged(path: Path, error: Exception) -> MiyaInputError:
    return MiyaInputError(
        "E220",
        f"{path} is no safetensors file: {error}",
        hint="save it again with safetensors.torch.save_file",
    )


def no_slope(path: str | os.PathLike[str], name: str, kind: str) -> MiyaInputError:
    return MiyaInputError(
        "E407",
        f"{path}: {name} holds {kind}, whose numbers have no slope",
        hint="give weights in float64, float32, float16 or bfloat16",
    )


def _array(path: str | os.PathLike[str], name: str, found: Mapping[str, Any]) -> Array:
    kind = found["dtype"]
    if kind not in READ:
        raise no_slope(path, name, kind)
    return READ[kind](bytes(found["data"])).reshape(found["shape"])
