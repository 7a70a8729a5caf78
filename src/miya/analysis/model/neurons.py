"""What a neuron of each operation is: which axis of its output counts them, and which parameters
come in to each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np

from ...core.calls import Call, Value
from ...core.model import ModelTrace
from ...core.rounding import Array

Select = Callable[[Array, Call], Array]  # a parameter as (neurons, the rest)


def _rows(axis: int) -> Select:
    def select(array: Array, call: Call) -> Array:
        moved = np.moveaxis(array, axis, 0)
        return moved.reshape(moved.shape[0], -1)

    return select


def _each(array: Array, call: Call) -> Array:
    return array.reshape(-1, 1)


def _transposed(array: Array, call: Call) -> Array:
    """(in, out / groups, …) as (out, the rest)."""
    groups = int(call.option("groups", 1))
    parts = array.reshape(groups, array.shape[0] // groups, array.shape[1], -1)
    return parts.transpose(0, 2, 1, 3).reshape(groups * array.shape[1], -1)


@dataclass(frozen=True)
class Unit:
    """kind: what it is called. axes: of the output, counted from its end where negative, that
    count the neurons. incoming: by the role of a parameter, its rows, one a neuron."""

    kind: str
    axes: Callable[[Call], tuple[int, ...]]
    incoming: Mapping[str, Select] = field(default_factory=dict)


def _last(call: Call) -> tuple[int, ...]:
    return (-1,)


def _second(call: Call) -> tuple[int, ...]:
    return (1 - len(call.results[0].shape),)


def _spatial(count: int) -> Callable[[Call], tuple[int, ...]]:
    return lambda call: (-count - 1,)


def _normalized(call: Call) -> tuple[int, ...]:
    count = len(tuple(np.atleast_1d(call.option("normalized_shape", (0,)))))
    return tuple(range(-count, 0))


_FIRST = {"weight": _rows(0), "bias": _rows(0)}
_EACH = {"weight": _each, "bias": _each}
# docs/blame.md says this table in words
UNITS: dict[str, Unit] = {
    "linear": Unit("neuron", _last, _FIRST),
    "bilinear": Unit("neuron", _last, _FIRST),
    **{f"conv{d}d": Unit("channel", _spatial(d), _FIRST) for d in (1, 2, 3)},
    **{
        f"conv_transpose{d}d": Unit(
            "channel", _spatial(d), {"weight": _transposed, "bias": _rows(0)}
        )
        for d in (1, 2, 3)
    },
    **dict.fromkeys(("batch_norm", "instance_norm", "group_norm"), Unit("channel", _second, _EACH)),
    **dict.fromkeys(("layer_norm", "rms_norm"), Unit("feature", _normalized, _EACH)),
    "embedding": Unit("feature", _last, {"weight": _rows(1)}),
    "scaled_dot_product_attention": Unit("head", lambda call: (-3,)),
}
# Gates of the recurrent ones, in the order of the rows of their weights.
GATES: dict[str, tuple[str, ...]] = {
    "lstm": ("i", "f", "g", "o"),
    "gru": ("r", "z", "n"),
    "rnn_tanh": ("h",),
    "rnn_relu": ("h",),
}
GATES |= {f"{name}_cell": gates for name, gates in GATES.items()}
CELL_ROLES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


@dataclass(eq=False)
class Neurons:
    """The neurons of one layer: of one or more calls with the same parameters.

    layer: path of the module. label: what an index is written behind. shape: of their indices;
    gates: names of the first index's values, where it is of gates.
    incoming: (parameter, its rows) pairs. parts: by parameter, 1 / in how many layers it counts.
    bias: the parameter whose gradient is the sum of δ, of fused recurrent operations.
    """

    kind: str
    layer: str
    label: str
    shape: tuple[int, ...]
    calls: list[tuple[Call, tuple[int, ...]]]
    incoming: list[tuple[str, Select]]
    gates: tuple[str, ...] = ()
    bias: str | None = None
    parts: dict[str, float] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return prod(self.shape)

    def name(self, index: tuple[int, ...]) -> str:
        if self.gates:
            return f"{self.label}.{self.gates[index[0]]}[{index[1]}]"
        return f"{self.label}[{','.join(map(str, index))}]"

    def pressure(self, trace: ModelTrace) -> Array | None:
        """δ summed over examples, positions, time steps and calls, of `shape`."""
        if self.bias is not None:
            gradient = trace.parameters[self.bias].gradient
            return None if gradient is None else wide(gradient).reshape(self.shape)
        found = [s for call, axes in self.calls if (s := summed(call.results[0], axes)) is not None]
        return np.sum(found, axis=0).reshape(self.shape) if found else None

    def gathered(self, values: dict[str, Array], size: Callable[[Array], Array]) -> Array | None:
        """The sum over the incoming parameters of `size` of their values, of `shape`; None where
        none of them has a value."""
        known = [(name, select) for name, select in self.incoming if name in values]
        if not known:
            return None
        total = np.zeros(self.size)
        for name, select in known:
            rows = select(size(values[name]), self.calls[0][0])
            total += rows.sum(axis=1) * self.parts.get(name, 1.0)
        return total.reshape(self.shape)


def wide(array: Array) -> Array:
    return np.asarray(array, np.float64)


def summed(value: Value, axes: tuple[int, ...]) -> Array | None:
    """∂C/∂value summed over every axis but these."""
    gradient = value.gradient
    if gradient is None:
        return None
    kept = {a % gradient.ndim for a in axes}
    rest = tuple(a for a in range(gradient.ndim) if a not in kept)
    return np.asarray(gradient.sum(axis=rest, dtype=np.float64))


def neurons_of(trace: ModelTrace) -> list[Neurons]:
    """Every layer's, in the order of computation; a module that is called again has one."""
    found: dict[tuple[object, ...], Neurons] = {}
    for call in trace.calls:
        if not any(r.has_gradient for r in call.results):
            continue
        for key, made in _made(call):
            known = found.setdefault(key, made)
            if known is not made:
                known.calls += made.calls
    uses: dict[str, int] = {}
    for layer in found.values():
        for name in {n for n, _ in layer.incoming}:
            uses[name] = uses.get(name, 0) + 1
    for layer in found.values():
        layer.parts = {name: 1 / uses[name] for name, _ in layer.incoming}
    return list(found.values())


def _made(call: Call) -> Iterator[tuple[tuple[object, ...], Neurons]]:
    if call.name in GATES:
        yield from _recurrent(call)
        return
    unit = UNITS.get(call.name)
    value = call.results[0]
    if unit is None or (unit.kind == "head" and len(value.shape) != 4):
        return
    axes = unit.axes(call)
    shape = tuple(value.shape[a] for a in axes)
    given = [(_parameter(call, role), select) for role, select in unit.incoming.items()]
    incoming = [(name, select) for name, select in given if name is not None]
    names = tuple(name for name, _ in incoming)
    label = call.module or call.name
    homes = {n.rpartition(".")[0] for n in names}
    if unit.kind == "head":
        label = f"{label}.head"
    elif len(homes) == 1 and homes != {call.module}:
        label = homes.pop() or names[0]
    key = (call.module, call.name, names, shape)
    yield key, Neurons(unit.kind, call.module, label, shape, [(call, axes)], incoming)


def _parameter(call: Call, role: str) -> str | None:
    value = call.operands.get(role)
    return value.name if value is not None and value.kind == "parameter" else None


def _recurrent(call: Call) -> Iterator[tuple[tuple[object, ...], Neurons]]:
    """The gates of each layer and direction: pre-activations, whose δ sum to the input's bias."""
    gates = GATES[call.name]
    for label, roles in _sets(call):
        names = [_parameter(call, role) for role in roles]
        kept = [n for n in names if n is not None]
        if len(kept) < len(roles) or len(kept) < 4:
            continue
        hidden = call.operands[roles[0]].shape[0] // len(gates)
        made = Neurons(
            "gate" if len(gates) > 1 else "neuron",
            call.module,
            label,
            (len(gates), hidden) if len(gates) > 1 else (hidden,),
            [(call, (-1,))],
            [(n, _rows(0)) for n in kept[:4]],
            gates if len(gates) > 1 else (),
            kept[2],
        )
        yield (call.module, *kept), made


def _sets(call: Call) -> Iterator[tuple[str, tuple[str, ...]]]:
    path = call.module or call.name
    if call.name.endswith("_cell"):
        yield path, tuple(r for r in CELL_ROLES if r in call.operands)
        return
    roles = [r for r in call.operands if r.startswith("params.")]
    both = 2 if call.option("bidirectional") else 1
    count = int(call.option("num_layers", 1)) * both
    each = len(roles) // max(count, 1)
    for k in range(count):
        suffix = f".l{k // both}" + ("_reverse" if k % both else "")
        yield path + (suffix if count > 1 else ""), tuple(roles[k * each : (k + 1) * each])
