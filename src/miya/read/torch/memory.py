"""Out of memory: how much the recording held, and which part of the model would fit."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import torch

from ...errors import MiyaInputError

if TYPE_CHECKING:
    from .recorder import Recorder

SIGNS = ("not enough memory", "can't allocate memory", "out of memory")
MIB = 2**20


def out_of_memory(
    error: Exception, module: str, recorder: Recorder, only: str | None
) -> MiyaInputError | None:
    """The error E413, or None where the fault is another."""
    if not isinstance(error, (MemoryError, torch.OutOfMemoryError)) and not any(
        sign in str(error) for sign in SIGNS
    ):
        return None
    sizes = recorded_sizes(recorder)
    total = sizes.get("", 0)
    place = f" in {module}" if module else ""
    return MiyaInputError(
        "E413",
        f"out of memory{place}, with {total / MIB:.1f} MiB recorded by then",
        hint=_hint(sizes, total, only),
    )


def recorded_sizes(recorder: Recorder) -> Counter[str]:
    """Bytes of the values recorded by now, of each module with all that is inside."""
    sizes: Counter[str] = Counter()
    for value in recorder.made:
        if value.kind != "result":
            continue
        held = value.tensor.numel() * value.tensor.element_size()
        parts = value.module.split(".") if value.module else []
        for depth in range(len(parts) + 1):
            sizes[".".join(parts[:depth])] += held
    return sizes


def _hint(sizes: Counter[str], total: int, only: str | None) -> str:
    """The largest module whose values and gradients take at most half of what was recorded."""
    inside = {
        p: n for p, n in sizes.items() if p and p != "loss" and p != only and 2 * n <= total / 2
    }
    if not inside:
        return "give fewer examples at once: even the step without a recording may not fit"
    path = max(inside, key=lambda p: inside[p])
    return (
        f'record a part: only="{path}" holds {2 * inside[path] / MIB:.1f} MiB, its gradients '
        "included; or give fewer examples at once"
    )
