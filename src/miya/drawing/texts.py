"""The numbers of a picture's cards as texts alone: a slider asks for them many times a second."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..analysis.flow import Flow
from ..core.rounding import Array
from ..core.trace import LayerTrace
from .content import Content, alike, minus, written

CLEAR = 1e-4  # of a last digit: far more than what float64 cannot know of a number of QUICK digits
QUICK = 8


def card_texts(content: Content, k: int, neurons: Sequence[int]) -> list[list[str]]:
    """Of each of these neurons of layer k (both from 0) the texts of its card, in the order of its
    labels: δ, facts, each line, each path. Titles, tones and sizes are left out."""
    found = content.flows[k]
    deltas = _signed(found.delta[list(neurons)], content.digits)
    rows, paths = _rows(content, k, neurons), _paths(content, k, neurons)
    told = []
    for n, i in enumerate(neurons):
        head = [] if content.view == "forward" else [f"δ = {deltas[n]}"]
        told.append([*head, *content.facts(found, i), *rows[n], *paths[n]])
    return told


def _rows(content: Content, k: int, neurons: Sequence[int]) -> list[list[str]]:
    """The cells of each card's table, row by row: the weights, then the bias."""
    layer = content.trace.layers[k]
    columns = _columns(content, layer, content.flows[k], neurons)
    wide = len(content.columns) * (layer.layer.inputs + 1)
    cells = [cell for row in zip(*columns, strict=True) for cell in row]
    return [cells[n * wide : (n + 1) * wide] for n in range(len(neurons))]


def _columns(
    content: Content, layer: LayerTrace, found: Flow, neurons: Sequence[int]
) -> list[list[str]]:
    """Each column of the tables of these neurons, their tables one below the other."""
    weight, bias, digits = layer.weight, layer.bias, content.digits
    own = [0 if layer.layer.shared_bias else i for i in neurons]

    def both(of_weight: Array, of_bias: Array) -> Array:
        joined = np.concatenate([of_weight[list(neurons)], of_bias[own][:, None]], axis=1)
        return joined.ravel().astype(float)

    before, after = both(weight.before, bias.before), both(weight.after, bias.after)
    change = both(weight.change, bias.change)
    wanted = set(content.columns)
    columns: dict[str, list[str]] = {"arrow": ["→"] * len(before)}
    if "before" in wanted:
        moved = _moved(content, before, after, change)
        columns |= {"before": [b for b, _ in moved], "after": [a for _, a in moved]}
    if "gradient" in wanted:
        columns["gradient"] = _signed(both(weight.gradient, bias.gradient), digits)
    if "change" in wanted:
        columns["change"] = _signed(change, digits)
    if "carried" in wanted:
        columns["carried"] = _signed(both(found.carried, found.carried_bias), digits)
    if "measure" in wanted:
        values = content.values
        columns["measure"] = _signed(both(values[weight.name], values[bias.name]), digits)
    return [columns[key] for key in content.columns]


def _moved(content: Content, before: Array, after: Array, change: Array) -> list[tuple[str, str]]:
    """As Content.moved, which is asked where both look alike."""
    pairs = zip(
        all_written(before, content.digits), all_written(after, content.digits), strict=True
    )
    numbers = zip(before.tolist(), after.tolist(), change.tolist(), strict=True)
    return [
        content.moved(*row) if alike(*pair) else pair
        for pair, row in zip(pairs, numbers, strict=True)
    ]


def _paths(content: Content, k: int, neurons: Sequence[int]) -> list[list[str]]:
    """What each path brings back to each neuron, then ∂C/∂a."""
    if content.view not in ("whole", "blame"):
        return [[] for _ in neurons]
    total = content.flows[k].grad_a[list(neurons)][:, None]
    last = k + 1 == len(content.flows)
    back = total[:, :0] if last else content.flows[k + 1].passed.T[list(neurons)]
    joined = np.concatenate([back, total], axis=1)
    texts, wide = _signed(joined.ravel(), content.digits), joined.shape[1]
    return [texts[n * wide : (n + 1) * wide] for n in range(len(neurons))]


def _signed(values: Array, digits: int) -> list[str]:
    return [
        f"+{text}" if value > 0 else text
        for value, text in zip(values.tolist(), all_written(values, digits), strict=True)
    ]


def all_written(values: Array, digits: int) -> list[str]:
    """`written` of each of the values (n,), most of them by a single format.

    That is the same for a number that needs no exponent and stands clear of a tie and of every
    number of fewer digits: float64 noise then decides nothing.
    """
    spec = f"#.{digits}g"
    return [
        minus(format(value, spec)) if quick else written(value, digits)
        for value, quick in zip(values.tolist(), _clear(values, digits), strict=True)
    ]


def _clear(values: Array, digits: int) -> Iterable[bool]:
    sizes = np.abs(values)
    usual = (sizes >= 1e-4) & (sizes < 0.9 * 10.0 ** (digits - 1))
    if digits > QUICK:
        return [False] * len(sizes)
    some = np.where(usual, sizes, 1.0)
    twice = 2 * some * 10.0 ** (digits - 1 - np.floor(np.log10(some)))
    far = np.abs(twice - np.rint(twice)) > CLEAR
    found: list[bool] = (usual & far).tolist()
    return found
