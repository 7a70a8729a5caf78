"""Calls that stand for many: an LSTM through time, attention. What comes back at each step."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ...core.calls import Call, Value
from ..blocks import Block, Table

if TYPE_CHECKING:
    from .narrator import Narrator

MOST_STEPS = 24
TIME = re.compile(r"(?P<base>.+\.)?t(?P<step>\d+)\.(?P<word>[A-Za-z_]\w*)")


def named_values(call: Call) -> list[Value]:
    """The values inside an expanded call that have a name of their own (not their operation's)
    and that the loss depends on."""
    inside = call.inside
    if inside is None:
        return []
    made = [(c.name.strip("_"), r) for c in inside.calls for r in c.results if r.has_gradient]
    return [r for name, r in made if name != r.name.rpartition(".")[2].partition("@")[0]]


def time_steps(n: Narrator, call: Call) -> Iterator[Block]:
    """δ of what an expanded call works out, a row each, or a row a time step."""
    values = named_values(call)
    in_time = [(m, v) for v in values if (m := TIME.fullmatch(v.name))]
    if in_time:
        yield from _by_step(n, call, in_time)
    elif values:
        yield n.say("inside_back", operation=n.v.operation(call))
        header = n.header("result", "shape", "typical", "largest")
        yield Table(header, tuple(_row(n, v) for v in values[:MOST_STEPS]))


def _row(n: Narrator, value: Value) -> tuple[str, ...]:
    shape = " x ".join(map(str, value.shape))
    return (value.name, shape, n.v.number(_typical(value)), n.v.signed(_largest(value)))


def _by_step(n: Narrator, call: Call, found: list[tuple[re.Match[str], Value]]) -> Iterator[Block]:
    words = list(dict.fromkeys(m["word"] for m, _ in found))
    rows: dict[str, dict[str, Value]] = {}
    for m, value in found:
        rows.setdefault(f"{m['base'] or ''}t{m['step']}", {})[m["word"]] = value
    kept = list(rows)
    if len(kept) > MOST_STEPS:
        kept = [*kept[: MOST_STEPS // 2], *kept[-MOST_STEPS // 2 :]]
    yield n.say("time_back", operation=n.v.operation(call))
    header = (n.v.words["model"]["time_step"], *(f"∂C/∂{word}" for word in words))
    told = [
        (step, *(n.v.number(_typical(rows[step][w])) if w in rows[step] else "–" for w in words))
        for step in reversed(kept)
    ]
    yield Table(header, tuple(told))
    if len(kept) < len(rows):
        yield n.say("inside_left_out", told=len(kept), all=len(rows))


def _sizes(value: Value) -> np.ndarray:
    assert value.gradient is not None
    return np.asarray(value.gradient, np.float64)


def _typical(value: Value) -> float:
    found = _sizes(value)
    return float(np.sqrt((found**2).mean())) if found.size else 0.0


def _largest(value: Value) -> float:
    found = _sizes(value).ravel()
    return float(found[np.abs(found).argmax()]) if found.size else 0.0
