"""Normalisations by mean and variance: y = γ (x − μ)/σ + β, σ = √(v + ε).

They differ in which elements share one μ and v, and in which of them meet one γ: a row of `KINDS`
each. v is the biased variance. In eval mode μ and v are the running ones: constants.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..calls import Call, Factor, Terms, Value, Worked, element, local, picked
from ..graph import Index
from ..rounding import Array
from .grid import Axis, grid, once, whole
from .record import Record, back, record

Moments = tuple[Array, Array]  # μ and v, of shapes that broadcast to the input's

SLOPE = "(1[i = j] - 1 / N - x̂[i] x̂[j] / N) / σ"
HAT = "(x - μ) / sqrt(v + ε)"


@dataclass(frozen=True)
class Kind:
    """moments(call): μ and v. sharing(call, index): the elements whose μ and v the one at index
    enters. meets(call, index): the element of γ and β that one of x meets; met(call, index): the
    elements of x that meet one of γ."""

    moments: Callable[[Call], Moments]
    sharing: Callable[[Call, Index], list[Axis]]
    meets: Callable[[Call, Index], Index]
    met: Callable[[Call, Index], list[Axis]]


def _x(call: Call) -> Value:
    return call.operands["input"]


def _over(axes: Callable[[Call], tuple[int, ...]]) -> Callable[[Call], Moments]:
    def moments(call: Call) -> Moments:
        x, over = _x(call).array, axes(call)
        mean = x.mean(over, dtype=np.float64, keepdims=True)
        return mean, ((x - mean) ** 2).mean(over, dtype=np.float64, keepdims=True)

    return moments


def uses_batch(call: Call) -> bool:
    """Whether μ and v are those of the numbers themselves, not running ones."""
    return bool(call.option("training", call.option("use_input_stats", call.name != "batch_norm")))


def _or_running(of_batch: Callable[[Call], Moments]) -> Callable[[Call], Moments]:
    def moments(call: Call) -> Moments:
        if uses_batch(call):
            return of_batch(call)
        shape = (1, -1, *[1] * (len(_x(call).shape) - 2))
        mean, variance = (call.operands[f"running_{word}"].array for word in ("mean", "var"))
        return mean.reshape(shape), variance.reshape(shape)

    return moments


def _group_size(call: Call) -> int:
    return _x(call).shape[1] // int(call.option("num_groups"))


def _of_groups(call: Call) -> Moments:
    x = _x(call).array
    groups = x.reshape(x.shape[0], int(call.option("num_groups")), -1)
    mean = groups.mean(2, dtype=np.float64, keepdims=True)
    variance = ((groups - mean) ** 2).mean(2, dtype=np.float64, keepdims=True)
    shape = (x.shape[0], x.shape[1], *[1] * (x.ndim - 2))
    size = _group_size(call)
    return np.repeat(mean, size, 1).reshape(shape), np.repeat(variance, size, 1).reshape(shape)


def _channel(call: Call, index: Index) -> list[Axis]:
    """Every place of a channel, given by its own index or by that of an element of x."""
    axes = whole(_x(call).shape)
    axes[1] = index[0] if len(index) == 1 else index[1]
    return axes


def _group(call: Call, index: Index) -> list[Axis]:
    size = _group_size(call)
    first = index[1] // size * size
    return [index[0], np.arange(first, first + size), *whole(_x(call).shape[2:])]


def _lead(call: Call) -> int:
    return len(_x(call).shape) - len(call.option("normalized_shape"))


KINDS = {
    "batch_norm": Kind(
        _or_running(_over(lambda call: tuple(k for k in range(len(_x(call).shape)) if k != 1))),
        _channel,
        lambda call, index: (index[1],),
        _channel,
    ),
    "instance_norm": Kind(
        _or_running(_over(lambda call: tuple(range(2, len(_x(call).shape))))),
        lambda call, index: [*index[:2], *whole(_x(call).shape[2:])],
        lambda call, index: (index[1],),
        _channel,
    ),
    "layer_norm": Kind(
        _over(lambda call: tuple(range(_lead(call), len(_x(call).shape)))),
        lambda call, index: [*index[: _lead(call)], *whole(_x(call).shape[_lead(call) :])],
        lambda call, index: index[_lead(call) :],
        lambda call, index: [*whole(_x(call).shape[: _lead(call)]), *index],
    ),
    "group_norm": Kind(_of_groups, _group, lambda call, index: (index[1],), _channel),
}


def _moments(call: Call) -> Moments:
    return once(call, "moments", lambda: KINDS[call.name].moments(call))


def _epsilon(call: Call) -> float:
    return float(call.option("eps", 1e-5))


def _standard(call: Call, at: Array) -> tuple[Array, Array]:
    """x̂ and σ of the elements at (terms, dimensions)."""
    x = _x(call)
    mean, variance = (picked(np.broadcast_to(m, x.shape), at) for m in _moments(call))
    sigma = np.sqrt(variance + _epsilon(call))
    return (picked(x.array, at) - mean) / sigma, sigma


def _gamma(call: Call, at: Array) -> tuple[Factor, ...]:
    """The factor γ of each element at (terms, dimensions), where there is one."""
    weight = call.operands.get("weight")
    if weight is None:
        return ()
    columns = KINDS[call.name].meets(call, tuple(range(at.shape[1])))
    return (element(weight, at[:, list(columns)]),)


def _backward(call: Call, role: str, index: Index) -> list[Terms] | None:
    kind = KINDS[call.name]
    if role in ("weight", "bias"):
        at = grid(*kind.met(call, index))
        standard = local(_standard(call, at)[0], "x̂", HAT)
        return [back(call, at, standard if role == "weight" else local(np.ones(len(at)), "1"))]
    if role != "input":
        return None
    here = np.asarray([index], dtype=np.int64)
    if "running_mean" in call.operands and not uses_batch(call):
        sigma = _standard(call, here)[1]
        return [back(call, here, *_gamma(call, here), local(1 / sigma, "1 / σ", "1 / sqrt(v + ε)"))]
    at = grid(*kind.sharing(call, index))
    hats, sigma = _standard(call, at)
    hat, n = _standard(call, here)[0][0], len(at)
    slope = ((at == here).all(axis=1) - 1 / n - hat * hats / n) / sigma
    return [back(call, at, *_gamma(call, at), local(slope, SLOPE))]


def _forward(call: Call, slot: int, index: Index) -> Worked:
    mean, variance = (float(np.broadcast_to(m, _x(call).shape)[index]) for m in _moments(call))
    names: dict[str, tuple[Value | None, Index, float]] = {
        "x": (_x(call), index, float(_x(call).array[index])),
        "μ": (None, (), mean),
        "v": (None, (), variance),
        "ε": (None, (), _epsilon(call)),
    }
    formula = HAT
    meets = KINDS[call.name].meets(call, index)
    for role, name, written in (("weight", "γ", "γ * {}"), ("bias", "β", "{} + β")):
        if role in call.operands:
            operand = call.operands[role]
            names[name] = (operand, meets, float(operand.array[meets]))
            formula = written.format(formula)
    return Worked(formula, names)


SOURCES = {
    "batch_norm": "torch.nn.BatchNorm2d; Ioffe and Szegedy 2015",
    "instance_norm": "torch.nn.InstanceNorm2d; Ulyanov et al. 2016",
    "layer_norm": "torch.nn.LayerNorm; Ba et al. 2016",
    "group_norm": "torch.nn.GroupNorm; Wu and He 2018",
}

_ALSO = "; with running statistics γ/σ δ[i]"
_RUNNING = {"batch_norm": _ALSO, "instance_norm": _ALSO}

for _name, _source in SOURCES.items():
    record(
        Record(
            _name,
            "y[i] = γ (x[i] − μ)/√(v + ε) + β",
            {
                "input": "∂C/∂x[i] = Σ_j γ[j] (1[i=j] − 1/N − x̂[i] x̂[j]/N)/σ δ[j], "
                "x̂ = (x − μ)/σ, σ = √(v + ε)" + _RUNNING.get(_name, ""),
                "weight": "∂C/∂γ = Σ δ x̂",
                "bias": "∂C/∂β = Σ δ",
            },
            _source,
            _backward,
            _forward,
        )
    )
