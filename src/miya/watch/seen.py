"""What the layers gave and what came back to them, seen while the model runs.

During a watched step a TorchFunctionMode looks on: a function that reads a layer's weight makes
that layer's output, and the activation that reads the output makes its activation. So functional
calls (F.relu, attention's own projections) are seen as modules are. Nothing is replaced, and no
number leaves its device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from .layers import WatchedLayer

SATURATED = 0.01  # of the steepest slope, as in the story's remarks
# the activations whose neurons can fall silent or saturate, and σ' by the activation
SILENT = frozenset(("relu", "relu_", "relu6", "threshold", "hardswish"))
SLOPES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "sigmoid": lambda a: 4 * a * (1 - a),
    "tanh": lambda a: 1 - a * a,
}
ACTIVATIONS = SILENT | frozenset(SLOPES) | frozenset(
    ("sigmoid_", "tanh_", "gelu", "silu", "leaky_relu", "elu", "selu", "celu", "mish", "softplus",
     "hardtanh", "hardsigmoid", "prelu", "softsign", "logsigmoid", "rrelu", "glu")
)  # fmt: skip
CHANNEL_FIRST = ("conv", "batch_norm", "instance_norm", "group_norm")
PASSED_ON = frozenset(
    ("view", "reshape", "flatten", "dropout", "contiguous", "transpose", "permute")
)


@dataclass(eq=False)
class Glimpse:
    """Of one layer in one watched step, on its device, summed over micro-batches; (neurons,).

    count: numbers a neuron was seen in. mean, square: sums of its activation and its square.
    pre: sums of its pre-activation. alive: how often the activation was not 0 (None where it
    cannot fall silent). flat: how often its slope was below 1 % of the steepest (None where it
    cannot saturate). delta: Σ δ. delta_square: Σ δ² over all.
    """

    count: int = 0
    mean: torch.Tensor | None = None
    square: torch.Tensor | None = None
    pre: torch.Tensor | None = None
    alive: torch.Tensor | None = None
    flat: torch.Tensor | None = None
    delta: torch.Tensor | None = None
    delta_square: torch.Tensor | None = None


@dataclass(eq=False)
class Seen:
    """Everything glimpsed in one watched step, by layer."""

    glimpses: dict[int, Glimpse] = field(default_factory=dict)
    examples: int = 0


class Looker(TorchFunctionMode):
    """Looks on while a model runs; one forward pass enters and leaves it once."""

    def __init__(
        self, layers: Sequence[WatchedLayer], parameters: dict[int, int], seen: Seen
    ) -> None:
        super().__init__()
        self.layers, self.parameters, self.seen = layers, parameters, seen
        self.made: dict[int, tuple[torch.Tensor, int, int]] = {}  # id -> tensor, layer, axis

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name == "multi_head_attention_forward":
            from ..read.torch.recorder import opened

            with self:
                return opened(func)(*args, **kwargs)
        found = func(*args, **kwargs)
        if isinstance(found, torch.Tensor) and found.is_floating_point():
            self._look(name, found, args, kwargs)
        return found

    @torch.no_grad()
    def _look(self, name: str, found: torch.Tensor, args: Any, kwargs: Any) -> None:
        if name in ACTIVATIONS:
            known = self.made.get(id(args[0])) if args else None
            if known is not None:
                self._activated(name, found, known[1], known[2])
            return
        layer = next(
            (self.parameters[id(a)] for a in (*args, *kwargs.values()) if id(a) in self.parameters),
            None,
        )
        if layer is not None and found.dim() >= 1:
            axis = 1 if name.startswith(CHANNEL_FIRST) and found.dim() > 1 else found.dim() - 1
            self._made(found, layer, axis)
        elif name in PASSED_ON and args and id(args[0]) in self.made:
            pass

    def _made(self, found: torch.Tensor, layer: int, axis: int) -> None:
        self.made[id(found)] = (found, layer, axis)
        glimpse = self.seen.glimpses.setdefault(layer, Glimpse())
        over = [d for d in range(found.dim()) if d != axis]
        glimpse.pre = _add(glimpse.pre, _sum(found, over))
        glimpse.count += found.numel() // max(found.shape[axis], 1)
        if found.requires_grad:
            found.register_hook(_receive(glimpse, over))

    def _activated(self, name: str, a: torch.Tensor, layer: int, axis: int) -> None:
        glimpse = self.seen.glimpses[layer]
        over = [d for d in range(a.dim()) if d != axis]
        glimpse.mean = _add(glimpse.mean, _sum(a, over))
        glimpse.square = _add(glimpse.square, _sum(a * a, over))
        if name in SILENT:
            glimpse.alive = _add(
                glimpse.alive, torch.count_nonzero(a, over) if over else (a != 0).long()
            )
        slope = SLOPES.get(name.rstrip("_"))
        if slope is not None:
            glimpse.flat = _add(
                glimpse.flat,
                (slope(a) < SATURATED).sum(over) if over else (slope(a) < SATURATED).long(),
            )


def _receive(glimpse: Glimpse, over: list[int]) -> Callable[[torch.Tensor], None]:
    def receive(delta: torch.Tensor) -> None:
        glimpse.delta = _add(glimpse.delta, _sum(delta, over))
        glimpse.delta_square = _add(
            glimpse.delta_square,
            (delta.float() if delta.dtype != torch.float64 else delta).square().sum(),
        )

    return receive


def _sum(tensor: torch.Tensor, over: list[int]) -> torch.Tensor:
    wide = tensor.dtype if tensor.dtype in (torch.float32, torch.float64) else torch.float32
    return tensor.sum(over, dtype=wide) if over else tensor.to(wide)


def _add(a: torch.Tensor | None, b: torch.Tensor) -> torch.Tensor:
    return b if a is None else a + b
