"""Following autograd's own graph, where a computation went past the recorder's eyes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import torch

from .values import TensorCall, TensorValue

Node = Any  # torch.autograd.graph.Node
Edge = tuple[Node, int, str]  # a node, which of its inputs, and the role that lies there


def node_of(tensor: torch.Tensor) -> Node | None:
    """What autograd made it by; None also of a view that an autograd.Function made inside, of what
    it gave."""
    try:
        return tensor.grad_fn
    except RuntimeError:  # torch refuses: its base has a node since
        return None


class Linked:
    """Finds known values behind a tensor. `older` are nodes of tensors since changed in place."""

    def __init__(self) -> None:
        self.older: list[tuple[Node, int, TensorValue]] = []

    def name(self, tensor: torch.Tensor) -> str:
        """Of the operation that made it, as autograd calls it: "MyFunction"."""
        found = "" if tensor.grad_fn is None else tensor.grad_fn.name()
        return re.sub(r"Backward\d*$", "", found.rpartition("::")[2]) or "unrecorded"

    def behind(
        self, tensor: torch.Tensor, known: Iterable[tuple[torch.Tensor, TensorValue]]
    ) -> tuple[list[TensorValue], list[Edge]]:
        """The known values that a tensor was made of, and the edges that lead to them."""
        values = self._nodes(known)
        operands: list[TensorValue] = []
        edges: list[Edge] = []
        waiting, seen = [tensor.grad_fn], {tensor.grad_fn}
        while waiting:
            node = waiting.pop(0)
            for k, (behind, slot) in enumerate(getattr(node, "next_functions", ())):
                value = values.get((behind, slot))
                if value is not None:
                    if value not in operands:
                        operands.append(value)
                    edges.append((node, k, f"input{operands.index(value) or ''}"))
                elif behind is not None and behind not in seen:
                    seen.add(behind)
                    waiting.append(behind)
        return operands, edges

    def _nodes(
        self, known: Iterable[tuple[torch.Tensor, TensorValue]]
    ) -> dict[tuple[Node, int], TensorValue]:
        found: dict[tuple[Node, int], TensorValue] = {(n, k): v for n, k, v in self.older}
        for held, value in known:
            if not held.requires_grad:
                continue
            try:
                edge = torch.autograd.graph.get_gradient_edge(held)
            except RuntimeError:  # as in `node_of`
                continue
            found[edge.node, edge.output_nr] = value
        return found

    def watch(self, call: TensorCall, edges: list[Edge]) -> None:
        """Keep what autograd passes back along each edge."""
        by_node: dict[Node, list[tuple[int, str]]] = {}
        for node, k, role in edges:
            by_node.setdefault(node, []).append((k, role))
        for node, pairs in by_node.items():
            node.register_hook(_keep(call, pairs))


def _keep(call: TensorCall, pairs: list[tuple[int, str]]) -> Any:
    def keep(passed: tuple[torch.Tensor | None, ...], _: Any) -> None:
        for k, role in pairs:
            found = passed[k]
            if found is not None:
                call.edges[role] = call.edges[role] + found if role in call.edges else found

    return keep
