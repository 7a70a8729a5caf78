"""One watched step as it was measured, still on its device, and how it lies in one vector."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import Any

import numpy as np
import torch

from .activations import Activation
from .deltas import Number
from .rows import Rows
from .seen import Glimpse

Key = tuple[str, int, int]  # what it is, of which layer or parameter, how many numbers
Keys = tuple[Key, ...]

TOGETHER = 32  # watched steps that are told together at most
SOON = 0.1  # seconds that one waits, where the training goes on
LATER = 1.0  # where findings alone are told
HEAVY = 4_000_000  # numbers that wait at most
UNROLLED = 4  # calls of a layer in one pass, from which the first and the last are compared


@dataclass(eq=False)
class Capture:
    """What a record is made of. rates: of every parameter group.

    parts: on the device; floats: what is known to the CPU already. They lie as `keys` and `names`
    say, which are the same for steps that can be told together.
    """

    rates: tuple[Any, ...]
    step: int = 0
    seconds: float = 0.0
    examples: int | None = None
    skipped: bool = False
    keys: list[Keys] = field(default_factory=list)
    parts: list[torch.Tensor] = field(default_factory=list)
    names: list[Keys] = field(default_factory=list)
    floats: list[float] = field(default_factory=list)
    samples: dict[int, Rows] = field(default_factory=dict)  # by layer
    known: Mapping[int, Activation] = field(default_factory=dict)  # what reads which
    columns: torch.Tensor | None = None  # of Inputs

    def put(self, keys: Keys, tensor: torch.Tensor) -> None:
        """A vector, of one or more things that lie in it one after the other."""
        self.keys.append(keys)
        self.parts.append(tensor)

    def tell(self, keys: Keys, *values: Number) -> None:
        """Single numbers."""
        if any(isinstance(v, torch.Tensor) for v in values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(value, torch.Tensor):
                    self.put((key,), value.detach().reshape(1))
                else:
                    self.tell((key,), value)
            return
        self.names.append(keys)
        self.floats += values  # type: ignore[arg-type]

    def has(self, name: str) -> bool:
        return any(key[0] == name for keys in self.keys for key in keys)

    @property
    def signature(self) -> tuple[object, ...]:
        shapes = [(k, z.shape, z.dtype) for k, z in self.samples.items()]
        return self.keys, self.names, shapes, id(self.known), self.skipped

    @property
    def size(self) -> int:
        sampled = [z.shape[0] * z.shape[1] for z in self.samples.values()]
        return sum([part.numel() for part in self.parts]) + sum(sampled)

    def is_odd(self) -> bool:
        """Whether it has to be looked at in any case: a step that moved nothing, numbers that are
        not finite, or not yet known to be as they are on another device; or inputs told apart."""
        if self.skipped or self.columns is not None or not self.has("gradient"):
            return True
        if not all(map(math.isfinite, self.floats)):
            return True
        vectors = [*self.parts, *self.samples.values()]
        return not all(isinstance(v, np.ndarray) or v.device.type == "cpu" for v in vectors) or (
            not all(math.isfinite(v.sum()) for v in vectors)
        )

    def glimpsed(self, glimpses: dict[int, Glimpse]) -> None:
        """What the layers gave and got."""
        for k, g in glimpses.items():
            if g.pressure is None:
                continue
            self.put((("pressure", k, g.pressure.numel()),), g.pressure.reshape(-1))
            self.tell(_of_delta(k), g.squares, g.example_squares, g.examples, g.kept)
            if len(g.calls) >= UNROLLED:  # the last call's δ comes first
                self.tell((("first", k, 1), ("last", k, 1)), g.calls[-1], g.calls[0])

    def pack(self) -> None:
        """Everything in one vector; the gradients that were only looked at are let go."""
        if len(self.parts) > 1:
            home = self.parts[0].device
            self.parts = [torch.cat([p if p.device == home else p.to(home) for p in self.parts])]


@cache
def _of_delta(layer: int) -> Keys:
    names = ("squares", "example_squares", "examples", "kept")
    return tuple((name, layer, 1) for name in names)


class Waiting:
    """Steps that wait to be told together."""

    def __init__(self, patience: float = SOON) -> None:
        self.patience = patience  # seconds
        self.captures: list[Capture] = []
        self.size = 0

    def add(self, capture: Capture) -> bool:
        """Whether it is time to tell them."""
        self.captures.append(capture)
        self.size += capture.size
        waited = capture.seconds - self.captures[0].seconds
        return len(self.captures) >= TOGETHER or waited > self.patience or self.size > HEAVY

    def is_due(self, now: float) -> bool:
        """Whether the first one has waited long enough, while none came after the last."""
        return bool(self.captures) and now - self.captures[0].seconds > self.patience

    def take(self) -> list[Sequence[Capture]]:
        """Runs of steps with one signature."""
        captures, self.captures, self.size = self.captures, [], 0
        return [list(run) for _, run in groupby(captures, lambda c: c.signature)]
