"""A network as the description that it could be read from again (docs/network-file.md)."""

from __future__ import annotations

from typing import Any

from ..core.network import Layer, Network
from ..core.rounding import Array


def describe(network: Network) -> dict[str, Any]:
    """Plain lists and numbers; labels are kept, class targets are told as probabilities."""
    found: dict[str, Any] = {"title": network.title} if network.title else {}
    return found | {
        "learning_rate": network.learning_rate,
        "loss": _loss(network),
        "optimizer": {"name": network.optimizer.name, **_changed(network)},
        "inputs": list(network.input_names),
        "layers": [_layer(layer) for layer in network.layers],
        "examples": [
            {"input": _numbers(x), "target": _numbers(y)}
            for x, y in zip(network.inputs, network.targets, strict=True)
        ],
    }


def _loss(network: Network) -> dict[str, Any]:
    use = network.loss
    outputs = {} if use.kind.target == "classes" else {"outputs": use.outputs}
    return {"name": use.name, **outputs, "examples": use.examples, **use.parameters}


def _changed(network: Network) -> dict[str, Any]:
    """The optimizer's options that are not its defaults."""
    use = network.optimizer
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in use.options.items()
        if value != use.kind.defaults[key]
    }


def _layer(layer: Layer) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": layer.name,
        "weight": [_numbers(row) for row in layer.weight],
        "bias": float(layer.bias[0]) if layer.shared_bias else _numbers(layer.bias),
        "activation": {"name": layer.activation.name, **layer.activation.parameters},
        "neurons": list(layer.neurons),
    }
    if not (layer.weight_mask.all() and layer.bias_mask.all()):
        made["trainable"] = {
            "weight": layer.weight_mask.tolist(),
            "bias": bool(layer.bias_mask[0]) if layer.shared_bias else layer.bias_mask.tolist(),
        }
    return made


def _numbers(values: Array) -> list[float]:
    """Whole numbers without a point, as a person writes them."""
    return [int(v) if v == int(v) and abs(v) < 1e15 else float(v) for v in values.tolist()]
