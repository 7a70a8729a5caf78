"""Where the operations of a model that have a kink stand: on which side of it, and how far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from ...core.rerun import Chosen, Zero
from .functions import plain_name

Given = dict[str, Any]


def _x(given: Given) -> torch.Tensor:
    found: torch.Tensor = given["input"]
    return found


def _bounds(given: Given, low: str, high: str, usual: tuple[Any, Any]) -> list[torch.Tensor]:
    ends = given.get(low, usual[0]), given.get(high, usual[1])
    return [_x(given) - end for end in ends if end is not None]


# Each kinked operation, and what is 0 at its kinks: by the definition in torch's own reference.
ZEROS: dict[str, Callable[[Given], list[torch.Tensor]]] = {
    **dict.fromkeys(
        ("relu", "leaky_relu", "prelu", "rrelu", "elu", "celu", "selu", "abs"), lambda g: [_x(g)]
    ),
    "relu6": lambda g: [_x(g), _x(g) - 6],
    "hardtanh": lambda g: _bounds(g, "min_val", "max_val", (-1.0, 1.0)),
    "clamp": lambda g: _bounds(g, "min", "max", (None, None)),
    "clamp_min": lambda g: [_x(g) - g["min"]],
    "clamp_max": lambda g: [_x(g) - g["max"]],
    "threshold": lambda g: [_x(g) - g["threshold"]],
    **dict.fromkeys(("hardswish", "hardsigmoid"), lambda g: [_x(g) - 3, _x(g) + 3]),
    **dict.fromkeys(
        ("hardshrink", "softshrink"),
        lambda g: [_x(g) - g.get("lambd", 0.5), _x(g) + g.get("lambd", 0.5)],
    ),
    **dict.fromkeys(("maximum", "minimum"), lambda g: [_x(g) - g["other"]]),
    "l1_loss": lambda g: [_x(g) - g["target"]],
    "smooth_l1_loss": lambda g: [(_x(g) - g["target"]).abs() - g.get("beta", 1.0)],
    "huber_loss": lambda g: [(_x(g) - g["target"]).abs() - g.get("delta", 1.0)],
}
NAMES: dict[str, tuple[str, ...]] = {
    "hardtanh": ("input", "min_val", "max_val"),
    "clamp": ("input", "min", "max"),
    "clamp_min": ("input", "min"),
    "clamp_max": ("input", "max"),
    "threshold": ("input", "threshold"),
    **dict.fromkeys(("hardshrink", "softshrink"), ("input", "lambd")),
    **dict.fromkeys(("maximum", "minimum"), ("input", "other")),
    **dict.fromkeys(("l1_loss", "smooth_l1_loss", "huber_loss"), ("input", "target")),
}
POOLS = frozenset(
    f"{kind}max_pool{d}d" for kind in ("", "adaptive_", "fractional_") for d in (1, 2, 3)
)


class KinkMode(TorchFunctionMode):
    """Keeps in `sides` where each kinked operation stands as it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.sides: list[Zero | Chosen] = []

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = plain_name(getattr(func, "__name__", ""))[0]
        if name in ZEROS:
            self._zero(name, args, kwargs)
        elif name in POOLS or name.startswith("boolean_dispatch"):
            return self._pool(func, args, kwargs)
        found = func(*args, **kwargs)
        if name == "max" and isinstance(found, tuple) and len(found) == 2:
            self._max(args, kwargs, found[1])
        return found

    def _zero(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = {**dict(zip(NAMES.get(name, ("input",)), args, strict=False)), **kwargs}
        with torch.no_grad(), torch._C.DisableTorchFunction():
            for found in ZEROS[name](given):
                self.sides.append(Zero(_flat(found)))

    def _pool(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        found = func(*args, **{**kwargs, "return_indices": True})
        if not isinstance(found, tuple):
            return found
        made, index = found
        spatial = 1 if "1d" in func.__name__ else 3 if "3d" in func.__name__ else 2
        with torch.no_grad(), torch._C.DisableTorchFunction():
            x = args[0] if args else kwargs["input"]
            rows = x.detach().flatten(x.dim() - spatial).flatten(0, -2)
            chosen = index.flatten(index.dim() - spatial).flatten(0, -2)
            self.sides.append(Chosen(_array(rows), _array(chosen)))
        return found if kwargs.get("return_indices") else made

    def _max(self, args: tuple[Any, ...], kwargs: dict[str, Any], index: torch.Tensor) -> None:
        dim = kwargs.get("dim", args[1] if len(args) > 1 else None)
        if not isinstance(dim, int):
            return
        with torch.no_grad(), torch._C.DisableTorchFunction():
            x = args[0].detach().movedim(dim, -1)
            keep = kwargs.get("keepdim", len(args) > 2 and args[2])
            index = index.squeeze(dim) if keep else index
            self.sides.append(
                Chosen(_array(x.reshape(-1, x.shape[-1])), _array(index.reshape(-1, 1)))
            )


def _flat(tensor: torch.Tensor) -> Any:
    return _array(tensor.detach().reshape(-1))


def _array(tensor: torch.Tensor) -> Any:
    wide = tensor.double() if tensor.is_floating_point() else tensor
    return wide.cpu().numpy().copy()
