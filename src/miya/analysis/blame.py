"""Blame: weights, biases and neurons ranked by a named measure."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np

from ..core.rounding import Array
from ..core.trace import Trace
from ..errors import MiyaInputError
from .credit import credit
from .removal import neuron_removal, removal

Measure = Literal["pressure", "step", "credit", "removal"]
Kind = Literal["weight", "bias", "neuron"]
TIED = 1e-12  # relative: values nearer than this share a rank
EVERY = 10_000  # parameters of a network whose rows are all made unless told otherwise
SOME = 100


@dataclass(frozen=True)
class BlameRow:
    """One place in a ranking. layer is 1-based; index 0-based: (out, in), (out,) or (neuron,).

    value: by the measure, with its sign. share: |value| / Σ|value| over the whole ranking.
    tied: another row has the same rank.
    """

    rank: int
    kind: Kind
    layer: int
    index: tuple[int, ...]
    name: str
    value: float
    share: float
    tied: bool
    frozen: bool


@dataclass(frozen=True)
class Blame:
    """Rankings of parameters and of neurons, each by |value|, of the `total_...` there are."""

    measure: Measure
    parameters: tuple[BlameRow, ...]
    neurons: tuple[BlameRow, ...]
    total_parameters: int
    total_neurons: int

    def to_dict(self) -> dict[str, Any]:
        """Plain data. A removal that makes the loss infinite has the value "infinity"."""
        found = asdict(self)
        for row in (*found["parameters"], *found["neurons"]):
            if math.isinf(row["value"]):
                row["value"] = "infinity"
        return found


@dataclass(frozen=True)
class _Group:
    kind: Kind
    layer: int
    values: Array
    frozen: Array
    names: tuple[str, ...]


def blame(trace: Trace, measure: Measure = "pressure", *, top: int | None = None) -> Blame:
    """Rank by `measure` (docs/blame.md).

    Parameters: pressure ∂C/∂θ; step Δθ; credit; removal. Neurons: pressure is δ summed over the
    examples, which is what a bias of its own would get; step the sum of |Δθ| and credit the sum
    of the credits of its incoming weights and its bias (a shared bias counts by an equal part
    for each neuron); removal the loss with its activation at 0, minus the loss.
    top: rows kept in each ranking; None keeps all, or 100 above 10 000 parameters.
    Raises MiyaInputError E608 for an unknown measure, E601 for a removal that is too large.
    """
    if measure not in get_args(Measure):
        raise MiyaInputError(
            "E608", f"measure is {measure!r}", hint=f"choose {', '.join(get_args(Measure))}"
        )
    values = _parameter_values(trace, measure)
    groups = [
        _Group(kind, layer.number, values[update.name], ~update.mask, layer.layer.neurons)
        for layer in trace.layers
        for kind, update in _pairs(layer)
    ]
    neurons = [
        _Group("neuron", layer.number, found, np.zeros(found.shape, bool), layer.layer.neurons)
        for layer, found in zip(trace.layers, _neuron_values(trace, measure, values), strict=True)
    ]
    total = sum(g.values.size for g in groups)
    keep = top if top is not None else (total if total <= EVERY else SOME)
    return Blame(
        measure,
        _ranked(groups, keep),
        _ranked(neurons, keep),
        total,
        sum(g.values.size for g in neurons),
    )


def _pairs(layer: Any) -> tuple[tuple[Kind, Any], tuple[Kind, Any]]:
    return ("weight", layer.weight), ("bias", layer.bias)


PARAMETERS: dict[str, Callable[[Trace], dict[str, Array]]] = {
    "pressure": lambda trace: trace.gradients,
    "step": lambda trace: {name: u.change for name, u in trace.updates.items()},
    "credit": lambda trace: credit(trace).values,
    "removal": removal,
}


def _parameter_values(trace: Trace, measure: Measure) -> dict[str, Array]:
    return PARAMETERS[measure](trace)


def _neuron_values(trace: Trace, measure: Measure, values: dict[str, Array]) -> list[Array]:
    if measure == "pressure":
        return [layer.delta.sum(axis=0) for layer in trace.layers]
    if measure == "removal":
        return neuron_removal(trace)
    size = np.abs if measure == "step" else np.asarray
    found = []
    for layer in trace.layers:
        weight, bias = size(values[layer.weight.name]), size(values[layer.bias.name])
        found.append(
            weight.sum(axis=1) + (bias / layer.layer.outputs if layer.layer.shared_bias else bias)
        )
    return found


def _ranked(groups: list[_Group], keep: int) -> tuple[BlameRow, ...]:
    flat = np.concatenate([g.values.ravel() for g in groups])
    sizes = np.abs(flat)
    # beside an infinite removal every finite one has no share
    weighed = np.isinf(sizes).astype(float) if np.isinf(sizes).any() else sizes
    whole = float(weighed.sum())
    if keep < flat.size:
        # every value tied with the last one kept takes part, so that ties keep their order
        edge = np.partition(sizes, flat.size - keep)[flat.size - keep]
        chosen = np.flatnonzero(sizes >= edge * (1 - TIED))
    else:
        chosen = np.arange(flat.size)
    order = chosen[np.argsort(-sizes[chosen], kind="stable")]
    order = in_place_order(order, sizes)[:keep]
    ranks = ranks_of(sizes[order])
    starts = np.cumsum([0, *(g.values.size for g in groups)])
    rows = []
    for position, k in enumerate(order.tolist()):
        g = int(np.searchsorted(starts, k, side="right")) - 1
        group = groups[g]
        index = tuple(int(i) for i in np.unravel_index(k - starts[g], group.values.shape))
        rank = ranks[position]
        rows.append(
            BlameRow(
                rank,
                group.kind,
                group.layer,
                index,
                group.names[index[0]],
                float(flat[k]),
                float(weighed[k]) / whole if whole else 0.0,
                neighbour(ranks, position),
                bool(group.frozen[index]),
            )
        )
    return tuple(rows)


def neighbour(ranks: list[int], k: int) -> bool:
    return ranks[k] in (ranks[k - 1] if k else 0, ranks[k + 1] if k + 1 < len(ranks) else 0)


def _same(a: float, b: float) -> bool:
    return a == b or abs(a - b) <= TIED * b


def in_place_order(order: Array, sizes: Array) -> Array:
    """Within each tie, the order of layers and indices."""
    found: list[int] = []
    tie: list[int] = []
    for k in order.tolist():
        if tie and not _same(float(sizes[tie[0]]), float(sizes[k])):
            found += sorted(tie)
            tie = []
        tie.append(k)
    return np.array(found + sorted(tie), dtype=int)


def ranks_of(sizes: Array) -> list[int]:
    """Competition ranks: 1, 2, 2, 4."""
    ranks: list[int] = []
    first = 0
    for k, size in enumerate(sizes.tolist()):
        if not ranks or not _same(float(sizes[first]), size):
            first = k
        ranks.append(first + 1)
    return ranks
