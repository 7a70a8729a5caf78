"""What a story works out between: parts of an activation, of the loss, of softmax's way back.

Heads are those of the story: "s", "u", "cdf", "pdf" of an activation, "l" of one output's loss,
"C_each" of one example's, "p" and "L" (the log-sum) of cross entropy, "m" of softmax.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.activations import normal_cdf
from ...core.arithmetic import compute
from ...core.rounding import exact as keep
from ...core.written import Quantity

if TYPE_CHECKING:
    from .world import World

PARTS = ("s", "u", "cdf", "pdf")
SHARE = "∂Cₒ/∂a"  # of a hidden neuron's gradient, what one output adds: index (neuron, output)


def has_parts(w: World, k: int) -> bool:
    """Whether a layer's activation is worked out in more than one line."""
    return any(len(c.value) > 1 for c in w.network.layers[k - 1].activation.kind.cases)


def _known(w: World, k: int, index: tuple[int, ...], upto: str) -> dict[str, Any]:
    """What the lines of an activation read, up to the line `upto`."""
    act = w.network.layers[k - 1].activation
    z = w.get(Quantity("z", k, index))
    found: dict[str, Any] = {**act.kind.constants, **act.parameters, "z": z}
    for head, _ in act.case(z).value:
        if head == upto:
            break
        found[head] = w.get(Quantity(head, k, index))
    return found


def by_line(w: World, k: int, index: tuple[int, ...], head: str) -> float:
    """A line of an activation: one of its parts, or a itself."""
    act = w.network.layers[k - 1].activation
    known = _known(w, k, index, head)
    formula = dict(act.case(known["z"]).value)[head]
    if "normal_cdf" in formula:
        return float(normal_cdf(np.array([known["z"]]))[0])
    return float(compute(formula, known))


def slope_by_line(w: World, k: int, index: tuple[int, ...]) -> float:
    act = w.network.layers[k - 1].activation
    known = _known(w, k, index, "")
    return float(compute(act.case(known["z"]).slope[-1][1], known))


def _part(w: World, of: Quantity) -> list[float]:
    return [by_line(w, of.layer or 1, of.index, of.head)]


def _n(of: Quantity) -> int:
    return of.index[0] if of.index else 0


def _at(w: World, head: str, n: int) -> float:
    """One number an example."""
    return w.get(Quantity(head, None, (n,) if w.many else ()))


def _logits(w: World, n: int) -> list[float]:
    return w.row("a", w.last, n)


def _log_sum(w: World, of: Quantity) -> list[float]:
    logits = _logits(w, _n(of))
    top = max(logits)
    return [top + math.log(sum(math.exp(v - top) for v in logits))]


def _probability(w: World, of: Quantity) -> list[float]:
    n, i = of.index if w.many else (0, of.index[0])
    logits = _logits(w, n)
    if w.network.loss.kind.target != "classes":
        return [1 / (1 + math.exp(-logits[i]))]
    top = max(logits)
    parts = [math.exp(v - top) for v in logits]
    return [parts[i] / sum(parts)]


def _element(w: World, of: Quantity) -> list[float]:
    n, i = of.index if w.many else (0, of.index[0])
    a, y = w.at("a", w.last, n, i), w.at("y", None, n, i)
    use = w.network.loss
    if use.kind.target == "classes":
        return [y * (_at(w, "L", n) - a)]
    with np.errstate(all="ignore"):
        value, _ = use.kind.element(np.array([[a]]), np.array([[y]]), keep, use.parameters)
    return [float(value[0, 0])]


def _each(w: World, of: Quantity) -> list[float]:
    n = _n(of)
    return [sum(w.at("l", None, n, i) for i in range(w.sizes[-1]))]


def loss(w: World) -> float:
    """C of the examples' losses."""
    return sum(_at(w, "C_each", n) for n in range(w.examples)) / w.divisor


def share(w: World, k: int, j: int, o: int) -> float:
    """What the neuron o of layer k + 1 sends back to neuron j, as stated where it is."""
    stated = w.values.get(Quantity(SHARE, k, (j, o))) if not w.many else None
    return w.get(Quantity(SHARE, k, (j, o))) if stated is not None else _product(w, k, j, o)


def _product(w: World, k: int, j: int, o: int) -> float:
    head = "W_new" if w.late else "W"
    return w.w(k + 1, o, j, head) * w.at("δ", k + 1, 0, o)


def _share(w: World, of: Quantity) -> list[float]:
    return [_product(w, of.layer or 1, *of.index)]


def _mean(w: World, of: Quantity) -> list[float]:
    k, n = of.layer or 1, _n(of)
    pairs = zip(w.row("∂C/∂a", k, n), w.row("a", k, n), strict=True)
    return [sum(g * a for g, a in pairs)]


def mean(w: World, k: int, n: int) -> float:
    return w.get(Quantity("m", k, (n,) if w.many else ()))


RULES: dict[str, Callable[[World, Quantity], list[float]]] = {
    **dict.fromkeys(PARTS, _part),
    "l": _element,
    "C_each": _each,
    "p": _probability,
    "L": _log_sum,
    "m": _mean,
    SHARE: _share,
}
