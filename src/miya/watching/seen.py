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
from .deltas import Number, Read, read
from .hook import Fail
from .rows import Rows, sample_of

if TYPE_CHECKING:
    from .kept import Mark

SAMPLES = 8  # of one layer in a step: calls and micro-batches beyond are not sampled


@dataclass(eq=False)
class Glimpse:
    """Of one layer in one watched step.

    samples: (rows, neurons) of its output, a call each. pressure: Σδ, (neurons,). squares: Σδ² over
    everything; calls: of each call in the newest backward pass, the last call first; passes: in
    how many δ came. example_squares: Σ over the examples of the squared norm of what each adds to
    Σδ. examples, numbers: of δ in all calls. mark: of the gradient that the step before left.
    summing: whether Σδ is worked out here.
    """

    mark: Mark | None = None
    summing: bool = True
    samples: list[Rows] = field(default_factory=list)
    pressure: torch.Tensor | None = None
    squares: Number = 0.0
    calls: list[Number] = field(default_factory=list)
    backward: int = -1
    passes: int = 0
    example_squares: Number = 0.0
    examples: float = 0.0
    numbers: int = 0

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
            self.passes += 1
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
    came last) was seen to have got its gradient in this step. kept_of: the backward pass whose
    gradients were last asked whether they are there still."""

    fail: Fail = _nothing
    following: Following | None = None
    marks: dict[int, Mark] = field(default_factory=dict)
    turn: int = 0
    glimpses: dict[int, Glimpse] = field(default_factory=dict)
    first: int | None = None
    examples: int = 0
    last: torch.Tensor | None = None
    gathered: bool = False
    over: bool = False  # what comes later, of an old graph, is not of this step
    kept_of: int = -1

    def look(
        self, layer: int, axis: int, found: torch.Tensor, held: torch.Tensor | None, trusted: bool
    ) -> None:
        """A layer's output: its sample is kept, or waits for δ. held: one of its parameters.
        trusted: whether Σδ is known from elsewhere."""
        glimpse = self.glimpses.get(layer)
        if glimpse is None:
            glimpse = self.glimpses[layer] = Glimpse(self.marks.get(layer), not trusted)
        self.count(layer, found)
        plain = found.detach()
        axis %= plain.dim()
        sample = None
        if len(glimpse.samples) < SAMPLES:
            sample = sample_of(plain, axis, self.turn)
        if not found.requires_grad:
            if sample is not None:
                glimpse.samples.append(sample)
            return
        if self.following is not None:
            self.following.output(found, layer)
        found.register_hook(Receive(self, glimpse, sample, axis, held))  # type: ignore[no-untyped-call]

    def count(self, layer: int, found: torch.Tensor) -> None:
        """The examples that the first layer was given."""
        if self.first is None:
            self.first = layer
        if layer == self.first:
            self.examples += found.shape[0]


class Receive:
    """Takes the δ of one output of a layer when it comes."""

    __slots__ = ("axis", "glimpse", "held", "sample", "seen")

    def __init__(
        self,
        seen: Seen,
        glimpse: Glimpse,
        sample: Rows | None,
        axis: int,
        held: torch.Tensor | None,
    ) -> None:
        self.seen, self.glimpse, self.sample = seen, glimpse, sample
        self.axis, self.held = axis, held

    def __call__(self, delta: torch.Tensor) -> None:
        if self.seen.over:
            return
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
        if self.sample is not None:
            glimpse.samples.append(self.sample)
        glimpse.numbers += delta.numel()
        glimpse.add(read(delta, self.axis, seen.turn, glimpse.summing))


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
