"""Blame in a model: elements of its parameters, its neurons and its layers, by a named measure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from ...core.model import ModelTrace, ParameterStep
from ...core.rounding import Array
from ...errors import MiyaInputError
from .credit import ModelCredit, Progress, model_credit
from .neurons import Neurons, neurons_of, wide
from .ranking import Group, ModelRow, element, ranked, total
from .removal import Removals, candidates, picked

ModelMeasure = Literal["pressure", "step", "credit", "removal", "first_order"]
TOP = 100
FEW = 300  # of which every removal is worked out
LEAST = 50  # candidates for removal, by pressure, of more
Values = dict[str, Array]


@dataclass(frozen=True)
class ModelBlame:
    """Rankings of the elements of parameters, of neurons and of layers, each by |value|.

    total_...: how many there are; removed_...: of how many the removal was worked out, those with
    the largest pressure (0 for other measures). unranked: parameters that have no value, and why:
    "frozen", "unused" (the loss does not depend on it: its gradient is None, not 0),
    "not_optimized" (the optimizer does not hold it), "derived" (of a layer's neurons: their
    weights are worked out from other parameters).
    """

    measure: ModelMeasure
    parameters: tuple[ModelRow, ...]
    neurons: tuple[ModelRow, ...]
    layers: tuple[ModelRow, ...]
    total_parameters: int
    total_neurons: int
    total_layers: int
    unranked: tuple[tuple[str, str], ...] = ()
    removed_parameters: int = 0
    removed_neurons: int = 0
    credit: ModelCredit | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain data. A removal that makes the loss infinite has the value "infinity"."""
        rows = {
            key: [_finite(asdict(row)) for row in getattr(self, key)]
            for key in ("parameters", "neurons", "layers")
        }
        counts = {
            key: getattr(self, key)
            for key in (
                "total_parameters",
                "total_neurons",
                "total_layers",
                "removed_parameters",
                "removed_neurons",
            )
        }
        made = {"measure": self.measure, **rows, **counts, "unranked": dict(self.unranked)}
        return made if self.credit is None else {**made, "credit": credit_data(self.credit)}


def credit_data(credit: ModelCredit) -> dict[str, Any]:
    names = ("total", "real_change", "residual", "first_order", "evaluations", "dtype", "met")
    return {name: getattr(credit, name) for name in names}


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "value": "infinity"} if math.isinf(row["value"]) else row


def model_blame(
    trace: ModelTrace,
    measure: ModelMeasure = "pressure",
    *,
    top: int | None = None,
    chunk: int | None = None,
    progress: Progress | None = None,
) -> ModelBlame:
    """Rank by `measure` (docs/blame.md).

    Parameters: pressure ∂C/∂θ; step Δθ; credit; first_order ∂C/∂θ · Δθ; removal C(θ := 0) − C.
    Neurons: pressure is δ summed over examples, positions and time steps; step the sum of |Δθ|,
    credit and first_order the sums of those of the incoming parameters. Layers, by their own
    parameters: pressure Σ|∂C/∂θ|, step Σ|Δθ|, credit and first_order their sums, removal all of
    them at 0. What several layers share counts by an equal part in each.
    top: rows kept in each ranking (default 100). chunk: of `model_credit`.
    Raises MiyaInputError E608 for an unknown measure, E610 and E613 of the credit.
    """
    check_measure(measure)
    keep = TOP if top is None else top
    if measure == "removal":
        with trace.runner.quickly():
            return _removal(trace, keep)
    credit = model_credit(trace, chunk=chunk, progress=progress) if measure == "credit" else None
    values = _values(trace, measure, credit)
    layers = neurons_of(trace)
    parameters = _parameter_groups(trace, values)
    neurons, derived = _neuron_groups(trace, layers, measure, values)
    modules = _layer_groups(trace, measure, values)
    return ModelBlame(
        measure,
        ranked(parameters, keep),
        ranked(neurons, keep),
        ranked(modules, keep),
        total(parameters),
        total(neurons),
        total(modules),
        (*_unranked(trace, values), *derived),
        credit=credit,
    )


def check_measure(measure: str) -> None:
    """Raises MiyaInputError E608 for an unknown one."""
    if measure not in get_args(ModelMeasure):
        raise MiyaInputError(
            "E608", f"measure is {measure!r}", hint=f"choose {', '.join(get_args(ModelMeasure))}"
        )


def _pressure(p: ParameterStep) -> Array | None:
    return p.gradient


def _step(p: ParameterStep) -> Array | None:
    return p.change if p.trained and p.gradient is not None else None


def _first_order(p: ParameterStep) -> Array | None:
    if not p.trained or p.gradient is None:
        return None
    return wide(p.gradient) * p.change


PARAMETERS: dict[str, Callable[[ParameterStep], Array | None]] = {
    "pressure": _pressure,
    "step": _step,
    "first_order": _first_order,
}
# what is added up for a neuron and for a layer
SIZES: dict[str, Callable[[Array], Array]] = {
    "pressure": np.abs,
    "step": np.abs,
    "credit": np.asarray,
    "first_order": np.asarray,
}


def _values(trace: ModelTrace, measure: str, credit: ModelCredit | None) -> Values:
    """By parameter; those that have no value are left out."""
    if credit is not None:
        moved = {p.name: p for p in trace.parameters.values() if _step(p) is not None}
        return {n: credit.values.get(n, np.zeros(p.shape)) for n, p in moved.items()}
    found = {p.name: PARAMETERS[measure](p) for p in trace.parameters.values()}
    return {name: array for name, array in found.items() if array is not None}


def measured(trace: ModelTrace, measure: str) -> Values:
    """The values of a measure (not removal) by parameter; those that have none are left out."""
    return _values(trace, measure, model_credit(trace) if measure == "credit" else None)


def _parameter_groups(trace: ModelTrace, values: Values) -> list[Group]:
    return [
        Group(
            "parameter",
            name.rpartition(".")[0],
            array,
            element(name),
            not trace.parameters[name].trained,
        )
        for name, array in values.items()
    ]


def _neuron_groups(
    trace: ModelTrace, layers: Iterable[Neurons], measure: str, values: Values
) -> tuple[list[Group], list[tuple[str, str]]]:
    found, derived = [], []
    for layer in layers:
        if measure == "pressure":
            array = layer.pressure(trace)
        else:
            array = layer.gathered(values, SIZES[measure])
        if array is not None:
            found.append(Group(layer.kind, layer.layer, array, layer.name))
        elif not layer.incoming and layer.kind not in ("head",) and _weighed(layer):
            derived.append((layer.label, "derived"))
    return found, derived


def _weighed(layer: Neurons) -> bool:
    """Whether its operation takes a weight at all."""
    return any("weight" in call.operands for call, _ in layer.calls)


def owners(p: ParameterStep) -> tuple[str, ...]:
    """The modules that hold a parameter."""
    names = (p.name, *p.aliases)
    return tuple(dict.fromkeys(name.rpartition(".")[0] for name in names))


def _layer_groups(trace: ModelTrace, measure: str, values: Values) -> list[Group]:
    sums: dict[str, float] = {}
    for name, array in values.items():
        places = owners(trace.parameters[name])
        worth = float(SIZES[measure](array).sum(dtype=np.float64)) / len(places)
        for path in places:
            sums[path] = sums.get(path, 0.0) + worth
    return [_layer_group(path, value) for path, value in sums.items()]


def _layer_group(path: str, value: float) -> Group:
    return Group("layer", path, np.array(value), element(path or "the model"))


def _unranked(trace: ModelTrace, values: Values) -> list[tuple[str, str]]:
    return [(p.name, _reason(p)) for p in trace.parameters.values() if p.name not in values]


def _reason(p: ParameterStep) -> str:
    if p.gradient is not None:
        return "not_optimized"
    return "unused" if p.trained else "frozen"


def _removal(trace: ModelTrace, keep: int) -> ModelBlame:
    gradients = _values(trace, "pressure", None)
    removals = Removals(trace)
    every = _parameter_groups(trace, gradients)
    names = list(gradients)
    some = [
        picked(every[g], places, removals.parameters(names[g], places))
        for g, places in candidates(every, _many(total(every), keep))
    ]
    layers = [found for found in neurons_of(trace) if found.pressure(trace) is not None]
    units, _ = _neuron_groups(trace, layers, "pressure", gradients)
    silent = [
        picked(units[g], places, removals.neurons(layers[g], places))
        for g, places in candidates(units, _many(total(units), keep))
    ]
    held: dict[str, list[str]] = {}
    for name in gradients:
        for path in owners(trace.parameters[name]):
            held.setdefault(path, []).append(name)
    modules = [_layer_group(path, removals.layer(of)) for path, of in held.items()]
    return ModelBlame(
        "removal",
        ranked(some, keep),
        ranked(silent, keep),
        ranked(modules, keep),
        total(every),
        total(units),
        total(modules),
        tuple(_unranked(trace, gradients)),
        total(some),
        total(silent),
    )


def _many(count: int, keep: int) -> int:
    return count if count <= FEW else max(keep if keep != TOP else LEAST, LEAST)
