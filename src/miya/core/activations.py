"""Activations: value, slope and the lines that show both, one record each.

`value(z, q, p)` gives (a, saved) and `slope(z, a, saved, q, p)` gives σ'(z), all of z's shape
(n, out); `q` is the carry (rounding.py), `p` the parameters. `saved` holds the intermediate
results that the printed lines name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import erfc, pi, sqrt
from typing import Any

import numpy as np

from .rounding import Array, Carry

Saved = dict[str, Array]
Parameters = Mapping[str, float]
Lines = tuple[tuple[str, str], ...]

ROOT_2_OVER_PI = sqrt(2 / pi)
CUBIC = 0.044715


@dataclass(frozen=True)
class Case:
    """How the value and the slope are worked out where `when(z, p)` holds."""

    value: Lines
    slope: Lines
    when: Callable[[float, Parameters], bool] = lambda z, p: True


@dataclass(frozen=True)
class ActivationKind:
    name: str
    value: Callable[[Array, Carry, Parameters], tuple[Array, Saved]]
    slope: Callable[[Array, Array, Saved, Carry, Parameters], Array] | None
    formula: str
    slope_formula: str
    cases: tuple[Case, ...]
    source: str
    defaults: Mapping[str, float] = field(default_factory=dict)
    constants: Mapping[str, float] = field(default_factory=dict)
    kinked: bool = False


@dataclass(frozen=True)
class Activation:
    """An activation as used by one layer: its kind and parameters."""

    kind: ActivationKind
    parameters: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.kind.name

    def case(self, z: float) -> Case:
        return next(c for c in self.kind.cases if c.when(z, self.parameters))


def logistic(z: Array) -> Array:
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-z))


def _no_lines(f: Callable[[Array, Parameters], Array]) -> Any:
    return lambda z, q, p: (q(f(z, p)), {})


def _silu(z: Array, q: Carry, p: Parameters) -> tuple[Array, Saved]:
    s = q(logistic(z))
    return q(z * s), {"s": s}


def normal_cdf(z: Array) -> Array:
    """Φ(z) = ½ erfc(−z/√2), from the C library's erfc."""
    flat = [0.5 * erfc(-v / sqrt(2)) for v in z.ravel().tolist()]
    return np.array(flat, dtype=z.dtype).reshape(z.shape)


def _gelu(z: Array, q: Carry, p: Parameters) -> tuple[Array, Saved]:
    cdf = q(normal_cdf(z))
    return q(z * cdf), {"cdf": cdf, "pdf": q(np.exp(-(z**2) / 2) / sqrt(2 * pi))}


def _gelu_tanh(z: Array, q: Carry, p: Parameters) -> tuple[Array, Saved]:
    u = q(ROOT_2_OVER_PI * (z + CUBIC * z**3))
    # ½ (1 + tanh u) is σ(2u), which keeps its digits where tanh u nears −1
    s = q(logistic(2 * u))
    return q(z * s), {"u": u, "s": s}


def _softplus(z: Array, p: Parameters) -> Array:
    return np.logaddexp(z, np.zeros((), z.dtype))


def softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def _elu(z: Array, p: Parameters) -> Array:
    return np.where(z > 0, z, p["alpha"] * np.expm1(np.minimum(z, 0)))


def _positive(z: float, p: Parameters) -> bool:
    return z > 0


def _tanh_slope(z: Array, a: Array) -> Array:
    slope: Array = 1 - a * a
    flat = np.abs(z) > TANH_FLAT
    if flat.any():
        with np.errstate(over="ignore"):
            slope[flat] = 1 / np.cosh(z[flat]) ** 2
    return slope


def _logistic_slope(z: Array, a: Array) -> Array:
    slope: Array = a * (1 - a)
    flat = z > LOGISTIC_FLAT
    if flat.any():
        slope[flat] = a[flat] * logistic(-z[flat])
    return slope


def _softmax_kind(z: Array, q: Carry, p: Parameters) -> tuple[Array, Saved]:
    return q(softmax(z)), {}


# Beyond these, 1 − a no longer holds the slope's digits in float64.
LOGISTIC_FLAT, TANH_FLAT = 6.0, 3.0
TINY = 1e-4  # nearer to 0 than this, exp(z) − 1 no longer holds z's digits
EVERYWHERE = Case.__dataclass_fields__["when"].default


def _one(value: str, slope: str, when: Any = EVERYWHERE) -> Case:
    return Case((("a", value),), (("slope", slope),), when)


LOGISTIC = "1 / (1 + exp(-z))"
KINDS: dict[str, ActivationKind] = {}


def _record(kind: ActivationKind) -> None:
    KINDS[kind.name] = kind


_record(
    ActivationKind(
        "identity",
        _no_lines(lambda z, p: z),
        lambda z, a, s, q, p: np.ones_like(z),
        "z",
        "1",
        (_one("z", "1"),),
        "torch.nn.Identity",
    )
)
_record(
    ActivationKind(
        "sigmoid",
        _no_lines(lambda z, p: logistic(z)),
        lambda z, a, s, q, p: q(_logistic_slope(z, a)),
        LOGISTIC,
        "a * (1 - a)",
        (
            _one("exp(z) / (1 + exp(z))", "a * (1 - a)", lambda z, p: z < -600),
            _one(LOGISTIC, "exp(-z) / (1 + exp(-z))**2", lambda z, p: z > LOGISTIC_FLAT),
            _one(LOGISTIC, "a * (1 - a)"),
        ),
        "torch.nn.Sigmoid; dσ/dz = σ (1 − σ)",
    )
)
_record(
    ActivationKind(
        "tanh",
        _no_lines(lambda z, p: np.tanh(z)),
        lambda z, a, s, q, p: q(_tanh_slope(z, a)),
        "(exp(z) - exp(-z)) / (exp(z) + exp(-z))",
        "1 - a**2",
        (
            _one("z - z**3 / 3", "1 - a**2", lambda z, p: abs(z) < TINY),
            _one(
                "(1 - exp(-2 * z)) / (1 + exp(-2 * z))",
                "4 * exp(-2 * z) / (1 + exp(-2 * z))**2",
                lambda z, p: z > TANH_FLAT,
            ),
            _one(
                "(exp(2 * z) - 1) / (exp(2 * z) + 1)",
                "4 * exp(2 * z) / (1 + exp(2 * z))**2",
                lambda z, p: z < -TANH_FLAT,
            ),
            _one("(exp(2 * z) - 1) / (exp(2 * z) + 1)", "1 - a**2"),
        ),
        "torch.nn.Tanh; d tanh/dz = 1 − tanh²",
    )
)
_record(
    ActivationKind(
        "relu",
        _no_lines(lambda z, p: np.maximum(z, 0)),
        lambda z, a, s, q, p: (z > 0).astype(z.dtype),
        "max(0, z)",
        "1 if z > 0 else 0",
        (_one("z", "1", _positive), _one("0", "0")),
        "torch.nn.ReLU; the slope at z = 0 is taken as 0, as PyTorch does",
        kinked=True,
    )
)
_record(
    ActivationKind(
        "leaky_relu",
        lambda z, q, p: (np.where(z > 0, z, q(p["negative_slope"] * z)), {}),
        lambda z, a, s, q, p: np.where(z > 0, 1.0, p["negative_slope"]).astype(z.dtype),
        "z if z > 0 else negative_slope * z",
        "1 if z > 0 else negative_slope",
        (_one("z", "1", _positive), _one("negative_slope * z", "negative_slope")),
        "torch.nn.LeakyReLU",
        {"negative_slope": 0.01},
        kinked=True,
    )
)
_record(
    ActivationKind(
        "elu",
        lambda z, q, p: (np.where(z > 0, z, q(_elu(z, p))), {}),
        lambda z, a, s, q, p: np.where(z > 0, 1.0, q(p["alpha"] * np.exp(np.minimum(z, 0)))),
        "z if z > 0 else alpha * (exp(z) - 1)",
        "1 if z > 0 else alpha * exp(z)",
        (
            _one("z", "1", _positive),
            _one(
                "alpha * (z + z**2 / 2 + z**3 / 6 + z**4 / 24)",
                "alpha * exp(z)",
                lambda z, p: z > -TINY,
            ),
            _one("alpha * (exp(z) - 1)", "alpha * exp(z)"),
        ),
        "torch.nn.ELU (its published form: Clevert et al., arXiv 1511.07289)",
        {"alpha": 1.0},
        kinked=True,
    )
)
_record(
    ActivationKind(
        "softplus",
        _no_lines(_softplus),
        lambda z, a, s, q, p: q(logistic(z)),
        "log(1 + exp(z))",
        LOGISTIC,
        (
            _one("z + exp(-z) - exp(-z)**2 / 2", LOGISTIC, lambda z, p: z > 20),
            _one(
                "exp(z) - exp(z)**2 / 2 + exp(z)**3 / 3",
                "exp(z) / (1 + exp(z))",
                lambda z, p: z < -15,
            ),
            _one("log(1 + exp(z))", LOGISTIC),
        ),
        "torch.nn.Softplus with beta 1, without its cut to z above 20",
    )
)
_record(
    ActivationKind(
        "silu",
        _silu,
        lambda z, a, s, q, p: q(s["s"] + a * (1 - s["s"])),
        "z / (1 + exp(-z))",
        "s + a * (1 - s)",
        (
            Case(
                (("s", "exp(z) / (1 + exp(z))"), ("a", "z * s")),
                (("slope", "s + a * (1 - s)"),),
                lambda z, p: z < -600,
            ),
            Case((("s", LOGISTIC), ("a", "z * s")), (("slope", "s + a * (1 - s)"),)),
        ),
        "torch.nn.SiLU (arXiv 1702.03118)",
    )
)
_record(
    ActivationKind(
        "gelu",
        _gelu,
        lambda z, a, s, q, p: q(s["cdf"] + z * s["pdf"]),
        "z * cdf",
        "cdf + z * pdf",
        (
            Case(
                (
                    ("pdf", "exp(-z**2 / 2) / (2 * pi)**0.5"),
                    ("cdf", "normal_cdf(z)"),
                    ("a", "z * cdf"),
                ),
                (("slope", "cdf + z * pdf"),),
            ),
        ),
        "torch.nn.GELU(approximate='none') (arXiv 1606.08415)",
        constants={"pi": pi},
    )
)
_record(
    ActivationKind(
        "gelu_tanh",
        _gelu_tanh,
        lambda z, a, s, q, p: q(
            s["s"] + 2 * a * (1 - s["s"]) * ROOT_2_OVER_PI * (1 + 3 * CUBIC * z**2)
        ),
        "z / (1 + exp(-2 * (2 / pi)**0.5 * (z + 0.044715 * z**3)))",
        "s + 2 * a * (1 - s) * (2 / pi)**0.5 * (1 + 3 * 0.044715 * z**2)",
        (
            Case(
                (
                    ("u", "(2 / pi)**0.5 * (z + 0.044715 * z**3)"),
                    ("s", "exp(2 * u) / (1 + exp(2 * u))"),
                    ("a", "z * s"),
                ),
                (("slope", "s + 2 * a * (1 - s) * (2 / pi)**0.5 * (1 + 3 * 0.044715 * z**2)"),),
                lambda z, p: z < 0,
            ),
            Case(
                (
                    ("u", "(2 / pi)**0.5 * (z + 0.044715 * z**3)"),
                    ("s", "1 / (1 + exp(-2 * u))"),
                    ("a", "z * s"),
                ),
                (("slope", "s + 2 * a * (1 - s) * (2 / pi)**0.5 * (1 + 3 * 0.044715 * z**2)"),),
            ),
        ),
        "torch.nn.GELU(approximate='tanh') (arXiv 1606.08415), as ½ (1 + tanh u) = σ(2u)",
        constants={"pi": pi},
    )
)
_record(
    ActivationKind(
        "softmax",
        _softmax_kind,
        None,
        "exp(z) / sum(exp(z))",
        "a[k] * (1 if k = j else 0) - a[k] * a[j]",
        (),
        "torch.nn.Softmax over the layer's neurons",
    )
)
