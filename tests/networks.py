"""Seeded random networks, as descriptions that any reader may build."""

from __future__ import annotations

import random
from typing import Any

from miya.core import activations, losses, optimizers
from miya.core.build import network
from miya.core.network import Network
from miya.core.step import take_step
from miya.core.trace import Trace
from miya.errors import MiyaInputError

HIDDEN = list(activations.KINDS)
LOSSES = list(losses.KINDS)
OPTIMIZERS = list(optimizers.KINDS)
OUTPUTS = {
    "binary_cross_entropy": ["sigmoid", "softmax"],
    "binary_cross_entropy_with_logits": ["identity", "tanh", "relu", "silu", "gelu"],
    "cross_entropy": ["identity", "tanh", "relu", "silu"],
}


def optimizer(r: random.Random, name: str | None = None) -> dict[str, Any]:
    name = name or r.choice(OPTIMIZERS)
    table: dict[str, Any] = {"name": name}
    if r.random() < 0.5:
        table["weight_decay"] = round(r.uniform(0.001, 0.1), 4)
    if r.random() < 0.2:
        table["maximize"] = True
    if name == "sgd" and r.random() < 0.7:
        table["momentum"] = round(r.uniform(0.1, 0.95), 3)
        if r.random() < 0.5:
            table["nesterov"] = True
        elif r.random() < 0.5:
            table["dampening"] = 0.3
    if name == "rmsprop":
        table |= {"alpha": 0.9, "centered": r.random() < 0.5, "momentum": r.choice([0.0, 0.8])}
    if name == "adagrad":
        table |= {
            "lr_decay": r.choice([0.0, 0.1]),
            "initial_accumulator_value": r.choice([0.0, 0.2]),
        }
    if name.startswith("adam"):
        table |= {"betas": [0.8, 0.95], "amsgrad": r.random() < 0.5}
    return table


def description(seed: int, **fixed: Any) -> dict[str, Any]:
    """A random description. fixed: sizes, activation, loss, optimizer, examples, digits, masks."""
    r = random.Random(seed)
    digits = fixed.get("digits", 17)
    sizes = fixed.get("sizes") or [r.randint(1, 5) for _ in range(r.randint(1, 5) + 2)]
    loss = fixed.get("loss") or r.choice(LOSSES)
    examples = fixed.get("examples") or r.choice([1, 1, 2, 4])

    def number(width: float = 1.0) -> float:
        return float(f"{r.uniform(-width, width):.{digits}g}")

    layers = []
    softmaxes = 0
    for k, (before, after) in enumerate(zip(sizes, sizes[1:])):
        last = k == len(sizes) - 2
        choices = OUTPUTS.get(loss, HIDDEN) if last else HIDDEN
        activation = r.choice(choices)
        if not last and fixed.get("activation"):
            activation = fixed["activation"]
        # several softmax layers in a row leave nothing but noise to compare
        if activation == "softmax" and (after == 1 or softmaxes):
            activation = "sigmoid"
        softmaxes += activation == "softmax"
        # where the δ of a layer sum to 0 in theory, a shared bias has only noise for a gradient,
        # which Adam would blow up to a whole step
        balanced = activation == "softmax" or (last and loss == "cross_entropy")
        shared = r.random() < 0.15 and not balanced
        bias: Any = number() if shared else [number() for _ in range(after)]
        layer = {
            "weight": [[number(1.2) for _ in range(before)] for _ in range(after)],
            "bias": bias,
            "activation": activation,
        }
        if fixed.get("masks", True) and r.random() < 0.2:
            layer["trainable"] = {
                "weight": [[r.random() < 0.7 for _ in range(before)] for _ in range(after)],
                "bias": r.random() < 0.5,
            }
        layers.append(layer)
    table: dict[str, Any] = {"name": loss}
    if r.random() < 0.3:
        table["reduction"] = r.choice(["sum", "mean"])
    if loss == "huber":
        table["delta"] = 0.5
    return {
        "learning_rate": fixed.get("learning_rate", float(f"{r.uniform(0.001, 0.5):.3g}")),
        "loss": table,
        "optimizer": fixed.get("optimizer") or optimizer(r),
        "layers": layers,
        "examples": [
            {"input": [number(2.0) for _ in range(sizes[0])], "target": _target(r, loss, sizes[-1])}
            for _ in range(examples)
        ],
    }


def _target(r: random.Random, loss: str, outputs: int) -> Any:
    if loss == "cross_entropy":
        return r.randrange(outputs)
    if loss.startswith("binary"):
        return [r.choice([0, 1, 0.25]) for _ in range(outputs)]
    return [round(r.uniform(-1, 1), 3) for _ in range(outputs)]


def random_network(seed: int, **fixed: Any) -> Network:
    """A network whose loss is finite; where a seed's is not, the next seed's."""
    for step in range(100):
        made = network(description(seed + step * 10**9, **fixed))
        if _finite(made):
            return made
    raise AssertionError(seed)


def tame(trace: Trace) -> bool:
    """No sigmoid or tanh so flat that PyTorch's own 1 − a has lost the digits to compare.

    Flat ones are held against mpmath instead.
    """
    for layer in trace.layers:
        name = layer.layer.activation.name
        if name in ("sigmoid", "tanh", "softplus") and float(layer.slope.min()) < 1e-3:
            return False
        if name.startswith("gelu") and float(layer.z.min()) < -3:
            return False
    return True


def _finite(made: Network) -> bool:
    try:
        take_step(made)
    except MiyaInputError:
        return False
    return True
