"""Miya's remarks: each where a measured condition holds, with its numbers and its measure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..analysis.flow import is_greedy
from ..core.trace import LayerTrace
from .blocks import Remark
from .numbers import signed
from .quantity import Symbol
from .symbols import plain_symbol
from .teller import Teller

FAR = 0.25  # an output this far from its target is side-eyed
UNLIKELY = 0.5  # so is a true class given less probability than this
SATURATED_SLOPE = 0.01  # of the steepest slope: a saturated neuron
STEEPEST = {"sigmoid": 0.25, "tanh": 1.0}


def on_setup(t: Teller) -> Iterator[Remark]:
    weights = [layer.weight.mask for layer in t.layers]
    biases = [layer.bias.mask for layer in t.layers]
    frozen = sum(int((~mask).sum()) for mask in (*weights, *biases))
    count = sum(m.size for m in weights), sum(m.size for m in biases)
    yield from t.remark(
        "suspects_frozen" if frozen else "suspects",
        "calm",
        weights=count[0],
        biases=count[1],
        all=sum(count),
        frozen=frozen,
    )


def on_loss(t: Teller) -> Iterator[Remark]:
    network, root = t.trace.network, t.trace.root
    outputs, targets = root.operands[0].value, network.targets
    if "p" in root.saved:
        outputs = root.saved["p"]
    gap = np.abs(outputs - targets)
    n, i = (int(v) for v in np.unravel_index(int(gap.argmax()), gap.shape))
    limit = UNLIKELY if network.loss.name == "cross_entropy" else FAR
    if gap[n, i] >= limit:
        yield from t.remark(
            "large_loss",
            "side-eye",
            output=t.number(outputs[n, i]),
            target=t.number(targets[n, i]),
            neuron=network.layers[-1].neurons[i],
            loss=t.number(t.trace.loss),
        )


def on_activations(t: Teller, layer: LayerTrace) -> Iterator[Remark]:
    kind = layer.layer.activation.kind
    names = layer.layer.neurons
    if kind.name == "relu":
        dead = np.flatnonzero((layer.z <= 0).all(axis=0))
        if len(dead):
            worst = int(dead[0])
            yield from t.remark(
                "dead",
                "sleepy",
                count=len(dead),
                all=len(names),
                neuron=names[worst],
                z=t.number(layer.z[:, worst].max()),
            )
    if kind.name in STEEPEST and layer.slope is not None:
        slopes = layer.slope
        flat = np.argwhere(slopes < SATURATED_SLOPE * STEEPEST[kind.name])
        if len(flat):
            n, i = (int(v) for v in flat[int(slopes[tuple(flat.T)].argmin())])
            slope = float(slopes[n, i])
            yield from t.remark(
                "saturated",
                "sleepy",
                neuron=names[i],
                z=t.number(layer.z[n, i]),
                slope=t.number(slope) if slope > 1e-300 else "< 1e-300",
                count=len(flat),
                all=slopes.size,
            )


def on_deltas(t: Teller, layer: LayerTrace) -> Iterator[Remark]:
    sizes = np.abs(layer.delta).sum(axis=0)
    count, whole = len(sizes), float(sizes.sum())
    if count < 2 or whole == 0:
        return
    i = int(sizes.argmax())
    tied = int((sizes >= sizes[i] * (1 - 1e-12)).sum())
    if tied > 1:
        return
    share = float(sizes[i]) / whole
    greedy = is_greedy(share, count)
    yield from t.remark(
        "greedy" if greedy else "largest_delta",
        "pointing",
        "pressure",
        neuron=layer.layer.neurons[i],
        number=layer.number,
        delta=signed(float(layer.delta[:, i].sum()), t.digits),
        share=t.percent(share),
        count=count,
    )


def on_pressure(t: Teller, layer: LayerTrace) -> Iterator[Remark]:
    gradient = layer.weight.gradient
    i, j = (int(v) for v in np.unravel_index(int(np.abs(gradient).argmax()), gradient.shape))
    whole = float(np.abs(gradient).sum())
    if gradient.size < 2 or whole == 0:
        return
    yield from t.remark(
        "pressure",
        "pointing",
        "pressure",
        symbol=plain_symbol(Symbol("W", layer.number, (i, j))),
        gradient=signed(float(gradient[i, j]), t.digits),
        share=t.percent(abs(float(gradient[i, j])) / whole),
    )


def on_outcome(t: Teller) -> Iterator[Remark]:
    trace = t.trace
    change, predicted = trace.loss_after - trace.loss, trace.predicted_change
    if change > 0 and predicted < 0:
        yield from t.remark(
            "overshot",
            "alarm",
            before=t.number(trace.loss),
            after=t.number(trace.loss_after),
            predicted=t.number(predicted),
        )
    elif change < 0:
        yield from t.remark(
            "fell",
            "proud",
            before=t.number(trace.loss),
            after=t.number(trace.loss_after),
        )
