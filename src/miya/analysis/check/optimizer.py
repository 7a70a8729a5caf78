"""The optimizer's own numbers of a page: velocity, Adam's m, v and what is corrected of them.

A head is the name of one of the optimizer's lines (core/optimizers.py) and the letter of the
parameter: "v_W" of a weight's velocity, "m_hat_b" of a bias; "v_before_W" is what a step starts
from.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Set
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ...core.arithmetic import compute
from ...core.optimizers import Line
from ...core.page import VELOCITIES
from ...core.written import Quantity

if TYPE_CHECKING:
    from .world import World

USUAL, *OTHERS = VELOCITIES
EMA = OTHERS[-1]
# the last two lines of the optimizer, by what the page calls velocity
VELOCITY_LINES: Mapping[str, tuple[Line, Line]] = dict(
    zip(
        OTHERS,
        (
            (("v", "momentum * v_before - lr * {g}"), ("change", "v")),
            (("v", "momentum * v_before + lr * {g}"), ("change", "-v")),
            (("v", "momentum * v_before + (1 - momentum) * {g}"), ("change", "-lr * v")),
        ),
        strict=True,
    )
)
LINES = ("g_up", "d", "v", "n", "s", "m", "m_hat", "v_hat", "v_max")
STATE = ("v", "s", "m", "v_max")
PLAIN = ("change", "-lr * g")


def lines(w: World) -> list[Line]:
    """The optimizer's lines in this step, as the page has its velocity."""
    found = w.network.optimizer.lines(w.number == 1 and not w.state)
    if w.velocity not in VELOCITY_LINES:
        return found
    at = next((k for k, (name, _) in enumerate(found) if name == "v"), None)
    if at is None:  # no momentum: the optimizer keeps no velocity
        return found
    g = found[at - 1][0] if at else "g"
    own = [(name, formula.format(g=g)) for name, formula in VELOCITY_LINES[w.velocity]]
    return [*found[:at], *own]


def names(w: World, of: Quantity, letter: str, wanted: Set[str] | None = None) -> dict[str, Any]:
    """What the lines read, but for the lines themselves; of it only what is `wanted`."""
    optimizer = w.network.optimizer
    found: dict[str, Any] = {**optimizer.constants(), "t": w.number}
    reads = {"lr": "η", "g": f"∂C/∂{letter}", "theta": letter}
    reads |= {f"{name}_before": f"{name}_before_{letter}" for name in optimizer.start()}
    for name, head in reads.items():
        if wanted is None or name in wanted:
            at = Quantity(head) if head == "η" else Quantity(head, of.layer, of.index)
            found[name] = w.get(at)
    return found


@lru_cache(maxsize=512)
def reads(formula: str) -> frozenset[str]:
    """The names in a formula."""
    return frozenset(re.findall(r"[a-z_]\w*", formula))


def every(w: World, of: Quantity, letter: str) -> dict[str, Any]:
    """All names with what each line gives, "change" left out."""
    found = names(w, of, letter)
    for name, _ in lines(w)[:-1]:
        found[name] = w.get(Quantity(f"{name}_{letter}", of.layer, of.index))
    return found


def worked(formula: str, known: Mapping[str, Any]) -> float:
    """A line's result; not a number where a page's own numbers give none, as √ of less than 0."""
    value = compute(formula, known)
    return math.nan if isinstance(value, complex) else float(value)


def by_line(w: World, of: Quantity, name: str, letter: str) -> float:
    """One line worked out, from what it reads."""
    told = lines(w)
    formula = dict(told)[name]
    wanted = reads(formula)
    known = names(w, of, letter, wanted)
    for one, _ in told:
        if one in wanted and one != name:
            known[one] = w.get(Quantity(f"{one}_{letter}", of.layer, of.index))
    return worked(formula, known)


def _line(w: World, of: Quantity) -> list[float]:
    name, _, letter = of.head.rpartition("_")
    return [by_line(w, of, name, letter)]


def _before(w: World, of: Quantity) -> list[float]:
    """What the step before left, or what the first starts from."""
    name, letter = of.head.removesuffix(of.head[-2:]).removesuffix("_before"), of.head[-1]
    if w.previous is not None:
        return [w.left(Quantity(f"{name}_{letter}", of.layer, of.index))]
    return [w.state.get(of, w.network.optimizer.start()[name])]


def change(w: World, of: Quantity) -> list[float]:
    """ΔW or Δb."""
    letter = of.head[1]
    layer = w.network.layers[(of.layer or 1) - 1]
    mask = layer.weight_mask if letter == "W" else layer.bias_mask
    if not mask[of.index if letter == "W" or mask.size > 1 else (0,)]:
        return [0.0]
    told = lines(w)
    if len(told) == 1 and told[0] == PLAIN:  # the usual case, which is asked for most
        rate = w.get(Quantity("η"))
        return [-rate * w.get(Quantity(f"∂C/∂{letter}", of.layer, of.index))]
    return [by_line(w, of, "change", letter)]


RULES: dict[str, Callable[[World, Quantity], list[float]]] = {
    "ΔW": change,
    "Δb": change,
    **{f"{name}_{letter}": _line for name in LINES for letter in "Wb"},
    **{f"{name}_before_{letter}": _before for name in STATE for letter in "Wb"},
}
