"""From what was measured on the device to a record of plain numbers: one transfer a step."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import torch

from .records import GroupRecord, LayerRecord, NeuronRecord, StepRecord
from .seen import Glimpse
from .steps import Measured

if TYPE_CHECKING:
    from .watcher import Watch


class _Parcel:
    """Tensors that travel to the CPU together: `put` gives a key, `open` the numbers."""

    def __init__(self) -> None:
        self.parts: list[torch.Tensor] = []
        self.sizes: list[int] = []

    def put(self, tensor: torch.Tensor | None) -> int | None:
        if tensor is None:
            return None
        self.parts.append(tensor.detach().reshape(-1).to(torch.float64))
        self.sizes.append(tensor.numel())
        return len(self.parts) - 1

    def open(self) -> list[list[float]]:
        if not self.parts:
            return []
        whole = torch.cat(self.parts).cpu().tolist()
        found, at = [], 0
        for size in self.sizes:
            found.append(whole[at : at + size])
            at += size
        return found


def assemble(watch: Watch) -> StepRecord:
    parcel = _Parcel()
    loss = parcel.put(watch.given_loss) if isinstance(watch.given_loss, torch.Tensor) else None
    parameters = [
        (m, {name: parcel.put(getattr(m, name)) for name in ("gradient_rows", "step_rows", "predicted", "weight", "bias")})
        for m in watch.measured
    ]  # fmt: skip
    glimpses = {
        k: (g, {name: parcel.put(getattr(g, name)) for name in ("mean", "square", "pre", "alive", "flat", "delta", "delta_square")})
        for k, g in watch.seen.glimpses.items()
    }  # fmt: skip
    numbers = parcel.open()

    def of(keys: dict[str, int | None], name: str) -> list[float] | None:
        key = keys[name]
        return None if key is None else numbers[key]

    layers, neurons = [], []
    for k, layer in enumerate(watch.layers):
        own = [(m, keys) for m, keys in parameters if m.held.layer == k]
        facts = _parameter_facts([(m, {n: of(keys, n) for n in keys}) for m, keys in own])
        neuron: dict[str, Any] = {}
        if k in glimpses:
            glimpse, keys = glimpses[k]
            seen_facts, neuron = _glimpse_facts(glimpse, {n: of(keys, n) for n in keys})
            facts |= seen_facts
        layers.append(LayerRecord(layer.path, layer.kind, frozen=layer.frozen, **facts))
        neuron |= _rows_of([(m, {n: of(keys, n) for n in keys}) for m, keys in own])
        if neuron:
            neurons.append(NeuronRecord(layer.path, **{n: tuple(v) for n, v in neuron.items()}))
    predicted = [r.predicted for r in layers if r.predicted is not None]
    given = watch.given_loss
    return StepRecord(
        step=watch.step + 1,
        seconds=time.monotonic() - watch.started,
        loss=numbers[loss][0] if loss is not None else given if isinstance(given, float) else None,
        predicted=math.fsum(predicted) if predicted else None,
        real=None,
        examples=watch.seen.examples or None,
        skipped=False,
        layers=tuple(layers),
        groups=_groups(watch, [(m, {n: of(keys, n) for n in keys}) for m, keys in parameters]),
        neurons=tuple(neurons),
    )


Numbers = dict[str, list[float] | None]


def _norm(lists: list[list[float] | None]) -> float | None:
    found = [v for values in lists if values is not None for v in values]
    return math.sqrt(math.fsum(v * v for v in found)) if found else None


def _parameter_facts(own: list[tuple[Measured, Numbers]]) -> dict[str, Any]:
    if not own:
        return {}
    gradient = _norm([n["gradient_rows"] for _, n in own])
    step, weight = _norm([n["step_rows"] for _, n in own]), _norm([n["weight"] for _, n in own])
    predicted = [n["predicted"][0] for _, n in own if n["predicted"] is not None]
    bias = next(((m, n["bias"]) for m, n in own if n["bias"] is not None), None)
    size = bias[0].held.parameter.numel() if bias else 1
    return {
        "gradient": gradient,
        "weight": weight,
        "step": step,
        "relative_step": step / weight if step is not None and weight else None,
        "predicted": math.fsum(predicted) if predicted else None,
        "bias_mean": bias[1][0] / size if bias and bias[1] else None,
        "bias_step": bias[1][1] / size if bias and bias[1] else None,
        "has_gradient": gradient is not None,
    }


def _glimpse_facts(g: Glimpse, n: Numbers) -> tuple[dict[str, Any], dict[str, Any]]:
    count = max(g.count, 1)
    facts: dict[str, Any] = {}
    neuron: dict[str, Any] = {}
    if n["pre"]:
        facts["input_mean"] = math.fsum(n["pre"]) / (count * len(n["pre"]))
    if n["mean"] and n["square"]:
        size = count * len(n["mean"])
        mean = math.fsum(n["mean"]) / size
        facts["activation_mean"] = mean
        facts["activation_deviation"] = math.sqrt(
            max(math.fsum(n["square"]) / size - mean * mean, 0)
        )
        neuron["mean"] = [v / count for v in n["mean"]]
    if n["alive"]:
        facts["dead"] = sum(v == 0 for v in n["alive"]) / len(n["alive"])
        neuron["silent"] = [1 - v / count for v in n["alive"]]
    if n["flat"]:
        facts["saturated"] = sum(v == count for v in n["flat"]) / len(n["flat"])
    if n["delta"] and n["delta_square"]:
        facts["delta"] = math.sqrt(n["delta_square"][0])
        neuron["pressure"] = n["delta"]
    return facts, neuron


def _rows_of(own: list[tuple[Measured, Numbers]]) -> dict[str, list[float]]:
    """Norms of each neuron's incoming gradient and step: its row of every parameter."""
    found: dict[str, list[float]] = {}
    for name, key in (("gradient", "gradient_rows"), ("step", "step_rows")):
        lists = [n[key] for _, n in own]
        whole = [v for v in lists if v is not None]
        if whole and len({len(v) for v in whole}) == 1:
            found[name] = [
                math.sqrt(math.fsum(x * x for x in row)) for row in zip(*whole, strict=True)
            ]
    return found


def _groups(watch: Watch, measured: list[tuple[Measured, Numbers]]) -> tuple[GroupRecord, ...]:
    found = []
    for k, optimizer in enumerate(watch.optimizers):
        for g, group in enumerate(optimizer.param_groups):
            own = [n for m, n in measured if (m.held.optimizer, m.held.group) == (k, g)]
            found.append(
                GroupRecord(
                    k,
                    g,
                    float(group.get("lr", math.nan)),
                    _norm([n["gradient_rows"] for n in own]),
                    _norm([n["step_rows"] for n in own]),
                    _norm([n["weight"] for n in own]),
                )
            )
    return tuple(found)
