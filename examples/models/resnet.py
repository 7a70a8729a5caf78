"""A small ResNet with BatchNorm that reads handwritten digits (scikit-learn's 8 x 8 images).

Run it with torch and scikit-learn installed: python examples/models/resnet.py
`miya explain examples/models/resnet.py:make_model` tells one further step.
"""

from __future__ import annotations

from typing import Any

import torch
from lenet_digits import digits, trained
from lenet_digits import score as digits_right
from telling import load, main, seeded
from torch import nn
from torch.nn import functional as F

WHY = ("block1.conv1.weight[1,2,1,1]", "block2.norm2.weight[3]", "block2.short.weight[0,4,0,0]")


class Block(nn.Module):
    """Two convolutions, added to what came in (He et al. 2015)."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)
        same = before == after and stride == 1
        self.short = nn.Identity() if same else nn.Conv2d(before, after, 1, stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(inner)) + self.short(x))


class ResNet(nn.Module):
    """(n, 1, 8, 8) images to (n, 10) logits."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.block1 = Block(8, 8, 1)
        self.block2 = Block(8, 16, 2)
        self.head = nn.Linear(16, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        seen = self.block2(self.block1(self.stem(images)))
        logits: torch.Tensor = self.head(seen.mean((2, 3)))
        return logits


@seeded
def train() -> nn.Module:
    """The trained network."""
    net = ResNet()
    return trained(net, torch.optim.AdamW(net.parameters(), lr=0.01), epochs=10)


def score(net: nn.Module) -> float:
    """The share of unseen images that it reads right, BatchNorm in evaluation mode."""
    net.eval()
    found = digits_right(net)
    net.train()
    return found


def make_model() -> dict[str, Any]:
    """What one further step needs: BatchNorm in training mode, on four unseen images."""
    net = load(ResNet(), "resnet")
    images, classes = digits()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
    return {
        "title": "A ResNet reads digits",
        "model": net,
        "loss": nn.CrossEntropyLoss(),
        "optimizer": optimizer,
        "inputs": images[-4:].double(),
        "target": classes[-4:],
    }


if __name__ == "__main__":
    main("resnet", train, score, make_model, WHY, "right on {:.1%} of the images it has not seen")
