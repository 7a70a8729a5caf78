"""Reverse mode on a small graph that keeps what every contribution is read from.

A node keeps its operands and result; after `backward` it also keeps ∂C/∂value and, for each
operand, what its edge passed back. No sum overwrites the contributions it is made of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .rounding import Array, Carry

Index = tuple[int, ...]


@dataclass(frozen=True)
class Term:
    """One contribution: the product of its factors, each a symbol, an index and a value."""

    factors: tuple[tuple[str, Index, float], ...]

    @property
    def value(self) -> float:
        return float(np.prod([f[2] for f in self.factors]))


@dataclass(frozen=True)
class Operation:
    """One record: forward, derivative rule, formula, how an element expands into terms, source.

    `forward(q, *values)` gives (value, saved); `backward(q, node)` gives what each operand is
    passed, None for a constant. `forward_terms(node, index)` and
    `backward_terms(node, operand, index)` expand one element of the result, or of what the
    operand was passed, into its terms; None where the rule is no plain sum.
    """

    name: str
    forward: Callable[..., tuple[Array, dict[str, Array]]]
    backward: Callable[[Carry, Node], tuple[Array | None, ...]]
    formula: str
    source: str
    forward_terms: Callable[[Node, Index], list[Term]] | None = None
    backward_terms: Callable[[Node, int, Index], list[Term]] | None = None


class Node:
    """A value in the graph. `gradient` is ∂C/∂value; `passed[k]` went back to `operands[k]`.

    `room`, where there is one, is memory of value's shape that a rule may write the gradient to.
    """

    __slots__ = ("gradient", "operands", "operation", "passed", "room", "saved", "value")

    def __init__(
        self,
        value: Array,
        operation: Operation | None = None,
        operands: tuple[Node, ...] = (),
        saved: dict[str, Array] | None = None,
        room: Array | None = None,
    ) -> None:
        self.value, self.operation, self.operands, self.room = value, operation, operands, room
        self.saved: dict[str, Any] = {} if saved is None else saved
        self.gradient: Array | None = None
        self.passed: tuple[Array | None, ...] = ()


class Graph:
    """Nodes in the order they were made, which is an order of computation."""

    def __init__(self, carry: Carry) -> None:
        self.carry = carry
        self.nodes: list[Node] = []

    def leaf(self, value: Array, room: Array | None = None) -> Node:
        return Node(value, room=room)

    def apply(self, operation: Operation, *operands: Node) -> Node:
        value, saved = operation.forward(self.carry, *[o.value for o in operands])
        node = Node(value, operation, operands, saved)
        self.nodes.append(node)
        return node

    def backward(self, root: Node) -> None:
        """Fill `gradient` and `passed` of everything that `root`, a scalar, depends on."""
        root.gradient = np.ones_like(root.value)
        for node in reversed(self.nodes):
            if node.gradient is None or node.operation is None:
                continue
            node.passed = node.operation.backward(self.carry, node)
            for operand, passed in zip(node.operands, node.passed, strict=True):
                if passed is not None:
                    operand.gradient = (
                        passed if operand.gradient is None else operand.gradient + passed
                    )
