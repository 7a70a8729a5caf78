"""A classifier of handwritten digits (scikit-learn's bundled 8 x 8 images), every step exact.

Run it with scikit-learn installed: python examples/digits_classifier.py
It trains a 64-32-10 network with Adam for 300 full-batch steps and tells what drove the last one.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

import miya

STEPS = 300
TRAINING = 1200  # images to train on; the others test


def network(inputs: Any, classes: Any) -> dict[str, Any]:
    """The description of the network; inputs (n, 64) from 0 to 1, classes (n,) from 0 to 9."""
    random = np.random.default_rng(7)
    sizes = (64, 32, 10)
    layers = [
        {
            "weight": random.normal(0, np.sqrt(2 / before), (after, before)),
            "bias": np.zeros(after),
            "activation": "relu" if after != 10 else "identity",
        }
        for before, after in pairwise(sizes)
    ]
    layers[-1]["neurons"] = [f"digit {k}" for k in range(10)]
    return {
        "title": "Handwritten digits",
        "learning_rate": 0.01,
        "loss": "cross_entropy",
        "optimizer": "adam",
        "layers": layers,
        "examples": {"input": inputs, "target": classes},
    }


def accuracy(trace: miya.Trace, inputs: Any, classes: Any) -> float:
    """The share of images whose largest output, after the step, is their class."""
    signal = inputs
    for layer in trace.after.layers:
        signal = signal @ layer.weight.T + layer.bias
        if layer.activation.name == "relu":
            signal = np.maximum(signal, 0)
    return float((signal.argmax(axis=1) == classes).mean())


def main() -> tuple[miya.Trace, float]:
    from sklearn.datasets import load_digits

    images, classes = load_digits(return_X_y=True)
    images = images / 16
    described = network(images[:TRAINING], classes[:TRAINING])
    for trace in miya.train(described, steps=STEPS):
        if trace.number in (1, 10, 100, STEPS):
            print(f"step {trace.number}: loss {trace.loss:.4f}")
    right = accuracy(trace, images[TRAINING:], classes[TRAINING:])
    print(f"right on {right:.1%} of the images it has not seen")
    top = miya.blame(trace, measure="credit", top=3)
    for row in top.neurons:
        print(f"{row.rank}. layer {row.layer}, {row.name}: credit {row.value:+.3g}")
    return trace, right


if __name__ == "__main__":
    main()
