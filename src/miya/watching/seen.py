"""What the layers gave and what came back to them in one watched step, seen by forward hooks.

A hook keeps a sample of a layer's output (copied at once, since an activation in place may
overwrite it) and puts one on the tensor for its δ. A sample counts once its δ has come: passes
that nobody trains on, as in validation, leave nothing. Nothing is replaced, and no number leaves
its device.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from .activations import Following
from .biases import sums_into
from .deltas import Number, Read, is_large, read
from .hook import Fail
from .rows import Rows, sample_of

if TYPE_CHECKING:
    from .kept import Mark

SAMPLES = 8  # of one layer in a step: calls and micro-batches beyond are not sampled


@dataclass(eq=False)
class Glimpse:
    """Of one layer in one watched step.

    samples: (rows, neurons) of its output, a call each. pressure: Σδ, (neurons,). squares: Σδ² over
    everything; calls: of each call in the newest backward pass, the last call first.
    example_squares: Σ over the examples of the squared norm of what each adds to Σδ. examples: in
    all calls. mark: of the gradient that the step before left.
    """

    samples: list[Rows] = field(default_factory=list)
    pressure: torch.Tensor | None = None
    squares: Number = 0.0
    calls: list[Number] = field(default_factory=list)
    backward: int = -1
    example_squares: Number = 0.0
    examples: float = 0.0
    mark: Mark | None = None

    @property
    def kept(self) -> Number:
        return 0.0 if self.mark is None else self.mark.kept

    def add(self, found: Read) -> None:
        """A δ has come back."""
        self.examples += found.examples
        self.squares = self.squares + found.squares
        self.example_squares = self.example_squares + found.example_squares
        if found.pressure is not None:
            self.press(found.pressure)
        backward = torch._C._current_graph_task_id()
        if backward != self.backward:
            self.backward, self.calls = backward, []
        self.calls.append(found.squares)

    def press(self, sums: torch.Tensor) -> None:
        """Σδ of one call, (neurons,)."""
        self.pressure = sums if self.pressure is None else self.pressure + sums


def _nothing(fault: Exception) -> None:
    return None


@dataclass(eq=False)
class Seen:
    """Everything glimpsed in one watched step, by layer. turn: which rows are sampled. examples:
    of the layer that is called first. gathered: whether a parameter (`last`: of the layer whose δ
    came last) was seen to have got its gradient in this step."""

    fail: Fail = _nothing
    following: Following | None = None
    marks: dict[int, Mark] = field(default_factory=dict)
    turn: int = 0
    glimpses: dict[int, Glimpse] = field(default_factory=dict)
    first: int | None = None
    examples: int = 0
    last: torch.Tensor | None = None
    gathered: bool = False

    def look(
        self,
        layer: int,
        axis: int,
        found: torch.Tensor,
        held: torch.Tensor | None,
        bias: torch.Tensor | None,
    ) -> None:
        """A layer's output: its sample is kept, or waits for δ. held: one of its parameters."""
        glimpse = self.glimpses.get(layer)
        if glimpse is None:
            glimpse = self.glimpses[layer] = Glimpse(mark=self.marks.get(layer))
            if self.first is None:
                self.first = layer
        if layer == self.first:
            self.examples += found.shape[0]
        axis %= found.dim()
        sample = None
        if len(glimpse.samples) < SAMPLES:
            sample = sample_of(found.detach(), axis, self.turn)
        if not found.requires_grad:
            _keep(glimpse, sample)
            return
        if self.following is not None:
            self.following.output(found, layer)
        summed = is_large(found, axis) and sums_into(found, axis, bias, glimpse.press, self.fail)
        receive = Receive(self, glimpse, sample, axis, held, not summed)
        found.register_hook(receive)  # type: ignore[no-untyped-call]


class Receive:
    """Takes the δ of one output of a layer when it comes. summing: whether Σδ is to be worked
    out."""

    __slots__ = ("axis", "glimpse", "held", "sample", "seen", "summing")

    def __init__(
        self,
        seen: Seen,
        glimpse: Glimpse,
        sample: Rows | None,
        axis: int,
        held: torch.Tensor | None,
        summing: bool,
    ) -> None:
        self.seen, self.glimpse, self.sample = seen, glimpse, sample
        self.axis, self.held, self.summing = axis, held, summing

    def __call__(self, delta: torch.Tensor) -> None:
        try:
            self._take(delta.detach())
        except Exception as fault:
            self.seen.fail(fault)

    def _take(self, delta: torch.Tensor) -> None:
        glimpse, seen = self.glimpse, self.seen
        if glimpse.mark is not None:
            glimpse.mark.look()
        if not seen.gathered:
            seen.gathered = seen.last is not None and seen.last.grad is not None
            seen.last = self.held
        _keep(glimpse, self.sample)
        glimpse.add(read(delta, self.axis, seen.turn, self.summing))


def _keep(glimpse: Glimpse, sample: Rows | None) -> None:
    if sample is not None:
        glimpse.samples.append(sample)


def first_tensor(found: Any) -> torch.Tensor | None:
    """The output that is a layer's own: of a tuple or dict, the first tensor."""
    return found if isinstance(found, torch.Tensor) else next(tensors(found), None)


def tensors(found: Any) -> Iterator[torch.Tensor]:
    """Every tensor among a model's outputs."""
    if isinstance(found, torch.Tensor):
        yield found
    elif isinstance(found, dict):
        for item in found.values():
            yield from tensors(item)
    elif isinstance(found, (tuple, list)):
        for item in found:
            yield from tensors(item)
