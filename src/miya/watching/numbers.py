"""Some steps' numbers on the CPU, in float64, by what they are and of which layer or parameter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import torch

from .capture import Capture
from .sampled import Activity, activity, sums

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Pieces:
    """Lists of numbers that lie side by side. of: whose each is; values: (steps, all of them);
    starts: where each begins."""

    of: tuple[int, ...]
    values: Array
    starts: Array

    def sums(self, values: Array) -> Array:
        """Of something (steps, all of them), the sum of each piece: (steps, pieces)."""
        return np.asarray(np.add.reduceat(values, self.starts, axis=1))

    def slices(self) -> dict[int, slice]:
        edges = [*self.starts.tolist(), self.values.shape[1]]
        return {k: slice(edges[n], edges[n + 1]) for n, k in enumerate(self.of)}


class Numbers:
    """Of steps with one signature. activities: by layer, of those that were sampled."""

    activities: dict[int, Activity]

    def __init__(self, captures: Sequence[Capture]) -> None:
        first = captures[0]
        vectors = [c.parts[0] for c in captures if c.parts]
        looked = [c.columns for c in captures if c.columns is not None]
        known = {k: first.known.get(k) for k in first.samples}
        found = {k: sums([c.samples[k] for c in captures], known[k]) for k in known}
        arrays = fetched([*vectors, *found.values(), *looked])
        sampled = dict(zip(known, arrays[len(vectors) :], strict=False))
        columns = iter(arrays[len(vectors) + len(found) :])
        self.columns = [None if c.columns is None else next(columns) for c in captures]
        self.count = count = len(captures)
        self.whole = np.stack(arrays[:count]) if vectors else np.empty((count, 0))
        self.activities = {
            k: activity(len(rows), rows.shape[1], known[k], sampled[k])
            for k, rows in first.samples.items()
        }
        self.floats = np.array([c.floats for c in captures], np.float64).reshape(count, -1)
        self.places: dict[str, list[tuple[int, int, int]]] = {}
        at = 0
        for name, of, size in chain.from_iterable(first.keys):
            self.places.setdefault(name, []).append((of, at, at + size))
            at += size
        self.single: dict[str, dict[int, int]] = {}
        for k, (name, of, _) in enumerate(chain.from_iterable(first.names)):
            self.single.setdefault(name, {})[of] = k

    def pieces(self, name: str, among: Iterable[int] | None = None) -> Pieces | None:
        """Those of a name; None where there are none."""
        found = self.places.get(name, [])
        if among is not None:
            chosen = set(among)
            found = [place for place in found if place[0] in chosen]
        if not found:
            return None
        starts = np.cumsum([0, *(b - a for _, a, b in found)])
        return Pieces(tuple(of for of, _, _ in found), self._side_by_side(found), starts[:-1])

    def _side_by_side(self, places: Sequence[tuple[int, int, int]]) -> Array:
        first, last = places[0][1], places[-1][2]
        if last - first == sum(b - a for _, a, b in places):
            return np.asarray(self.whole[:, first:last])
        return np.concatenate([self.whole[:, a:b] for _, a, b in places], axis=1)

    def scalar(self, name: str, of: int) -> Array | None:
        """(steps,): one number of each, wherever it was."""
        known = self.single.get(name, {}).get(of)
        if known is not None:
            return np.asarray(self.floats[:, known])
        at = next((a for o, a, _ in self.places.get(name, ()) if o == of), None)
        return None if at is None else np.asarray(self.whole[:, at])

    def having(self, name: str) -> tuple[int, ...]:
        """Whose numbers of a name there are."""
        return (*self.single.get(name, ()), *(of for of, _, _ in self.places.get(name, ())))


def fetched(tensors: Sequence[torch.Tensor]) -> list[Array]:
    """On the CPU and in float64: one transfer a device."""
    found: list[Array] = [np.empty(0)] * len(tensors)
    away: dict[torch.device, list[int]] = {}
    for k, tensor in enumerate(tensors):
        if tensor.device.type == "cpu":
            wide = tensor if tensor.dtype in (torch.float32, torch.float64) else tensor.double()
            found[k] = wide.numpy().astype(np.float64)
        else:
            away.setdefault(tensor.device, []).append(k)
    for keys in away.values():
        flat = torch.cat([tensors[k].reshape(-1).double() for k in keys]).cpu().numpy()
        at = 0
        for k in keys:
            count = tensors[k].numel()
            found[k] = flat[at : at + count].reshape(tuple(tensors[k].shape))
            at += count
    return found
