"""What the numbers of a step give cause to warn of, or to refuse."""

from __future__ import annotations

import math

import numpy as np

from ..errors import MiyaInputError
from .network import Network
from .numbers_in import warn
from .rounding import Array

TOO_LARGE = "its numbers are too large for float64; scale them down"


def finite(values: Array) -> bool:
    """Whether every element is finite."""
    # Σ v² is one fast pass, which finite numbers rarely fail
    return math.isfinite(np.vdot(values, values)) or bool(np.isfinite(values).all())


def first_odd(values: Array) -> tuple[int, ...]:
    """The index of the first element that is not finite."""
    return tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])


def check_gradients(network: Network, gradient: Array) -> None:
    """Raise MiyaInputError E311 where ∂C/∂θ of a parameter is not finite.

    gradient: those of all parameters side by side, as `network.layout` has them.
    """
    if finite(gradient):
        return
    for name, values in network.layout.views(gradient).items():
        if finite(values):
            continue
        index = first_odd(values)
        kind = name.rstrip("0123456789")
        place = "".join(f"[{i}]" for i in index)
        raise MiyaInputError(
            "E311",
            f"layer {name.removeprefix(kind)}: the gradient of {kind}{place} is {values[index]:g}",
            hint=TOO_LARGE,
        )


def warn_of_corner(network: Network, output: Array) -> None:
    """W310 where absolute error stands on its corner: an output exactly at its target.

    output: (n, out), the last layer's activations. The text names the first place and no step,
    so that Python's default filter tells it once in a training run.
    """
    if network.loss.name != "absolute_error":
        return
    corners = output == network.targets
    if not corners.any():
        return
    n, i = (int(v) for v in np.argwhere(corners)[0])
    more = int(corners.sum()) - 1
    warn(
        "W310",
        f"example {n + 1}, output[{i}] is exactly its target"
        + (f" (so are {more} more)" if more else "")
        + ": absolute_error has a corner there, and its slope is taken as 0",
    )
