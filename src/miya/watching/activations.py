"""Which activation function reads a layer's output, found in autograd's graph, and what it makes
of a sample of that output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional as F

SATURATED = 0.01  # of the steepest slope, as in the story's remarks
FAR = 400  # nodes of a graph looked at behind one output
Numbers = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Activation:
    """make: a of z. silent: whether it gives 0 to all that is below some z. flat: 1 where its slope
    is below 1 % of its steepest, from a; None where it cannot saturate on both sides. place: the
    same as make, in place, where torch has that."""

    name: str
    make: Numbers
    silent: bool = False
    flat: Numbers | None = None
    options: tuple[float | str, ...] = ()
    place: Numbers | None = None

    def apply(self, z: torch.Tensor) -> None:
        """z becomes a."""
        if self.place is None:
            z.copy_(self.make(z))
        else:
            self.place(z)

    @property
    def key(self) -> tuple[str, tuple[str, ...]]:
        return self.name, tuple(map(str, self.options))


def _made(name: str, **saved: str) -> Callable[[Any], Activation]:
    """An activation whose options are what its node of the graph has saved."""

    def made(node: Any) -> Activation:
        options = {key: getattr(node, f"_saved_{attribute}") for key, attribute in saved.items()}
        function = getattr(F, name)
        return Activation(name, lambda z: function(z, **options), options=tuple(options.values()))

    return made


def _as_is(activation: Activation) -> Callable[[Any], Activation]:
    return lambda node: activation


def _clipped(node: Any) -> Activation:
    low, high = float(node._saved_min_val), float(node._saved_max_val)
    return Activation(
        "hardtanh", lambda z: z.clamp(low, high), silent=low == 0, options=(low, high)
    )


def _below(slope: torch.Tensor) -> torch.Tensor:
    """1 where a slope is flat, NaN where there is none."""
    return torch.where(slope.isnan(), slope, (slope < SATURATED).to(slope.dtype))


RELU = Activation("relu", torch.relu, silent=True, place=torch.relu_)
SIGMOID = Activation("sigmoid", torch.sigmoid, flat=lambda a: _below(4 * a * (1 - a)))
TANH = Activation("tanh", torch.tanh, flat=lambda a: _below(1 - a * a))
NODES: dict[str, Callable[[Any], Activation]] = {
    "ReluBackward0": _as_is(RELU),
    "SigmoidBackward0": _as_is(SIGMOID),
    "TanhBackward0": _as_is(TANH),
    "HardtanhBackward0": _clipped,
    "HardswishBackward0": _as_is(Activation("hardswish", F.hardswish, silent=True)),
    "GeluBackward0": _made("gelu", approximate="approximate"),
    "SiluBackward0": _as_is(Activation("silu", F.silu)),
    "MishBackward0": _as_is(Activation("mish", F.mish)),
    "LeakyReluBackward0": _made("leaky_relu", negative_slope="negative_slope"),
    "EluBackward0": _made("elu", alpha="alpha"),
    "SoftplusBackward0": _made("softplus", beta="beta", threshold="threshold"),
}


class Following:
    """Finds, while a model runs forward, by whom each layer's output is read.

    It walks back from every output over the graph to the outputs of other layers; the nodes are
    held until `done`.
    """

    def __init__(self) -> None:
        self.nodes: dict[Any, int] = {}
        self.found: dict[int, Activation] = {}
        self.met: set[int] = set()

    def output(self, tensor: torch.Tensor, layer: int | None = None) -> None:
        """An output of a layer, or (None) of the whole model."""
        node = tensor.grad_fn
        if node is None:
            return
        self._walk(node)
        if layer is not None:
            self.nodes[node] = layer
            self.met.add(layer)

    def _walk(self, node: Any) -> None:
        waiting, seen = [node], {node}
        while waiting and len(seen) < FAR:
            node = waiting.pop()
            if node in self.nodes:
                continue
            before = [n for n, _ in node.next_functions if n is not None]
            made = NODES.get(node.name())
            if made is not None and before and before[0] in self.nodes:
                self.found.setdefault(self.nodes[before[0]], made(node))
            for other in before:
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)

    def done(self) -> None:
        self.nodes.clear()
