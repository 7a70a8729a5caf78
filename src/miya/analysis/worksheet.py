"""Numbers that are pleasant to work with by hand, chosen by a seed.

Pleasant: givens of one or two figures, no neuron saturated or asleep, nothing that vanishes, no
result that lies half-way between two roundings, every update visible at the digits shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

import numpy as np

from ..core.build import network as build
from ..core.rounding import Array, to_digits
from ..core.step import take_step
from ..core.trace import LayerTrace, Trace
from ..errors import MiyaInputError
from .one_go import in_one_go
from .shape import LOGITS, Shape

Item = TypeVar("Item")
WEIGHTS = [k / 10 for k in (*range(-9, 0), *range(1, 10))]
BIASES = [k / 10 for k in (*range(-5, 0), *range(1, 6))]
INPUTS = [-1.0, -0.5, 0.2, 0.4, 0.5, 0.8, 1.0, 1.5, 2.0]
TARGETS: Mapping[str, Sequence[float]] = {
    "sigmoid": (0.0, 1.0),
    "tanh": (-1.0, -0.5, 0.5, 1.0),
    "other": (-1.0, -0.5, 0.5, 1.0, 1.5, 2.0),
}
RATES = [0.1, 0.2, 0.5]
FLAT = {"sigmoid": 3.0, "tanh": 2.0, "softmax": 3.0}  # |z| above it is saturated
LARGEST_Z, SMALLEST_Z = 6.0, 0.05
SMALLEST_NEW = 1e-3  # of a parameter after the step, which is else what cancelling left
SLACK = 1e-6  # float64 noise must not decide which numbers a seed gives
LARGEST_LOSS, SMALLEST_LOSS = 6.0, 0.005
SLEEPY = "relu"


@dataclass(frozen=True)
class Taste:
    """How much is asked of the numbers: the smallest |δ| and gradient, and no half-way results."""

    tries: int
    smallest: float
    no_ties: bool


TASTES = (Taste(200, 1e-2, True), Taste(300, 1e-3, True), Taste(2500, 1e-4, False))


class Dice:
    """Draws that are the same on every machine: of `random`, Python promises only random()."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed).random

    def pick(self, choices: Sequence[Item]) -> Item:
        return choices[int(self._random() * len(choices))]

    def some(self, choices: Sequence[float], count: int) -> list[float]:
        """Numbers of different size, as far as they go, so that no slip of an index hides."""
        found: list[float] = []
        for _ in range(count):
            left = [c for c in choices if all(abs(c) != abs(f) for f in found)]
            found.append(self.pick(left or choices))
        return found


def candidates(shape: Shape, seed: int) -> Iterator[Trace]:
    """Steps of pleasant networks in the order that the seed draws them, carried on rounded, the
    most pleasant first. Raises MiyaInputError E682 where there are no more."""
    dice = Dice(seed)
    for taste in TASTES:
        for _ in range(taste.tries):
            trace = _try(describe(shape, dice), shape.digits)
            if trace is not None and _pleases(trace, shape, taste):
                yield trace
    raise MiyaInputError(
        "E682",
        f"no pleasant numbers were found for {shape.name} with seed {seed}",
        hint="take another seed, fewer layers, or more digits",
    )


def describe(shape: Shape, dice: Dice) -> dict[str, Any]:
    """A network description (docs/network-file.md) with numbers drawn."""
    layers = [
        {
            "weight": [dice.some(WEIGHTS, before) for _ in range(after)],
            "bias": dice.some(BIASES, after),
            "activation": activation,
        }
        for before, after, activation in shape.layers
    ]
    return {
        "learning_rate": dice.pick(RATES),
        "loss": shape.loss,
        "optimizer": shape.optimizer,
        "layers": layers,
        "examples": [
            {"input": dice.some(INPUTS, shape.sizes[0]), "target": _target(shape, dice)}
            for _ in range(shape.examples)
        ],
    }


def _target(shape: Shape, dice: Dice) -> Any:
    outputs, last = shape.sizes[-1], shape.activations[-1]
    if shape.loss == "cross_entropy":
        return dice.pick(range(outputs))
    if last == "softmax":
        hot = dice.pick(range(outputs))
        return [float(i == hot) for i in range(outputs)]
    kind = "sigmoid" if shape.loss in LOGITS or last == "sigmoid" else last
    choices = TARGETS.get(kind, TARGETS["other"])
    return [dice.pick(choices) for _ in range(outputs)]


def _try(description: Mapping[str, Any], digits: int) -> Trace | None:
    if not _opens(description):
        return None
    made = build(description)
    try:
        return take_step(made, digits=digits)
    except MiyaInputError:  # a number that left float64's range
        return None


def _opens(description: Mapping[str, Any]) -> bool:
    """Whether the first layer's z are moderate: a quick look before a whole step is traced."""
    first = description["layers"][0]
    largest = FLAT.get(first["activation"], LARGEST_Z) + SLACK
    for example in description["examples"]:
        for row, bias in zip(first["weight"], first["bias"], strict=True):
            products = (w * x for w, x in zip(row, example["input"], strict=True))
            if not SMALLEST_Z - SLACK <= abs(sum(products) + bias) <= largest:
                return False
    return True


def _pleases(trace: Trace, shape: Shape, taste: Taste) -> bool:
    return (
        SMALLEST_LOSS <= trace.loss <= LARGEST_LOSS
        and all(_moderate(layer) for layer in trace.layers)
        and _awake(trace, shape)
        and all(_tells(values, taste.smallest) for values in _results(trace, shape))
        and _moves(trace, shape)
        and not (taste.no_ties and any(_tied(v, shape.digits) for v in _rounded(trace)))
        and all(_by_hand(layer, shape.digits) for layer in trace.layers)
        and in_one_go(trace, to_digits(shape.digits))
    )


def _moderate(layer: LayerTrace) -> bool:
    sizes = np.abs(layer.z)
    largest = FLAT.get(layer.layer.activation.name, LARGEST_Z)
    return bool(sizes.min() >= SMALLEST_Z and sizes.max() <= largest)


def _awake(trace: Trace, shape: Shape) -> bool:
    """No ReLU is asleep, or just one for every example where the shape asks for it."""
    asleep = [layer.z <= 0 for layer in trace.layers if layer.layer.activation.name == SLEEPY]
    neurons = sum(int(z.all(axis=0).sum()) for z in asleep)
    values = sum(int(z.sum()) for z in asleep)
    wanted = int(shape.dead)
    return neurons == wanted and values == wanted * shape.examples


def _by_hand(layer: LayerTrace, digits: int) -> bool:
    """Whether 1 − a², worked out from the rounded a, is the slope that tanh was traced with."""
    if layer.layer.activation.name != "tanh":
        return True
    assert layer.slope is not None
    return bool((to_digits(digits)(1 - layer.a**2) == layer.slope).all())


def _results(trace: Trace, shape: Shape) -> Iterator[Array]:
    """What is worked out on the way back; what a dead ReLU stops is 0 by right."""
    for layer in trace.layers:
        alive = layer.z > 0 if layer.layer.activation.name == SLEEPY else layer.delta == layer.delta
        yield layer.delta[alive]
        yield layer.grad_a
        for update in (layer.weight, layer.bias):
            yield update.gradient[update.gradient != 0] if shape.dead else update.gradient


def _tells(values: Array, smallest: float) -> bool:
    return bool((np.abs(values) >= smallest).all())


def _moves(trace: Trace, shape: Shape) -> bool:
    """Every trained number is another after the step, at the digits shown, and not about 0."""
    for update in trace.updates.values():
        if (np.abs(update.after) < SMALLEST_NEW).any():
            return False
        still = update.after == update.before
        if still[update.gradient != 0].any() or (not shape.dead and still.any()):
            return False
    return True


def _rounded(trace: Trace) -> Iterator[float]:
    yield trace.loss
    for layer in trace.layers:
        arrays = [layer.z, layer.a, layer.grad_a, layer.delta]
        arrays += [] if layer.slope is None else [layer.slope]
        for update in (layer.weight, layer.bias):
            arrays += [update.gradient, update.change, update.after]
        for values in arrays:
            yield from values.ravel().tolist()


def _tied(value: float, digits: int) -> bool:
    """Whether rounding met it half-way, so that it keeps a digit more."""
    return float(f"{value:.{digits - 1}e}") != value
