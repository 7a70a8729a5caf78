"""The same network on both sides: Miya's Network, and PyTorch's modules with its numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from miya.core.build import network
from miya.core.network import Network

MODULES = {"sigmoid": torch.nn.Sigmoid, "tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}
LOSSES = {
    "mean_squared_error": torch.nn.MSELoss,
    "cross_entropy": torch.nn.CrossEntropyLoss,
}
OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}


@dataclass(frozen=True)
class Case:
    """A dense network, its loss and optimizer, and how many examples one step takes."""

    sizes: tuple[int, ...]
    examples: int = 1
    hidden: str = "sigmoid"
    last: str = "sigmoid"
    loss: str = "mean_squared_error"
    optimizer: str = "sgd"
    dtype: str = "float64"

    @property
    def name(self) -> str:
        parts = ["-".join(map(str, self.sizes))]
        if self.examples > 1:
            parts.append(f"batch {self.examples}")
        return ", ".join([*parts, self.optimizer, self.dtype])


TINY = Case((3, 3, 1))
SMALL = Case((8, 16, 16, 4), hidden="tanh", last="identity")
LARGE = Case((784, 512, 256, 10), 128, "relu", "identity", "cross_entropy")
RATE = 0.01


def description(case: Case, seed: int = 0) -> dict[str, Any]:
    """Miya's description; weights and biases as torch.nn.Linear starts, ±1/√inputs."""
    random = np.random.default_rng(seed)
    layers = []
    for k, (inputs, outputs) in enumerate(zip(case.sizes, case.sizes[1:], strict=False)):
        edge = inputs**-0.5
        layers.append(
            {
                "weight": random.uniform(-edge, edge, (outputs, inputs)),
                "bias": random.uniform(-edge, edge, outputs),
                "activation": case.last if k == len(case.sizes) - 2 else case.hidden,
            }
        )
    examples = [
        {"input": random.normal(size=case.sizes[0]), "target": _target(case, random)}
        for _ in range(case.examples)
    ]
    return {
        "learning_rate": RATE,
        "loss": case.loss,
        "optimizer": case.optimizer,
        "layers": layers,
        "examples": examples,
    }


def _target(case: Case, random: np.random.Generator) -> Any:
    outputs = case.sizes[-1]
    if case.loss == "cross_entropy":
        return int(random.integers(outputs))
    return random.uniform(size=outputs)


def build(case: Case) -> Network:
    return network(description(case), dtype=case.dtype)


@dataclass(frozen=True)
class Peer:
    """PyTorch's eager training step on the numbers of `network`."""

    model: torch.nn.Sequential
    step: Callable[[], Any]


def peer(case: Case, network: Network) -> Peer:
    modules: list[torch.nn.Module] = []
    for layer in network.layers:
        linear = torch.nn.Linear(layer.inputs, layer.outputs, dtype=getattr(torch, case.dtype))
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(layer.weight))
            linear.bias.copy_(torch.from_numpy(layer.bias))
        modules.append(linear)
        if layer.activation.name != "identity":
            modules.append(MODULES[layer.activation.name]())
    model = torch.nn.Sequential(*modules)
    optimizer = OPTIMIZERS[case.optimizer](model.parameters(), lr=RATE)
    loss = LOSSES[case.loss]()
    x, y = torch.from_numpy(network.inputs), torch.from_numpy(network.targets)
    if case.loss == "cross_entropy":
        y = y.argmax(dim=1)  # the class, as one gives it to PyTorch

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        loss(model(x), y).backward()
        optimizer.step()

    return Peer(model, step)
