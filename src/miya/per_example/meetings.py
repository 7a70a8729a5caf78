"""Where parameters meet examples: operations whose backward pass gives every example's own part.

In the place of an operation of torch stands one that computes the same, whose backward pass works
out the gradient of its input alone, and hands what δ and the input say of the parameters to the
book. The parameters themselves get no gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F

from .book import Book
from .evidence import Dense, Outer, Rows
from .layout import Layout, by_example
from .sources import Source
from .windows import Geometry, Windows

Tensor = torch.Tensor


class Meeting(Protocol):
    """run: the operation. take: δ of its result has come. back: δ of its input. fit: a bias in a
    shape that is added to its result."""

    def run(self, x: Tensor) -> Tensor: ...

    def take(self, x: Tensor, delta: Tensor) -> None: ...

    def back(self, x: Tensor, delta: Tensor) -> Tensor | None: ...


class Meet(torch.autograd.Function):
    """The node of a meeting. anchor: a number that asks for gradients, so that δ comes by also
    where the input does not."""

    @staticmethod
    def forward(ctx: Any, anchor: Tensor, x: Tensor, meeting: Meeting) -> Tensor:
        ctx.meeting = meeting
        ctx.save_for_backward(x)
        return meeting.run(x)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, delta: Tensor) -> tuple[None, Tensor | None, None]:
        (x,) = ctx.saved_tensors
        meeting, ctx.meeting = ctx.meeting, None
        meeting.take(x.detach(), delta)
        return None, meeting.back(x, delta) if ctx.needs_input_grad[1] else None, None


class Spread(torch.autograd.Function):
    """A parameter repeated for every example; what comes back is each example's own gradient."""

    @staticmethod
    def forward(
        ctx: Any, anchor: Tensor, p: Tensor, shape: tuple[int, ...], take: Callable[[Tensor], None]
    ) -> Tensor:
        ctx.take = take
        return p.expand(shape)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, delta: Tensor) -> tuple[None, ...]:
        ctx.take(delta)
        ctx.take = None
        return None, None, None, None


@dataclass(eq=False)
class Place:
    """What every meeting knows: the book, and where the examples lie in the input."""

    book: Book
    where: Layout

    def split(self, x: Tensor, last: int) -> Tensor:
        return by_example(x, self.where, self.book.batch, last)


@dataclass(eq=False)
class Linear:
    """z = W x + b over the last dimension. turned: W is (in, out)."""

    place: Place
    weight: Tensor
    bias: Tensor | None
    of_weight: Source | None
    of_bias: Source | None
    turned: bool = False

    def run(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight.T if self.turned else self.weight, self.bias)

    def back(self, x: Tensor, delta: Tensor) -> Tensor:
        return delta @ (self.weight.T if self.turned else self.weight)

    def fit(self, bias: Tensor, z: Tensor) -> Tensor:
        return bias

    def take(self, x: Tensor, delta: Tensor) -> None:
        book, d = self.place.book, self.place.split(delta, 1)
        summed = d.sum(1) if d.shape[1] != 1 else d[:, 0]
        if self.of_weight is not None:
            pair = (d[:, None], self.place.split(x, 1)[:, None])
            a, b = pair[::-1] if self.turned else pair
            book.put(self.of_weight, Outer(a, b, tuple(self.weight.shape)))
        book.put_bias(self.of_bias, summed)
        book.press(self.of_weight or self.of_bias, summed)


@dataclass(eq=False)
class Convolution:
    """Convolutions of any dimension, transposed or not."""

    place: Place
    weight: Tensor
    bias: Tensor | None
    of_weight: Source | None
    of_bias: Source | None
    geometry: Geometry

    def run(self, x: Tensor) -> Tensor:
        return self.geometry.run(x, self.weight, self.bias)

    def back(self, x: Tensor, delta: Tensor) -> Tensor:
        return self.geometry.back(x, self.weight, delta)

    def fit(self, bias: Tensor, z: Tensor) -> Tensor:
        return bias.reshape(-1, *[1] * (z.dim() - 2))

    def take(self, x: Tensor, delta: Tensor) -> None:
        book, rank = self.place.book, delta.dim() - 1
        d = self.place.split(delta, rank)
        summed = d.flatten(3).sum((1, 3))
        if self.of_weight is not None:
            parts = (self.place.split(x, rank), d)
            book.put(self.of_weight, Windows(*parts, self.geometry, tuple(self.weight.shape)))
        book.put_bias(self.of_bias, summed)
        book.press(self.of_weight or self.of_bias, summed)


@dataclass(eq=False)
class Affine:
    """y = w x + b, of the last dimensions or (channels) of dimension 1: what a norm ends with."""

    place: Place
    weight: Tensor
    bias: Tensor | None
    of_weight: Source | None
    of_bias: Source | None
    channels: bool

    def fit(self, p: Tensor, x: Tensor) -> Tensor:
        return p.reshape(-1, *[1] * (x.dim() - 2)) if self.channels else p

    def run(self, x: Tensor) -> Tensor:
        weight = self.fit(self.weight, x)
        return x * weight if self.bias is None else torch.addcmul(self.fit(self.bias, x), x, weight)

    def back(self, x: Tensor, delta: Tensor) -> Tensor:
        return delta * self.fit(self.weight, x)

    def _summed(self, x: Tensor) -> Tensor:
        if self.channels:
            return self.place.split(x, x.dim() - 1).flatten(3).sum((1, 3))
        return self.place.split(x, self.weight.dim()).sum(1)

    def take(self, x: Tensor, delta: Tensor) -> None:
        book, summed = self.place.book, self._summed(delta)
        if self.of_weight is not None:
            book.put(self.of_weight, Dense(self._summed(delta * x)))
        book.put_bias(self.of_bias, summed)
        book.press(self.of_weight or self.of_bias, summed.flatten(1))


@dataclass(eq=False)
class LayerNorm:
    """y = x̂ w + b over the last dimensions (w has `weight`'s shape), x̂ = (x − mean) / std: all in
    torch's one pass, which keeps mean and 1 / std."""

    place: Place
    weight: Tensor
    bias: Tensor | None
    of_weight: Source | None
    of_bias: Source | None
    eps: float
    mean: Tensor | None = None
    scale: Tensor | None = None

    def run(self, x: Tensor) -> Tensor:
        made, self.mean, self.scale = torch.native_layer_norm(
            x, self.weight.shape, self.weight, self.bias, self.eps
        )
        return made

    def back(self, x: Tensor, delta: Tensor) -> Tensor:
        parts = (self.weight.shape, self.mean, self.scale, self.weight, self.bias)
        found: tuple[Tensor, ...] = torch.ops.aten.native_layer_norm_backward(
            delta, x, *parts, (True, False, False)
        )
        return found[0]

    def _summed(self, delta: Tensor) -> Tensor:
        return self.place.split(delta, self.weight.dim()).sum(1)

    def take(self, x: Tensor, delta: Tensor) -> None:
        book, summed = self.place.book, self._summed(delta)
        assert self.mean is not None and self.scale is not None
        if self.of_weight is not None:
            normed = torch.addcmul(-self.mean * self.scale, x, self.scale)
            book.put(self.of_weight, Dense(self._summed(normed.mul_(delta))))
        book.put_bias(self.of_bias, summed)
        book.press(self.of_weight or self.of_bias, summed.flatten(1))


@dataclass(eq=False)
class Table:
    """Rows of a table looked up by whole numbers."""

    place: Place
    weight: Tensor
    of_weight: Source | None
    padding: int | None
    bias: Tensor | None = None
    of_bias: Source | None = None

    def run(self, x: Tensor) -> Tensor:
        return F.embedding(x, self.weight, self.padding)

    def back(self, x: Tensor, delta: Tensor) -> None:
        return None

    def fit(self, bias: Tensor, z: Tensor) -> Tensor:
        return bias

    def take(self, x: Tensor, delta: Tensor) -> None:
        book = self.place.book
        index, d = self.place.split(x, 0), self.place.split(delta, delta.dim() - x.dim())
        d = d.flatten(2)
        if self.padding is not None:
            d = d.masked_fill((index == self.padding % len(self.weight))[:, :, None], 0)
        shape = (len(self.weight), math.prod(self.weight.shape[1:]))
        if self.of_weight is not None:
            book.put(self.of_weight, Rows(index, d, shape))
        book.press(self.of_weight, d.sum(1))
