"""The trace of one step of a recorded model: the measures of `trace.Trace`, any computation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .calls import Call, Value
from .later import later
from .rerun import Runner
from .rounding import Array


@dataclass(eq=False)
class ParameterStep:
    """One parameter and what the step did to it.

    name: the model's own, as in its state dict; aliases: further names of a tied one.
    before, after: of its shape. value: its Value in the recorded computation, None where the
    computation never read it. trained: whether it needs a gradient and the optimizer holds it.
    group: which of the optimizer's parameter groups, None where none.
    state_before, state_after: the optimizer's state of it, by the optimizer's own names.
    """

    name: str
    aliases: tuple[str, ...]
    value: Value | None
    trained: bool
    group: int | None
    shape: tuple[int, ...]
    dtype: str
    read: Mapping[str, Any] = field(repr=False)  # "before", "after", "gradient": () -> Array | None
    read_state: Any = field(default=None, repr=False)  # (when) -> Mapping[str, Array | float]

    @cached_property
    def before(self) -> Array:
        found: Array = self.read["before"]()
        return found

    @cached_property
    def after(self) -> Array:
        found: Array = self.read["after"]()
        return found

    @cached_property
    def gradient(self) -> Array | None:
        """∂C/∂θ, or None where the loss does not depend on it or it is frozen: not 0."""
        found: Array | None = self.read["gradient"]()
        return found

    @property
    def change(self) -> Array:
        """Δθ, in float64 where the dtype is narrower, so that it is exact."""
        return np.asarray(self.after, np.float64) - np.asarray(self.before, np.float64)

    @property
    def state_before(self) -> Mapping[str, Any]:
        return self.read_state("before") if self.read_state else {}

    @property
    def state_after(self) -> Mapping[str, Any]:
        return self.read_state("after") if self.read_state else {}

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True)
class Module:
    """A module of the model: its path, the name of its class, and what it said of itself
    (`extra_repr`). `training` is its mode during the step."""

    path: str
    kind: str
    says: str
    training: bool


@dataclass(frozen=True)
class OptimizerUse:
    """name: of its class. groups: the options of each parameter group, without the parameters."""

    name: str
    groups: tuple[Mapping[str, Any], ...]


@dataclass(eq=False)
class ModelTrace:
    """One training step of a recorded model.

    calls: in the order of computation, the loss included; values: all, by name. root: the loss.
    modules: in the order of the model's `named_modules`. notes: what a reader must know (tied
    weights, parameters without gradient), each a code and a text.
    """

    title: str
    calls: tuple[Call, ...]
    values: Mapping[str, Value]
    root: Value
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    targets: tuple[Value, ...]
    parameters: Mapping[str, ParameterStep]
    modules: Mapping[str, Module]
    optimizer: OptimizerUse | None
    runner: Runner
    notes: tuple[tuple[str, str], ...] = ()
    number: int = 1
    dtype: str = "float32"
    device: str = "cpu"

    @cached_property
    def loss(self) -> float:
        """C before the step."""
        return float(self.root.array.reshape(()))

    @cached_property
    def loss_after(self) -> float:
        """C with the parameters after the step, on the same inputs with the same masks."""
        return self.runner.loss({p.name: p.after for p in self.parameters.values() if p.trained})

    @property
    def gradients(self) -> dict[str, Array | None]:
        return {name: p.gradient for name, p in self.parameters.items()}

    @cached_property
    def predicted_change(self) -> float:
        """ΔC to first order: Σ ∂C/∂θ · Δθ over every parameter."""
        parts = [
            float(np.vdot(np.asarray(p.gradient, np.float64), p.change))
            for p in self.parameters.values()
            if p.trained and p.gradient is not None
        ]
        return float(np.sum(parts))

    @property
    def size(self) -> int:
        """How many numbers its parameters hold."""
        return sum(p.size for p in self.parameters.values())

    def why(self, element: str, **options: Any) -> Any:
        """Why one number is what it is, and why it has its gradient: `why("fc.weight[3,17]")`.

        element: a name of `values` or of a parameter, and an index from 0 for each dimension.
        options: those of `miya.why` (docs/why.md). Raises MiyaInputError E620 to E622.
        """
        return later("why")(self, element, **options)
