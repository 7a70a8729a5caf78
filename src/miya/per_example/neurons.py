"""The most pushed neurons of each example, out of the δ of all layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from ..core.rounding import Array
from .evidence import DOUBLE


@dataclass(eq=False)
class Directory:
    """Every neuron that was met, by its place: names "layer[index]"."""

    layers: dict[str, tuple[int, int]] = field(default_factory=dict)  # first place, how many
    names: list[str] = field(default_factory=list)

    def most(
        self, pressures: Mapping[str, torch.Tensor], k: int
    ) -> tuple[Array | None, Array | None]:
        """(B, k) places and their δ, by |δ| from the largest; δ is 0 where there are fewer.
        None where no pressures are known."""
        if not pressures:
            return None, None
        for layer in reversed(list(pressures)):
            if layer not in self.layers:
                count = pressures[layer].shape[1]
                self.layers[layer] = (len(self.names), count)
                self.names += [f"{layer}[{j}]" for j in range(count)]
        some = next(iter(pressures.values()))
        parts = [
            pressures[layer] if layer in pressures else some.new_zeros((len(some), count))
            for layer, (_, count) in self.layers.items()
        ]
        whole = torch.cat(parts, 1)
        places = torch.topk(whole.abs(), min(k, whole.shape[1]), dim=1).indices
        deltas = whole.gather(1, places)
        if places.shape[1] < k:
            more = (0, k - places.shape[1])
            places, deltas = F.pad(places, more), F.pad(deltas, more)
        return places.cpu().numpy(), deltas.to(DOUBLE).cpu().numpy()
