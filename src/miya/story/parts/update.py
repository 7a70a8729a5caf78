"""Step 5: the update of every weight and bias."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...core.trace import LayerTrace, ParameterUpdate
from ..blocks import Block, Calculation, Heading, Table
from ..expression import Binary, Expression, Number, bind, parse
from ..numbers import signed
from ..quantity import Symbol
from ..teller import Teller


def update(t: Teller) -> Iterator[Block]:
    yield Heading(t.text("update", "heading"))
    yield t.say("update", "intro", name=t.trace.network.optimizer.name)
    for layer in t.layers:
        yield from layer_update(t, layer)


def layer_update(t: Teller, layer: LayerTrace) -> Iterator[Block]:
    yield Heading(t.text("update", "layer", number=layer.number, name=layer.name), 3)
    for letter, what, parameter in (
        ("W", "weights", layer.weight),
        ("b", "biases", layer.bias),
    ):
        yield from _parameter(t, letter, layer.number, what, parameter)


def _parameter(
    t: Teller, letter: str, k: int, what: str, parameter: ParameterUpdate
) -> Iterator[Block]:
    if not parameter.mask.any():
        yield t.say("update", "frozen", symbol=f"{letter}{k}")
        return
    told = t.top(parameter.gradient)
    moved = [index for index in told if parameter.mask[index]]
    yield from t.calculations(moved, lambda *index: _lines(t, letter, k, parameter, index))
    header = tuple(
        t.words["update"][key] for key in ("symbol", "before", "gradient", "change", "after")
    )
    yield Table(header, tuple(_row(t, letter, k, parameter, index) for index in told))
    if len(moved) < len(told):
        yield t.say("update", "partly_frozen", symbol=f"{letter}{k}")
    yield from t.left_out(parameter.before, len(told), t.words["general"][what])


def _lines(
    t: Teller, letter: str, k: int, parameter: ParameterUpdate, index: tuple[int, ...]
) -> Iterator[Calculation]:
    names: dict[str, Expression | float] = {
        name: float(value[index]) if isinstance(value, np.ndarray) else float(value)
        for name, value in parameter.names.items()
        if name not in parameter.results
    }
    for symbol, formula in parameter.lines:
        result = float(parameter.results[symbol][index])
        # the larger of two is a choice, not a calculation
        tree = Number(result) if formula.startswith("maximum") else bind(parse(formula), names)
        names[symbol] = result
        shown = (
            Symbol(f"Δ{letter}", k, index)
            if symbol == "change"
            else Symbol(symbol, None, index, f"{letter}{k}")
        )
        kind = "change" if symbol == "change" else "optimizer_state"
        yield t.calculation(kind, shown, tree, result)
    change = float(parameter.change[index])
    tree = Binary("+", Number(float(parameter.before[index])), Number(change))
    yield t.calculation("after", Symbol(letter, k, index, "new"), tree, parameter.after[index])


def _row(
    t: Teller, letter: str, k: int, parameter: ParameterUpdate, index: tuple[Any, ...]
) -> tuple[str | Symbol, ...]:
    return (
        Symbol(letter, k, index),
        t.number(parameter.before[index]),
        signed(parameter.gradient[index], t.digits),
        signed(parameter.change[index], t.digits),
        t.number(parameter.after[index]),
    )
