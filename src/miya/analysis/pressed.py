"""The parameters of a recorded model by pressure: where each is pressed most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.graph import Index
from ..core.model import ModelTrace, ParameterStep


@dataclass(frozen=True, eq=False)
class Pressed:
    """index, gradient: of its element under most pressure. typical: the root of the mean square
    of its gradient; size: Σ |∂C/∂θ|. moved, moved_by: the element that moved most, and by what."""

    parameter: ParameterStep
    index: Index
    gradient: float
    typical: float
    size: float
    moved: Index
    moved_by: float


def pressed(trace: ModelTrace) -> list[Pressed]:
    """Every parameter with a gradient, the one with the steepest element first."""
    found = [_pressed(p) for p in trace.parameters.values() if p.gradient is not None and p.size]
    return sorted(found, key=lambda p: -abs(p.gradient))


def _pressed(parameter: ParameterStep) -> Pressed:
    assert parameter.gradient is not None
    gradient = np.asarray(parameter.gradient, np.float64)
    sizes = np.abs(gradient)
    index, moved = _largest(sizes), _largest(np.abs(parameter.change))
    return Pressed(
        parameter,
        index,
        float(gradient[index]),
        float(np.sqrt((sizes**2).mean())),
        float(sizes.sum()),
        moved,
        float(parameter.change[moved]),
    )


def _largest(sizes: np.ndarray) -> Index:
    return tuple(int(i) for i in np.unravel_index(int(sizes.argmax()), sizes.shape))


def promised(trace: ModelTrace) -> dict[str, float]:
    """Σ ∂C/∂θ · Δθ of each trained parameter, by name; they add up to `predicted_change`."""
    return {
        p.name: float(np.vdot(np.asarray(p.gradient, np.float64), p.change))
        for p in trace.parameters.values()
        if p.trained and p.gradient is not None
    }
