"""Parameters in operations without a rule of their own: one copy for every example.

Element by element, the parameter is repeated (without using memory) along the examples, and what
comes back to the repetition is each example's gradient. Any other operation is run for each
example by torch.func.vmap, with a copy of the parameter each.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import torch

from .evidence import Dense
from .layout import Layout
from .meetings import Spread
from .sources import Source, Unknown

if TYPE_CHECKING:
    from .rules import Call

Tensor = torch.Tensor


def leaf(call: Call, source: Source, axis: int, wide: int | None = None, inner: int = 1) -> Tensor:
    """The parameter with `wide` (B by default) copies along `axis`, counted in its own
    dimensions: below 0 in front of them, else in the place of one of size 1."""
    book, p = call.capture.book, source.tensor.detach()
    shape = p.shape
    batch, wide = book.batch, wide or book.batch
    book.expect(source)
    if axis < 0:
        p = p.reshape(*[1] * -axis, *shape)
        axis = 0
    over = (*p.shape[:axis], wide, *p.shape[axis + 1 :])

    def take(delta: Tensor) -> None:
        each = delta.movedim(axis, 0).reshape(-1, batch, inner, *shape)
        found = each.sum((0, 2)) if wide != batch else each[0, :, 0]
        book.put(source, Dense(found))
        if len(shape) == 1 and source.names[0].endswith(".bias"):
            book.press(source, found)

    made: Tensor = Spread.apply(call.capture.anchor, p, over, take)  # type: ignore[no-untyped-call]
    return call.capture.leaf(made, source, axis, inner)


def spread(call: Call) -> Any:
    """An operation element by element."""
    x, where = _lead(call)
    back = x.dim() - where.axis  # counted from the last dimension, which is 1
    swapped = {id(s.tensor): _aligned(call, s, x, where, back) for s in call.held}
    result = call.func(*swapped_in(call.args, swapped), **swapped_in(call.kwargs, swapped))
    call.capture.mark(result, Layout(result.dim() - back, where.inner))
    return result


def _lead(call: Call) -> tuple[Tensor, Layout]:
    """An operand with examples; all must have them at the same place from the last dimension."""
    found = [(t, call.layout(t)) for t, _ in call.tracked]
    places = {(t.dim() - w.axis, w.inner, t.shape[w.axis]) for t, w in found}
    if len(places) > 1:
        raise Unknown(f"joins operands whose examples lie differently ({call.name})")
    return max(found, key=lambda pair: pair[0].dim())


def _aligned(call: Call, source: Source, x: Tensor, where: Layout, back: int) -> Tensor:
    p = source.tensor
    axis = p.dim() - back
    if axis >= 0 and p.shape[axis] != 1:
        raise Unknown(f"meets a parameter that is not the same for all examples ({call.name})")
    return leaf(call, source, axis, x.shape[where.axis], where.inner)


def apart(call: Call) -> Any:
    """Any operation, example by example."""
    axes = {id(t): call.layout(t) for t, _ in call.tracked}
    batch = call.capture.book.batch
    tracked = list({id(t): t for t, _ in call.tracked}.values())
    if any(
        w.inner != 1 or t.shape[w.axis] != batch
        for t, w in zip(tracked, axes.values(), strict=True)
    ):
        raise Unknown(f"merges examples with other dimensions before {call.name}")
    sources = list({id(s.tensor): s for s in call.held}.values())
    copies = [leaf(call, s, -1) for s in sources]
    axis = _axis_of_result(call, tracked, axes)

    def one(*parts: Tensor) -> Any:
        swapped = {
            id(t): part.unsqueeze(axes[id(t)].axis) for t, part in zip(tracked, parts, strict=False)
        }
        swapped |= {id(s.tensor): p for s, p in zip(sources, parts[len(tracked) :], strict=True)}
        return call.func(
            *swapped_in(call.args, swapped), **swapped_in(call.kwargs, swapped)
        ).squeeze(axis)

    dims = (*(w.axis for w in axes.values()), *(0 for _ in copies))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # some operations have no quick way
            made = torch.func.vmap(one, in_dims=dims, out_dims=axis)(*tracked, *copies)
    except Exception as error:
        raise Unknown(f"calls {call.name}, which does not run for each example alone") from error
    call.capture.mark(made, Layout(axis))
    return made


def _axis_of_result(call: Call, tracked: list[Tensor], axes: dict[int, Layout]) -> int:
    """Along which dimension the result grows with the number of examples."""

    def shape(count: int) -> tuple[int, ...]:
        swapped = {}
        for t in tracked:
            size = [*t.shape]
            size[axes[id(t)].axis] = count
            swapped[id(t)] = torch.empty(size, dtype=t.dtype, device="meta")
        for s in call.held:
            swapped[id(s.tensor)] = s.tensor.detach().to("meta")
        made = call.func(*swapped_in(call.args, swapped), **swapped_in(call.kwargs, swapped))
        if not isinstance(made, Tensor):
            raise Unknown(f"calls {call.name}, which gives more than one tensor")
        return tuple(made.shape)

    try:
        one, two = shape(1), shape(2)
    except Unknown:
        raise
    except Exception as error:
        raise Unknown(f"calls {call.name}, which has no rule") from error
    grown = [k for k, (a, b) in enumerate(zip(one, two, strict=True)) if a != b]
    if len(grown) != 1 or (one[grown[0]], two[grown[0]]) != (1, 2):
        raise Unknown(f"mixes the examples ({call.name})")
    return grown[0]


def swapped_in(found: Any, swapped: dict[int, Tensor]) -> Any:
    if isinstance(found, Tensor):
        return swapped.get(id(found), found)
    if isinstance(found, (tuple, list)):
        return type(found)(swapped_in(item, swapped) for item in found)
    if isinstance(found, dict):
        return {key: swapped_in(item, swapped) for key, item in found.items()}
    return found
