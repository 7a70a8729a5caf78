"""Arithmetic with two operands and more, broadcast: each operation with its slopes.

Slopes at kinks are torch's own: a tie of maximum is shared, the bounds of clamp belong to the
inside, |x| has slope 0 at 0 (torch's derivatives.yaml).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..calls import Call
from .elementwise import Elementwise, file, told
from .record import Record, record

Slopes = Mapping[str, str | tuple[tuple[str, str], ...]]

KEPT = "condition != 0"
TIE = ("input == other", "0.5")
LARGER = (TIE, ("input > other", "1"), ("", "0"))
SMALLER = (TIE, ("input < other", "1"), ("", "0"))
POWER = (("other == 0", "0"), ("", "other * input**(other - 1)"))
EXPONENT = (("input == 0 and other >= 0", "0"), ("", "out * log(input)"))
BELOW, ABOVE = float("-inf"), float("inf")


def _masked(call: Call) -> bool:
    """Whether the condition is one: a method of another order of arguments is not known."""
    return all(
        call.operands[n].dtype == "bool" for n in ("condition", "mask") if n in call.operands
    )


# name: (how it is made, its slopes, defaults of its options)
TABLE: Mapping[str, tuple[str | tuple[tuple[str, str], ...], Slopes, Mapping[str, float]]] = {
    "add": ("input + alpha * other", {"input": "1", "other": "alpha"}, {"alpha": 1.0}),
    "sub": ("input - alpha * other", {"input": "1", "other": "-alpha"}, {"alpha": 1.0}),
    "rsub": ("other - alpha * input", {"input": "-alpha", "other": "1"}, {"alpha": 1.0}),
    "mul": ("input * other", {"input": "other", "other": "input"}, {}),
    "rdiv": ("other / input", {"input": "-other / input**2", "other": "1 / input"}, {}),
    "pow": ("input**other", {"input": POWER, "other": EXPONENT}, {}),
    "rpow": (
        "other**input",
        {
            "input": (("other == 0 and input >= 0", "0"), ("", "out * log(other)")),
            "other": (("input == 0", "0"), ("", "input * other**(input - 1)")),
        },
        {},
    ),
    "maximum": (
        (("input >= other", "input"), ("", "other")),
        {"input": LARGER, "other": SMALLER},
        {},
    ),
    "minimum": (
        (("input <= other", "input"), ("", "other")),
        {"input": SMALLER, "other": LARGER},
        {},
    ),
    "fmax": (
        (("input >= other", "input"), ("", "other")),
        {
            "input": (("input >= other", "1"), ("", "0")),
            "other": (("input >= other", "0"), ("", "1")),
        },
        {},
    ),
    "fmin": (
        (("input <= other", "input"), ("", "other")),
        {
            "input": (("input <= other", "1"), ("", "0")),
            "other": (("input <= other", "0"), ("", "1")),
        },
        {},
    ),
    "copysign": (
        (("other < 0 or 1 / other < 0", "-abs(input)"), ("", "abs(input)")),
        {"input": (("input == 0", "0"), ("", "out / input")), "other": "0"},
        {},
    ),
    "nan_to_num": (
        (
            ("input - input == 0", "input"),
            ("input != input", "nan"),
            ("input > 0", "posinf"),
            ("", "neginf"),
        ),
        {"input": (("input - input == 0", "1"), ("", "0"))},
        {"nan": 0.0},
    ),
    "fmod": (
        "input - other * trunc(input / other)",
        {"input": "1", "other": "-trunc(input / other)"},
        {},
    ),
    "remainder": (
        "input - other * floor(input / other)",
        {"input": "1", "other": "-floor(input / other)"},
        {},
    ),
    "xlogy": (
        (("input == 0", "0"), ("", "input * log(other)")),
        {
            "input": (("input == 0 and other <= 0", "0"), ("", "log(other)")),
            "other": "input / other",
        },
        {},
    ),
    "logaddexp": (
        "log(exp(input) + exp(other))",
        {"input": "exp(input - out)", "other": "exp(other - out)"},
        {},
    ),
    "hypot": ("sqrt(input**2 + other**2)", {"input": "input / out", "other": "other / out"}, {}),
    "atan2": (
        (
            ("other > 0", "arctan(input / other)"),
            ("other < 0 and input >= 0", "arctan(input / other) + pi"),
            ("other < 0", "arctan(input / other) - pi"),
            ("", "sign(input) * pi / 2"),
        ),
        {
            "input": (("input == 0 and other == 0", "0"), ("", "other / (input**2 + other**2)")),
            "other": (("input == 0 and other == 0", "0"), ("", "-input / (input**2 + other**2)")),
        },
        {},
    ),
    "where": (
        ((KEPT, "input"), ("", "other")),
        {"input": ((KEPT, "1"), ("", "0")), "other": ((KEPT, "0"), ("", "1"))},
        {},
    ),
    "masked_fill": (
        (("mask != 0", "value"), ("", "input")),
        {"input": (("mask != 0", "0"), ("", "1")), "value": (("mask != 0", "1"), ("", "0"))},
        {},
    ),
    "lerp": (
        "input + weight * (end - input)",
        {"input": "1 - weight", "end": "weight", "weight": "end - input"},
        {},
    ),
    "addcmul": (
        "input + value * tensor1 * tensor2",
        {"input": "1", "tensor1": "value * tensor2", "tensor2": "value * tensor1"},
        {"value": 1.0},
    ),
    "addcdiv": (
        "input + value * tensor1 / tensor2",
        {
            "input": "1",
            "tensor1": "value / tensor2",
            "tensor2": "-value * tensor1 / tensor2**2",
        },
        {"value": 1.0},
    ),
    "clamp": (
        (("min > max", "max"), ("input < min", "min"), ("input > max", "max"), ("", "input")),
        {
            "input": (("input >= min and input <= max", "1"), ("", "0")),
            "min": (("input < min and min < max", "1"), ("", "0")),
            "max": (("input > max or max < min", "1"), ("", "0")),
        },
        {"min": BELOW, "max": ABOVE},
    ),
    "clamp_min": (
        (("input < min", "min"), ("", "input")),
        {"input": (("input >= min", "1"), ("", "0")), "min": (("input < min", "1"), ("", "0"))},
        {},
    ),
    "clamp_max": (
        (("input > max", "max"), ("", "input")),
        {"input": (("input <= max", "1"), ("", "0")), "max": (("input > max", "1"), ("", "0"))},
        {},
    ),
}
ALSO = {
    "sub": ("subtract",),
    "mul": ("multiply",),
    "pow": ("float_power",),
    "clamp": ("clip",),
}

for _name, (_value, _slopes, _defaults) in TABLE.items():
    file(Elementwise(_name, _value, _slopes, _defaults, fits=_masked), *ALSO.get(_name, ()))

QUOTIENT = {"input": "1 / other", "other": "-input / other**2"}
FLAT = {"input": "0", "other": "0"}
DIVISIONS = {
    mode: told(Elementwise("div", value, slopes, further="rounding_mode"))
    for mode, value, slopes in (
        (None, "input / other", QUOTIENT),
        ("floor", "floor(input / other)", FLAT),
        ("trunc", "trunc(input / other)", FLAT),
    )
}


def _division(call: Call) -> Record:
    return DIVISIONS[call.option("rounding_mode")]


record(
    replace(
        DIVISIONS[None],
        backward=lambda call, role, index: _division(call).backward(call, role, index),
        forward=lambda call, slot, index: _division(call).forward(call, slot, index),
    ),
    "true_divide",
    "divide",
)
