"""Known mistakes, each as the number that it would give."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from ...core.written import Quantity
from .mistakes_optimizer import MAKERS as OPTIMIZER
from .mistakes_optimizer import step as optimizer_step
from .world import FROM_A, SIMPLE, World, activate, is_softmax, slope

Variant = tuple[str, float]
Maker = Callable[[World, Quantity], Iterator[Variant]]


def variants(world: World, of: Quantity) -> list[Variant]:
    """Each known mistake at `of`, with the number that it gives; those without one left out."""
    found: list[Variant] = []
    try:
        for kind, value in _all(world, of):
            if math.isfinite(value):
                found.append((kind, value))
    except (OverflowError, ZeroDivisionError, ValueError, IndexError, KeyError):
        pass
    return found


def _all(w: World, of: Quantity) -> Iterator[Variant]:
    maker = MAKERS.get(of.head)
    if maker is not None:
        yield from maker(w, of)
    yield from _any(w, of)


def _any(w: World, of: Quantity) -> Iterator[Variant]:
    value = w.fresh(of)
    yield "sign", -value
    yield "factor_2", 2 * value
    yield "factor_half", value / 2
    yield "decimal_point", 10 * value
    yield "decimal_point", value / 10


def _others(w: World, of: Quantity) -> Iterator[Variant]:
    """The same of another neuron."""
    k, n, i = w.place(of)
    for other in range(w.sizes[k]):
        if other != i:
            yield "wrong_index", w.at(of.head, k, n, other)


def _z(w: World, of: Quantity) -> Iterator[Variant]:
    k, n, i = w.place(of)
    value, bias = w.fresh(of), w.get(Quantity("b", k, (i,)))
    columns = range(w.sizes[k - 1])
    into = [w.before(k, n, j) for j in columns]
    yield "bias_left_out", value - bias
    yield "term_sign", value - 2 * bias
    for j in columns:
        term = w.w(k, i, j) * into[j]
        yield "term_left_out", value - term
        yield "term_sign", value - 2 * term
    if w.sizes[k] == w.sizes[k - 1]:
        yield "transposed", sum(w.w(k, j, i) * into[j] for j in columns) + bias
    if k > 1:
        pre = [w.at("z", k - 1, n, j) for j in columns]
        yield "activation_left_out", sum(w.w(k, i, j) * pre[j] for j in columns) + bias
    yield from _with_old(w, k, i, into, value)
    for other in range(w.sizes[k]):
        if other != i:
            yield "wrong_index", w.at("z", k, n, other)
            shifted = value - bias + w.get(Quantity("b", k, (other,)))
            yield "wrong_index", shifted
    yield from _swapped_inputs(w, k, i, into, bias)


def _start(w: World, letter: str, of: Quantity) -> float:
    """A parameter before the step before this one."""
    assert w.previous is not None
    return w.previous.get(Quantity(letter, of.layer, of.index))


def _with_old(w: World, k: int, i: int, into: list[float], value: float) -> Iterator[Variant]:
    """z with what the step before began with, not with what it left."""
    if w.previous is None:
        return
    weights = [_start(w, "W", Quantity("W", k, (i, j))) for j in range(len(into))]
    bias = _start(w, "b", Quantity("b", k, (i,)))
    total = sum(a * b for a, b in zip(weights, into, strict=True))
    yield "old_weights", total + bias
    yield "old_weights", total + w.get(Quantity("b", k, (i,)))
    yield "bias_not_updated", value - w.get(Quantity("b", k, (i,))) + bias


def _swapped_inputs(w: World, k: int, i: int, into: list[float], bias: float) -> Iterator[Variant]:
    if 2 <= len(into) <= 6:
        for j in range(len(into)):
            for other in range(j + 1, len(into)):
                mixed = list(into)
                mixed[j], mixed[other] = mixed[other], mixed[j]
                yield "wrong_index", sum(w.w(k, i, c) * v for c, v in enumerate(mixed)) + bias


def _a(w: World, of: Quantity) -> Iterator[Variant]:
    k, _, _ = w.place(of)
    z = w.get(Quantity("z", k, of.index))
    yield "activation_left_out", z
    if not is_softmax(w, k):
        own = w.network.layers[k - 1].activation.name
        for name, of_z in SIMPLE.items():
            if name not in (own, "identity"):
                yield "other_activation", of_z(z)
        yield "argument_sign", activate(w, k, -z)
    yield from _others(w, of)


def _slope(w: World, of: Quantity) -> Iterator[Variant]:
    k, _, _ = w.place(of)
    name = w.network.layers[k - 1].activation.name
    z, a = w.get(Quantity("z", k, of.index)), w.get(Quantity("a", k, of.index))
    yield "slope_of_a", slope(w, k, a)
    if name in FROM_A:
        yield "slope_of_z", FROM_A[name](z)
    yield "slope_left_out", 1.0
    yield "slope_part", 1 - a
    yield "slope_part", a
    yield "slope_part", a * a
    if name == "sigmoid":
        yield "other_slope", 1 - a * a
    if name == "tanh":
        yield "other_slope", a * (1 - a)
    yield from _others(w, of)


def _loss(w: World, of: Quantity) -> Iterator[Variant]:
    value = w.fresh(of)
    yield from _averages(w, value)
    errors = [
        w.at("a", w.last, n, i) - w.at("y", None, n, i)
        for n in range(w.examples)
        for i in range(w.sizes[-1])
    ]
    half = 0.5 if w.network.loss.name == "half_squared_error" else 1.0
    for size in (abs(sum(errors)), sum(abs(e) for e in errors), sum(errors), -sum(errors)):
        yield "square_left_out", size / w.divisor
        yield "square_left_out", half * size / w.divisor
    for e in errors:
        yield "term_left_out", value - e * e / w.divisor
        yield "term_left_out", value - e * e / 2 / w.divisor


def _averages(w: World, value: float) -> Iterator[Variant]:
    for count in {w.sizes[-1], w.examples, w.sizes[-1] * w.examples} - {1}:
        yield "sum_for_mean", value * count
        yield "mean_for_sum", value / count


def _grad_a(w: World, of: Quantity) -> Iterator[Variant]:
    k, n, i = w.place(of)
    if k == w.last:
        yield "target_output_swapped", -w.fresh(of)
        yield from _averages(w, w.fresh(of))
        a, y = w.at("a", k, n, i), w.at("y", None, n, i)
        yield "square_kept", (a - y) ** 2
        yield "term_sign", a + y
        yield "target_output_swapped", y - a
        yield from _others(w, of)
        return
    rows = range(w.sizes[k + 1])
    deltas = [w.at("δ", k + 1, n, r) for r in rows]
    yield from _ways_back(w, k, n, i, deltas)
    yield from _others(w, of)


def _ways_back(w: World, k: int, n: int, i: int, deltas: list[float]) -> Iterator[Variant]:
    """Mistakes of Σ W δ."""
    rows = range(w.sizes[k + 1])
    value = sum(w.w(k + 1, r, i) * deltas[r] for r in rows)
    yield "updated_weights", sum(w.w(k + 1, r, i, "W_new") * deltas[r] for r in rows)
    if w.sizes[k] == w.sizes[k + 1]:
        yield "transposed", sum(w.w(k + 1, i, r) * deltas[r] for r in rows)
    for r in rows:
        if len(rows) > 1:
            yield "term_left_out", value - w.w(k + 1, r, i) * deltas[r]
            yield "term_sign", value - 2 * w.w(k + 1, r, i) * deltas[r]
    for other in range(w.sizes[k]):
        if other != i:
            yield "wrong_index", sum(w.w(k + 1, r, other) * deltas[r] for r in rows)
    yield "weight_left_out", sum(deltas)
    if not is_softmax(w, k + 1):
        slopes = [w.at("∂C/∂a", k + 1, n, r) for r in rows]
        yield "slope_left_out", sum(w.w(k + 1, r, i) * slopes[r] for r in rows)


def _delta(w: World, of: Quantity) -> Iterator[Variant]:
    k, n, i = w.place(of)
    value = w.fresh(of)
    if k == w.last:
        yield "target_output_swapped", -value
        yield from _averages(w, value)
    yield from _others(w, of)
    if is_softmax(w, k):
        a = w.at("a", k, n, i)
        yield "slope_again", value * a * (1 - a)
        yield "target_left_out", a / w.divisor
        return
    grad, by = w.get(Quantity("∂C/∂a", k, of.index)), w.get(Quantity("σ'", k, of.index))
    name = w.network.layers[k - 1].activation.name
    z, a = w.get(Quantity("z", k, of.index)), w.get(Quantity("a", k, of.index))
    yield "slope_left_out", grad
    yield "slope_of_a", grad * slope(w, k, a)
    if name in FROM_A:
        yield "slope_of_z", grad * FROM_A[name](z)
    yield "slope_part", grad * a
    yield "slope_part", grad * (1 - a)
    yield "slope_again", grad * by * by
    yield "gradient_left_out", by
    for other in range(w.sizes[k]):
        if other != i:
            yield "wrong_index", grad * w.at("σ'", k, n, other)
            yield "wrong_index", w.at("∂C/∂a", k, n, other) * by
    if k < w.last:
        deltas = [w.at("δ", k + 1, n, r) for r in range(w.sizes[k + 1])]
        for kind, back in _ways_back(w, k, n, i, deltas):
            yield kind, back * by


def _grad_w(w: World, of: Quantity) -> Iterator[Variant]:
    k, (i, j) = of.layer or 1, of.index
    every = range(w.examples)

    def total(left: Callable[[int], float], right: Callable[[int], float]) -> float:
        return sum(left(n) * right(n) for n in every)

    def delta(n: int) -> float:
        return w.at("δ", k, n, i)

    def into(n: int) -> float:
        return w.before(k, n, j)

    value = total(delta, into)
    yield "target_output_swapped", -value
    yield from _averages(w, value)
    for other in range(w.sizes[k - 1]):
        if other != j:
            yield "wrong_index", total(delta, lambda n, o=other: w.before(k, n, o))  # type: ignore[misc]
    for other in range(w.sizes[k]):
        if other != i:
            yield "wrong_index", total(lambda n, o=other: w.at("δ", k, n, o), into)  # type: ignore[misc]
    if i < w.sizes[k - 1] and j < w.sizes[k] and i != j:
        yield "transposed", total(lambda n: w.at("δ", k, n, j), lambda n: w.before(k, n, i))
    if k > 1:
        yield "activation_left_out", total(delta, lambda n: w.at("z", k - 1, n, j))
    yield "input_left_out", sum(delta(n) for n in every)
    yield "own_activation", total(delta, lambda n: w.at("a", k, n, i))
    yield "slope_left_out", total(lambda n: w.at("∂C/∂a", k, n, i), into)
    yield "weight_for_input", total(delta, lambda n: w.w(k, i, j))
    if w.examples > 1:
        for left in every:
            yield "term_left_out", value - delta(left) * into(left)


def _grad_b(w: World, of: Quantity) -> Iterator[Variant]:
    k = of.layer or 1
    value = w.fresh(of)
    yield "target_output_swapped", -value
    yield from _averages(w, value)
    yield "bias_left_out", 0.0
    if not of.index:
        return
    (i,) = of.index
    every = range(w.examples)
    yield "slope_left_out", sum(w.at("∂C/∂a", k, n, i) for n in every)
    yield "bias_factor", value * w.get(Quantity("b", k, of.index))
    for j in range(w.sizes[k - 1]):
        yield "input_for_1", sum(w.at("δ", k, n, i) * w.before(k, n, j) for n in every)
    for other in range(w.sizes[k]):
        if other != i:
            yield "wrong_index", sum(w.at("δ", k, n, other) for n in every)


def _new(w: World, of: Quantity) -> Iterator[Variant]:
    letter = of.head[0]
    old = w.get(Quantity(letter, of.layer, of.index))
    gradient = w.get(Quantity(f"∂C/∂{letter}", of.layer, of.index))
    rate, change = w.get(Quantity("η")), w.get(Quantity(f"Δ{letter}", of.layer, of.index))
    yield "rate_left_out", old - gradient
    yield "update_sign", old - change
    yield ("bias_not_updated" if letter == "b" else "not_updated"), old
    yield "old_left_out", change
    for kind, moved in optimizer_step(w, of):
        yield kind, old + moved
    if w.previous is not None:
        yield "old_weights", _start(w, letter, of) + change
    yield "update_sign", old + rate * gradient
    yield "other_optimizer", old - rate * gradient
    yield "factor_2", old + 2 * change
    yield "factor_half", old + change / 2
    yield "decimal_point", old + 10 * change
    yield "decimal_point", old + change / 10
    for other in _neighbours(w, of):
        at = w.get(Quantity(f"Δ{letter}", of.layer, other))
        kind = "transposed" if other == of.index[::-1] and len(other) == 2 else "wrong_index"
        yield kind, old + at
        yield "wrong_index", w.get(Quantity(letter, of.layer, other)) + change


def _change(w: World, of: Quantity) -> Iterator[Variant]:
    letter = of.head[1]
    gradient = w.get(Quantity(f"∂C/∂{letter}", of.layer, of.index))
    yield "rate_left_out", -gradient
    yield "rate_left_out", gradient
    yield "update_sign", -w.fresh(of)
    yield from optimizer_step(w, of)
    for other in _neighbours(w, of):
        yield "wrong_index", w.get(Quantity(of.head, of.layer, other))


def _neighbours(w: World, of: Quantity) -> Iterator[tuple[int, ...]]:
    k = of.layer or 1
    if len(of.index) == 1:
        yield from ((i,) for i in range(w.sizes[k]) if (i,) != of.index)
    elif len(of.index) == 2:
        i, j = of.index
        yield from ((r, j) for r in range(w.sizes[k]) if r != i)
        yield from ((i, c) for c in range(w.sizes[k - 1]) if c != j)
        if i != j and j < w.sizes[k] and i < w.sizes[k - 1]:
            yield j, i


MAKERS: dict[str, Maker] = {
    "z": _z,
    "a": _a,
    "σ'": _slope,
    "C": _loss,
    "∂C/∂a": _grad_a,
    "δ": _delta,
    "∂C/∂W": _grad_w,
    "∂C/∂b": _grad_b,
    "W_new": _new,
    "b_new": _new,
    "ΔW": _change,
    "Δb": _change,
    **OPTIMIZER,
}
