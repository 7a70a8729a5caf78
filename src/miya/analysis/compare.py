"""The same step under several conventions, and how the numbers of each stand to the first's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from ..core.build import network as build
from ..core.losses import KINDS
from ..core.network import Network
from ..core.rounding import Array
from ..core.step import take_step
from ..core.trace import Trace
from ..errors import MiyaInputError
from .describe import describe

MOST_VARIANTS = 6
SAME, NEAR = 1e-12, 1e-9  # of a number: what float64 noise may differ by, and a factor's may
LARGEST_TERM = 64  # of a fraction that one number alone can show to be a factor
Description = dict[str, Any]
Change = Callable[[Description, Network, str], Description]


@dataclass(frozen=True)
class Variant:
    """One column: what was chosen on each axis, and the step under it."""

    chosen: Mapping[str, str]
    trace: Trace

    @property
    def name(self) -> str:
        return ", ".join(self.chosen.values())


@dataclass(frozen=True)
class Relation:
    """How an array stands to the first variant's: the same, a factor times it, or neither."""

    same: bool
    factor: float | None = None


@dataclass(frozen=True)
class Group:
    """One quantity of one layer under each variant: arrays of one shape.

    head, layer, mark: as in a story's symbols. step: "forward", "backward" or "update".
    relations: of each variant to the first, the first's own left out.
    """

    step: str
    head: str
    layer: int | None
    mark: str
    values: tuple[Array, ...]
    relations: tuple[Relation, ...]

    @property
    def agrees(self) -> bool:
        return all(r.same for r in self.relations)


@dataclass(frozen=True)
class Comparison:
    variants: tuple[Variant, ...]
    groups: tuple[Group, ...]


def compare(network: Network, axes: Mapping[str, Sequence[str]]) -> Comparison:
    """One step of `network` under every combination of the axes' values.

    axes: of AXES, each with the values to stand side by side.
    Raises MiyaInputError E686 for what cannot be compared, and what `build` raises of a
    convention that does not fit the network.
    """
    chosen_of = {name: list(values) for name, values in axes.items() if values}
    _check(chosen_of)
    given = describe(network)
    variants = []
    for chosen in product(*chosen_of.values()):
        made = dict(zip(chosen_of, chosen, strict=True))
        description = given
        for axis, value in made.items():
            description = AXES[axis](description, network, value)
        variants.append(Variant(made, take_step(build(description))))
    return Comparison(tuple(variants), tuple(_groups([v.trace for v in variants])))


def _check(axes: Mapping[str, list[str]]) -> None:
    count = int(np.prod([len(values) for values in axes.values()])) if axes else 0
    if count < 2:
        raise _refuse(
            "there is nothing to compare",
            "give two values or more of one: --loss squared_error,half_squared_error",
        )
    if count > MOST_VARIANTS:
        raise _refuse(
            f"{count} combinations are too many to stand side by side",
            f"choose up to {MOST_VARIANTS}",
        )
    for axis, values in axes.items():
        twice = next((v for k, v in enumerate(values) if v in values[:k]), None)
        if twice is not None:
            raise _refuse(f"{axis} has {twice[:40]!r} twice", "give each once")
        known = CHOICES.get(axis)
        odd = next((v for v in values if known and v not in known), None)
        if known and odd is not None:
            raise _refuse(f"{axis} is {odd[:40]!r}", f"choose {' and '.join(known)}")


def _refuse(what: str, hint: str) -> MiyaInputError:
    return MiyaInputError("E686", what, hint=hint)


def _loss(description: Description, network: Network, name: str) -> Description:
    """The loss by another name; its examples are reduced as before, its outputs as it defines."""
    if name == network.loss.name:
        return description
    return description | {"loss": {"name": name, "examples": network.loss.examples}}


def _reduction(description: Description, network: Network, how: str) -> Description:
    loss = dict(description["loss"])
    kind = KINDS.get(loss["name"])
    if kind is not None and kind.target != "classes":
        loss["outputs"] = how
    return description | {"loss": loss | {"examples": how}}


def _biases(description: Description, network: Network, how: str) -> Description:
    layers = []
    for layer, now in zip(network.layers, description["layers"], strict=True):
        weight = layer.weight_mask.tolist()
        layers.append(now | {"trainable": {"weight": weight, "bias": how == "trained"}})
    return description | {"layers": layers}


def _optimizer(description: Description, network: Network, name: str) -> Description:
    if name == network.optimizer.name:
        return description
    return description | {"optimizer": {"name": name}}


AXES: dict[str, Change] = {
    "loss": _loss,
    "reduction": _reduction,
    "biases": _biases,
    "optimizer": _optimizer,
}
CHOICES = {"reduction": ("sum", "mean"), "biases": ("trained", "frozen")}


def _groups(traces: list[Trace]) -> Iterator[Group]:
    for found in zip(*map(_quantities, traces), strict=True):
        step, head, layer, mark, _ = found[0]
        values = tuple(f[4] for f in found)
        first = values[0]
        relations = tuple(relation(first, other) for other in values[1:])
        yield Group(step, head, layer, mark, values, relations)


Quantity = tuple[str, str, int | None, str, Array]


def _quantities(trace: Trace) -> Iterator[Quantity]:
    """Every array of a step in the order of its story; of one example, without its axis."""

    def rows(values: Array) -> Array:
        return values if trace.network.batch else values[0]

    for layer in trace.layers:
        yield "forward", "z", layer.number, "", rows(layer.z)
        yield "forward", "a", layer.number, "", rows(layer.a)
    yield "forward", "C", None, "", np.array(trace.loss)
    for layer in reversed(trace.layers):
        k = layer.number
        yield "backward", "∂C/∂a", k, "", rows(layer.grad_a)
        if layer.slope is not None:
            yield "backward", "σ'", k, "", rows(layer.slope)
        yield "backward", "δ", k, "", rows(layer.delta)
        yield "backward", "∂C/∂W", k, "", layer.weight.gradient
        yield "backward", "∂C/∂b", k, "", layer.bias.gradient
    for layer in trace.layers:
        for letter, update in (("W", layer.weight), ("b", layer.bias)):
            yield "update", f"Δ{letter}", layer.number, "", update.change
            yield "update", letter, layer.number, "new", update.after
    yield "update", "C", None, "new", np.array(trace.loss_after)


def relation(first: Array, other: Array) -> Relation:
    """The same to float64 noise, or a factor: one for all, that is no accident of one number."""
    a, b = first.ravel(), other.ravel()
    if np.allclose(a, b, rtol=SAME, atol=0) or (a == b).all():
        return Relation(True, 1.0)
    if not (np.isfinite(a).all() and np.isfinite(b).all()) or b[a == 0].any():
        return Relation(False)
    ratios = b[a != 0] / a[a != 0]
    factor = float(ratios[0])
    if not np.allclose(ratios, factor, rtol=NEAR, atol=0):
        return Relation(False)
    near = Fraction(factor).limit_denominator(LARGEST_TERM)
    simple = abs(near.numerator) <= LARGEST_TERM and abs(factor - near) <= NEAR * abs(factor)
    if not simple and ratios.size < 2:
        return Relation(False)
    return Relation(False, float(near) if simple else factor)
