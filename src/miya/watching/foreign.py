"""A layer of another library that trains with torch, as a module that can be watched."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class Foreign(nn.Module):
    """Holds the layer's own parameters, and gives back what it is called with: the layer's output
    before its activation. kind: the layer's class. depthwise: whether the last two dimensions of
    its kernel count the neurons, not the last alone."""

    def __init__(
        self, kind: str, parameters: dict[str, nn.Parameter], *, depthwise: bool = False
    ) -> None:
        super().__init__()
        self.kind, self.depthwise = kind, depthwise
        for name, parameter in parameters.items():
            self.register_parameter(name, parameter)

    def forward(self, output: Any) -> Any:
        return output

    def neurons_of(self, parameter: torch.Tensor) -> int:
        *_, before, last = parameter.shape
        return before * last if self.depthwise else last
