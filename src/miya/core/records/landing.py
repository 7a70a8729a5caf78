"""Writing into a copy at given places: scatter, index_add and their like.

y is the input with the source written over it, or added to it, at the places that an index says.
Where the source is written more than once torch keeps one of them, not said which, and passes
every one of them back what came to the place (derivatives.yaml).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..calls import Call, Terms, Value, Worked, element, local
from ..graph import Index
from ..rounding import Array
from .grid import broadcast_rows, grid, once
from .record import Record, back, record

SOURCES = ("src", "source", "values", "value")
ADDING = ("scatter_add", "scatter_reduce", "index_add")


@dataclass(frozen=True)
class Landing:
    """to: the place of the result that each element of the source lands at, flat, in the shape of
    the part of the source that is read. added: whether it is added to what is there."""

    to: Array
    added: bool


def _scattered(call: Call) -> Landing:
    """index[j] is the place along `dim`; the other places are those of j itself."""
    x, index = call.operands["input"], np.asarray(call.operands["index"].array)
    if not x.shape:
        return Landing(np.zeros(index.shape, np.int64), _adds(call))
    axis = int(call.option("dim")) % len(x.shape)
    own = [index if k == axis else at for k, at in enumerate(np.indices(index.shape))]
    return Landing(np.asarray(np.ravel_multi_index(tuple(own), x.shape)), _adds(call))


def _adds(call: Call) -> bool:
    return call.name in ADDING


def _indexed(call: Call) -> Landing:
    """index[k] is the place along `dim` of the source's k-th slice."""
    x, index = call.operands["input"], np.asarray(call.operands["index"].array).reshape(-1)
    places = np.arange(x.size).reshape(x.shape or (1,))
    axis = int(call.option("dim")) % places.ndim
    found = np.take(places, index, axis=axis)
    return Landing(found if x.shape else found.reshape(()), _adds(call))


def _put(call: Call) -> Landing:
    """Where the indices of each dimension together point to."""
    x = call.operands["input"]
    given = call.arguments["indices"]
    indices = tuple(slice(None) if k is None else np.asarray(k.array) for k in given)
    places = np.arange(x.size).reshape(x.shape)[indices]
    return Landing(places, bool(call.option("accumulate", False)))


@dataclass(frozen=True)
class Rule:
    """where: the landing of a call. fits: whether the record knows its options."""

    name: str
    where: Callable[[Call], Landing]
    options: str
    fits: Callable[[Call], bool] = lambda call: True


def _source(call: Call) -> Value | None:
    return next((call.operands[word] for word in SOURCES if word in call.operands), None)


def _scale(call: Call) -> float:
    return float(call.option("alpha", 1))


def _landing(rule: Rule, call: Call) -> Landing | None:
    return once(call, "landing", lambda: rule.where(call)) if rule.fits(call) else None


def _overwritten(call: Call, found: Landing) -> bool:
    return not found.added or call.option("include_self") is False


def _backward(rule: Rule) -> Callable[[Call, str, Index], list[Terms] | None]:
    def backward(call: Call, role: str, index: Index) -> list[Terms] | None:
        found, y = _landing(rule, call), call.results[0]
        if found is None:
            return None
        if role == "input":
            flat = int(np.ravel_multi_index(index, y.shape)) if index else 0
            lost = _overwritten(call, found) and bool((found.to == flat).any())
            return [] if lost else [back(call, grid(*index), local(np.ones(1), "1"))]
        to = _landed(found, call.operands[role].shape, index)
        at = np.stack(np.unravel_index(to, y.shape), axis=1) if y.shape else grid()
        alpha = local(np.full(len(at), _scale(call)), "1" if _scale(call) == 1 else "α")
        return [back(call, at, alpha)]

    return backward


def _landed(found: Landing, shape: tuple[int, ...], index: Index) -> Array:
    """Where one element of the source lands: nowhere where the index is smaller, at many places
    where it is broadcast."""
    part = found.to.shape
    if len(part) == len(shape) and all(n >= m for n, m in zip(shape, part, strict=True)):
        inside = all(at < n for at, n in zip(index, part, strict=True))
        return np.atleast_1d(found.to[index]) if inside else np.zeros(0, np.int64)
    own = np.broadcast_to(np.arange(int(np.prod(shape))).reshape(shape), found.to.shape)
    flat = int(np.ravel_multi_index(index, shape)) if shape else 0
    return np.asarray(found.to[own == flat])


def _forward(rule: Rule) -> Callable[[Call, int, Index], list[Terms] | Worked | None]:
    def forward(call: Call, slot: int, index: Index) -> list[Terms] | Worked | None:
        found, x = _landing(rule, call), call.operands["input"]
        if found is None:
            return None
        flat = int(np.ravel_multi_index(index, x.shape)) if index else 0
        places = np.argwhere(found.to == flat)
        kept = [Terms((element(x, grid(*index)),))]
        if not len(places):
            return kept
        return _written(call, found, places, index, [] if _overwritten(call, found) else kept)

    return forward


def _written(
    call: Call, found: Landing, places: Array, index: Index, kept: list[Terms]
) -> list[Terms] | Worked:
    """Of an element that something landed at; what is written over it is the last that torch
    wrote."""
    source = _source(call)
    if source is None:  # a number
        number = float(call.results[0].array[index])
        return Worked("value", {"value": (None, (), number)})
    at = broadcast_rows(places, source.shape)
    if not found.added:
        y = float(call.results[0].array[index])
        same = [k for k, row in enumerate(at) if float(source.array[tuple(row)]) == y]
        at = at[same[-1:]] if same else at[-1:]
    scale = _scale(call)
    factors = () if scale == 1 else (local(np.full(len(at), scale), "α"),)
    return [*kept, Terms((*factors, element(source, at)))]


def _sums(call: Call) -> bool:
    return bool(call.option("reduce") == "sum")


def _plain(call: Call) -> bool:
    return call.option("reduce") is None


RULES = (
    Rule("scatter", _scattered, "dim index src value reduce", _plain),
    Rule("scatter_add", _scattered, "dim index src"),
    Rule("scatter_reduce", _scattered, "dim index src reduce include_self", _sums),
    Rule("index_add", _indexed, "dim index source alpha"),
    Rule("index_copy", _indexed, "dim index source"),
    Rule("index_fill", _indexed, "dim index value"),
    Rule("index_put", _put, "indices values accumulate"),
)
OVER = "y[p] = src[j] if p(j) = p else x[p]"
ADDED = "y[p] = x[p] + Σ_{j: p(j) = p} α src[j]"


def _filed(rule: Rule, formula: str, kept: str) -> None:
    known = rule.options.split()
    scale = "α " if "alpha" in known else ""
    landed = {w: f"∂C/∂{w}[j] = {scale}δ[p(j)]" for w in SOURCES if w in known}
    record(
        Record(
            rule.name,
            formula if scale else formula.replace("α ", ""),
            {"input": kept, **landed},
            f"torch.Tensor.{rule.name}",
            _backward(rule),
            _forward(rule),
            frozenset(("input", *known)),
        )
    )


for _rule in RULES:
    if _rule.name in ADDING:
        _filed(_rule, ADDED, "∂C/∂x[p] = δ[p]")
    else:
        _also = f"; accumulate: {ADDED}" if "accumulate" in _rule.options else ""
        _filed(_rule, OVER + _also, "∂C/∂x[p] = δ[p] if no p(j) = p else 0")
