"""What one step of a training run leaves behind: enough to look back on, not the whole trace."""

from __future__ import annotations

from dataclasses import dataclass

from .rounding import Array
from .trace import ParameterUpdate, Trace


@dataclass(frozen=True)
class RunParameter:
    """gradient and change, Δθ, of the parameter's shape."""

    gradient: Array
    change: Array


@dataclass(frozen=True)
class RunLayer:
    """delta: (n, out). weight: (out, in). bias: (out,), or (1,) where the layer shares one."""

    name: str
    delta: Array
    weight: RunParameter
    bias: RunParameter


@dataclass(frozen=True)
class RunStep:
    """A step by its number, with the loss before it."""

    number: int
    loss: float
    layers: tuple[RunLayer, ...]


def run_step(trace: Trace) -> RunStep:
    """The step of a trace; its arrays are the trace's own."""
    layers = tuple(
        RunLayer(v.name, v.delta, _parameter(v.weight), _parameter(v.bias)) for v in trace.layers
    )
    return RunStep(trace.number, trace.loss, layers)


def _parameter(update: ParameterUpdate) -> RunParameter:
    return RunParameter(update.gradient, update.change)
