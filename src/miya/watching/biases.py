"""Where autograd works Σδ of a layer out: it is the gradient of the layer's bias, which the node
behind its output gives for that one call alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .deltas import PLAIN
from .hook import Fail

NODES = {
    "AddmmBackward0": -1,
    "NativeLayerNormBackward0": -1,
    "ConvolutionBackward0": 1,
    "NativeBatchNormBackward0": 1,
    "CudnnBatchNormBackward0": 1,
    "NativeGroupNormBackward0": 1,
}  # which dimension of what each gives counts the neurons
VIEWS = {"ViewBackward0", "UnsafeViewBackward0"}  # which leave a last dimension as it is
BEHIND = 3  # nodes that only view, at most
Take = Callable[[torch.Tensor], None]


class Summed:
    """A hook on a node: gives the gradient of its bias, (neurons,), or the same sum of δ where
    that is not worked out in this backward pass."""

    __slots__ = ("axis", "fail", "place", "take")

    def __init__(self, place: int, axis: int, take: Take, fail: Fail) -> None:
        self.place, self.axis, self.take, self.fail = place, axis, take, fail

    def __call__(self, inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        try:
            self._look(inputs, outputs)
        except Exception as fault:
            self.fail(fault)

    def _look(self, inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        found = inputs[self.place]
        if found is not None:
            self.take(found.detach().clone())
        elif outputs[0] is not None:
            delta = outputs[0].detach()
            rest = [d for d in range(delta.dim()) if d != self.axis % delta.dim()]
            self.take(delta.sum(rest))


def sums_into(
    found: torch.Tensor, axis: int, bias: torch.Tensor | None, take: Take, fail: Fail
) -> bool:
    """Whether Σδ of a layer's output will be given to `take` by its node: where the output is a
    view of what a node made by adding this very bias, in float32 or float64."""
    if bias is None or not bias.requires_grad or bias.shape != (found.shape[axis],):
        return False
    if bias.dtype not in PLAIN or found.dtype != bias.dtype:
        return False
    place = _made_by(found, axis)
    if place is None:
        return False
    node, dimension = place
    for k, (behind, _) in enumerate(node.next_functions):
        if getattr(behind, "variable", None) is bias:
            node.register_hook(Summed(k, dimension, take, fail))
            return True
    return False


def _made_by(found: torch.Tensor, axis: int) -> tuple[Any, int] | None:
    """The node that made it, and which dimension of its output counts the neurons; None where
    that cannot be told."""
    node: Any = found.grad_fn
    last = axis == found.dim() - 1
    if last and node.name() == "TransposeBackward0":  # as attention's, with the batch first
        moved = (node._saved_dim0, node._saved_dim1)
        node = node.next_functions[0][0] if max(moved) < axis else None
    for _ in range(BEHIND):
        if node is None or not last or node.name() not in VIEWS:
            break
        node = node.next_functions[0][0]
    dimension = 0 if node is None else NODES.get(node.name(), 0)
    if not dimension or getattr(node, "_saved_beta", 1) != 1:
        return None
    fits = last if dimension == -1 else node is found.grad_fn and axis == dimension
    return (node, dimension) if fits else None
