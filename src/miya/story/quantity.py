"""The name of a quantity, as calculations show it and as their numbers refer to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Symbol:
    """A quantity: `head` ("z", "δ", "∂C/∂W"), 1-based layer, 0-based indices, and a mark such
    as "new". own: the head holds a name of the reader's own model, "encoder.layers.0.weight",
    shown as it is written there."""

    head: str
    layer: int | None = None
    index: tuple[int, ...] = ()
    mark: str = ""
    own: bool = False
