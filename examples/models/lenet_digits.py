"""A LeNet that reads handwritten digits (scikit-learn's bundled 8 x 8 images).

Run it with torch and scikit-learn installed: python examples/models/lenet_digits.py
It trains for some seconds, says how many of the images that it has not seen it reads right, and
tells one further step. `miya explain examples/models/lenet_digits.py:make_model` tells the same
step from the weights that ship beside this file (`--save` writes them again).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torch
from telling import load, main, seeded
from torch import nn

WHY = ("conv1.weight[2,0,1,1]", "fc1.weight[10,5]", "fc2.bias[8]")
TRAINING = 1437  # images to train on, four of five; the others test


def model() -> nn.Module:
    """LeNet-5 (LeCun et al. 1998) for 8 x 8 images: two convolutions, two dense layers."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 6, 3, padding=1),  # (n, 1, 8, 8) to (n, 6, 8, 8)
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),  # to (n, 6, 4, 4)
            conv2=nn.Conv2d(6, 16, 3, padding=1),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2),  # to (n, 16, 2, 2)
            flatten=nn.Flatten(),
            fc1=nn.Linear(64, 32),
            relu3=nn.ReLU(),
            fc2=nn.Linear(32, 10),
        )
    )


@seeded
def digits() -> tuple[torch.Tensor, torch.Tensor]:
    """The images (1797, 1, 8, 8) from 0 to 1 and their classes (1797,), shuffled: in the data
    set's own order its last images are those of other writers."""
    from sklearn.datasets import load_digits

    images, classes = load_digits(return_X_y=True)
    order = torch.randperm(len(images))
    pixels = torch.tensor(images / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)
    return pixels[order], torch.tensor(classes)[order]


def trained(net: nn.Module, optimizer: torch.optim.Optimizer, epochs: int) -> nn.Module:
    """The network after so many times through the images, in batches of 32, the learning rate
    rising to 0.01 and falling again."""
    images, classes = digits()
    batch = 32
    steps = epochs * -(-TRAINING // batch)
    slower = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.01, total_steps=steps)
    for _ in range(epochs):
        for chosen in torch.randperm(TRAINING).split(batch):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(images[chosen]), classes[chosen]).backward()
            optimizer.step()
            slower.step()
    return net


@seeded
def train() -> nn.Module:
    """The trained network."""
    net = model()
    return trained(net, torch.optim.Adam(net.parameters(), lr=0.01), epochs=14)


def score(net: nn.Module) -> float:
    """The share of unseen images that it reads right."""
    images, classes = digits()
    with torch.no_grad():
        outputs = net(images[TRAINING:].to(next(net.parameters()).dtype))
    return float((outputs.argmax(1) == classes[TRAINING:]).double().mean())


def make_model() -> dict[str, Any]:
    """What one further step needs: the four unseen images that the network finds hardest."""
    net = load(model(), "lenet_digits")
    images, classes = digits()
    images = images.double()
    with torch.no_grad():
        outputs = net(images[TRAINING:])
        losses = nn.functional.cross_entropy(outputs, classes[TRAINING:], reduction="none")
    hardest = TRAINING + losses.argsort(descending=True)[:4]
    optimizer = torch.optim.SGD(net.parameters(), lr=0.001)
    return {
        "title": "A LeNet reads digits",
        "model": net,
        "loss": nn.CrossEntropyLoss(),
        "optimizer": optimizer,
        "inputs": images[hardest],
        "target": classes[hardest],
    }


if __name__ == "__main__":
    main(
        "lenet_digits",
        train,
        score,
        make_model,
        WHY,
        "right on {:.1%} of the images it has not seen",
    )
