"""The operations of dense networks as records of the graph."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .activations import Activation
from .graph import Index, Node, Operation, Term
from .losses import KINDS as LOSSES
from .losses import Loss, Reduction
from .rounding import Array, Carry, exact


def _affine(q: Carry, weight: Array, a: Array, bias: Array) -> tuple[Array, dict[str, Array]]:
    z = a @ weight.T
    z += bias
    if q is exact:
        return z, {}
    return q(z, np.abs(a) @ np.abs(weight).T + np.abs(bias)), {}


def _affine_backward(q: Carry, node: Node) -> tuple[Array | None, ...]:
    (weight, a, bias), delta = (o.value for o in node.operands), node.gradient
    weight_room, _, bias_room = (o.room for o in node.operands)
    assert delta is not None
    is_input = node.operands[1].operation is None
    grad_weight = np.matmul(delta.T, a, out=weight_room)
    grad_a = None if is_input else delta @ weight
    if bias.shape[0] == delta.shape[1]:
        grad_bias = np.add.reduce(delta, axis=0, out=bias_room)
    else:  # the layer's neurons share one
        grad_bias = delta.sum(axis=0).sum(keepdims=True, out=bias_room)
    if q is exact:
        return grad_weight, grad_a, grad_bias
    size = np.abs(delta)
    return (
        q(grad_weight, size.T @ np.abs(a)),
        None if grad_a is None else q(grad_a, size @ np.abs(weight)),
        q(grad_bias, size.sum(axis=0) if bias.shape == size.shape[1:] else size.sum()),
    )


def _affine_terms(node: Node, index: Index) -> list[Term]:
    weight, a, bias = (o.value for o in node.operands)
    n, i = index
    k = 0 if bias.shape[0] == 1 else i
    products = [
        Term((("W", (i, j), float(weight[i, j])), ("a", (n, j), float(a[n, j]))))
        for j in range(weight.shape[1])
    ]
    return [*products, Term((("b", (k,), float(bias[k])),))]


def _affine_backward_terms(node: Node, operand: int, index: Index) -> list[Term]:
    weight, a, bias = (o.value for o in node.operands)
    delta = node.gradient
    assert delta is not None
    examples, outputs = delta.shape
    if operand == 0:
        i, j = index
        return [
            Term((("δ", (n, i), float(delta[n, i])), ("a", (n, j), float(a[n, j]))))
            for n in range(examples)
        ]
    if operand == 1:
        n, j = index
        return [
            Term((("W", (i, j), float(weight[i, j])), ("δ", (n, i), float(delta[n, i]))))
            for i in range(outputs)
        ]
    neurons = range(outputs) if bias.shape[0] != outputs else (index[0],)
    one = ("1", (), 1.0)  # a bias is the weight of a constant input 1
    return [
        Term((("δ", (n, i), float(delta[n, i])), one)) for n in range(examples) for i in neurons
    ]


AFFINE = Operation(
    "affine",
    _affine,
    _affine_backward,
    "z = W a + b",
    "torch.nn.Linear",
    _affine_terms,
    _affine_backward_terms,
)


def _along(
    q: Carry, a: Array, weight: Array, change: Array, bias: Array, bias_change: Array, u: Array
) -> tuple[Array, dict[str, Array]]:
    moved = a @ change.T + bias_change
    return a @ weight.T + bias + u * moved, {"moved": moved}


def _along_backward(q: Carry, node: Node) -> tuple[Array | None, ...]:
    _, weight, change, _, _, u = (o.value for o in node.operands)
    delta = node.gradient
    assert delta is not None
    return (delta @ weight + u * (delta @ change), *[None] * 5)


AFFINE_ALONG = Operation(
    "affine along a step",
    _along,
    _along_backward,
    "z = (W + u ΔW) a + b + u Δb",
    "AFFINE at the place u, a row each, of the straight way from before to after",
)


@lru_cache(maxsize=256)
def _activation(kind_name: str, items: tuple[tuple[str, float], ...]) -> Operation:
    from .activations import KINDS

    kind, p = KINDS[kind_name], dict(items)

    def forward(q: Carry, z: Array) -> tuple[Array, dict[str, Array]]:
        return kind.value(z, q, p)

    def backward(q: Carry, node: Node) -> tuple[Array | None, ...]:
        assert kind.slope is not None and node.gradient is not None
        slope = kind.slope(node.operands[0].value, node.value, node.saved, q, p)
        node.saved["slope"] = slope
        return (q(node.gradient * slope),)

    def backward_softmax(q: Carry, node: Node) -> tuple[Array | None, ...]:
        a, g = node.value, node.gradient
        assert g is not None
        mean = q((g * a).sum(axis=1, keepdims=True), (np.abs(g) * a).sum(axis=1, keepdims=True))
        node.saved["mean"] = mean
        return (q(a * (g - mean), a * np.maximum(np.abs(g), np.abs(mean))),)

    rule = backward if kind.slope is not None else backward_softmax
    return Operation(kind.name, forward, rule, kind.formula, kind.source)


def activation(use: Activation) -> Operation:
    return _activation(use.name, tuple(sorted(use.parameters.items())))


def loss(use: Loss) -> Operation:
    """C of (output, target): saved "elements" (n, out), "each" (n,) and the divisor."""
    return _loss(use.name, use.outputs, use.examples, tuple(sorted(use.parameters.items())))


@lru_cache(maxsize=256)
def _loss(
    kind_name: str,
    outputs: Reduction,
    examples: Reduction,
    items: tuple[tuple[str, float], ...],
) -> Operation:
    kind, p = LOSSES[kind_name], dict(items)
    use = Loss(kind, outputs, examples, p)

    def forward(q: Carry, a: Array, y: Array) -> tuple[Array, dict[str, Any]]:
        elements, saved = kind.element(a, y, q, p)
        each = q(elements.sum(axis=1))
        divisor = use.divisor(*a.shape)
        total = q(np.asarray(each.sum() / divisor, dtype=a.dtype))
        return total, {"elements": elements, "each": each, **saved}

    def backward(q: Carry, node: Node) -> tuple[Array | None, ...]:
        a, y = (o.value for o in node.operands)
        gradient = kind.gradient(a, y, node.saved, p)
        divisor = use.divisor(*a.shape)
        if divisor != 1:
            gradient = gradient / divisor
        return q(gradient), None

    return Operation(kind.name, forward, backward, kind.formula, kind.source)


def loss_by_example(use: Loss, examples: int) -> Operation:
    """Each row's part of C, where C is over `examples` rows: (output, target) to (rows,)."""
    kind, p = use.kind, use.parameters

    def forward(q: Carry, a: Array, y: Array) -> tuple[Array, dict[str, Any]]:
        elements, saved = kind.element(a, y, q, p)
        return elements.sum(axis=1) / use.divisor(examples, a.shape[1]), saved

    def backward(q: Carry, node: Node) -> tuple[Array | None, ...]:
        a, y = (o.value for o in node.operands)
        return kind.gradient(a, y, node.saved, p) / use.divisor(examples, a.shape[1]), None

    return Operation(kind.name, forward, backward, kind.formula, kind.source)
