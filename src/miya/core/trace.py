"""The Trace of one step: every number, computed once and kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .flat import Place
from .graph import Graph, Index, Node, Term
from .later import later
from .network import Layer, Network
from .rounding import Array, Carry


@dataclass(frozen=True, eq=False)
class Update:
    """What the optimizer did, in vectors of all parameters side by side.

    `lines` are the optimizer's formulas with, in `results`, the vector each gave, "change" last;
    `names` are the scalars and vectors that the lines read; `state` names the results that the
    next step starts from.
    """

    lines: tuple[tuple[str, str], ...]
    names: dict[str, Any]
    results: dict[str, Array]
    state: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ParameterUpdate:
    """What the optimizer did to one parameter array: its part of the step's `Update`."""

    place: Place
    before: Array
    gradient: Array
    after: Array
    mask: Array
    update: Update

    @property
    def name(self) -> str:
        return self.place.name

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """The optimizer's formulas, each the name of its result and its text."""
        return self.update.lines

    @property
    def change(self) -> Array:
        """Δθ, of the parameter's shape; 0 where it is frozen."""
        return self.place.view(self.update.results["change"])

    @cached_property
    def results(self) -> dict[str, Array]:
        """What each line gave, of the parameter's shape; "change" last."""
        return {name: self.place.view(vector) for name, vector in self.update.results.items()}

    @cached_property
    def names(self) -> dict[str, Any]:
        """The scalars that the lines read, and the arrays, of the parameter's shape."""
        found = {
            name: self.place.view(value) if isinstance(value, np.ndarray) else value
            for name, value in self.update.names.items()
        }
        return found | {"theta": self.before}

    @property
    def state(self) -> dict[str, Array]:
        """The results that the next step starts from."""
        return {name: self.results[name] for name in self.update.state}


@dataclass(frozen=True)
class LayerTrace:
    """A layer's view of the graph. input (n, in); z, a, slope, grad_a, delta (n, out)."""

    number: int
    layer: Layer
    affine: Node
    activation: Node
    weight: ParameterUpdate
    bias: ParameterUpdate

    @property
    def name(self) -> str:
        return self.layer.name

    @property
    def input(self) -> Array:
        return self.affine.operands[1].value

    @property
    def z(self) -> Array:
        return self.affine.value

    @property
    def a(self) -> Array:
        return self.activation.value

    @property
    def slope(self) -> Array | None:
        """σ'(z), or None for softmax, whose outputs depend on every z."""
        return self.activation.saved.get("slope")

    @property
    def grad_a(self) -> Array:
        assert self.activation.gradient is not None
        return self.activation.gradient

    @property
    def delta(self) -> Array:
        assert self.affine.gradient is not None
        return self.affine.gradient

    def z_terms(self, index: Index) -> list[Term]:
        """The terms of z[n, i]: each W[i, j] a[n, j], and b[i] last."""
        return _forward_terms(self.affine, index)

    def weight_terms(self, index: Index) -> list[Term]:
        """The terms of ∂C/∂W[i, j]: δ[n, i] a[n, j] for each example n."""
        return _backward_terms(self.affine, 0, index)

    def path_terms(self, index: Index) -> list[Term]:
        """The terms of ∂C/∂(input)[n, j]: each path's W[i, j] δ[n, i]."""
        return _backward_terms(self.affine, 1, index)

    def bias_terms(self, index: Index) -> list[Term]:
        """The terms of ∂C/∂b[i]: δ[n, i] for each example, over all neurons where shared."""
        return _backward_terms(self.affine, 2, index)


def _forward_terms(node: Node, index: Index) -> list[Term]:
    assert node.operation is not None and node.operation.forward_terms is not None
    return node.operation.forward_terms(node, index)


def _backward_terms(node: Node, operand: int, index: Index) -> list[Term]:
    assert node.operation is not None and node.operation.backward_terms is not None
    return node.operation.backward_terms(node, operand, index)


@dataclass(frozen=True, eq=False)
class Trace:
    """One training step of a network, every number kept. Made by `step.take_step`."""

    network: Network
    carry: Carry
    digits: int | None  # significant digits where the carry is rounded, None where exact
    number: int  # the step, from 1
    graph: Graph
    root: Node
    layers: tuple[LayerTrace, ...]

    @property
    def loss(self) -> float:
        """C before the step."""
        return float(self.root.value)

    @property
    def updates(self) -> dict[str, ParameterUpdate]:
        return {u.name: u for layer in self.layers for u in (layer.weight, layer.bias)}

    @property
    def gradients(self) -> dict[str, Array]:
        return {name: update.gradient for name, update in self.updates.items()}

    @cached_property
    def after(self) -> Network:
        """The network with the parameters after the step."""
        return self.network.with_parameters({n: u.after for n, u in self.updates.items()})

    @cached_property
    def loss_after(self) -> float:
        """C with the parameters after the step, on the same examples."""
        from .step import loss_of

        return loss_of(self.after, self.carry)

    @cached_property
    def predicted_change(self) -> float:
        """ΔC to first order: Σ ∂C/∂θ · Δθ over every parameter."""
        parts = [np.vdot(u.gradient, u.change) for u in self.updates.values()]
        return float(self.carry(np.asarray(sum(parts))))

    def why(self, element: str, **options: Any) -> Any:
        """Why one number is what it is, and why it has its gradient: `why("weight2[0,1]")`.

        element: "weight2[0,1]", "bias1[0]", "z1[0,2]", "a1[0,2]", "x[0,1]" or a layer's name.
        options: those of `miya.why` (docs/why.md). Raises MiyaInputError E620 to E622.
        """
        return later("why")(self, element, **options)
