"""What follows from the numbers that a page states: each quantity by its formula.

A World starts from the network's own numbers. A quantity that is set keeps its value; every
other one is computed from those before it, so that what a page derives from its own numbers,
right or wrong, can be told from a slip.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...core.arithmetic import compute
from ...core.network import Network
from ...core.rounding import exact as keep
from ...core.written import Quantity

SIMPLE: dict[str, Callable[[float], float]] = {
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)) if z > -700 else 0.0,
    "tanh": math.tanh,
    "relu": lambda z: max(z, 0.0),
    "identity": lambda z: z,
}
FROM_A: dict[str, Callable[[float], float]] = {
    "sigmoid": lambda a: a * (1 - a),
    "tanh": lambda a: 1 - a * a,
}


Touched = set[Quantity]


def differs(a: float, b: float) -> bool:
    """Whether two values are more than float64 noise apart."""
    return math.isfinite(a) and not math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-13)


class World:
    def __init__(self, network: Network, softmax: bool = False) -> None:
        self.network, self.softmax = network, softmax
        self.many = network.examples > 1
        self.examples = network.examples
        self.sizes = network.sizes
        self.last = len(network.layers)
        self.divisor = network.loss.divisor(network.examples, network.sizes[-1])
        self.values: dict[Quantity, float] = {}
        self.memo: dict[Quantity, float] = {}
        self.touched: Touched = set()
        self.late = False  # the way back uses the weights after their update
        self.rounding: int | None = None  # decimals that every result is rounded to
        self.weights = [layer.weight.tolist() for layer in network.layers]
        self.biases = [
            (layer.bias.tolist() * layer.outputs)[: layer.outputs] for layer in network.layers
        ]

    def copy(self) -> World:
        """The same network with nothing set."""
        made = World(self.network, self.softmax)
        made.late = self.late
        return made

    def q(self, head: str, layer: int | None, n: int, i: int) -> Quantity:
        return Quantity(head, layer, (n, i) if self.many else (i,))

    def at(self, head: str, layer: int | None, n: int, i: int) -> float:
        return self.get(self.q(head, layer, n, i))

    def w(self, layer: int, i: int, j: int, head: str = "W") -> float:
        return self.get(Quantity(head, layer, (i, j)))

    def set(self, of: Quantity, value: float) -> None:
        self.values[of] = value
        self.memo.clear()

    def unset(self, of: Quantity) -> None:
        if self.values.pop(of, None) is not None:
            self.memo.clear()

    def get(self, of: Quantity) -> float:
        if of in self.values:
            self.touched.add(of)
            return self.values[of]
        if of not in self.memo:
            value = self.fresh(of)
            if self.rounding is not None and of.head not in ("W", "b", "x", "y", "η"):
                value = round(value, self.rounding)
            self.memo[of] = value
        return self.memo[of]

    def fresh(self, of: Quantity) -> float:
        """The value by the formula, whatever the page states of the quantity itself."""
        return self.ways(of)[0]

    def ways(self, of: Quantity) -> list[float]:
        """The value by each formula that people use; the first is the usual one."""
        rule = RULES.get(of.head)
        if rule is None:
            return [math.nan]
        try:
            return rule(self, of)
        except (OverflowError, ZeroDivisionError, ValueError, IndexError, KeyError):
            return [math.nan]

    def sources(self, of: Quantity) -> Touched:
        """The quantities set that `of` is computed from."""
        self.memo.clear()
        self.touched = set()
        self.fresh(of)
        return set(self.touched)

    def place(self, of: Quantity) -> tuple[int, int, int]:
        """Layer, example and neuron."""
        n, i = of.index if len(of.index) == 2 else (0, of.index[0])
        return of.layer or 0, n, i

    def row(self, head: str, layer: int, n: int) -> list[float]:
        return [self.at(head, layer, n, i) for i in range(self.sizes[layer])]

    def before(self, layer: int, n: int, j: int, head: str = "a") -> float:
        """What goes into a layer: x for the first."""
        return self.at("x", None, n, j) if layer == 1 else self.at(head, layer - 1, n, j)


def _given(w: World, of: Quantity) -> list[float]:
    net = w.network
    if of.head == "η":
        return [net.learning_rate]
    if of.head == "W":
        return [w.weights[(of.layer or 1) - 1][of.index[0]][of.index[1]]]
    if of.head == "b":
        return [w.biases[(of.layer or 1) - 1][of.index[0] if of.index else 0]]
    n, i = of.index if len(of.index) == 2 else (0, of.index[0])
    return [float((net.inputs if of.head == "x" else net.targets)[n, i])]


def _z(w: World, of: Quantity) -> list[float]:
    k, n, i = w.place(of)
    total = sum(w.w(k, i, j) * w.before(k, n, j) for j in range(w.sizes[k - 1]))
    return [total + w.get(Quantity("b", k, (i,)))]


def softmax_of(values: list[float]) -> list[float]:
    top = max(values)
    parts = [math.exp(v - top) for v in values]
    return [p / sum(parts) for p in parts]


def activate(w: World, k: int, z: float) -> float:
    act = w.network.layers[k - 1].activation
    simple = SIMPLE.get(act.name)
    if simple is not None:
        return simple(z)
    return float(act.kind.value(np.array([[z]]), keep, act.parameters)[0][0, 0])


def slope(w: World, k: int, z: float) -> float:
    act = w.network.layers[k - 1].activation
    if act.name in FROM_A:
        return FROM_A[act.name](activate(w, k, z))
    if act.kind.slope is None:
        return math.nan
    at = np.array([[z]])
    a, saved = act.kind.value(at, keep, act.parameters)
    return float(act.kind.slope(at, a, saved, keep, act.parameters)[0, 0])


def is_softmax(w: World, k: int) -> bool:
    named = w.network.layers[k - 1].activation.name == "softmax"
    return named or (w.softmax and k == w.last)


def _a(w: World, of: Quantity) -> list[float]:
    k, n, i = w.place(of)
    if is_softmax(w, k):
        return [softmax_of(w.row("z", k, n))[i]]
    return [activate(w, k, w.get(Quantity("z", k, of.index)))]


def _slope(w: World, of: Quantity) -> list[float]:
    k, _, _ = w.place(of)
    if is_softmax(w, k):
        return [math.nan]
    z, a = Quantity("z", k, of.index), Quantity("a", k, of.index)
    by_z = slope(w, k, w.get(z))
    name = w.network.layers[k - 1].activation.name
    if name not in FROM_A:
        return [by_z]
    by_a = FROM_A[name](w.get(a))
    return [by_a, by_z]


def _element(w: World, a: float, y: float) -> tuple[float, float]:
    """ℓ and ∂ℓ/∂a of one output, for losses that take outputs one by one."""
    use = w.network.loss
    at, target = np.array([[a]]), np.array([[y]])
    with np.errstate(all="ignore"):
        value, saved = use.kind.element(at, target, keep, use.parameters)
        slope_ = use.kind.gradient(at, target, saved, use.parameters)
    return float(value[0, 0]), float(slope_[0, 0])


def _loss(w: World, of: Quantity) -> list[float]:
    total = 0.0
    for n in range(w.examples):
        y = [w.at("y", None, n, i) for i in range(w.sizes[-1])]
        a = w.row("a", w.last, n)
        if w.softmax:
            total -= sum(t * math.log(p) for t, p in zip(y, a, strict=True) if t)
        elif w.network.loss.kind.target == "classes":
            total -= sum(t * math.log(p) for t, p in zip(y, softmax_of(a), strict=True) if t)
        else:
            total += sum(_element(w, p, t)[0] for p, t in zip(a, y, strict=True))
    return [total / w.divisor]


def _grad_a(w: World, of: Quantity) -> list[float]:
    k, n, i = w.place(of)
    if k < w.last:
        rows = range(w.sizes[k + 1])
        head = "W_new" if w.late else "W"
        return [sum(w.w(k + 1, r, i, head) * w.at("δ", k + 1, n, r) for r in rows)]
    a, y = w.at("a", k, n, i), w.at("y", None, n, i)
    if w.softmax:
        return [-y / a / w.divisor]
    if w.network.loss.kind.target == "classes":
        return [(softmax_of(w.row("a", k, n))[i] - y) / w.divisor]
    return [_element(w, a, y)[1] / w.divisor]


def _delta(w: World, of: Quantity) -> list[float]:
    k, n, i = w.place(of)
    if w.softmax and k == w.last:
        return [(w.at("a", k, n, i) - w.at("y", None, n, i)) / w.divisor]
    if is_softmax(w, k):
        a, g = w.row("a", k, n), w.row("∂C/∂a", k, n)
        return [a[i] * (g[i] - sum(p * t for p, t in zip(a, g, strict=True)))]
    grad, by = w.get(Quantity("∂C/∂a", k, of.index)), Quantity("σ'", k, of.index)
    found = [grad * w.get(by)]
    name = w.network.layers[k - 1].activation.name
    if k == w.last and name == "sigmoid" and w.network.loss.name == "binary_cross_entropy":
        short = (w.at("a", k, n, i) - w.at("y", None, n, i)) / w.divisor
        found.insert(0, short)
    return found


def _grad_w(w: World, of: Quantity) -> list[float]:
    k, (i, j) = of.layer or 1, of.index
    return [sum(w.at("δ", k, n, i) * w.before(k, n, j) for n in range(w.examples))]


def _grad_b(w: World, of: Quantity) -> list[float]:
    k = of.layer or 1
    layer = w.network.layers[k - 1]
    rows = range(layer.outputs) if layer.shared_bias else of.index
    return [sum(w.at("δ", k, n, i) for n in range(w.examples) for i in rows)]


def _change(w: World, of: Quantity) -> list[float]:
    letter = of.head[1]
    layer = w.network.layers[(of.layer or 1) - 1]
    mask = layer.weight_mask if letter == "W" else layer.bias_mask
    if not mask[of.index if letter == "W" or mask.size > 1 else (0,)]:
        return [0.0]
    optimizer = w.network.optimizer
    names: dict[str, Any] = {**optimizer.constants(), "lr": w.get(Quantity("η")), "t": 1}
    names["g"] = w.get(Quantity(f"∂C/∂{letter}", of.layer, of.index))
    names["theta"] = w.get(Quantity(letter, of.layer, of.index))
    names |= {f"{name}_before": value for name, value in optimizer.start().items()}
    for name, formula in optimizer.lines(True):
        names[name] = compute(formula, names)
    return [float(names["change"])]


def _new(w: World, of: Quantity) -> list[float]:
    letter = of.head[0]
    old, change = Quantity(letter, of.layer, of.index), Quantity(f"Δ{letter}", of.layer, of.index)
    return [w.get(old) + w.get(change)]


def _loss_after(w: World, of: Quantity) -> list[float]:
    after = World(w.network, w.softmax)
    for k in range(1, w.last + 1):
        for i in range(w.sizes[k]):
            after.set(Quantity("b", k, (i,)), w.get(Quantity("b_new", k, (i,))))
            for j in range(w.sizes[k - 1]):
                after.set(Quantity("W", k, (i, j)), w.get(Quantity("W_new", k, (i, j))))
    return [after.get(Quantity("C"))]


RULES: dict[str, Callable[[World, Quantity], list[float]]] = {
    **dict.fromkeys(("x", "y", "W", "b", "η"), _given),
    "z": _z,
    "a": _a,
    "σ'": _slope,
    "C": _loss,
    "C_new": _loss_after,
    "∂C/∂a": _grad_a,
    "δ": _delta,
    "∂C/∂W": _grad_w,
    "∂C/∂b": _grad_b,
    "ΔW": _change,
    "Δb": _change,
    "W_new": _new,
    "b_new": _new,
}
