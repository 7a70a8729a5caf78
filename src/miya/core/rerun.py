"""What a model that is run again is asked for, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from .rounding import Array


@dataclass(frozen=True)
class Silence:
    """One neuron's output at 0: of the result `slot`, of this shape, of the call with this number
    and name, all elements at `index` of `axis`."""

    call: int
    name: str
    slot: int
    shape: tuple[int, ...]
    axis: int
    index: int


@dataclass(frozen=True, eq=False)
class Zero:
    """What is 0 at the kinks of one operation: (elements,) float64."""

    values: Array


@dataclass(frozen=True, eq=False)
class Chosen:
    """Which of a row's values an operation takes. values: (rows, candidates); index: (rows,
    taken)."""

    values: Array
    index: Array


class Runner(Protocol):
    """The model itself, ready to be run again as it ran in the step: same inputs, modes, masks.

    Parameters are given as arrays by name; those that are not given are as before the step.
    """

    @property
    def dtype(self) -> str: ...

    def loss(self, parameters: Mapping[str, Array]) -> float: ...

    def loss_and_gradients(
        self, parameters: Mapping[str, Array]
    ) -> tuple[float, dict[str, Array]]: ...

    def loss_and_sides(
        self, parameters: Mapping[str, Array]
    ) -> tuple[float, list[Zero | Chosen]]: ...

    def loss_without(
        self, silences: tuple[Silence, ...], parameters: Mapping[str, Array] | None = None
    ) -> float | None: ...

    def widened(self) -> Runner: ...

    def quickly(self) -> AbstractContextManager[None]: ...

    def parts(self, size: int) -> Sequence[tuple[float, Runner]] | None: ...
