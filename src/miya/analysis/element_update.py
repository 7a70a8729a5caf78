"""What an optimizer did to one element of a parameter: its formulas with that element's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.arithmetic import compute
from ..core.graph import Index
from ..core.model import OptimizerUse, ParameterStep
from ..core.optimizers import KINDS, Optimizer
from ..core.trace import ParameterUpdate
from .why import UNITS, rounding

# units of the last place (by the UNITS of `rounding`) that the lines of an optimizer may be off in
# a narrow dtype: Adam's ten operations each round
STEPPED = 4

# torch.optim's classes, and what their state is called in core/optimizers.py
TORCH: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "SGD": ("sgd", {"momentum_buffer": "v"}),
    "Adam": ("adam", {"exp_avg": "m", "exp_avg_sq": "v", "max_exp_avg_sq": "v_max"}),
    "AdamW": ("adamw", {"exp_avg": "m", "exp_avg_sq": "v", "max_exp_avg_sq": "v_max"}),
    "RMSprop": ("rmsprop", {"square_avg": "s", "momentum_buffer": "v", "grad_avg": "m"}),
    "Adagrad": ("adagrad", {"sum": "s"}),
}
# options that change no number, or are read on their own
UNTOLD = frozenset(
    [
        "lr",
        "foreach",
        "capturable",
        "differentiable",
        "fused",
        "initial_lr",
        "decoupled_weight_decay",
    ]
)


@dataclass(frozen=True)
class Line:
    """name = formula, and what it gave; the last is "change"."""

    name: str
    formula: str
    result: float


@dataclass(frozen=True, eq=False)
class ElementUpdate:
    """before, change and after of one element. lines: the optimizer's formulas in order, none
    where core does not know it; names: what they read. difference: before + change by the lines,
    less `after`; rounding: what the dtype's rounding explains."""

    optimizer: str
    before: float
    after: float
    lines: tuple[Line, ...]
    names: Mapping[str, float]
    difference: float
    rounding: float

    @property
    def change(self) -> float:
        return self.after - self.before

    @property
    def agrees(self) -> bool:
        return not abs(self.difference) > self.rounding


def update_in_network(update: ParameterUpdate, index: Index, name: str) -> ElementUpdate:
    lines = tuple(
        Line(symbol, formula, float(update.results[symbol][index]))
        for symbol, formula in update.lines
    )
    names = {
        key: float(value[index]) if isinstance(value, np.ndarray) else float(value)
        for key, value in update.names.items()
        if key not in update.results
    }
    before, after = float(update.before[index]), float(update.after[index])
    return ElementUpdate(name, before, after, lines, names, 0.0, 0.0)


def update_in_model(
    parameter: ParameterStep, use: OptimizerUse | None, index: Index
) -> ElementUpdate | None:
    """None where the optimizer does not hold the parameter, or it had no gradient."""
    if use is None or not parameter.trained or parameter.gradient is None:
        return None
    assert parameter.group is not None
    before, after = float(parameter.before[index]), float(parameter.after[index])
    known = known_optimizer(use.name, use.groups[parameter.group])
    if known is None:
        return ElementUpdate(use.name, before, after, (), {}, 0.0, 0.0)
    optimizer, rate = known
    names = _names(parameter, optimizer, rate, use.name, index)
    lines, found = [], dict(names)
    with np.errstate(all="ignore"):
        for symbol, formula in optimizer.lines(names["t"] == 1):
            found[symbol] = float(compute(formula, found))
            lines.append(Line(symbol, formula, found[symbol]))
    change = abs(found["change"])
    size = abs(before) + change
    return ElementUpdate(
        use.name,
        before,
        after,
        tuple(lines),
        names,
        before + found["change"] - after,
        rounding(parameter.dtype, size, 0.0, abs(before) / UNITS + STEPPED * change),
    )


def known_optimizer(name: str, group: Mapping[str, Any]) -> tuple[Optimizer, float] | None:
    """The optimizer of core that does what this one of torch.optim does with these options, and
    its learning rate; None where there is none."""
    kind_name = TORCH.get(name, ("", {}))[0]
    if group.get("decoupled_weight_decay") and kind_name == "adam":
        kind_name = "adamw"
    kind = KINDS.get(kind_name)
    if kind is None:
        return None
    given = {k: v for k, v in group.items() if k not in UNTOLD}
    if any(v for k, v in given.items() if k not in kind.defaults):
        return None
    options: dict[str, Any] = {
        k: _option(given.get(k, default), default) for k, default in kind.defaults.items()
    }
    return Optimizer(kind, options), float(group["lr"])


def _option(value: Any, default: Any) -> Any:
    if isinstance(default, tuple):
        return tuple(float(v) for v in value)
    return bool(value) if isinstance(default, bool) else float(value)


def _names(
    parameter: ParameterStep, optimizer: Optimizer, rate: float, name: str, index: Index
) -> dict[str, float]:
    state, renamed = parameter.state_before, TORCH[name][1]
    step = state.get("step")
    kept = {renamed[k]: v for k, v in state.items() if k in renamed and v is not None}
    first = (step is None and not kept) or (step is not None and float(np.asarray(step)) == 0)
    assert parameter.gradient is not None
    found: dict[str, float] = {
        **optimizer.constants(),
        "lr": rate,
        "t": 1.0 if first else 1.0 + (float(np.asarray(step)) if step is not None else 1.0),
        "g": float(parameter.gradient[index]),
        "theta": float(parameter.before[index]),
    }
    for key, start in optimizer.start().items():
        held = kept.get(key)
        found[f"{key}_before"] = start if held is None else float(np.asarray(held)[index])
    return found
