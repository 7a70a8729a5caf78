"""The operations of network files: z = W a + b, activations, and the loss over all outputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..calls import Call, Terms, Value, Worked, element, local
from ..graph import Index
from . import linear
from .record import Record, back, record, rows


def _node(call: Call) -> Any:
    return call.node  # type: ignore[attr-defined]


def _affine_back(call: Call, role: str, index: Index) -> list[Terms] | None:
    bias, z = call.operands["bias"], call.results[0]
    if role == "bias" and bias.shape[0] != z.shape[1]:  # the layer's neurons share one
        every = rows(*(axis.ravel() for axis in np.indices(z.shape)))
        return [back(call, every, local(np.ones(len(every)), "1"))]
    return linear.LINEAR.backward(call, role, index)


def _affine(call: Call, slot: int, index: Index) -> list[Terms]:
    n, i = index
    x, weight, bias = (call.operands[role] for role in ("input", "weight", "bias"))
    into = np.arange(weight.shape[1])
    own = i if bias.shape[0] == call.results[0].shape[1] else 0
    return [
        Terms((element(weight, rows(i, into)), element(x, rows(n, into)))),
        Terms((element(bias, rows(own)),)),
    ]


record(
    Record(
        "network_affine",
        "z[n, i] = Σ_j W[i, j] a[n, j] + b[i]",
        {
            "weight": "∂C/∂W[i, j] = Σ_n δ[n, i] a[n, j]",
            "bias": "∂C/∂b[i] = Σ_n δ[n, i]",
            "input": "∂C/∂a[n, j] = Σ_i W[i, j] δ[n, i]",
        },
        "torch.nn.Linear",
        _affine_back,
        _affine,
    )
)


def _activation_back(call: Call, role: str, index: Index) -> list[Terms]:
    use, node = call.arguments["activation"], _node(call)
    if use.kind.slope is not None:
        slope = np.array([node.saved["slope"][index]])
        at = rows(*index)
        return [back(call, at, local(slope, "σ'(z)", use.kind.slope_formula))]
    n, i = index
    a = np.asarray(node.value[n], np.float64)
    others = np.arange(len(a))
    factor = local(a * ((others == i) - a[i]), "∂a[j]/∂z[i]", "a[j] * ((1 if j = i else 0) - a[i])")
    return [back(call, rows(n, others), factor)]


def _activation(call: Call, slot: int, index: Index) -> Worked | None:
    use, node = call.arguments["activation"], _node(call)
    z = call.operands["input"]
    number = float(z.array[index])
    if use.kind.slope is None:
        exps = np.exp(np.asarray(z.array[index[0]], np.float64) - float(z.array[index[0]].max()))
        return Worked(
            "share / total",
            {"share": (None, (), float(exps[index[1]])), "total": (None, (), float(exps.sum()))},
        )
    names: dict[str, tuple[Value | None, Index, float]] = {
        **{k: (None, (), float(v)) for k, v in {**use.kind.constants, **use.parameters}.items()},
        **{
            k: (None, (), float(v[index]))
            for k, v in node.saved.items()
            if np.shape(v) == z.shape and k != "slope"
        },
        "z": (z, index, number),
    }
    return Worked(use.case(number).value[-1][1], names)


record(
    Record(
        "network_activation",
        "a[n, i] = σ(z[n, i])",
        {"input": "∂C/∂z[n, i] = ∂C/∂a[n, i] σ'(z[n, i])"},
        "core/activations.py",
        _activation_back,
        _activation,
    )
)


def _loss_back(call: Call, role: str, index: Index) -> list[Terms] | None:
    if role != "input":
        return None
    use, node = call.arguments["loss"], _node(call)
    a, y = (o.value for o in node.operands)
    divisor = use.divisor(*a.shape)
    slope = use.kind.gradient(a, y, node.saved, use.parameters)[index] / divisor
    formula = use.kind.gradient_formula
    formula = formula if divisor == 1 else f"({formula}) / {divisor}"
    scalar = np.zeros((1, 0), dtype=np.int64)
    symbol = "∂ℓ/∂a" if divisor == 1 else "∂ℓ/∂a / N"
    return [back(call, scalar, local(np.array([slope]), symbol, formula))]


def _loss(call: Call, slot: int, index: Index) -> list[Terms]:
    use, elements = call.arguments["loss"], _node(call).saved["elements"]
    divisor = use.divisor(*elements.shape)
    each = local(elements.ravel(), "ℓ", use.kind.formula)
    if divisor == 1:
        return [Terms((each,))]
    return [Terms((each, local(np.full(elements.size, 1 / divisor), f"1/{divisor}")))]


record(
    Record(
        "network_loss",
        "C = Σ ℓ / N",
        {"input": "∂C/∂a[n, i] = ∂ℓ/∂a[n, i] / N"},
        "core/losses.py",
        _loss_back,
        _loss,
    )
)
