"""One watched step as it was measured, still on its device, and how it lies in one vector."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import Any

import numpy as np
import torch

from .activations import Activation
from .deltas import Number
from .rows import Rows
from .sampled import samples
from .seen import Glimpse

Key = tuple[str, int, int]  # what it is, of which layer or parameter, how many numbers
Keys = tuple[Key, ...]

TOGETHER = 32  # watched steps that are told together at most
SOON = 0.1  # seconds that one waits, where the training goes on
LATER = 3.0  # where findings alone are told, until it is seen whether it is odd, and
LAST = 10.0  # until it is told, if it is not
STILL = 0.25  # seconds without a step, after which the training stands still
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
    glimpses: dict[int, Glimpse] = field(default_factory=dict)  # by layer, until it is packed
    ages: Mapping[int, int] = field(default_factory=dict)  # of the layers that rest, in steps
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
        seen = [z.shape[0] * z.shape[1] for g in self.glimpses.values() for z in g.samples]
        return sum([part.numel() for part in self.parts]) + sum(seen)

    def _glimpsed(self) -> None:
        """What the layers gave and got."""
        glimpses, self.glimpses = self.glimpses, {}
        self.samples = samples(glimpses)
        if self.skipped:
            return
        for k, g in sorted(glimpses.items()):
            if g.pressure is None:
                continue
            self.put((("pressure", k, g.pressure.numel()),), g.pressure.reshape(-1))
            self.tell(_of_delta(k), g.squares, g.example_squares, g.examples, g.kept)
            self.tell((("age", k, 1),), self.ages.get(k, 0))
            if len(g.calls) >= UNROLLED:  # the last call's δ comes first
                self.tell((("first", k, 1), ("last", k, 1)), g.calls[-1], g.calls[0])

    def pack(self) -> None:
        """Everything in one vector."""
        if self.glimpses:
            self._glimpsed()
        if len(self.parts) > 1:
            home = self.parts[0].device
            self.parts = [torch.cat([p if p.device == home else p.to(home) for p in self.parts])]


@cache
def _of_delta(layer: int) -> Keys:
    names = ("squares", "example_squares", "examples", "kept")
    return tuple((name, layer, 1) for name in names)


@np.errstate(over="ignore", invalid="ignore")
def odd(run: Sequence[Capture]) -> list[bool]:
    """Of packed steps with one signature, which have to be looked at in any case: those that moved
    nothing, whose numbers are not finite, or not yet known to be as they are on another device; or
    whose inputs are told apart."""
    first = run[0]
    rows = {k: [capture.samples[k] for capture in run] for k in first.samples}
    vectors = [*first.parts, *(of[0] for of in rows.values())]
    away = any(not isinstance(v, np.ndarray) and v.device.type != "cpu" for v in vectors)
    if first.skipped or away or not first.has("gradient"):
        return [True] * len(run)
    clear = np.isfinite(np.array([capture.floats for capture in run])).all(1)
    clear &= torch.stack([capture.parts[0] for capture in run]).sum(1).isfinite().numpy()
    for parts in rows.values():
        clear &= np.isfinite(_sums(parts))
    return [not c or capture.columns is not None for c, capture in zip(clear, run, strict=True)]


def _sums(samples: Sequence[Rows]) -> list[float]:
    """Of each; one that several steps share is added up once."""
    found: list[float] = []
    for before, rows in zip([None, *samples], samples, strict=False):
        found.append(found[-1] if rows is before else float(np.add.reduce(rows, axis=None)))
    return found


def runs(captures: Iterable[Capture]) -> list[list[Capture]]:
    """Runs of steps with one signature."""
    return [list(run) for _, run in groupby(captures, lambda capture: capture.signature)]


class Waiting:
    """Steps that wait to be told together."""

    def __init__(self, patience: float = SOON) -> None:
        self.patience = patience  # seconds
        self.captures: list[Capture] = []
        self.size = self.each = 0  # numbers, about; of one

    def add(self, capture: Capture) -> bool:
        """Whether it is time to tell them."""
        if not self.captures:
            self.each = capture.size
        self.captures.append(capture)
        self.size += self.each
        waited = capture.seconds - self.captures[0].seconds
        return len(self.captures) >= TOGETHER or waited > self.patience or self.size > HEAVY

    def is_due(self, now: float) -> bool:
        """Whether the first one has waited long enough, while none came after the last."""
        if not self.captures or now - self.captures[-1].seconds <= STILL:
            return False
        return now - self.captures[0].seconds > self.patience

    def take(self) -> list[Capture]:
        captures, self.captures, self.size = self.captures, [], 0
        return captures
