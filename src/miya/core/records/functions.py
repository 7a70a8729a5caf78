"""Functions of one operand, element by element: each with its slope (torch's derivatives.yaml)."""

from __future__ import annotations

from collections.abc import Mapping

from .elementwise import Elementwise, file
from .formula import Cases

X = "input"
# name: (how it is made, its slope)
TABLE: Mapping[str, tuple[str | Cases, str | Cases]] = {
    "neg": ("-input", "-1"),
    "abs": ((("input >= 0", X), ("", "-input")), "sign(input)"),
    "sign": ("sign(input)", "0"),
    "exp": ("exp(input)", "out"),
    "exp2": ("2**input", "out * log(2)"),
    "expm1": ("exp(input) - 1", "out + 1"),
    "log": ("log(input)", "1 / input"),
    "log2": ("log(input) / log(2)", "1 / (input * log(2))"),
    "log10": ("log(input) / log(10)", "1 / (input * log(10))"),
    "log1p": ("log(1 + input)", "1 / (input + 1)"),
    "sqrt": ("sqrt(input)", "1 / (2 * out)"),
    "rsqrt": ("1 / sqrt(input)", "-out**3 / 2"),
    "square": ("input**2", "2 * input"),
    "reciprocal": ("1 / input", "-out**2"),
    "sin": ("sin(input)", "cos(input)"),
    "cos": ("cos(input)", "-sin(input)"),
    "tan": ("tan(input)", "1 + out**2"),
    "sinh": ("(exp(input) - exp(-input)) / 2", "cosh(input)"),
    "cosh": ("(exp(input) + exp(-input)) / 2", "sinh(input)"),
    "asin": ("arcsin(input)", "1 / sqrt(1 - input**2)"),
    "acos": ("arccos(input)", "-1 / sqrt(1 - input**2)"),
    "atan": ("arctan(input)", "1 / (1 + input**2)"),
    "asinh": ("log(input + sqrt(input**2 + 1))", "1 / sqrt(input**2 + 1)"),
    "acosh": ("log(input + sqrt(input**2 - 1))", "1 / sqrt(input**2 - 1)"),
    "atanh": ("log((1 + input) / (1 - input)) / 2", "1 / (1 - input**2)"),
    "erf": ("erf(input)", "2 / sqrt(pi) * exp(-input**2)"),
    "erfc": ("1 - erf(input)", "-2 / sqrt(pi) * exp(-input**2)"),
    "floor": ("floor(input)", "0"),
    "ceil": ("ceil(input)", "0"),
    "trunc": ("trunc(input)", "0"),
    "frac": ("input - trunc(input)", "1"),
    "deg2rad": ("input * pi / 180", "pi / 180"),
    "rad2deg": ("input * 180 / pi", "180 / pi"),
    "logit": ("log(input / (1 - input))", "1 / (input * (1 - input))"),
    "sinc": (
        (("input == 0", "1"), ("", "sin(pi * input) / (pi * input)")),
        (("input == 0", "0"), ("", "(cos(pi * input) - out) / input")),
    ),
}
ALSO = {
    "neg": ("negative",),
    "abs": ("absolute",),
    "sign": ("sgn",),
    "trunc": ("fix",),
    "erf": ("special_erf",),
    "logit": ("special_logit",),
    "sinc": ("special_sinc",),
    **{a: (f"arc{a[1:]}",) for a in ("asin", "acos", "atan", "asinh", "acosh", "atanh")},
}

for _name, (_value, _slope) in TABLE.items():
    file(Elementwise(_name, _value, {X: _slope}), *ALSO.get(_name, ()))
file(
    Elementwise(
        "round",
        "round(input)",
        {X: "0"},
        further="decimals",
        fits=lambda c: not c.option("decimals"),
    )
)
