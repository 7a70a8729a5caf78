"""A network file's step as recorded calls, so that whatever reads a recorded model reads it too.

The values are the trace's own arrays, by the names "weight1", "bias1", "z1", "a1", "x", "y" and
"C"; the calls are the records of `records/network.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .calls import Call, Kind, Value
from .graph import Node
from .rounding import Array
from .trace import Trace


class NodeValue(Value):
    """The value of one node. symbol: what a story calls it, a letter and a 1-based layer."""

    def __init__(self, name: str, kind: Kind, node: Node, symbol: tuple[str, int | None]) -> None:
        array = np.asarray(node.value)
        super().__init__(name, kind, array.shape, str(array.dtype))
        self.node, self.symbol = node, symbol

    def read_value(self) -> Array:
        return np.asarray(self.node.value)

    def read_gradient(self) -> Array | None:
        found = self.node.gradient
        return None if found is None else np.asarray(found)

    @property
    def has_gradient(self) -> bool:
        return self.node.gradient is not None


class NodeCall(Call):
    """The operation that made one node."""

    def __init__(self, name: str, arguments: Mapping[str, Value], result: NodeValue) -> None:
        super().__init__(name, arguments, (result,), "")
        self.node = result.node

    def passed(self, role: str) -> Array | None:
        position = list(self.operands).index(role)
        return self.node.passed[position] if self.node.passed else None


@dataclass(frozen=True)
class NetworkCalls:
    """calls: in the order of computation. values: all, by name. root: the loss."""

    calls: tuple[NodeCall, ...]
    values: Mapping[str, NodeValue]
    root: NodeValue


def network_calls(trace: Trace) -> NetworkCalls:
    values: dict[str, NodeValue] = {}
    calls: list[NodeCall] = []

    def given(name: str, kind: Kind, node: Node, head: str, layer: int | None = None) -> NodeValue:
        values[name] = NodeValue(name, kind, node, (head, layer))
        return values[name]

    def called(name: str, result: NodeValue, **operands: Value) -> NodeValue:
        call = NodeCall(name, operands, result)
        call.number, result.call = len(calls), call
        calls.append(call)
        for role, operand in operands.items():
            operand.uses.append((call, role))
        return result

    signal = given("x", "input", trace.layers[0].affine.operands[1], "x")
    for view in trace.layers:
        k = view.number
        weight = given(f"weight{k}", "parameter", view.affine.operands[0], "W", k)
        bias = given(f"bias{k}", "parameter", view.affine.operands[2], "b", k)
        z = given(f"z{k}", "result", view.affine, "z", k)
        called("network_affine", z, weight=weight, input=signal, bias=bias)
        signal = given(f"a{k}", "result", view.activation, "a", k)
        called("network_activation", signal, input=z)
        values.setdefault(view.name, signal)
    target = given("y", "target", trace.root.operands[1], "y")
    root = given("C", "result", trace.root, "C")
    called("network_loss", root, input=signal, target=target)
    calls[-1].arguments["loss"] = trace.network.loss
    for call, view in zip(calls[1::2], trace.layers, strict=False):
        call.arguments["activation"] = view.layer.activation
    return NetworkCalls(tuple(calls), values, root)
