"""Step 5: the update of every weight and bias."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...core.trace import LayerTrace, ParameterUpdate
from ..blocks import Block, Calculation, Heading, Table
from ..closing import close, close_on
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
    for symbol, tree in _trees(letter, k, parameter, index):
        result = float(parameter.results[symbol][index])
        kind = "change" if symbol == "change" else "optimizer_state"
        yield t.calculation(kind, _shown(symbol, letter, k, index), tree, result)
    tree = _sum(letter, k, parameter, index)
    yield t.calculation("after", Symbol(letter, k, index, "new"), tree, parameter.after[index])


def _trees(
    letter: str, k: int, parameter: ParameterUpdate, index: tuple[int, ...]
) -> Iterator[tuple[str, Expression]]:
    """Each of the optimizer's lines with this entry's numbers put in."""
    names: dict[str, Expression | float] = {
        name: Number(float(value[index]), _shown(name, letter, k, index))
        if isinstance(value, np.ndarray)
        else float(value)
        for name, value in parameter.names.items()
        if name not in parameter.results
    }
    for symbol, formula in parameter.lines:
        result = float(parameter.results[symbol][index])
        # the larger of two is a choice, not a calculation
        larger = formula.startswith("maximum")
        yield symbol, Number(result) if larger else bind(parse(formula), names)
        names[symbol] = Number(result, _shown(symbol, letter, k, index))


def _shown(name: str, letter: str, k: int, index: tuple[int, ...]) -> Symbol:
    """What the story calls a name of the optimizer's lines."""
    known = {"g": f"∂C/∂{letter}", "theta": letter, "change": f"Δ{letter}"}
    if name in known:
        return Symbol(known[name], k, index)
    return Symbol(name, None, index, f"{letter}{k}")


def _sum(letter: str, k: int, parameter: ParameterUpdate, index: tuple[int, ...]) -> Expression:
    before = Number(float(parameter.before[index]), Symbol(letter, k, index))
    change = Number(float(parameter.change[index]), Symbol(f"Δ{letter}", k, index))
    return Binary("+", before, change)


def _row(
    t: Teller, letter: str, k: int, parameter: ParameterUpdate, index: tuple[Any, ...]
) -> tuple[str | Symbol, ...]:
    """A row closes too: before + change gives after, in the digits that stand in it."""
    before, change = float(parameter.before[index]), float(parameter.change[index])
    gradient = float(parameter.gradient[index])
    after = close(_sum(letter, k, parameter, index), float(parameter.after[index]), t.digits)
    shown = after.write(change)
    tree = dict(_trees(letter, k, parameter, index))["change"]
    step = close_on(tree, shown, t.digits) if parameter.mask[index] else None
    return (
        Symbol(letter, k, index),
        after.write(before),
        signed(gradient, step.digits if step else t.digits, pad=False),
        f"+{shown}" if change > 0 else shown,
        after.result,
    )
