"""What flows through a layer for one example, or summed over all: signals, δ and its paths."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..core.rounding import Array
from ..core.trace import LayerTrace, Trace

# of its layer's Σ|δ|, and of an equal share; the δ of a softmax always share out half and half
GREEDY_SHARE, GREEDY_TIMES = 0.5 + 1e-9, 1.5
GREEDY_MARGIN = 1e-12  # relative: neurons nearer than this are tied


@dataclass(frozen=True)
class Flow:
    """One layer's flow. `delta`, `grad_a`: (out,), summed over the examples where there are more
    than one, as is `signal`, the input (in,). `z`, `a`, `slope`, `input`: (lowest, highest) over
    the examples; `slope` is None for softmax.
    """

    delta: Array
    grad_a: Array
    z: tuple[Array, Array]
    a: tuple[Array, Array]
    slope: tuple[Array, Array] | None
    input: tuple[Array, Array]
    signal: Array
    weight: Array
    bias: Array
    examples: int

    @cached_property
    def carried(self) -> Array:
        """W·a of every weight, (out, in)."""
        return self.weight * self.signal

    @cached_property
    def carried_bias(self) -> Array:
        """What the bias adds to each z, (out,) or (1,): b times its constant input 1."""
        return self.bias * self.examples

    @cached_property
    def passed(self) -> Array:
        """W·δ of every weight, (out, in)."""
        return self.weight * self.delta[:, None]


def flow(layer: LayerTrace, example: int | None) -> Flow:
    """The flow of `example` (from 0), or of all examples together where it is None."""
    some = slice(None) if example is None else slice(example, example + 1)
    return Flow(
        layer.delta[some].sum(axis=0).astype(float),
        layer.grad_a[some].sum(axis=0),
        _range(layer.z[some]),
        _range(layer.a[some]),
        None if layer.slope is None else _range(layer.slope[some]),
        _range(layer.input[some]),
        layer.input[some].sum(axis=0).astype(float),
        layer.weight.before.astype(float),
        layer.bias.before.astype(float),
        len(layer.delta[some]),
    )


def _range(values: Array) -> tuple[Array, Array]:
    return values.min(axis=0), values.max(axis=0)


def is_greedy(share: Any, count: Any) -> Any:
    """Whether a neuron takes an outsized share of the pressure on its layer of `count`; of arrays
    of both, element by element."""
    return share > np.maximum(GREEDY_SHARE, GREEDY_TIMES / count)


def greediest(trace: Trace, example: int | None = None) -> tuple[int, int, float] | None:
    """(layer from 1, neuron, share) of the neuron that takes the largest share of the pressure on
    its layer, over the layers of at least two neurons; None where none stands out alone.

    A neuron's pressure is |Σ of δ over the examples|, as in `miya.blame`; the share is of the sum
    of these over the layer.
    """
    best: tuple[int, int, float] | None = None
    some = slice(None) if example is None else slice(example, example + 1)
    for layer in trace.layers:
        sizes = np.abs(layer.delta[some].sum(axis=0))
        whole, top = float(sizes.sum()), float(sizes.max())
        if len(sizes) < 2 or whole == 0:
            continue
        if (sizes >= top * (1 - GREEDY_MARGIN)).sum() == 1 and (
            best is None or top / whole > best[2]
        ):
            best = (layer.number, int(sizes.argmax()), top / whole)
    return best
