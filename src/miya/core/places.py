"""Index rows of the elements that a formula runs over."""

from __future__ import annotations

import numpy as np

from .rounding import Array

Axis = Array | int  # along one dimension: the places taken, or one place


def grid(*axes: Axis) -> Array:
    """Every combination of the places along each dimension: (combinations, dimensions)."""
    if not axes:
        return np.zeros((1, 0), dtype=np.int64)
    places = [np.atleast_1d(np.asarray(a, dtype=np.int64)) for a in axes]
    return np.stack([m.ravel() for m in np.meshgrid(*places, indexing="ij")], axis=1)
