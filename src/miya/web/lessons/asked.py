"""What the lessons ask about a step: quantities by name, who comes first, and goals."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from ...analysis.blame import BlameRow, Measure, blame
from ...core.rounding import Array
from ...core.trace import LayerTrace, Trace
from ..parts import name_of

QUANTITY = re.compile(r"([a-zA-Z_]+?)(\d*)(?:\[(\d+)(?:,(\d+))?\])?")
FLAT = 0.01  # of a sigmoid's steepest slope, ¼: flatter is saturated

PLACES: dict[str, Callable[[LayerTrace], Any]] = {
    "z": lambda layer: layer.z[0],
    "a": lambda layer: layer.a[0],
    "delta": lambda layer: layer.delta.sum(0),
    "dW": lambda layer: layer.weight.gradient,
    "db": lambda layer: layer.bias.gradient,
    "new_W": lambda layer: layer.weight.after,
    "new_b": lambda layer: layer.bias.after,
    "step_W": lambda layer: layer.weight.change,
}


def expected(trace: Trace, quantity: str) -> float:
    """A quantity of the lessons' own, such as "delta1[0]", "dW2[0,1]", "C" or "C_after"."""
    if quantity in ("C", "C_after"):
        return trace.loss if quantity == "C" else trace.loss_after
    if quantity == "change":
        return trace.loss_after - trace.loss
    name, number, *index = QUANTITY.fullmatch(quantity).groups()  # type: ignore[union-attr]
    layer = trace.layers[int(number) - 1]
    values = _slope(trace)[0] if name == "slope" else PLACES[name](layer)
    return float(values[tuple(int(i) for i in index if i is not None)])


def first_by(trace: Trace, measure: Measure, among: str, answer: Any) -> bool:
    """Whether `answer` names a part that comes first by the measure."""
    rows = _rows(trace, measure, among)
    return normal(answer) in {normal(name_of(row)) for row in rows if row.rank == 1}


def names(trace: Trace, among: str) -> list[str]:
    """What the parts are called."""
    return [name_of(row) for row in _rows(trace, "pressure", among)]


def _rows(trace: Trace, measure: Measure, among: str) -> tuple[BlameRow, ...]:
    found = blame(trace, measure, top=None)
    return found.neurons if among == "neurons" else found.parameters


def normal(name: Any) -> str:
    """A name however it is written: "w1 [0, 2]" is "W1[0][2]"."""
    text = name if isinstance(name, str) else ""
    return re.sub(r"[\s\[\],.]+", " ", text).strip().lower()


def _slope(trace: Trace) -> Array:
    """(n, out) σ′(z) of the first layer; a softmax, which has a matrix of them, is never flat."""
    slope = trace.layers[0].slope
    return np.ones_like(trace.layers[0].z) if slope is None else slope


def _saturated(trace: Trace) -> bool:
    """A neuron of the first layer whose sigmoid is flat."""
    return bool((_slope(trace) < FLAT / 4).any())


def _asleep(trace: Trace) -> bool:
    """A neuron of the first layer that passes nothing back: its slope is 0 on every example."""
    return bool((_slope(trace) == 0).all(0).any())


def _rises(trace: Trace) -> bool:
    return trace.loss_after > trace.loss


def _falls(trace: Trace) -> bool:
    return trace.loss_after < trace.loss


def _nearly_solved(trace: Trace) -> bool:
    return trace.loss < 0.01


def _silent_path(trace: Trace) -> bool:
    """A neuron of the first layer whose δ is 0 though its slope is not."""
    return bool(((trace.layers[0].delta == 0) & (_slope(trace) > 0)).any())


GOALS: dict[str, Callable[[Trace], bool]] = {
    "saturated": _saturated,
    "asleep": _asleep,
    "rises": _rises,
    "falls": _falls,
    "solved": _nearly_solved,
    "silent_path": _silent_path,
}
