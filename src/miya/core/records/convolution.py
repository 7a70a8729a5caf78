"""Convolutions and transposed ones: a link joins a strided place a, a place k of the kernel and a
dense place b = a · stride − padding + k · dilation.

A convolution reads the dense side and makes the strided one; a transposed one the other way round.
The weight of both is [channel of the strided side, channel within the group of the dense side, k].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..calls import Call, Terms, Value, element, local
from ..graph import Index
from ..rounding import Array
from .grid import grid, whole
from .record import Record, back, record

Places = tuple[Array, Array, Array]  # of links along one dimension: strided, kernel, dense


def each(option: Any, dimensions: int) -> tuple[int, ...]:
    """An option that is one number, or one a dimension."""
    if isinstance(option, int):
        return (option,) * dimensions
    found = tuple(int(n) for n in option)
    return found * dimensions if len(found) == 1 else found


@dataclass(frozen=True)
class Axis:
    """One dimension. strided, kernel, dense: how many places each has."""

    strided: int
    kernel: int
    dense: int
    stride: int
    padding: int
    dilation: int

    def links(
        self, strided: int | None = None, kernel: int | None = None, dense: int | None = None
    ) -> Places:
        """Every link with the place that is given."""
        if dense is None:
            a, k = (
                np.arange(n) if at is None else np.array([at])
                for n, at in ((self.strided, strided), (self.kernel, kernel))
            )
            b = a[:, None] * self.stride - self.padding + k * self.dilation
            row, column = np.nonzero((b >= 0) & (b < self.dense))
            return a[row], k[column], b[row, column]
        k = np.arange(self.kernel)
        reach = dense + self.padding - k * self.dilation
        a = reach // self.stride
        fits = (reach % self.stride == 0) & (a >= 0) & (a < self.strided)
        return a[fits], k[fits], np.full(int(fits.sum()), dense)


@dataclass(frozen=True)
class Geometry:
    """Both sides of one call, and how they are linked. batched: whether examples come first."""

    call: Call
    strided: Value
    dense: Value

    @cached_property
    def weight(self) -> Value:
        return self.call.operands["weight"]

    @cached_property
    def dimensions(self) -> int:
        return len(self.weight.shape) - 2

    @cached_property
    def batched(self) -> bool:
        return len(self.strided.shape) == self.dimensions + 2

    @cached_property
    def groups(self) -> int:
        return int(self.call.option("groups", 1))

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        n, option = self.dimensions, self.call.option
        stride, dilation = each(option("stride", 1), n), each(option("dilation", 1), n)
        kernel = self.weight.shape[2:]
        padding = _padding(option("padding", 0), kernel, dilation)
        sizes = zip(self.strided.shape[-n:], kernel, self.dense.shape[-n:], strict=True)
        return tuple(
            Axis(a, k, b, *rest)
            for (a, k, b), *rest in zip(sizes, stride, padding, dilation, strict=True)
        )

    def lead(self) -> list[Array]:
        return [np.arange(self.strided.shape[0])] if self.batched else []


def _padding(option: Any, kernel: Sequence[int], dilation: Sequence[int]) -> tuple[int, ...]:
    """Before the first place: "same" pads the odd one behind, as torch does."""
    if option == "valid":
        return (0,) * len(kernel)
    if option == "same":
        return tuple(d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True))
    return each(option, len(kernel))


def geometry(call: Call) -> Geometry:
    x, y = call.operands["input"], call.results[0]
    return Geometry(call, x, y) if "transpose" in call.name else Geometry(call, y, x)


def _of_weight(g: Geometry, index: Index) -> tuple[Array, Array]:
    """Where one weight joins the strided and the dense side."""
    channel, within, *kernel = index
    links = [axis.links(kernel=k) for axis, k in zip(g.axes, kernel, strict=True)]
    own = channel // (g.strided.shape[-g.dimensions - 1] // g.groups)
    other = own * g.weight.shape[1] + within
    strided = grid(*g.lead(), channel, *(a for a, _, _ in links))
    return strided, grid(*g.lead(), other, *(b for _, _, b in links))


def _of_side(g: Geometry, dense: bool, index: Index) -> tuple[Array, Array]:
    """The weights of one place on a side, and where they join the other side."""
    lead = index[: -g.dimensions - 1]
    channel, *places = index[-g.dimensions - 1 :]
    word = "dense" if dense else "strided"
    links = [axis.links(**{word: at}) for axis, at in zip(g.axes, places, strict=True)]
    per_strided = g.strided.shape[-g.dimensions - 1] // g.groups
    if dense:
        group, within = divmod(channel, g.weight.shape[1])
        channels = np.arange(group * per_strided, (group + 1) * per_strided)
        weights = grid(channels, within, *(k for _, k, _ in links))
        return weights, grid(*lead, channels, *(a for a, _, _ in links))
    inside = np.arange(g.weight.shape[1])
    weights = grid(channel, inside, *(k for _, k, _ in links))
    first = channel // per_strided * g.weight.shape[1]
    return weights, grid(*lead, first + inside, *(b for _, _, b in links))


def _backward(call: Call, role: str, index: Index) -> list[Terms]:
    g, x = geometry(call), call.operands["input"]
    if role == "weight":
        strided, dense = _of_weight(g, index)
        into, out = (strided, dense) if g.strided is x else (dense, strided)
        return [back(call, out, element(x, into))]
    if role == "bias":
        places = whole(call.results[0].shape[-g.dimensions :])
        at = grid(*g.lead(), *index, *places)
        return [back(call, at, local(np.ones(len(at)), "1"))]
    weights, out = _of_side(g, g.dense is x, index)
    return [back(call, out, element(g.weight, weights))]


def _forward(call: Call, slot: int, index: Index) -> list[Terms]:
    g, x = geometry(call), call.operands["input"]
    weights, into = _of_side(g, g.dense is not x, index)
    sums = [Terms((element(g.weight, weights), element(x, into)))]
    if "bias" in call.operands:
        sums.append(Terms((element(call.operands["bias"], grid(index[-g.dimensions - 1])),)))
    return sums


# formula and gradients of each kind; p, q: places; k: of the kernel; s stride, d dilation
CONVOLVED = (
    "y[n, o, p] = Σ_{c, k} W[o, c, k] x[n, c, s p − padding + d k] + b[o]",
    "∂C/∂W[o, c, k] = Σ_{n, p} δ[n, o, p] x[n, c, s p − padding + d k]",
    "∂C/∂x[n, c, q] = Σ_{o, k} W[o, c, k] δ[n, o, (q + padding − d k) / s]",
)
TRANSPOSED = (
    "y[n, o, p] = Σ_{c, k} W[c, o, k] x[n, c, (p + padding − d k) / s] + b[o]",
    "∂C/∂W[c, o, k] = Σ_{n, q} x[n, c, q] δ[n, o, s q − padding + d k]",
    "∂C/∂x[n, c, q] = Σ_{o, k} W[c, o, k] δ[n, o, s q − padding + d k]",
)
OPTIONS = "input weight bias stride padding dilation groups output_padding"
for _prefix, _source, (_formula, _weight, _input) in (
    ("conv", "Conv", CONVOLVED),
    ("conv_transpose", "ConvTranspose", TRANSPOSED),
):
    for _n in (1, 2, 3):
        record(
            Record(
                f"{_prefix}{_n}d",
                _formula,
                {"weight": _weight, "bias": "∂C/∂b[o] = Σ_{n, p} δ[n, o, p]", "input": _input},
                f"torch.nn.{_source}{_n}d",
                _backward,
                _forward,
                frozenset(OPTIONS.split()),
            )
        )
