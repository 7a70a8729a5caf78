"""Where the examples lie in a tensor, followed through the operations that move them.

Along `axis` a tensor has outer · B · inner entries; entry k belongs to example (k // inner) % B.
So the example axis is known also where it was merged with others (`view(B * T, -1)`), moved
(sequence first) or split off again. What no rule follows is `Lost`, with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True)
class Layout:
    """See the module's docstring."""

    axis: int
    inner: int = 1


@dataclass(frozen=True, slots=True)
class Lost:
    """Depends on examples, but nobody knows where each one is. why: a clause that says so."""

    why: str


Where = Layout | Lost
Given = Mapping[str, Any]  # a call's arguments by name
Rule = Callable[[str, Given, torch.Tensor, Layout, torch.Tensor, int], Where]


def restrided(before: Sequence[int], where: Layout, after: Sequence[int], batch: int) -> Where:
    """A reshape keeps the flat index, in which an example recurs with a fixed stride."""
    stride = math.prod(before[where.axis + 1 :]) * where.inner
    rest = math.prod(after)
    for axis, size in enumerate(after):
        rest //= max(size, 1)
        if stride % max(rest, 1) == 0 and size and size % (stride // max(rest, 1) * batch) == 0:
            return Layout(axis, stride // max(rest, 1))
    return Lost(f"splits the examples over the dimensions of {tuple(after)}")


def _reshape(
    name: str, given: Given, x: torch.Tensor, where: Layout, made: torch.Tensor, batch: int
) -> Where:
    return restrided(x.shape, where, made.shape, batch)


def _dims(found: Any, rank: int) -> tuple[int, ...]:
    many = found if isinstance(found, (tuple, list)) else (found,)
    return tuple(int(d) % rank for d in many)


def _rest(given: Given) -> list[Any]:
    """Arguments after the first; a lone tuple stands for its items."""
    found = list(given.values())[1:]
    return list(found[0]) if len(found) == 1 and isinstance(found[0], (tuple, list)) else found


def _transpose(
    name: str, given: Given, x: torch.Tensor, where: Layout, made: torch.Tensor, batch: int
) -> Where:
    if name in ("t", "T", "mT", "H", "mH"):
        order = list(range(x.dim()))
        order[-2:] = reversed(order[-2:])
        order = order[::-1] if name == "T" else order
    else:
        a, b = (int(d) % x.dim() for d in _rest(given)[:2])
        order = list(range(x.dim()))
        order[a], order[b] = order[b], order[a]
    return Layout(order.index(where.axis), where.inner)


def _permute(
    name: str, given: Given, x: torch.Tensor, where: Layout, made: torch.Tensor, batch: int
) -> Where:
    return Layout(_dims(_rest(given), x.dim()).index(where.axis), where.inner)


def _movedim(
    name: str, given: Given, x: torch.Tensor, where: Layout, made: torch.Tensor, batch: int
) -> Where:
    source, target = (_dims(d, x.dim()) for d in list(given.values())[1:3])
    axes = [d for d in range(x.dim()) if d not in source]
    for to, axis in sorted(zip(target, source, strict=True)):
        axes.insert(to, axis)
    return Layout(axes.index(where.axis), where.inner)


def _cut(
    name: str, given: Given, x: torch.Tensor, where: Layout, made: torch.Tensor, batch: int
) -> Where:
    """chunk, split, narrow: other axes than the examples' may be cut."""
    if made.shape[where.axis] == x.shape[where.axis]:
        return where
    return Lost(f"takes some of the examples ({name})")


def _picked(
    name: str, given: Given, x: torch.Tensor, where: Layout, made: torch.Tensor, batch: int
) -> Where:
    """unbind and select take one dimension away."""
    dim = int(given.get("dim", next(iter(_rest(given)), 0))) % x.dim()
    if dim == where.axis:
        return Lost(f"takes single examples ({name})")
    return Layout(where.axis - (dim < where.axis), where.inner)


def _indexed(
    name: str, given: Given, x: torch.Tensor, where: Layout, made: torch.Tensor, batch: int
) -> Where:
    index = list(given.values())[1]
    parts = list(index) if isinstance(index, tuple) else [index]
    named = sum(p is not None and p is not Ellipsis for p in parts)
    if Ellipsis not in [p for p in parts if not isinstance(p, torch.Tensor)]:
        parts.append(Ellipsis)
    at, to, tensors = 0, 0, 0
    for part in parts:
        if part is None:
            to += 1
        elif part is Ellipsis:
            wide = x.dim() - named
            if at <= where.axis < at + wide:
                return Layout(to + where.axis - at, where.inner)
            at, to = at + wide, to + wide
        elif isinstance(part, slice):
            if at == where.axis:
                whole = made.dim() > to and made.shape[to] == x.shape[at]
                return Layout(to, where.inner) if whole else Lost("takes some of the examples")
            at, to = at + 1, to + 1
        elif isinstance(part, int) and not isinstance(part, bool):
            if at == where.axis:
                return Lost("takes single examples by an index")
            at += 1
        else:
            rows = isinstance(part, torch.Tensor) and part.dim() == 1 and part.dtype != torch.bool
            if not rows or tensors > 1 or (at == where.axis and len(part) != x.shape[at]):
                return Lost("picks examples by a tensor")
            if at == where.axis:  # one entry of each example: checked against single runs
                return Layout(to, where.inner)
            at, to, tensors = at + 1, to + (tensors == 0), tensors + 1
    return Lost("picks examples by an index")


def _reduced(
    name: str, given: Given, x: torch.Tensor, where: Layout, made: torch.Tensor, batch: int
) -> Where:
    dim = given.get("dim", given.get("axis"))
    if dim is None or isinstance(dim, torch.Tensor) or where.axis in _dims(dim, x.dim()):
        return Lost(f"mixes the examples ({name} over them)")
    if made.dim() == x.dim():
        return where
    return Layout(where.axis - sum(d < where.axis for d in _dims(dim, x.dim())), where.inner)


def _along(
    name: str, given: Given, x: torch.Tensor, where: Layout, made: torch.Tensor, batch: int
) -> Where:
    """softmax and the like keep the shape, and must not run over the examples."""
    dim = given.get("dim", given.get("dims", -1))
    if made.dim() != x.dim() or where.axis in _dims(dim, x.dim()):
        return Lost(f"mixes the examples ({name} over them)")
    return where


def _stacked(
    name: str, given: Given, x: torch.Tensor, where: Layout, made: torch.Tensor, batch: int
) -> Where:
    dim = int(given.get("dim", 0)) % made.dim()
    if name == "stack":
        return Layout(where.axis + (dim <= where.axis), where.inner)
    return Lost("joins tensors along the examples") if dim == where.axis else where


def _product(
    name: str, given: Given, x: torch.Tensor, where: Layout, made: torch.Tensor, batch: int
) -> Where:
    operands = [t for t in given.values() if isinstance(t, torch.Tensor)][-2:]
    left, back = operands[0] is x, x.dim() - where.axis  # back: counted from the last, which is 1
    if x.dim() == 1 or back == (1 if left else 2):
        return Lost(f"sums over the examples ({name})")
    if back > 2:
        return Layout(made.dim() - back, where.inner)
    other = operands[1 if left else 0]
    return Layout(made.dim() - (back if other.dim() > 1 else 1), where.inner)


def _einsum(
    name: str, given: Given, x: torch.Tensor, where: Layout, made: torch.Tensor, batch: int
) -> Where:
    values = list(given.values())
    equation, operands = values[0], values[1:]
    if len(operands) == 1 and isinstance(operands[0], (tuple, list)):
        operands = list(operands[0])
    if not isinstance(equation, str) or "." in equation or "->" not in equation:
        return Lost("uses an einsum whose output is not written out")
    ins, out = equation.replace(" ", "").split("->")
    letter = ins.split(",")[next(k for k, t in enumerate(operands) if t is x)][where.axis]
    return (
        Layout(out.index(letter), where.inner)
        if letter in out
        else Lost("sums over the examples (einsum)")
    )


def _repeated(
    name: str, given: Given, x: torch.Tensor, where: Layout, made: torch.Tensor, batch: int
) -> Where:
    if name == "repeat_interleave":
        rest = _rest(given)
        dim = given.get("dim", rest[1] if len(rest) > 1 else None)
        if dim is None or not isinstance(rest[0], int):
            return Lost("repeats examples by a tensor")
        scale = rest[0] if int(dim) % x.dim() == where.axis else 1
        return Layout(where.axis, where.inner * scale)
    return Layout(where.axis + made.dim() - x.dim(), where.inner)


def _left(
    name: str, given: Given, x: torch.Tensor, where: Layout, made: torch.Tensor, batch: int
) -> Where:
    return where


def _default(
    name: str, given: Given, x: torch.Tensor, where: Layout, made: torch.Tensor, batch: int
) -> Where:
    """Element by element, or over the other axes: the examples stay where they are."""
    wide = any(isinstance(t, torch.Tensor) and t.dim() >= made.dim() for t in given.values())
    axis = where.axis + (made.dim() - x.dim() if wide else 0)
    if 0 <= axis < made.dim() and made.shape[axis] == x.shape[where.axis]:
        return Layout(axis, where.inner)
    return Lost(f"gives {tuple(made.shape)} of {tuple(x.shape)} ({name})")


def _each(rule: Rule, names: str) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


RULES: Mapping[str, Rule] = {
    **_each(
        _reshape,
        "view reshape flatten unflatten view_as reshape_as squeeze unsqueeze ravel",
    ),
    **_each(_transpose, "transpose swapaxes swapdims t T mT H mH"),
    **_each(_permute, "permute"),
    **_each(_movedim, "movedim moveaxis"),
    **_each(_cut, "chunk split tensor_split narrow split_with_sizes index_select"),
    **_each(_picked, "unbind select"),
    **_each(_indexed, "__getitem__ getitem"),
    **_each(
        _reduced,
        "sum mean prod amax amin max min argmax argmin logsumexp norm var std any all median "
        "nansum nanmean vector_norm var_mean std_mean count_nonzero",
    ),
    **_each(
        _along,
        "softmax log_softmax cumsum cumprod logcumsumexp cummax cummin sort argsort flip roll topk",
    ),
    **_each(_stacked, "cat concat concatenate stack"),
    **_each(_product, "matmul mm bmm mv addmm baddbmm"),
    **_each(_einsum, "einsum"),
    **_each(_repeated, "expand expand_as broadcast_to repeat tile repeat_interleave"),
    **_each(_left, "one_hot embedding unfold fold"),
}


def follow(
    name: str,
    given: Given,
    operands: Sequence[tuple[torch.Tensor, Where]],
    made: torch.Tensor,
    batch: int,
) -> Where:
    """Where the examples lie in what a call made of operands whose layout is known."""
    rule, found = RULES.get(name, _default), []
    if name in ("max", "min") and isinstance(given.get("dim"), torch.Tensor):
        rule = _default  # of two tensors, element by element
    for x, where in operands:
        if isinstance(where, Lost):
            return where
        found.append(rule(name, given, x, where, made, batch))
    if any(f != found[0] for f in found):
        lost = next((f for f in found if isinstance(f, Lost)), None)
        return lost or Lost(f"joins operands whose examples lie differently ({name})")
    return found[0]


def by_example(x: torch.Tensor, where: Layout, batch: int, last: int) -> torch.Tensor:
    """(B, positions, *the last `last` dimensions) of a tensor whose examples lie at `where`."""
    tail = x.shape[x.dim() - last :]
    if where.axis == 0 and x.shape[0] == batch:
        return x.reshape(batch, -1, *tail)
    apart = (*x.shape[: where.axis], -1, batch, where.inner, *x.shape[where.axis + 1 :])
    x = x.reshape(apart).movedim(where.axis + 1, 0)
    return x.reshape(batch, -1, *tail)
