"""What follows from the numbers that a page states: each quantity by its formula.

A World starts from the network's own numbers. A quantity that is set keeps its value; every
other one is computed from those before it, so that what a page derives from its own numbers,
right or wrong, can be told from a slip.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from ...core.network import Network
from ...core.rounding import exact as keep
from ...core.written import Quantity
from . import between, optimizer

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


Touched = set[tuple[int, Quantity]]  # the step on the page, from 1, and what is set there


def differs(a: float, b: float) -> bool:
    """Whether two values are more than float64 noise apart."""
    return math.isfinite(a) and not math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-13)


class World:
    """One training step of a page. previous: the step before, whose new weights it starts from."""

    def __init__(
        self, network: Network, softmax: bool = False, previous: World | None = None
    ) -> None:
        self.network, self.softmax, self.previous = network, softmax, previous
        self.number: int = previous.number + 1 if previous else 1  # the step, since training began
        self.state: Mapping[Quantity, float] = {}  # the optimizer's, before the page's first step
        self.velocity = ""  # what the page's velocity holds
        self.many = network.examples > 1
        self.examples = network.examples
        self.sizes = network.sizes
        self.last = len(network.layers)
        self.divisor = network.loss.divisor(network.examples, network.sizes[-1])
        self.values: dict[Quantity, float] = {}
        self.memo: dict[Quantity, float] = {}
        self.position: int = previous.position + 1 if previous else 1
        self.tracks = False  # whether it remembers what is set that a number comes of
        self.touched: Touched = set()
        self.memo_sources: dict[Quantity, Touched] = {}
        self.late = False  # the way back uses the weights after their update
        self.rounding: int | None = None  # decimals that every result is rounded to
        self.weights = [layer.weight.tolist() for layer in network.layers]
        self.biases = [
            (layer.bias.tolist() * layer.outputs)[: layer.outputs] for layer in network.layers
        ]

    def copy(self, previous: World | None = None) -> World:
        """The same step with nothing set, after `previous` where that is given."""
        made = World(self.network, self.softmax, previous or self.previous)
        made.late, made.number, made.state = self.late, self.number, self.state
        made.velocity = self.velocity
        return made

    def q(self, head: str, layer: int | None, n: int, i: int) -> Quantity:
        return Quantity(head, layer, (n, i) if self.many else (i,))

    def at(self, head: str, layer: int | None, n: int, i: int) -> float:
        return self.get(self.q(head, layer, n, i))

    def w(self, layer: int, i: int, j: int, head: str = "W") -> float:
        return self.get(Quantity(head, layer, (i, j)))

    def set(self, of: Quantity, value: float) -> None:
        self.values[of] = value
        self.forget()

    def unset(self, of: Quantity) -> None:
        if self.values.pop(of, None) is not None:
            self.forget()

    def forget(self) -> None:
        self.memo.clear()
        self.memo_sources.clear()

    def get(self, of: Quantity) -> float:
        if of in self.values:
            if self.tracks:
                self.touched.add((self.position, of))
            return self.values[of]
        if of not in self.memo:
            self.memo[of] = self._worked(of)
        elif self.tracks:
            self.touched |= self.memo_sources[of]
        return self.memo[of]

    def _worked(self, of: Quantity) -> float:
        outer, self.touched = self.touched, set()
        value = self.fresh(of)
        self.memo_sources[of] = self.touched
        self.touched = outer | self.touched
        if self.rounding is not None and of.head not in ("W", "b", "x", "y", "η"):
            return round(value, self.rounding)
        return value

    def left(self, of: Quantity) -> float:
        """What the step before left."""
        assert self.previous is not None
        value = self.previous.get(of)
        if self.tracks and of in self.previous.values:
            self.touched.add((self.previous.position, of))
        elif self.tracks:
            self.touched |= self.previous.memo_sources[of]
        return value

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
        """What is set that `of` is computed from, with its step; of a world that tracks."""
        self.touched = set()
        self.fresh(of)
        return self.touched

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
    if w.previous is not None and of.head in ("W", "b"):
        return [_after(w, w.previous, of)]
    if of.head == "W":
        return [w.weights[(of.layer or 1) - 1][of.index[0]][of.index[1]]]
    if of.head == "b":
        return [w.biases[(of.layer or 1) - 1][of.index[0] if of.index else 0]]
    n, i = of.index if len(of.index) == 2 else (0, of.index[0])
    return [float((net.inputs if of.head == "x" else net.targets)[n, i])]


def _after(w: World, before: World, of: Quantity) -> float:
    """A parameter as the step before left it; one bias that the layer shares is stated once."""
    shared = Quantity(f"{of.head}_new", of.layer)
    if of.head == "b" and shared in before.values:
        return w.left(shared)
    return w.left(Quantity(f"{of.head}_new", of.layer, of.index))


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
    if between.has_parts(w, k):
        return [between.by_line(w, k, of.index, "a")]
    return [activate(w, k, w.get(Quantity("z", k, of.index)))]


def _slope(w: World, of: Quantity) -> list[float]:
    k, _, _ = w.place(of)
    if is_softmax(w, k):
        return [math.nan]
    if between.has_parts(w, k):
        return [between.slope_by_line(w, k, of.index)]
    z, a = Quantity("z", k, of.index), Quantity("a", k, of.index)
    by_z = slope(w, k, w.get(z))
    name = w.network.layers[k - 1].activation.name
    if name not in FROM_A:
        return [by_z]
    by_a = FROM_A[name](w.get(a))
    return [by_a, by_z]


def _loss_slope(w: World, a: float, y: float) -> float:
    """∂ℓ/∂a of one output, for losses that take outputs one by one."""
    use = w.network.loss
    at, target = np.array([[a]]), np.array([[y]])
    with np.errstate(all="ignore"):
        _, saved = use.kind.element(at, target, keep, use.parameters)
        return float(use.kind.gradient(at, target, saved, use.parameters)[0, 0])


def _loss(w: World, of: Quantity) -> list[float]:
    if not w.softmax:
        return [between.loss(w)]
    total = 0.0
    for n in range(w.examples):
        y = [w.at("y", None, n, i) for i in range(w.sizes[-1])]
        total -= sum(t * math.log(p) for t, p in zip(y, w.row("a", w.last, n), strict=True) if t)
    return [total / w.divisor]


def _grad_a(w: World, of: Quantity) -> list[float]:
    k, n, i = w.place(of)
    if k < w.last:
        rows = range(w.sizes[k + 1])
        if not w.many:
            return [sum(between.share(w, k, i, r) for r in rows)]
        head = "W_new" if w.late else "W"
        return [sum(w.w(k + 1, r, i, head) * w.at("δ", k + 1, n, r) for r in rows)]
    a, y = w.at("a", k, n, i), w.at("y", None, n, i)
    if w.softmax:
        return [-y / a / w.divisor]
    if w.network.loss.kind.target == "classes":
        weight = sum(w.at("y", None, n, j) for j in range(w.sizes[-1]))
        return [(w.at("p", None, n, i) * weight - y) / w.divisor]
    if w.network.loss.name == "binary_cross_entropy_with_logits":
        return [(w.at("p", None, n, i) - y) / w.divisor]
    return [_loss_slope(w, a, y) / w.divisor]


def _delta(w: World, of: Quantity) -> list[float]:
    k, n, i = w.place(of)
    if w.softmax and k == w.last:
        return [(w.at("a", k, n, i) - w.at("y", None, n, i)) / w.divisor]
    if is_softmax(w, k):
        return [w.at("a", k, n, i) * (w.at("∂C/∂a", k, n, i) - between.mean(w, k, n))]
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
    "W_new": _new,
    "b_new": _new,
    **optimizer.RULES,
    **between.RULES,
}
