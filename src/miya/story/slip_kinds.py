"""The slips that can be planted: each writes one worked line as somebody who made it would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from ..core.rounding import round_one
from .blocks import Calculation
from .closing import Closed, close
from .expression import Binary, Expression, Negative, Number
from .quantity import Symbol
from .trees import changed, numbers

if TYPE_CHECKING:
    from .slip import Planter

SHAKEN = (2, -2, 3, -3)  # units of the second figure that a slip of the pen is off by
Make = Callable[["Planter", Calculation], Calculation | None]


@dataclass(frozen=True)
class Kind:
    """where: the kinds of lines that it can be made in."""

    where: tuple[str, ...]
    make: Make


SLIPS: dict[str, Kind] = {}


def _slip(*where: str) -> Callable[[Callable[[Planter, Calculation], Expression | None]], None]:
    """Registers a slip that writes another expression in a line, by its function's name."""

    def register(make: Callable[[Planter, Calculation], Expression | None]) -> None:
        def line(p: Planter, right: Calculation) -> Calculation | None:
            tree = make(p, right)
            return None if tree is None else p.worked(right, tree)

        SLIPS[make.__name__] = Kind(where, line)

    return register


def _miscounted(p: Planter, right: Calculation) -> Calculation | None:
    """The expression is right and its result is not."""
    closed = right.closed
    value = float(closed.result)
    if value == 0 or isinstance(closed.tree, Number):
        return None
    exponent = int(f"{value:e}".partition("e")[2])
    wrong = round_one(value + p.dice.pick(SHAKEN) * 10.0 ** (exponent - 1), p.digits)
    shown = close(Number(wrong), wrong, p.digits, carried=True).result
    if _decimals(shown) < _decimals(closed.result):  # it could pass for rounding
        return None
    return replace(right, closed=Closed(closed.tree, closed.digits, shown, closed.relation))


def _decimals(text: str) -> int:
    exponent = Decimal(text).as_tuple().exponent
    assert isinstance(exponent, int)
    return -exponent


SLIPS["miscounted"] = Kind(("pre_activation", "paths", "weight_gradient"), _miscounted)


@_slip("pre_activation")
def bias_left_out(p: Planter, right: Calculation) -> Expression | None:
    tree = right.closed.tree
    return tree.left if isinstance(tree, Binary) and tree.sign == "+" else None


@_slip("pre_activation", "paths")
def sign_lost(p: Planter, right: Calculation) -> Expression | None:
    negative = [n for n in numbers(right.closed.tree) if n.value < 0]
    if not negative:
        return None
    lost = p.dice.pick(negative)
    return changed(right.closed.tree, lambda n: Number(-n.value, n.of) if n == lost else n)


@_slip("grad_a")
def factor_left_out(p: Planter, right: Calculation) -> Expression | None:
    tree = right.closed.tree
    two = isinstance(tree, Binary) and tree.sign == "*" and tree.left == Number(2.0)
    return tree.right if two and isinstance(tree, Binary) else None


@_slip("grad_a")
def error_turned(p: Planter, right: Calculation) -> Expression | None:
    """Target minus output."""
    tree = right.closed.tree
    match tree:
        case Binary("*", left, Binary("-", a, y)):
            return Binary("*", left, Binary("-", y, a))
        case Binary("-", Number() as a, Number() as y):
            return Binary("-", y, a)
    return None


@_slip("slope")
def slope_of_z(p: Planter, right: Calculation) -> Expression | None:
    """z (1 − z) where a sigmoid's slope is a (1 − a)."""
    layer = right.symbol.layer
    assert layer is not None
    z = p.value(replace(right.symbol, head="z"))
    if p.trace.layers[layer - 1].layer.activation.name != "sigmoid" or z is None:
        return None
    return Binary("*", z, Binary("-", Number(1.0), z))


@_slip("delta")
def slope_forgotten(p: Planter, right: Calculation) -> Expression | None:
    tree = right.closed.tree
    product = isinstance(tree, Binary) and tree.sign == "*" and isinstance(tree.left, Number)
    return tree.left if product and isinstance(tree, Binary) else None


@_slip("paths")
def new_weights(p: Planter, right: Calculation) -> Expression | None:
    """The way back with the weights from after the update."""
    return _weights(p, right, lambda w: replace(w, mark="new"))


@_slip("paths")
def transposed(p: Planter, right: Calculation) -> Expression | None:
    """A row of W where a column belongs: the same neuron's weight, of another input."""
    layer = right.symbol.layer
    assert layer is not None
    width = p.trace.layers[layer].layer.inputs

    def other(w: Symbol) -> Symbol:
        i, j = w.index
        return replace(w, index=(i, (j + 1) % width))

    return _weights(p, right, other)


def _weights(
    p: Planter, right: Calculation, which: Callable[[Symbol], Symbol]
) -> Expression | None:
    """The line's expression with other weights in it."""
    weights = [n.of for n in numbers(right.closed.tree) if n.of and _is_weight(n.of)]
    used = {w: p.value(which(w)) for w in weights}
    if not used or None in used.values():
        return None
    return changed(right.closed.tree, lambda n: (n.of and used.get(n.of)) or n)


def _is_weight(of: Symbol) -> bool:
    return of.head == "W" and not of.mark


@_slip("weight_gradient")
def other_input(p: Planter, right: Calculation) -> Expression | None:
    """δ times the signal of another weight."""
    layer = right.symbol.layer
    assert layer is not None
    width = p.trace.layers[layer - 1].layer.inputs
    signals = [n.of for n in numbers(right.closed.tree) if n.of and n.of.head in ("x", "a")]
    other = {
        s: p.value(replace(s, index=(*s.index[:-1], (s.index[-1] + 1) % width))) for s in signals
    }
    if width < 2 or not other or None in other.values():
        return None
    return changed(right.closed.tree, lambda n: (n.of and other.get(n.of)) or n)


@_slip("change")
def rate_left_out(p: Planter, right: Calculation) -> Expression | None:
    match right.closed.tree:
        case Binary("*", Negative(Number(of=None)), Number(of=Symbol()) as g):
            return Negative(g)
    return None


@_slip("after")
def uphill(p: Planter, right: Calculation) -> Expression | None:
    """Before minus change."""
    tree = right.closed.tree
    return replace(tree, sign="-") if isinstance(tree, Binary) and tree.sign == "+" else None
