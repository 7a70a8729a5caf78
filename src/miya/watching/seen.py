"""What the layers gave and what came back to them in one watched step, seen by forward hooks.

A hook keeps a sample of a layer's output (copied at once, since an activation in place may
overwrite it) and puts one on the tensor for its δ. A sample counts once its δ has come: passes
that nobody trains on, as in validation, leave nothing. Nothing is replaced, and no number leaves
its device.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from math import gcd
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from .activations import Following
from .hook import Fail

if TYPE_CHECKING:
    from .kept import Mark

ROWS = 32  # of a layer's output (examples, positions) in one sample, evenly spread
TURNS = 16  # how many samples differ before the first one comes again
SAMPLES = 8  # of one layer in a step: calls and micro-batches beyond are not sampled
SAFE = (1e-30, 1e30)  # sums of squares that float32 has neither lost nor let overflow
WIDE = torch.float64
Array = np.ndarray[Any, Any]
Number = float | torch.Tensor  # of the CPU, or still on its device


@dataclass(eq=False)
class Glimpse:
    """Of one layer in one watched step.

    samples: (rows, neurons) of its output, a call each. pressure: Σδ, (neurons,). squares: Σδ² over
    everything; calls: of each call in the newest backward pass, the last call first.
    example_squares: Σ over the examples of the squared norm of what each adds to Σδ. examples: in
    all calls. mark: of the gradient that the step before left.
    """

    samples: list[torch.Tensor] = field(default_factory=list)
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

    def add(
        self, squares: Number, of_examples: Number, pressure: torch.Tensor, examples: int
    ) -> None:
        """A δ has come back."""
        self.examples += examples
        self.squares = self.squares + squares
        self.example_squares = self.example_squares + of_examples
        self.pressure = pressure if self.pressure is None else self.pressure + pressure
        backward = torch._C._current_graph_task_id()
        if backward != self.backward:
            self.backward, self.calls = backward, []
        self.calls.append(squares)


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

    def look(self, layer: int, axis: int, found: torch.Tensor, held: torch.Tensor | None) -> None:
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
        receive = Receive(self, glimpse, sample, axis, held)
        found.register_hook(receive)  # type: ignore[no-untyped-call]


class Receive:
    """Takes the δ of one output of a layer when it comes."""

    __slots__ = ("axis", "glimpse", "held", "sample", "seen")

    def __init__(
        self,
        seen: Seen,
        glimpse: Glimpse,
        sample: torch.Tensor | None,
        axis: int,
        held: torch.Tensor | None,
    ) -> None:
        self.seen, self.glimpse, self.sample = seen, glimpse, sample
        self.axis, self.held = axis, held

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
        _receive(glimpse, delta, self.axis)


def _keep(glimpse: Glimpse, sample: torch.Tensor | None) -> None:
    if sample is not None:
        glimpse.samples.append(sample)


def is_rows(tensor: torch.Tensor) -> bool:
    """Whether NumPy can look at it, as (examples, neurons): it is quicker with few numbers."""
    return (
        type(tensor) is torch.Tensor
        and tensor.dim() == 2
        and tensor.dtype in (torch.float32, WIDE)
        and tensor.device.type == "cpu"
    )


@np.errstate(over="ignore", invalid="ignore")
def _receive_rows(glimpse: Glimpse, delta: Array) -> None:
    """The same as `_receive`, of a δ that `is_rows`."""
    flat = delta.ravel()
    squares = float(np.dot(flat, flat))
    if not SAFE[0] < squares < SAFE[1]:
        wide = flat.astype(np.float64)
        squares = float(np.dot(wide, wide))
    pressure = torch.from_numpy(np.add.reduce(delta, axis=0))
    glimpse.add(squares, squares, pressure, len(delta))


def _receive(glimpse: Glimpse, delta: torch.Tensor, axis: int) -> None:
    if axis == 1 and is_rows(delta):
        _receive_rows(glimpse, delta.numpy())
        return
    squares = of_examples = sum_squares(delta)
    batched = axis > 0
    parts = delta
    if delta.dim() > 1 + batched:
        inner = [d for d in range(batched, delta.dim()) if d != axis]
        parts = delta.sum(inner, dtype=_sums(delta))
        of_examples = sum_squares(parts)
    pressure = parts.sum(0, dtype=_sums(delta)) if batched else parts
    glimpse.add(squares, of_examples, pressure, delta.shape[0] if batched else 1)


def _sums(tensor: torch.Tensor) -> torch.dtype:
    return WIDE if tensor.dtype == WIDE else torch.float32


def sum_squares(tensor: torch.Tensor) -> Number:
    """Σ of the squares; in float64 where float32 could lose them. Of the CPU a plain number."""
    if tensor.device.type != "cpu":
        norm: torch.Tensor = torch.linalg.vector_norm(tensor, dtype=WIDE)
        return norm.square()
    flat = tensor.reshape(-1)
    if flat.dtype == torch.float32:
        found: float = torch.dot(flat, flat).item()
        if SAFE[0] < found < SAFE[1]:
            return found
    flat = flat.to(WIDE)
    wide: float = torch.dot(flat, flat).item()
    return wide


def sample_of(found: torch.Tensor, axis: int, turn: int) -> torch.Tensor:
    """At most ROWS rows (examples, positions) of an output, evenly spread, (rows, neurons), copied.
    turn: which of those that are spread so."""
    count, whole = found.shape[axis], found.numel()
    if axis == 1 and is_rows(found):
        every = max(found.shape[0] // ROWS, 1)
        return torch.from_numpy(found.numpy()[turn % every :: every][:ROWS].copy())
    examples = found.shape[0] if axis else 1
    if axis == found.dim() - 1:
        rows = found.reshape(examples, -1, count)
    else:
        rows = found.reshape(examples, count, -1).transpose(1, 2)
    if whole <= ROWS * count:
        return rows.reshape(-1, count).clone()
    return rows[chosen(examples, rows.shape[1], turn % TURNS, found.device)]


@lru_cache(maxsize=1024)
def chosen(
    examples: int, positions: int, turn: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """ROWS places (example, position): the examples in their order, each at another position. The
    positions step by a number without a divisor in common with theirs, near the golden section of
    it, so that they fill rows, columns and times evenly."""
    step = next(s for s in range(round(0.618 * positions), 0, -1) if gcd(s, positions) == 1)
    places = range(turn * ROWS, (turn + 1) * ROWS)
    return (
        torch.tensor(
            [(k * examples // ROWS + turn) % examples for k in range(ROWS)], device=device
        ),
        torch.tensor([k * step % positions for k in places], device=device),
    )


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
