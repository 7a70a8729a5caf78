"""Miya's remarks: each where a measured condition holds, with its numbers and its measure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..analysis.flow import is_greedy
from ..core.activations import KINDS
from ..core.rounding import Array, exact
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
    """The single loss that is largest, where its output is far from its target."""
    network, root = t.trace.network, t.trace.root
    elements, outputs = root.saved["elements"], root.operands[0].value
    says = "says"
    if "p" in root.saved:
        outputs, says = root.saved["p"], "says_probability"
    n, i = (int(v) for v in np.unravel_index(int(elements.argmax()), elements.shape))
    limit = UNLIKELY if network.loss.name == "cross_entropy" else FAR
    if abs(outputs[n, i] - network.targets[n, i]) >= limit:
        alone = int((elements != 0).sum()) == 1
        neuron = network.layers[-1].neurons[i]
        if network.batch:
            neuron = t.text("general", "in_example", neuron=neuron, example=n)
        yield from t.remark(
            "large_loss" if alone else "large_loss_part",
            "side-eye",
            says=t.text("general", says, output=t.number(outputs[n, i])),
            target=t.number(network.targets[n, i]),
            neuron=neuron,
            share=t.percent(float(elements[n, i] / elements.sum())),
            loss=t.number(t.trace.loss),
        )
    yield from _on_logits(t)


def _on_logits(t: Teller) -> Iterator[Remark]:
    """Logits so large that the probabilities made of them hardly change any more."""
    root = t.trace.root
    if "p" not in root.saved:
        return
    logits, p = root.operands[0].value, root.saved["p"]
    if t.trace.network.loss.kind.target == "classes":
        if p.shape[1] == 1:
            return
        others = p @ (1 - np.eye(p.shape[1]))  # 1 - p, without cancelling
        slopes = p * others
    else:
        sigmoid = KINDS["sigmoid"]
        assert sigmoid.slope is not None
        slopes = sigmoid.slope(logits, p, {}, exact, {})
    flat = np.argwhere(slopes < SATURATED_SLOPE * STEEPEST["sigmoid"])
    if len(flat):
        n, i = (int(v) for v in flat[int(slopes[tuple(flat.T)].argmin())])
        yield from _saturated(t, "saturated_logit", t.layers[-1], n, i, logits, slopes, len(flat))


def _saturated(
    t: Teller,
    key: str,
    layer: LayerTrace,
    n: int,
    i: int,
    z: Array,
    slopes: Array,
    count: int,
) -> list[Remark]:
    slope = float(slopes[n, i])
    return t.remark(
        key,
        "sleepy",
        neuron=layer.layer.neurons[i],
        z=t.number(z[n, i]),
        slope=t.number(slope) if slope > 1e-300 else "< 1e-300",
        count=count,
        all=slopes.size,
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
            yield from _saturated(t, "saturated", layer, n, i, layer.z, slopes, len(flat))


def on_deltas(t: Teller, layer: LayerTrace) -> Iterator[Remark]:
    sizes = np.abs(layer.delta.sum(axis=0))
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
