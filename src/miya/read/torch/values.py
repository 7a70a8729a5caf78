"""Recorded tensors and calls: NumPy's view of them is made when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from ...core.calls import Call, Inside, Kind, Value
from ...core.rounding import Array

WIDER = {torch.bfloat16: torch.float32, torch.float16: torch.float32}


def to_array(tensor: torch.Tensor) -> Array:
    """As NumPy, in the tensor's own dtype where NumPy has it, else exactly in float32."""
    found = tensor.detach()
    if found.dtype in WIDER:
        found = found.to(WIDER[found.dtype])
    return np.asarray(found.cpu().resolve_conj().resolve_neg().numpy())


class TensorValue(Value):
    """A Value that holds the tensor, and the gradient that autograd gave it."""

    def __init__(self, name: str, kind: Kind, tensor: torch.Tensor, module: str) -> None:
        super().__init__(
            name, kind, tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."), module
        )
        self.tensor = tensor
        self.version = tensor._version
        self.grad: torch.Tensor | None = None

    def read_value(self) -> Array:
        return to_array(self.tensor)

    def read_gradient(self) -> Array | None:
        return None if self.grad is None else to_array(self.grad)

    @property
    def has_gradient(self) -> bool:
        return self.grad is not None


class TensorCall(Call):
    """A Call that can be run again: `func` with the arguments as they stood, and the state of the
    random generator before it where it draws."""

    def __init__(
        self,
        name: str,
        arguments: Mapping[str, Any],
        results: tuple[Value, ...],
        module: str,
        again: Callable[[Mapping[str, torch.Tensor]], Any],
        random_state: torch.Tensor | None,
    ) -> None:
        super().__init__(name, arguments, results, module)
        self.again, self.random_state = again, random_state

    def run(self, tensors: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, ...]:
        """The results with these tensors in the place of operands, by role."""
        with torch.random.fork_rng(devices=[]):
            if self.random_state is not None:
                torch.set_rng_state(self.random_state)
            return tensors_in(self.again(tensors))

    def replay(self, arrays: Mapping[str, Array]) -> tuple[Array, ...]:
        with torch.no_grad():
            given = {role: torch.from_numpy(np.ascontiguousarray(a)) for role, a in arrays.items()}
            return tuple(to_array(t) for t in self.run(given))

    def passed(self, role: str) -> Array | None:
        results = [r for r in self.results if isinstance(r, TensorValue) and r.grad is not None]
        operand = self.operands[role]
        if not results or not isinstance(operand, TensorValue):
            return None
        with torch.enable_grad():
            leaf = operand.tensor.detach().clone().requires_grad_()
            made = self.run({role: leaf})
            pairs = [(made[r.slot], r.grad) for r in results if made[r.slot].requires_grad]
            if not pairs:
                return None
            found = torch.autograd.grad(
                [m for m, _ in pairs], [leaf], [g for _, g in pairs], allow_unused=True
            )
        return None if found[0] is None else to_array(found[0])

    def expand(self) -> Inside | None:
        from .inside import expand

        return expand(self)


def tensors_in(found: Any) -> tuple[torch.Tensor, ...]:
    """The tensors of a result, in order."""
    if isinstance(found, torch.Tensor):
        return (found,)
    if isinstance(found, (tuple, list)):
        return tuple(t for item in found for t in tensors_in(item))
    if isinstance(found, Mapping):
        return tuple(t for item in found.values() for t in tensors_in(item))
    return ()
