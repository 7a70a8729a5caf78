"""What some steps did to every parameter: squares, from which norms of anything are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .layers import Held
from .numbers import Array, Numbers, Pieces
from .table import Table

# Relative steps from which, and down to which, plain SGD's is told from the gradient. Rounding
# to float32 moves each weight by 3e-8 of itself (root of the mean square), and so the norm of a
# step of 1e-6 by 5e-4 of it.
TOLD_FROM, TOLD_TO = 2e-6, 1e-6


@dataclass(frozen=True, eq=False)
class Parameters:
    """By parameter (its number), (steps,) each: sums of squares of ∂C/∂θ, Δθ and θ before, Σ
    ∂C/∂θ Δθ, means of a bias and of its step. rows and moved_rows: squares of ∂C/∂θ and Δθ by
    neuron, (steps, neurons). resolved, unresolved: whose step is so large that it
    may be told from the gradient from now on, or so small that it must not.
    """

    gradient: dict[int, Array] = field(default_factory=dict)
    step: dict[int, Array] = field(default_factory=dict)
    weight: dict[int, Array] = field(default_factory=dict)
    predicted: dict[int, Array] = field(default_factory=dict)
    mean: dict[int, Array] = field(default_factory=dict)
    mean_step: dict[int, Array] = field(default_factory=dict)
    rows: dict[int, Array] = field(default_factory=dict)
    moved_rows: dict[int, Array] = field(default_factory=dict)
    resolved: set[int] = field(default_factory=set)
    unresolved: set[int] = field(default_factory=set)


def parameters(numbers: Numbers, held: Sequence[Held]) -> Parameters:
    found = Parameters()
    before = numbers.pieces("before")
    small = () if before is None else before.of
    if before is not None:
        _small(found, numbers, before)
    large = [k for k in range(len(held)) if k not in set(small)]
    gradients = numbers.pieces("gradient", large)
    if gradients is not None:
        _squares(gradients, gradients.values, found.gradient, found.rows)
    moved = numbers.pieces("moved")
    if moved is not None:
        _squares(moved, moved.values, found.step, found.moved_rows)
    for k in numbers.having("weight"):
        found.weight[k] = _known(numbers.scalar("weight", k)) ** 2
    for k in numbers.having("product"):
        found.predicted[k] = -_known(numbers.scalar("product", k))
    for k in numbers.having("rate"):
        _told(found, k, _known(numbers.scalar("rate", k)), held[k])
    for k in numbers.having("weight"):
        step, weight = found.step[k], found.weight[k]
        if (step > TOLD_FROM**2 * weight).all():
            found.resolved.add(k)
        elif not (step > TOLD_TO**2 * weight).all():
            found.unresolved.add(k)
    return found


def _known(values: Array | None) -> Array:
    assert values is not None
    return values


def _squares(pieces: Pieces, values: Array, sums: dict[int, Array], rows: dict[int, Array]) -> None:
    squares = values * values
    totals = pieces.sums(squares)
    for place, (k, part) in enumerate(pieces.slices().items()):
        sums[k], rows[k] = totals[:, place], squares[:, part]


def _small(found: Parameters, numbers: Numbers, before: Pieces) -> None:
    """Vectors came whole."""
    after = numbers.pieces("after")
    assert after is not None
    steps = after.values - before.values
    _squares(before, steps, found.step, found.moved_rows)
    sizes, places = np.diff((*before.starts, steps.shape[1])), before.slices()
    weights = before.sums(before.values**2)
    means, moves = before.sums(before.values) / sizes, before.sums(steps) / sizes
    for place, k in enumerate(before.of):
        found.weight[k] = weights[:, place]
        found.mean[k], found.mean_step[k] = means[:, place], moves[:, place]
    gradients = numbers.pieces("gradient", before.of)
    if gradients is not None:
        _squares(gradients, gradients.values, found.gradient, found.rows)
        for k, part in gradients.slices().items():
            g, step = gradients.values[:, part], steps[:, places[k]]
            found.predicted[k] = np.einsum("ij,ij->i", g, step)


def _told(found: Parameters, k: int, rate: Array, held: Held) -> None:
    """A step of plain SGD is -rate · ∂C/∂θ; without a gradient there is none."""
    count = len(rate)
    if k not in found.gradient:
        found.step[k] = np.zeros(count)
        found.moved_rows[k] = np.zeros((count, held.neurons))
        return
    found.step[k] = rate**2 * found.gradient[k]
    found.moved_rows[k] = rate[:, None] ** 2 * found.rows[k]
    found.predicted[k] = -rate * found.gradient[k]


def parameter_facts(
    table: Table, found: Parameters, held: Sequence[Held], of_layer: Sequence[Sequence[int]]
) -> None:
    """What a step did to each layer."""
    for layer, own in enumerate(of_layer):
        norms = {
            name: np.sqrt(sum(squares[k] for k in own if k in squares))
            for name, squares in (
                ("gradient", found.gradient),
                ("step", found.step),
                ("weight", found.weight),
            )
            if any(k in squares for k in own)
        }
        for name, values in norms.items():
            table.column(name, layer, values.tolist())
        if own:
            table.same("has_gradient", layer, "gradient" in norms)
        if "step" in norms:
            pairs = zip(norms["step"].tolist(), norms["weight"].tolist(), strict=True)
            table.column("relative_step", layer, [s / w if w else None for s, w in pairs])
        predicted = [found.predicted[k] for k in own if k in found.predicted]
        if predicted:
            table.column("predicted", layer, sum(predicted[1:], start=predicted[0]).tolist())
        bias = next((k for k in own if held[k].is_bias and k in found.mean), None)
        if bias is not None:
            table.column("bias_mean", layer, found.mean[bias].tolist())
            table.column("bias_step", layer, found.mean_step[bias].tolist())
            table.same("biases", layer, held[bias].parameter.numel())
        for name in ("gradient", "weight"):
            if name in norms:
                table.bad(name, (layer,), ~np.isfinite(norms[name])[:, None])
