"""Where autograd works Σδ of a layer out: it is the gradient of the layer's bias, which a hook on
the bias is given in every backward pass, before anything is added, clipped or sent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from .deltas import PLAIN, WIDE
from .seen import Glimpse

CLOSE = 1e-5  # of what ‖Σδ‖ can be at most: how far sums in float32 may be apart


class Leaf:
    """The bias of one layer. trusted: whether its gradient was seen to be Σδ. found: what came in
    the step that is under way."""

    __slots__ = ("bias", "found", "handle", "trusted")

    def __init__(self, bias: torch.Tensor) -> None:
        self.bias = bias
        self.handle: Any = None
        self.found: list[torch.Tensor] = []
        self.trusted = False

    def put(self, output: torch.Tensor) -> None:
        """A watched step has made this output of the layer. Hooks of the user's own might change
        the gradient: then there is none here."""
        if self.handle is None and not self.bias._backward_hooks and fits(self.bias, output):
            self.handle = self.bias.register_hook(self.found.append)  # type: ignore[no-untyped-call]

    def take(self) -> None:
        if self.handle is None:
            return
        self.handle.remove()
        self.handle = None
        if not self.bias._backward_hooks:
            self.bias._backward_hooks = None  # as it was: nothing is called for it any more
        self.found.clear()

    @property
    def sum(self) -> torch.Tensor:
        total, *rest = self.found
        for other in rest:
            total = total + other
        return total.detach()


def fits(bias: torch.Tensor, output: torch.Tensor) -> bool:
    return bias.requires_grad and bias.dtype == output.dtype and bias.dtype in PLAIN


class Leaves:
    """By layer, the leaves of those that have a bias of their own.

    In some steps Σδ is worked out beside them, and those that agree are trusted from then on.
    """

    def __init__(self, leaves: Mapping[int, Leaf]) -> None:
        self.leaves = dict(leaves)

    def open(self) -> None:
        for leaf in self.leaves.values():
            leaf.found.clear()

    def close(self) -> None:
        for leaf in self.leaves.values():
            leaf.take()

    def judge(self, glimpses: Mapping[int, Glimpse]) -> None:
        """After a step in which every Σδ was worked out."""
        for k, leaf in self.leaves.items():
            glimpse = glimpses.get(k)
            leaf.trusted = glimpse is not None and _agree(leaf, glimpse)

    def fill(self, glimpses: Mapping[int, Glimpse]) -> None:
        """After any other one: Σδ of those that are trusted. None, and no trust any more, where a
        backward pass has left the bias out."""
        for k, glimpse in glimpses.items():
            if glimpse.summing or not glimpse.passes:
                continue
            leaf = self.leaves[k]
            leaf.trusted = len(leaf.found) == glimpse.passes
            glimpse.pressure = leaf.sum if leaf.trusted else None


def _agree(leaf: Leaf, glimpse: Glimpse) -> bool:
    sums = glimpse.pressure
    if sums is None or not leaf.found or len(leaf.found) != glimpse.passes:
        return False
    found = leaf.sum
    if found.shape != sums.shape:
        return False
    off = float(torch.linalg.vector_norm(found - sums, dtype=WIDE))
    most = math.sqrt(float(glimpse.squares) * glimpse.numbers / max(sums.numel(), 1))
    return off <= CLOSE * most
