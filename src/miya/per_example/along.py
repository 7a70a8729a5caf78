"""A batch whose rows stand at different places of a step's way: θ + u Δθ with a u each.

Where parameters meet a row, its operation is linear in them: f(x, θ + u Δθ) = f(x, θ) + u f(x, Δθ).
So one forward pass holds any mix of examples and places, and one backward pass gives each row's
slope along the way, parameter by parameter: Σ δ · f(x, Δθ) = ∂ℓ/∂θ · Δθ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from ..read.torch.functions import plain_name
from .book import Book
from .capture import Capture, tensors_in
from .each import swapped_in
from .evidence import Evidence
from .layout import Layout, by_example
from .meetings import Affine, Convolution, Linear, Meeting, Table
from .sources import Source, Unknown

Tensor = torch.Tensor
Kinked = Linear | Convolution | Affine | Table
SIDES: Mapping[str, tuple[float, ...]] = {
    "relu": (0.0,),
    "leaky_relu": (0.0,),
    "elu": (0.0,),
    "prelu": (0.0,),
    "abs": (0.0,),
    "relu6": (0.0, 6.0),
    "hardswish": (-3.0, 3.0),
    "hardsigmoid": (-3.0, 3.0),
}  # where a function of one number has a kink


@dataclass(eq=False)
class Slopes(Book):
    """Instead of norms: each row's slope along the way, by parameter."""

    change: Mapping[str, Tensor] = field(default_factory=dict)
    slopes: dict[str, Tensor] = field(default_factory=dict)
    moved: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)  # derived, and its Δ

    def delta(self, source: Source) -> Tensor:
        """Δ of a source. Raises Unknown where it is no parameter or part of one."""
        found = self.moved.get(id(source.tensor))
        if found is not None:
            return found[1]
        if not source.plain or len(source.names) != 1:
            raise Unknown(f"works {source.names[0]} out of other parameters")
        return self.change[source.names[0]]

    def put(self, source: Source, evidence: Evidence) -> None:
        self.rate(source, (evidence.gradient(slice(None)) * self.delta(source)).flatten(1).sum(1))

    def rate(self, source: Source, slope: Tensor) -> None:
        name = source.names[0]
        self.slopes[name] = self.slopes[name] + slope if name in self.slopes else slope


@dataclass(eq=False)
class Moving:
    """An operation on the way: `still` with θ, `along` with Δθ and without its bias."""

    still: Kinked
    along: Kinked
    shift: Tensor | None  # Δ of the bias
    u: Tensor
    book: Slopes
    gone: Tensor | None = None  # f(x, Δθ)

    def _places(self, like: Tensor) -> Tensor:
        """u of every entry along the axis of the examples, to be multiplied with `like`."""
        return spread_out(self.u, like, self.still.place.where)

    def run(self, x: Tensor) -> Tensor:
        made, self.gone = self.still.run(x), self.along.run(x)
        further = self.gone
        if self.shift is not None:
            further = further + self.still.fit(self.shift, made)
        return made + self._places(made) * further

    def back(self, x: Tensor, delta: Tensor) -> Tensor | None:
        one = self.still.back(x, delta)
        if one is None:
            return None
        other = self.along.back(x, self._places(delta) * delta)
        return one if other is None else one + other

    def take(self, x: Tensor, delta: Tensor) -> None:
        assert self.gone is not None
        if self.still.of_weight is not None:
            self.book.rate(self.still.of_weight, self._by_row(delta * self.gone))
        if self.still.of_bias is not None and self.shift is not None:
            moved = delta * self.still.fit(self.shift, delta)
            self.book.rate(self.still.of_bias, self._by_row(moved))
        self.gone = None

    def _by_row(self, found: Tensor) -> Tensor:
        return by_example(found, self.still.place.where, self.book.batch, 0).sum(1)


def spread_out(u: Tensor, like: Tensor, where: Layout) -> Tensor:
    wide = like.shape[where.axis]
    places = u.repeat_interleave(where.inner)
    places = places.repeat(wide // len(places))
    return places.reshape(-1, *[1] * (like.dim() - where.axis - 1))


class Along(Capture):
    """u: (rows,). sides: what changes sign at each kink, (rows, kinks) of each operation."""

    book: Slopes
    fused = False

    def __init__(self, book: Slopes, device: torch.device, u: Tensor, with_sides: bool) -> None:
        super().__init__(book, device)
        self.u, self.with_sides = u, with_sides
        self.sides: list[Tensor] = []

    def _called(self, func: Any, full: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self.with_sides and args and isinstance(args[0], Tensor):
            name = plain_name(full)[0]
            levels = SIDES.get(name) or _bounds(name, args, kwargs)
            where = self.where(args[0])
            if levels and isinstance(where, Layout):
                x = by_example(args[0].detach(), where, self.book.batch, 0)
                self.sides += [x - level for level in levels]
        return super()._called(func, full, args, kwargs)

    def standing_in(self, meeting: Meeting) -> Meeting:
        assert isinstance(meeting, (Linear, Convolution, Affine, Table))
        weight = torch.zeros_like(meeting.weight)
        if meeting.of_weight is not None:
            weight = self.book.delta(meeting.of_weight)
        shift = None if meeting.of_bias is None else self.book.delta(meeting.of_bias)
        along = replace(meeting, weight=weight, bias=None)
        return Moving(meeting, along, shift, self.u, self.book)

    def leaf(self, made: Tensor, source: Source, axis: int, inner: int) -> Tensor:
        axis = max(axis, 0)
        return made + spread_out(self.u, made, Layout(axis, inner)) * self.book.delta(source)

    def derive(
        self, func: Any, name: str, args: Any, kwargs: Any, held: list[Source], made: Any
    ) -> None:
        super().derive(func, name, args, kwargs, held, made)
        parts = list(tensors_in(made))
        sources = [self.source(part) for part in parts]
        if not all(source is not None and source.plain for source in sources):
            return
        moved = {id(held[0].tensor): self.book.delta(held[0])}
        further = tensors_in(func(*swapped_in(args, moved), **swapped_in(kwargs, moved)))
        self.book.moved |= {id(p): (p, m) for p, m in zip(parts, further, strict=True)}


def _bounds(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[float, ...]:
    """Where hardtanh and clamp have their kinks."""
    if name == "hardtanh":
        default = (-1.0, 1.0)
    elif name in ("clamp", "clip", "clamp_min", "clamp_max"):
        default = ()  # type: ignore[assignment]
    else:
        return ()
    given = [*args[1:3], *(kwargs.get(k) for k in ("min", "max", "min_val", "max_val"))]
    found = tuple(float(g) for g in given if isinstance(g, (int, float)))
    return found or default
