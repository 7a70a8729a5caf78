"""The activations of torch.nn: how each is made, and its slope as torch takes it.

Those that `core/activations` has are made by its formulas, in the case that holds for the number;
the slopes of the sigmoid and tanh are taken from the recorded result, as torch does. Torch keeps
the alpha of CELU's slope and the sixth of Hardsigmoid's in single precision, also in float64.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..activations import KINDS, Activation, ActivationKind, Parameters, Saved
from ..calls import Call, Terms, Value, Worked, element, local, picked
from ..graph import Index
from ..rounding import Array, Carry, exact
from .elementwise import IN_PLACE, Elementwise, file
from .formula import Cases, evaluate
from .grid import grid
from .record import Record, back, record

X = "input"
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
SIGMOID = "1 / (1 + exp(-input))"
# tanh(log(1 + exp(x))) of Mish, without differences of near numbers, and without overflow
SOFT: Cases = (
    ("input < 0", "exp(input) * (exp(input) + 2) / (exp(input) * (exp(input) + 2) + 2)"),
    ("", "(1 + 2 * exp(-input)) / (1 + 2 * exp(-input) + 2 * exp(-input)**2)"),
)
STEP: Cases = (("input > 0", "1"), ("", "0"))

# name: (how it is made, its slope, defaults of its options)
TABLE: Mapping[str, tuple[str | Cases, str | Cases, Mapping[str, float]]] = {
    "sigmoid": (SIGMOID, "out * (1 - out)", {}),
    "tanh": ("1 - 2 / (1 + exp(2 * input))", "1 - out**2", {}),
    "relu6": (
        (("input <= 0", "0"), ("input >= 6", "6"), ("", X)),
        (("input > 0 and input < 6", "1"), ("", "0")),
        {},
    ),
    "hardtanh": (
        (("input <= min_val", "min_val"), ("input >= max_val", "max_val"), ("", X)),
        (("input > min_val and input < max_val", "1"), ("", "0")),
        {"min_val": -1.0, "max_val": 1.0},
    ),
    "celu": (
        (("input > 0", X), ("", "alpha * (exp(input / alpha) - 1)")),
        (
            ("input > 0", "1"),
            (IN_PLACE, "(out + alpha) / single(alpha)"),
            ("", "alpha / single(alpha) * exp(input / single(alpha))"),
        ),
        {"alpha": 1.0},
    ),
    "selu": (
        (("input > 0", "scale * input"), ("", "scale * alpha * (exp(input) - 1)")),
        (("input > 0", "scale"), ("", "scale * alpha * exp(input)")),
        {"scale": SELU_SCALE, "alpha": SELU_ALPHA},
    ),
    "mish": (
        tuple((when, f"input * {t}") for when, t in SOFT),
        tuple((when, f"{t} + input * (1 - ({t})**2) / (1 + exp(-input))") for when, t in SOFT),
        {},
    ),
    "hardswish": (
        (("input <= -3", "0"), ("input >= 3", X), ("", "input * (input + 3) / 6")),
        (("input <= -3", "0"), ("input < 3", "input / 3 + 1 / 2"), ("", "1")),
        {},
    ),
    "hardsigmoid": (
        (("input <= -3", "0"), ("input >= 3", "1"), ("", "(input + 3) / 6")),
        (("input > -3 and input < 3", "single(1 / 6)"), ("", "0")),
        {},
    ),
    "hardshrink": (
        (("input >= -lambd and input <= lambd", "0"), ("", X)),
        (("input >= -lambd and input <= lambd", "0"), ("", "1")),
        {"lambd": 0.5},
    ),
    "softshrink": (
        (("input > lambd", "input - lambd"), ("input < -lambd", "input + lambd"), ("", "0")),
        (("input >= -lambd and input <= lambd", "0"), ("", "1")),
        {"lambd": 0.5},
    ),
    "tanhshrink": (
        "input - tanh(input)",
        "tanh(input)**2",
        {},
    ),
    "softplus": (
        (("beta * input > threshold", X), ("", "log(1 + exp(beta * input)) / beta")),
        (("beta * input > threshold", "1"), ("", "1 / (1 + exp(-beta * input))")),
        {"beta": 1.0, "threshold": 20.0},
    ),
    "softsign": (
        (("input >= 0", "input / (1 + input)"), ("", "input / (1 - input)")),
        "1 / (1 + abs(input))**2",
        {},
    ),
    "logsigmoid": (
        (("input >= 0", "-log(1 + exp(-input))"), ("", "input - log(1 + exp(input))")),
        "1 / (1 + exp(input))",
        {},
    ),
    "threshold": (
        (("input <= threshold", "value"), ("", X)),
        (("input <= threshold", "0"), ("", "1")),
        {},
    ),
}
ALSO = {
    "logsigmoid": ("log_sigmoid",),
    "threshold": ("_threshold",),
    "sigmoid": ("expit", "special_expit"),
}
for _name, (_value, _slope, _defaults) in TABLE.items():
    file(Elementwise(_name, _value, {X: _slope}, _defaults), *ALSO.get(_name, ()))


@dataclass(frozen=True)
class Shared:
    """An activation of `core/activations`; its parameters are the options of the same names."""

    kind: Callable[[Call], ActivationKind | None]

    def use(self, call: Call) -> Activation | None:
        kind = self.kind(call)
        if kind is None:
            return None
        given = {name: float(call.option(name, usual)) for name, usual in kind.defaults.items()}
        return Activation(kind, given)

    def backward(self, call: Call, role: str, index: Index) -> list[Terms] | None:
        use, at = self.use(call), grid(*index)
        if use is None or use.kind.slope is None:
            return None
        z = picked(call.operands[role].array, at)
        a, saved = use.kind.value(z, exact, use.parameters)
        slope = use.kind.slope(z, a, saved, exact, use.parameters)
        reads = {"z": element(call.operands[role], at), "a": element(call.results[0], at)}
        reads |= {name: local(np.atleast_1d(n), name) for name, n in saved.items()}
        reads |= {name: local(np.full(1, n), name) for name, n in use.parameters.items()}
        formula = use.kind.slope_formula
        reads = {name: read for name, read in reads.items() if _uses(formula, name)}
        return [back(call, at, local(slope, "σ'(z)", formula, reads=reads))]

    def forward(self, call: Call, slot: int, index: Index) -> Worked | None:
        use, operand = self.use(call), call.operands[X]
        if use is None:
            return None
        number = float(operand.array[index])
        formula = _inlined(use.case(number).value)
        fixed = {**use.kind.constants, **use.parameters}
        names: dict[str, tuple[Value | None, Index, float]] = {
            name: (None, (), float(n)) for name, n in fixed.items() if _uses(formula, name)
        }
        return Worked(formula, {"z": (operand, index, number), **names})


def _uses(formula: str, name: str) -> bool:
    return re.search(rf"\b{name}\b", formula) is not None


def _inlined(lines: tuple[tuple[str, str], ...]) -> str:
    """The last line's formula, with those of the lines before it in the place of their names."""
    known: dict[str, str] = {}
    for name, formula in lines:
        for other, inner in known.items():
            formula = re.sub(rf"\b{other}\b", f"({inner})".replace("\\", r"\\"), formula)
        known[name] = formula
    return known[lines[-1][0]]


def _one(name: str) -> Callable[[Call], ActivationKind | None]:
    return lambda call: KINDS[name]


def _erf_slope(z: Array, a: Array, saved: Saved, q: Carry, p: Parameters) -> Array:
    """As torch takes it: 1 + erf loses digits far below 0, where the formula of network
    files keeps them."""
    cdf = (1 + evaluate("erf(z / sqrt(2))", {"z": z})) / 2
    return np.asarray(cdf + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))


GELUS = {"none": replace(KINDS["gelu"], slope=_erf_slope), "tanh": KINDS["gelu_tanh"]}


def _gelu(call: Call) -> ActivationKind | None:
    return GELUS.get(str(call.option("approximate", "none")))


for _name in ("relu", "leaky_relu", "elu", "silu", "gelu"):
    _shared = Shared(_gelu if _name == "gelu" else _one(_name))
    _kind = KINDS[_name]
    record(
        Record(
            _name,
            f"a = {_kind.formula}",
            {X: f"∂C/∂z = δ · ({_kind.slope_formula})"},
            _kind.source,
            _shared.backward,
            _shared.forward,
            frozenset({X, "inplace", "approximate", *_kind.defaults}),
        )
    )


def _prelu_place(call: Call, at: np.ndarray) -> np.ndarray:
    """The weight's place: one for all, or one for each channel (the second dimension)."""
    one = call.operands["weight"].size == 1
    wide = call.operands["weight"].shape != ()
    channel = np.zeros(len(at), np.int64) if one or at.shape[1] < 2 else at[:, 1]
    return channel[:, None] if wide else channel[:, None][:, :0]


def _prelu_back(call: Call, role: str, index: Index) -> list[Terms]:
    x, weight = call.operands[X], call.operands["weight"]
    if role == X:
        at = grid(*index)
        if float(x.array[index]) > 0:
            return [back(call, at, local(np.ones(1), "1"))]
        return [back(call, at, element(weight, _prelu_place(call, at)))]
    fits = np.asarray(x.array) <= 0
    at = np.argwhere(fits).reshape(-1, fits.ndim)
    own = at[(_prelu_place(call, at) == np.asarray(index)).all(axis=1)]
    return [back(call, own, element(x, own))]


def _prelu(call: Call, slot: int, index: Index) -> Worked:
    x, weight, at = call.operands[X], call.operands["weight"], grid(*index)
    names: dict[str, tuple[Value | None, Index, float]] = {"z": (x, index, float(x.array[index]))}
    if names["z"][2] > 0:
        return Worked("z", names)
    place = tuple(int(k) for k in _prelu_place(call, at)[0])
    return Worked("w * z", {**names, "w": (weight, place, float(weight.array[place]))})


record(
    Record(
        "prelu",
        "a = z if z > 0 else w z",
        {X: "∂C/∂z = δ · (1 if z > 0 else w)", "weight": "∂C/∂w = Σ δ z over z ≤ 0"},
        "torch.nn.PReLU",
        _prelu_back,
        _prelu,
        frozenset({X, "weight"}),
    )
)
