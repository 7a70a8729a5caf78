"""Whether it matters what a hand rounds on the way to a result.

A hand may round σ's exponential, the loss of each output or Adam's m, or may not: the numbers of a
worksheet are such that either way gives the same digits.
"""

from __future__ import annotations

import math

import numpy as np

from ..core.arithmetic import compute
from ..core.rounding import Array, Carry, exact
from ..core.trace import LayerTrace, ParameterUpdate, Trace


def in_one_go(trace: Trace, rounded: Carry) -> bool:
    """Whether each result is the same with nothing rounded since the last one of its kind:
    a from z, σ' from z and a, C and ∂C/∂a from a, δ from ∂C/∂a, Δθ from ∂C/∂θ."""
    return (
        all(_activation(layer, rounded) for layer in trace.layers)
        and _loss(trace, rounded)
        and all(_change(update, rounded) for update in trace.updates.values())
    )


def _same(value: Array, rounded: Carry, carried: Array) -> bool:
    return bool((rounded(value) == carried).all())


def _activation(layer: LayerTrace, rounded: Carry) -> bool:
    kind, options = layer.layer.activation.kind, layer.layer.activation.parameters
    value, saved = kind.value(layer.z, exact, options)
    if not _same(value, rounded, layer.a):
        return False
    if kind.slope is None:
        mean = (layer.grad_a * layer.a).sum(axis=1, keepdims=True)
        return _same(layer.a * (layer.grad_a - mean), rounded, layer.delta)
    slope = layer.slope
    assert slope is not None
    return _same(kind.slope(layer.z, layer.a, saved, exact, options), rounded, slope)


def _loss(trace: Trace, rounded: Carry) -> bool:
    network, last = trace.network, trace.layers[-1]
    use = network.loss
    divisor = use.divisor(*network.targets.shape)
    elements, saved = use.kind.element(last.a, network.targets, exact, use.parameters)
    whole = np.array(math.fsum(elements.ravel()) / divisor)
    gradient = use.kind.gradient(last.a, network.targets, saved, use.parameters) / divisor
    return _same(whole, rounded, np.array(trace.loss)) and _same(gradient, rounded, last.grad_a)


def _change(update: ParameterUpdate, rounded: Carry) -> bool:
    names = {name: v for name, v in update.names.items() if name not in update.results}
    for symbol, formula in update.lines:
        names[symbol] = compute(formula, names)
    return _same(np.asarray(names["change"]), rounded, update.change)
