"""A recorded model that is a plain chain of dense layers, as the network that it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..core import activations, losses
from ..core.adopt import Recorded, adopt
from ..core.calls import Call, Value
from ..core.losses import Reduction
from ..core.model import ModelTrace, ParameterStep
from ..core.network import Layer, Network
from ..core.optimizers import Optimizer
from ..core.rounding import Array
from ..core.step import State
from ..core.trace import Trace
from ..errors import MiyaInputError
from .element_update import TORCH, known_optimizer

DTYPES = ("float64", "float32")


Pair = tuple[ParameterStep, ParameterStep | None]  # a layer's weight and bias, if it has one


class NoChainError(Exception):
    """The model is no chain of layers, activations, a loss and an optimizer that core knows."""


@dataclass
class Found:
    """A layer as it ran: its call, and the value that came out of its activation."""

    linear: Call
    activation: activations.Activation
    a: Value
    names: list[str] = field(default_factory=list)  # its weight and bias, in the model's names

    @property
    def z(self) -> Value:
        return self.linear.results[0]


def as_network(trace: ModelTrace) -> Trace | None:
    """The classical trace of the step, with the recorded numbers, or None where the model is
    none: another operation, a shared bias, a loss or an optimizer of another kind. A layer without
    a bias has zeros that are frozen, as network files write it."""
    try:
        return _network(trace)
    except (NoChainError, MiyaInputError):
        return None


def _need(holds: object) -> None:
    if not holds:
        raise NoChainError


def _network(trace: ModelTrace) -> Trace | None:
    _need(trace.dtype in DTYPES and len(trace.inputs) == 1 and len(trace.targets) == 1)
    layers, loss_call = _chain(trace)
    by_value = {id(p.value): p for p in trace.parameters.values() if p.value is not None}
    held = [_parameters(found, by_value) for found in layers]
    _need(sum(p is not None for pair in held for p in pair) == len(trace.parameters))
    optimizer, rate = _optimizer(trace, held)
    x = _rows(layers[0].linear.operands["input"].array)
    use, y = _loss(loss_call, _rows(layers[-1].a.array))
    made = Network(
        tuple(_layer(trace, k, layers[k], pair) for k, pair in enumerate(held)),
        use, optimizer, rate, x, y.astype(x.dtype), trace.title,
        tuple(f"x{i}" for i in range(x.shape[1])), ("",) * len(x), len(x) > 1,
    )  # fmt: skip
    number, state = _state(optimizer, trace, held)
    return adopt(made, _recorded(trace, layers, held), number=number, state=state)


def _chain(trace: ModelTrace) -> tuple[list[Found], Call]:
    """The layers in order, and the call of the loss. What does nothing is left out."""
    layers: list[Found] = []
    (signal,) = trace.inputs
    calls = [c for c in trace.calls if c.results[0].uses or c.results[0] is trace.root]
    for call in calls[:-1]:
        operands = list(call.operands.values())
        _need(operands and operands[0] is signal and len(call.results) == 1)
        result = call.results[0]
        if _does_nothing(call, first=not layers):
            if layers:
                layers[-1].a = result
        elif call.name == "linear":
            layers.append(
                Found(call, activations.Activation(activations.KINDS["identity"]), result)
            )
        else:
            _need(layers and layers[-1].activation.name == "identity" and layers[-1].z is signal)
            layers[-1].activation, layers[-1].a = _activation(call), result
        signal = result
    last = calls[-1]
    _need(layers and last.results[0] is trace.root and last.operands.get("input") is signal)
    _need(last.operands.get("target") is trace.targets[0] and len(last.operands) == 2)
    return layers, last


def _does_nothing(call: Call, *, first: bool) -> bool:
    if call.name == "dropout":
        return not call.option("training", False) or call.option("p", 0.5) == 0
    given, made = next(iter(call.operands.values())).shape, call.results[0].shape
    moved = call.name in ("flatten", "reshape", "view", "contiguous")
    return moved and (given == made or (first and len(made) == 2 and given[0] == made[0]))


# what torch's functions are called in core/activations.py, and the options that both have
ACTIVATIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "relu": ("relu", ()),
    "sigmoid": ("sigmoid", ()),
    "tanh": ("tanh", ()),
    "silu": ("silu", ()),
    "leaky_relu": ("leaky_relu", ("negative_slope",)),
    "elu": ("elu", ("alpha",)),
    "gelu": ("gelu", ()),
    "softplus": ("softplus", ()),
    "softmax": ("softmax", ()),
}


def _activation(call: Call) -> activations.Activation:
    _need(call.name in ACTIVATIONS)
    name, options = ACTIVATIONS[call.name]
    if name == "gelu" and call.option("approximate", "none") == "tanh":
        name = "gelu_tanh"
    if name == "softplus":
        _need(call.option("beta", 1) == 1)
    if name == "softmax":
        last = len(call.results[0].shape) - 1
        _need(call.option("dim", last) in (-1, last))
    kind = activations.KINDS[name]
    given = {key: float(call.option(key, kind.defaults[key])) for key in options}
    return activations.Activation(kind, {**kind.defaults, **given})


def _parameters(found: Found, known: Mapping[int, ParameterStep]) -> Pair:
    """Its weight and bias, each used once."""
    weight, bias = (found.linear.operands.get(role) for role in ("weight", "bias"))
    _need(all(id(o) in known and len(o.uses) == 1 for o in (weight, bias) if o is not None))
    assert weight is not None
    return known[id(weight)], None if bias is None else known[id(bias)]


def _layer(trace: ModelTrace, k: int, found: Found, pair: Pair) -> Layer:
    weight, bias = pair
    zeros = np.zeros(weight.shape[:1], weight.before.dtype)
    count = sum(1 for c in trace.calls if c.name == "linear")
    path = found.linear.module
    default = "output" if k == count - 1 else "hidden" if count == 2 else f"hidden{k + 1}"
    name = default if not path or path.rpartition(".")[2].isdigit() else path
    prefix = "o" if k == count - 1 else "h" if count == 2 else f"h{k + 1}."
    return Layer(
        name,
        weight.before,
        zeros if bias is None else bias.before,
        found.activation,
        tuple(f"{prefix}{i}" for i in range(weight.shape[0])),
        np.full(weight.shape, weight.trained),
        np.full(zeros.shape, bias is not None and bias.trained),
    )


def _rows(array: Array) -> Array:
    """(n, ...) of a batch; one example's vector as a batch of one."""
    _need(array.ndim in (1, 2))
    return array[None] if array.ndim == 1 else array


PLAIN: Mapping[str, str] = {
    "mse_loss": "mean_squared_error",
    "l1_loss": "absolute_error",
    "huber_loss": "huber",
    "binary_cross_entropy": "binary_cross_entropy",
    "binary_cross_entropy_with_logits": "binary_cross_entropy_with_logits",
    "cross_entropy": "cross_entropy",
}


def _loss(call: Call, output: Array) -> tuple[losses.Loss, Array]:
    """The loss as core has it, and the targets (n, out)."""
    reduction: Reduction = call.option("reduction", "mean")
    _need(call.name in PLAIN and reduction in ("mean", "sum"))
    _need(call.option("label_smoothing", 0.0) == 0)
    kind = losses.KINDS[PLAIN[call.name]]
    target = call.operands["target"]
    given = {key: float(call.option(key, default)) for key, default in kind.defaults.items()}
    if kind.target == "classes":
        return losses.Loss(kind, "sum", reduction, given), _classes(target, output)
    _need(target.array.shape == call.operands["input"].shape)
    return losses.Loss(kind, reduction, reduction, given), _rows(target.array)


def _classes(target: Value, output: Array) -> Array:
    if target.dtype.startswith("float"):
        return _rows(target.array)
    chosen = np.atleast_1d(target.array)
    _need(chosen.shape == output.shape[:1] and ((chosen >= 0) & (chosen < output.shape[1])).all())
    made = np.zeros(output.shape, output.dtype)
    made[np.arange(len(chosen)), chosen] = 1
    return made


def _optimizer(trace: ModelTrace, held: list[Pair]) -> tuple[Optimizer, float]:
    """The one optimizer and learning rate of every trained parameter."""
    use = trace.optimizer
    groups = {p.group for pair in held for p in pair if p is not None and p.trained}
    _need(use is not None and groups)
    assert use is not None
    known = [known_optimizer(use.name, use.groups[g]) for g in groups if g is not None]
    _need(known and known[0] is not None and all(k == known[0] for k in known))
    found = known[0]
    assert found is not None
    return found


def _state(optimizer: Optimizer, trace: ModelTrace, held: list[Pair]) -> tuple[int, State | None]:
    """The step's number, and the optimizer's state before it where there was a step before."""
    assert trace.optimizer is not None
    renamed = TORCH[trace.optimizer.name][1]
    start, number = optimizer.start(), 1
    state: dict[str, dict[str, Array]] = {}
    for k, pair in enumerate(held, 1):
        for name, p in zip((f"weight{k}", f"bias{k}"), pair, strict=True):
            if p is None:
                zeros = np.zeros(pair[0].shape[:1], pair[0].before.dtype)
                state[name] = {key: np.full_like(zeros, fill) for key, fill in start.items()}
                continue
            kept = {renamed[key]: v for key, v in p.state_before.items() if key in renamed}
            number = max(number, 1 + int(np.asarray(p.state_before.get("step", 0))))
            state[name] = {
                key: np.broadcast_to(np.asarray(kept.get(key, fill), p.before.dtype), p.shape)
                for key, fill in start.items()
            }
            if kept and "step" not in p.state_before:
                number = max(number, 2)
    return (number, state) if number > 1 else (1, None)


def _recorded(trace: ModelTrace, layers: list[Found], held: list[Pair]) -> Recorded:
    def gradient(of: Callable[[Found], Value]) -> Iterator[Array]:
        for found in layers:
            back = of(found).gradient
            _need(back is not None)
            assert back is not None
            yield _rows(back)

    names = [(f"weight{k}", f"bias{k}") for k in range(1, len(layers) + 1)]
    pairs: list[tuple[str, ParameterStep | None]] = [
        pair for ns, ps in zip(names, held, strict=True) for pair in zip(ns, ps, strict=True)
    ]
    _need(all(p is None or p.gradient is not None or not p.trained for _, p in pairs))
    zeros = {f"bias{k}": np.zeros_like(_rows(f.z.array)[0]) for k, f in enumerate(layers, 1)}
    return Recorded(
        trace.loss,
        [_rows(f.z.array) for f in layers],
        [_rows(f.a.array) for f in layers],
        list(gradient(lambda f: f.z)),
        list(gradient(lambda f: f.a)),
        {name: None if p is None else p.gradient for name, p in pairs},
        {name: zeros[name] if p is None else p.after for name, p in pairs},
    )
