"""What the step did to one element of a parameter, by the optimizer's formulas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...analysis.element_update import ElementUpdate
from ..blocks import Block, Calculation, Calculations, Formula
from ..expression import Binary, Expression, Number, bind, parse
from ..quantity import Symbol
from ..symbols import latex_formula
from .voice import Voice


def update_blocks(v: Voice, update: ElementUpdate, symbol: Symbol) -> Iterator[Block]:
    name = update.optimizer
    yield v.say("why", "update" if update.lines else "update_unknown", name=name)
    yield from optimizer_formulas(update)
    yield from element_blocks(v, update, symbol)


def element_blocks(v: Voice, update: ElementUpdate, symbol: Symbol) -> Iterator[Block]:
    """The lines of one element; and where what really came of them is another number, that."""
    yield Calculations(update_lines(v, update, symbol))
    if not update.agrees:
        yield v.say("why", "differs_update", difference=v.number(update.difference))
    elif update.lines and v.number(update.lines[-1].result) != v.number(update.change):
        yield v.say("why", "rounds_update", change=v.number(update.change))


def update_lines(v: Voice, update: ElementUpdate, symbol: Symbol) -> tuple[Calculation, ...]:
    """The optimizer's lines with this element's numbers, and new = before + change."""
    return (*_lines(v, update, symbol), _after(v, update, symbol))


def optimizer_formulas(update: ElementUpdate) -> Iterator[Block]:
    for line in update.lines:
        head = "Δθ" if line.name == "change" else line.name
        left, right = latex_formula(line.name), latex_formula(line.formula)
        yield Formula(f"{head} = {line.formula}", f"{left} = {right}")


def _lines(v: Voice, update: ElementUpdate, symbol: Symbol) -> Iterator[Calculation]:
    names: dict[str, Expression | float] = {
        name: Number(value, _shown(name, symbol)) for name, value in update.names.items()
    }
    for line in update.lines:
        larger = line.formula.startswith("maximum")
        tree = Number(line.result) if larger else bind(parse(line.formula), names)
        kind = "change" if line.name == "change" else "optimizer_state"
        shown = _shown(line.name, symbol) or Symbol(line.name)
        yield v.calculation(kind, shown, tree, line.result)
        names[line.name] = Number(line.result, shown)


def _after(v: Voice, update: ElementUpdate, symbol: Symbol) -> Calculation:
    before = Number(update.before, symbol)
    change = Number(update.change, replace(symbol, head=f"Δ{symbol.head}"))
    tree = Binary("+", before, change)
    return v.calculation("after", replace(symbol, mark="new"), tree, update.after)


def _shown(name: str, symbol: Symbol) -> Symbol | None:
    """What a name of the optimizer's lines is called beside its parameter."""
    known = {"g": f"∂C/∂{symbol.head}", "theta": symbol.head, "change": f"Δ{symbol.head}"}
    if name in known:
        return replace(symbol, head=known[name])
    if name in ("lr", "t"):
        return None
    return Symbol(name)
