"""Optimizers by torch.optim's definitions, as lines that are both computed and shown.

The names in a line: g gradient, theta parameter before, lr learning rate, t step (from 1), and
the state kept from the step before as NAME_before. A line's own name holds its result; "change"
is Δθ, and the parameter after is theta + change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Options = Mapping[str, float | bool | tuple[float, float]]
Line = tuple[str, str]


@dataclass(frozen=True)
class OptimizerKind:
    name: str
    lines: Callable[[Options, bool], list[Line]]
    defaults: Options
    state: Callable[[Options], dict[str, float]]
    source: str


@dataclass(frozen=True)
class Optimizer:
    """An optimizer as used by one network. Options carry torch.optim's names, without lr."""

    kind: OptimizerKind
    options: Options = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.kind.name

    def lines(self, first_step: bool) -> list[Line]:
        return self.kind.lines(self.options, first_step)

    def start(self) -> dict[str, float]:
        """State before the first step: name and the value that fills it."""
        return self.kind.state(self.options)

    def constants(self) -> dict[str, float]:
        """The numeric options by the names that lines use (betas become beta1 and beta2)."""
        found: dict[str, float] = {}
        for name, value in self.options.items():
            if isinstance(value, tuple):
                found["beta1"], found["beta2"] = value
            elif not isinstance(value, bool):
                found[name] = value
        return found


def _gradient(options: Options, decay: bool = True) -> tuple[list[Line], str]:
    """Lines for maximize and weight decay, and the name of the gradient after them."""
    lines, name = [], "g"
    if options.get("maximize"):
        lines.append(("g_up", "-g"))
        name = "g_up"
    if decay and options.get("weight_decay"):
        lines.append(("d", f"{name} + weight_decay * theta"))
        name = "d"
    return lines, name


def _sgd(o: Options, first: bool) -> list[Line]:
    lines, g = _gradient(o)
    if o["momentum"]:
        # torch fills the buffer with the first gradient, undampened
        new = (
            f"momentum * v_before + (1 - dampening) * {g}"
            if o["dampening"]
            else (f"momentum * v_before + {g}")
        )
        lines.append(("v", g if first else new))
        if o["nesterov"]:
            lines.append(("n", f"{g} + momentum * v"))
        g = "n" if o["nesterov"] else "v"
    return [*lines, ("change", f"-lr * {g}")]


def _rmsprop(o: Options, first: bool) -> list[Line]:
    lines, g = _gradient(o)
    lines.append(("s", f"alpha * s_before + (1 - alpha) * {g}**2"))
    inside = "s"
    if o["centered"]:
        lines.append(("m", f"alpha * m_before + (1 - alpha) * {g}"))
        inside = "(s - m**2)"
    step = f"{g} / ({inside}**0.5 + eps)"
    if o["momentum"]:
        lines.append(("v", f"momentum * v_before + {step}"))
        step = "v"
    return [*lines, ("change", f"-lr * {step}")]


def _adagrad(o: Options, first: bool) -> list[Line]:
    lines, g = _gradient(o)
    rate = "lr / (1 + (t - 1) * lr_decay)" if o["lr_decay"] else "lr"
    return [
        *lines,
        ("s", f"s_before + {g}**2"),
        ("change", f"-{rate} * {g} / (s**0.5 + eps)"),
    ]


def _adam_lines(o: Options, decoupled: bool) -> list[Line]:
    lines, g = _gradient(o, decay=not decoupled)
    lines += [
        ("m", f"beta1 * m_before + (1 - beta1) * {g}"),
        ("v", f"beta2 * v_before + (1 - beta2) * {g}**2"),
        ("m_hat", "m / (1 - beta1**t)"),
    ]
    if o["amsgrad"]:
        lines.append(("v_max", "maximum(v_max_before, v)"))
    lines.append(("v_hat", f"{'v_max' if o['amsgrad'] else 'v'} / (1 - beta2**t)"))
    decay = "-lr * weight_decay * theta " if decoupled and o["weight_decay"] else ""
    return [*lines, ("change", f"{decay}-lr * m_hat / (v_hat**0.5 + eps)".replace(" -lr", " - lr"))]


def _zeros(*names: str) -> dict[str, float]:
    return dict.fromkeys(names, 0.0)


def _adam_state(o: Options) -> dict[str, float]:
    return _zeros("m", "v", *(["v_max"] if o["amsgrad"] else []))


ADAM: Options = {
    "betas": (0.9, 0.999),
    "eps": 1e-8,
    "weight_decay": 0.0,
    "amsgrad": False,
    "maximize": False,
}

KINDS: dict[str, OptimizerKind] = {
    k.name: k
    for k in (
        OptimizerKind(
            "sgd",
            _sgd,
            {
                "momentum": 0.0,
                "dampening": 0.0,
                "weight_decay": 0.0,
                "nesterov": False,
                "maximize": False,
            },
            lambda o: _zeros("v") if o["momentum"] else {},
            "torch.optim.SGD",
        ),
        OptimizerKind(
            "rmsprop",
            _rmsprop,
            {
                "alpha": 0.99,
                "eps": 1e-8,
                "weight_decay": 0.0,
                "momentum": 0.0,
                "centered": False,
                "maximize": False,
            },
            lambda o: _zeros(
                "s", *(["m"] if o["centered"] else []), *(["v"] if o["momentum"] else [])
            ),
            "torch.optim.RMSprop",
        ),
        OptimizerKind(
            "adagrad",
            _adagrad,
            {
                "lr_decay": 0.0,
                "weight_decay": 0.0,
                "initial_accumulator_value": 0.0,
                "eps": 1e-10,
                "maximize": False,
            },
            lambda o: {"s": float(o["initial_accumulator_value"])},  # type: ignore[arg-type]
            "torch.optim.Adagrad",
        ),
        OptimizerKind(
            "adam", lambda o, f: _adam_lines(o, False), ADAM, _adam_state, "torch.optim.Adam"
        ),
        OptimizerKind(
            "adamw",
            lambda o, f: _adam_lines(o, True),
            {**ADAM, "weight_decay": 0.01},
            _adam_state,
            "torch.optim.AdamW",
        ),
    )
}
