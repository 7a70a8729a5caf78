"""All parameters of a network side by side in one vector: weight1, bias1, weight2, ...

An optimizer's line is then one operation for the whole network, and a step asks the allocator
for a few large blocks instead of many of all sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import prod

import numpy as np

from .rounding import Array

Shapes = tuple[tuple[str, tuple[int, ...]], ...]  # (name, shape) of each parameter, in order


@dataclass(frozen=True)
class Place:
    """Where one parameter lies in the vector."""

    name: str
    shape: tuple[int, ...]
    slice: slice

    def view(self, vector: Array) -> Array:
        """This parameter's part of `vector`, of its shape, without a copy."""
        return vector[self.slice].reshape(self.shape)


@dataclass(frozen=True)
class Layout:
    """The places of all parameters, and the length of the vector."""

    places: tuple[Place, ...]
    size: int

    def views(self, vector: Array) -> dict[str, Array]:
        return {place.name: place.view(vector) for place in self.places}

    def vector(self, values: Mapping[str, Array]) -> Array:
        """The parameters' arrays, by name, copied side by side."""
        return np.concatenate([values[place.name].reshape(-1) for place in self.places])


@lru_cache(maxsize=64)
def layout(shapes: Shapes) -> Layout:
    places, start = [], 0
    for name, shape in shapes:
        stop = start + prod(shape)
        places.append(Place(name, shape, slice(start, stop)))
        start = stop
    return Layout(tuple(places), start)
