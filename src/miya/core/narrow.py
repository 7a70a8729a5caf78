"""A network in float32, and what that changes in its numbers."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from ..errors import MiyaInputError
from .network import Network
from .numbers_in import warn
from .rounding import Array


def narrow(wide: Network) -> Network:
    """The network in float32. W210 names the first number that it stores as another.

    Raises MiyaInputError E202 where a number is outside float32.
    """
    values = {**wide.parameters(), "input": wide.inputs, "target": wide.targets}
    small = {}
    told = False
    for name, value in values.items():
        with np.errstate(over="ignore"):
            small[name] = value.astype(np.float32)
        told = _tell(name, value, small[name], told)
    made = wide.with_parameters({name: small[name] for name in wide.parameters()})
    return replace(made, inputs=small["input"], targets=small["target"])


def _tell(name: str, wide: Array, small: Array, told: bool) -> bool:
    """Refuse an infinity, warn of a whole number that is lost; whether either was told."""
    bad = ~np.isfinite(small)
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        raise MiyaInputError(
            "E202",
            f"{_where(name, index)} is {wide[index]:g}, outside float32",
            hint="use float64",
        )
    if told:
        return True
    # only whole numbers: that 0.1 is no exact float32 is no news
    lost = (wide == np.round(wide)) & (small.astype(np.float64) != wide)
    if not lost.any():
        return False
    index = tuple(int(i) for i in np.argwhere(lost)[0])
    warn(
        "W210",
        f"{_where(name, index)} is {wide[index]:.0f}, stored as {small[index]:.0f} in float32",
    )
    return True


def _where(name: str, index: tuple[int, ...]) -> str:
    """ "layer 1, weight[0][1]" or "example 2, input[0]"."""
    found = re.fullmatch(r"(weight|bias)(\d+)", name)
    if found:
        return f"layer {found[2]}, {found[1]}" + "".join(f"[{i}]" for i in index)
    return f"example {index[0] + 1}, {name}[{index[1]}]"
