"""Dropout: each element, or each channel, is kept and scaled, or dropped, by a mask that was drawn.

The mask is read from the operation run again on zeros and on ones, with the same draw: from the
result alone it could not be told where the input is 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..calls import Call, Terms, Worked, element, local
from ..graph import Index
from ..rounding import Array
from .grid import grid, once
from .record import Record, back, record

ALPHA = ("alpha_dropout", "feature_alpha_dropout")
KEPT = "1 where kept, 0 where dropped"

# of the self-normalising network's activation (Klambauer et al. 2017): a dropped element is set to
# its lower limit −λα, and y = a (what is left) + b keeps mean 0 and variance 1
LIMIT = -1.0507009873554805 * 1.6732632423543772


@dataclass(frozen=True)
class Drawn:
    """mask: 1 where kept, 0 where dropped. y = scale (mask x + (1 − mask) low) + shift."""

    mask: Array
    scale: float
    low: float
    shift: float


def _mask(call: Call) -> Array:
    like = np.asarray(call.operands["input"].array)
    (zeros,), (ones,) = (
        call.replay({"input": make(like)}) for make in (np.zeros_like, np.ones_like)
    )
    return np.asarray(ones != zeros)  # fmt: skip


def _draw(call: Call) -> Drawn:
    p = float(call.option("p", 0.5))
    if not call.option("training", call.name not in ALPHA) or p == 0:
        return Drawn(np.broadcast_to(np.True_, call.results[0].shape), 1.0, 0.0, 0.0)
    mask = _mask(call)
    if "alpha" not in call.name:
        return Drawn(mask, 1 / (1 - p) if p < 1 else 0.0, 0.0, 0.0)
    scale = 1 / math.sqrt((1 - p) * (1 + p * LIMIT**2)) if p < 1 else 0.0
    return Drawn(mask, scale, LIMIT, -scale * p * LIMIT)


def drawn(call: Call) -> Drawn:
    """What a call of dropout drew."""
    return once(call, "drawn", lambda: _draw(call))


def _scale(call: Call) -> tuple[str, str]:
    p = call.option("p", 0.5)
    alpha = "1 / sqrt((1 - p) (1 + p low**2))"
    return ("a", alpha) if "alpha" in call.name else ("1 / (1 - p)", f"p = {p}")


def _backward(call: Call, role: str, index: Index) -> list[Terms] | None:
    if role != "input":
        return None
    found = drawn(call)
    kept = local(np.asarray([found.mask[index]], dtype=np.float64), "m", KEPT)
    return [back(call, grid(*index), kept, local(np.asarray([found.scale]), *_scale(call)))]


def _forward(call: Call, slot: int, index: Index) -> list[Terms] | Worked:
    found, x = drawn(call), call.operands["input"]
    kept = float(found.mask[index])
    if "alpha" not in call.name:
        mask = local(np.asarray([kept]), "m", KEPT)
        return [
            Terms((element(x, grid(*index)), mask, local(np.asarray([found.scale]), *_scale(call))))
        ]
    numbers = {"m": kept, "a": found.scale, "low": found.low, "b": found.shift}
    names = {name: (None, (), value) for name, value in numbers.items()}
    return Worked(
        "a * (m * x + (1 - m) * low) + b",
        {**names, "x": (x, index, float(x.array[index]))},
    )


record(
    Record(
        "dropout",
        "y[i] = m[i] x[i] / (1 − p)",
        {"input": "∂C/∂x[i] = m[i]/(1 − p) δ[i]"},
        "torch.nn.Dropout; Srivastava et al. 2014",
        _backward,
        _forward,
    ),
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_dropout",
)
record(
    Record(
        "alpha_dropout",
        "y[i] = a (m[i] x[i] + (1 − m[i]) low) + b",
        {"input": "∂C/∂x[i] = a m[i] δ[i]"},
        "torch.nn.AlphaDropout; Klambauer et al. 2017",
        _backward,
        _forward,
    ),
    *ALPHA[1:],
)
