"""What a worksheet's network looks like, checked: layers, activations, loss, examples, digits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ..core import activations, choices, losses, optimizers
from ..errors import MiyaInputError

MOST_LAYERS, MOST_NEURONS, MOST_EXAMPLES, MOST_PARAMETERS = 5, 6, 6, 60
FEWEST_DIGITS, MOST_DIGITS = 2, 8
LARGEST_SEED = 2**31 - 1
LOGITS = ("binary_cross_entropy", "binary_cross_entropy_with_logits")
# what the last layer is where one activation is given for all
LAST = {
    "cross_entropy": "identity",
    "binary_cross_entropy_with_logits": "identity",
    "binary_cross_entropy": "sigmoid",
}
OPEN = ("sigmoid", "tanh", "identity", "softmax")  # the last layer is the same; else identity


@dataclass(frozen=True)
class Shape:
    """sizes: neurons of the input and of each layer. dead: one ReLU sleeps for every example."""

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str
    optimizer: str
    examples: int
    digits: int
    dead: bool = False

    @property
    def layers(self) -> Iterator[tuple[int, int, str]]:
        """Inputs, outputs and activation of each layer."""
        return zip(self.sizes, self.sizes[1:], self.activations, strict=False)

    @property
    def name(self) -> str:
        kinds = ", ".join(self.activations)
        return f"layers {'-'.join(map(str, self.sizes))} ({kinds}) with {self.loss}"


def shape(
    layers: str = "2-2-1",
    *,
    activation: str = "sigmoid",
    loss: str = "squared_error",
    optimizer: str = "sgd",
    examples: int = 1,
    digits: int = 4,
    dead: bool = False,
) -> Shape:
    """A checked Shape. layers: "2-2-1". activation: of all layers, or one a layer: "relu,sigmoid".

    Raises MiyaInputError E304 for an unknown name, E680 for what is no hand work.
    """
    sizes = _sizes(layers)
    choices.choose(loss, losses.KINDS, "loss", ("loss",))
    choices.choose(optimizer, optimizers.KINDS, "optimizer", ("optimizer",))
    kinds = _activations(activation, len(sizes) - 1, loss)
    _count("examples", examples, 1, MOST_EXAMPLES)
    _count("digits", digits, FEWEST_DIGITS, MOST_DIGITS)
    _fits(sizes, kinds, loss)
    if dead and ("relu" not in kinds[:-1] or max(sizes[1:-1]) < 2):
        raise _refuse(
            "a dead ReLU needs a hidden relu layer of 2 neurons or more",
            "take --activation relu and --layers 2-3-1",
        )
    return Shape(sizes, kinds, loss, optimizer, examples, digits, dead)


def _sizes(layers: str) -> tuple[int, ...]:
    parts = layers.split("-") if isinstance(layers, str) else []
    if not all(p.isascii() and p.isdigit() and len(p) < 4 for p in parts) or len(parts) < 2:
        raise _refuse(f"layers is {layers!r}"[:60], "write the neurons from input to output: 2-2-1")
    sizes = tuple(map(int, parts))
    _count("layers after the input", len(sizes) - 1, 1, MOST_LAYERS)
    for size in sizes:
        _count("neurons of a layer", size, 1, MOST_NEURONS)
    parameters = sum((before + 1) * after for before, after in pairwise(sizes))
    if parameters > MOST_PARAMETERS:
        raise _refuse(
            f"layers {layers} have {parameters} weights and biases",
            f"take up to {MOST_PARAMETERS}: more is no hand work",
        )
    return sizes


def _activations(given: str, count: int, loss: str) -> tuple[str, ...]:
    names = [name.strip() for name in given.split(",")]
    for name in names:
        choices.choose(name, activations.KINDS, "activation", ("activation",))
    if len(names) == 1 and count > 1:
        last = LAST.get(loss, names[0] if names[0] in OPEN else "identity")
        names = [*names * (count - 1), last]
    elif len(names) == 1:
        names = [LAST.get(loss, names[0])]
    if len(names) != count:
        raise _refuse(
            f"{len(names)} activations are given for {count} layers after the input",
            "give one for all, or one a layer: relu,sigmoid",
        )
    return tuple(names)


def _fits(sizes: tuple[int, ...], kinds: tuple[str, ...], loss: str) -> None:
    alone = [
        k
        for k, (size, kind) in enumerate(zip(sizes[1:], kinds, strict=True), 1)
        if kind == "softmax" and size == 1
    ]
    if alone:
        raise _refuse(
            f"layer {alone[0]} is a softmax of one neuron, which is always 1",
            "give it 2 neurons or more, or take sigmoid",
        )
    if loss == "cross_entropy" and sizes[-1] == 1:
        raise _refuse(
            "cross_entropy over one output is always 0",
            "give the last layer 2 outputs or more, or take binary_cross_entropy",
        )


def check_seed(seed: int) -> None:
    """Raises MiyaInputError E680."""
    _count("seed", seed, 0, LARGEST_SEED)


def _count(what: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _refuse(f"{what}: {value!r}"[:60], f"choose {low} to {high}")


def _refuse(what: str, hint: str) -> MiyaInputError:
    return MiyaInputError("E680", what, hint=hint)
