"""Recorded tensors and calls: NumPy's view of them is made when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch

from ...core.calls import Call, Inside, Kind, Value
from ...core.graph import Index
from ...core.rounding import Array
from ...core.strided import Strided
from .generators import Torch, autocast_as, drawing_from

WIDER = {torch.bfloat16: torch.float32, torch.float16: torch.float32}

Again = Callable[[Mapping[str, torch.Tensor]], Any]


def to_array(tensor: torch.Tensor) -> Array:
    """As NumPy, in the tensor's own dtype where NumPy has it, else exactly in float32."""
    found = tensor.detach()
    if found.layout is not torch.strided:
        found = found.to_dense()
    if found.dtype in WIDER:
        found = found.to(WIDER[found.dtype])
    return np.asarray(found.numpy(force=True))  # what is on another device, lazy or symbolic too


class TensorValue(Value):
    """A Value that holds the tensor, and the gradient that autograd gave it.

    hooked: whether a hook waits for its gradient. hidden: autograd never shows its gradient (it
    is inside an in-place change of a view): it is added up from what its uses pass back.
    """

    hooked = False
    hidden = False
    trained = False
    back: torch.Tensor | None = None  # what `from_uses` gives, once worked out

    def __init__(self, name: str, kind: Kind, tensor: torch.Tensor, module: str) -> None:
        super().__init__(
            name, kind, tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."), module
        )
        self.tensor = tensor
        self.trained = kind == "parameter" and tensor.requires_grad
        self.version = tensor._version
        self.grad: torch.Tensor | None = None

    def read_value(self) -> Array:
        return to_array(self.tensor)

    def read_gradient(self) -> Array | None:
        found = self.slope()
        return None if found is None else to_array(found)

    @property
    def has_gradient(self) -> bool:
        if self.hidden:
            return any(r.has_gradient for call, _ in self.uses for r in call.results)
        return self.grad is not None

    @property
    def wanted(self) -> bool:
        """Whether autograd follows it."""
        return self.hooked or (self.kind == "parameter" and self.trained)

    def slope(self) -> torch.Tensor | None:
        """∂C/∂value as a tensor."""
        if self.hidden:
            self.grad = self._passed_back()
            self.hidden = False
        return self.grad

    def from_uses(self) -> torch.Tensor | None:
        """What its uses passed back: its gradient, less what the call that made it goes on with."""
        if self.call is None or self.slot not in self.call.goes_on:
            return self.slope()
        if not any(r.has_gradient for r in self.call.results if r is not self):
            return self.slope()  # nothing comes back by the others; it may be the loss itself
        if self.back is None:
            for value in _goes_on_in(self):  # the last first, each from those after it
                value.back = value._passed_back()
        return self.back

    def _passed_back(self) -> torch.Tensor | None:
        parts = [c.pass_back(role) for c, role in self.uses if isinstance(c, TensorCall)]
        given = [p for p in parts if p is not None]
        return torch.stack(given).sum(0) if given else None


class TensorCall(Call):
    """A Call that can be run again: with the arguments as they stood, the random state before it
    where it draws, and autocast as it was.

    again: None for what cannot be run again; `edges` then holds what autograd passed back through
    it, by role. graded: whether gradients were recorded when it ran.
    """

    def __init__(
        self,
        name: str,
        arguments: Mapping[str, Any],
        results: tuple[Value, ...],
        module: str,
        again: Again | None,
        random_state: Torch | None,
    ) -> None:
        super().__init__(name, arguments, results, module)
        self.again, self.random_state = again, random_state
        self.edges: dict[str, torch.Tensor] = {}
        self.autocast: tuple[tuple[str, bool, torch.dtype], ...] | None = None
        self.graded = True
        self.by_rest = False  # what it passes back is what no other use of the operand does
        self.changes: tuple[str, ...] = ()  # roles that it changes, beside what it makes

    def run(
        self, tensors: Mapping[str, torch.Tensor], autocast: bool = True
    ) -> tuple[torch.Tensor, ...]:
        """The results with these tensors in the place of operands, by role."""
        if self.again is None:
            raise NotImplementedError(f"{self.name} cannot be run again")
        with ExitStack() as stack:
            stack.enter_context(drawing_from(self.random_state))
            if autocast and self.autocast is not None:
                stack.enter_context(autocast_as(self.autocast))
            return tensors_in(self.again(tensors))

    def replay(self, arrays: Mapping[str, Array]) -> tuple[Array, ...]:
        given = {role: self._like(role, array) for role, array in arrays.items()}
        with torch.inference_mode(False), torch.set_grad_enabled(self.graded):
            for role, operand in self.operands.items():  # torch computes by other ways without
                if isinstance(operand, TensorValue) and operand.wanted:
                    found = given.get(role, operand.tensor)
                    given[role] = found.detach().requires_grad_(_sloped(found))
            return tuple(to_array(t) for t in self.run(given))

    def _like(self, role: str, array: Array) -> torch.Tensor:
        found = torch.from_numpy(np.array(array, order="C"))
        operand = self.operands[role]
        if not isinstance(operand, TensorValue):
            return found
        if found.shape != operand.tensor.shape:
            return found.to(operand.tensor)
        return torch.empty_like(operand.tensor).copy_(found)  # masks are drawn in memory's order

    def moved(self, arrays: Mapping[str, Array]) -> tuple[Array, ...]:
        given = {}
        for role, array in arrays.items():
            found = torch.from_numpy(np.asarray(array, order="C"))
            operand = self.operands[role]
            if isinstance(operand, TensorValue):  # as_strided reads by the layout
                layout = torch.empty_like(operand.tensor, dtype=found.dtype, device="cpu")
                found = layout.copy_(found).to(operand.tensor.device)
            given[role] = found
        with torch.no_grad():
            return tuple(to_array(t) for t in self.run(given, autocast=False))

    def views(self, role: str) -> tuple[Strided, ...] | None:
        operand = self.operands[role]
        if self.again is None or not isinstance(operand, TensorValue):
            return None
        given = torch.empty(operand.shape, dtype=operand.tensor.dtype, device="meta")
        try:  # on a tensor without numbers, that knows only its layout
            with torch.no_grad():
                made = self.run({role: given})
        except (RuntimeError, NotImplementedError, ValueError):  # it reads numbers
            return None
        if any(t._base is not given or t.dtype != given.dtype or t.is_neg() for t in made):
            return None
        if self.name == "as_strided" or given._version:
            return None
        return tuple(Strided(tuple(t.shape), t.stride(), int(t.storage_offset())) for t in made)

    def weights(self, role: str, slot: int, index: Index) -> Array | None:
        operand = self.operands[role]
        if self.again is None or not isinstance(operand, TensorValue):
            return None
        with torch.inference_mode(False), torch.enable_grad():
            leaf = operand.tensor.detach().clone().requires_grad_()
            made = self.run({role: leaf})[slot]
            if not made.requires_grad:  # detached
                return None
            return to_array(torch.autograd.grad(made[index], [leaf])[0])

    def passed(self, role: str) -> Array | None:
        found = self.pass_back(role)
        return None if found is None else to_array(found)

    def pass_back(self, role: str) -> torch.Tensor | None:
        """What went back to an operand through this use alone."""
        if self.by_rest:
            return self._rest(role)
        if self.again is None:
            return self.edges.get(role)
        operand = self.operands[role]
        if not self.graded or not isinstance(operand, TensorValue) or not _sloped(operand.tensor):
            return None
        if role in self.changes:
            return None
        pairs = [(r.slot, r.from_uses()) for r in self.results if isinstance(r, TensorValue)]
        with torch.inference_mode(False), torch.enable_grad():
            leaf = operand.tensor.detach().clone().requires_grad_()
            made = self.run({role: leaf})
            back = [(made[k], g) for k, g in pairs if g is not None and made[k].requires_grad]
            if not back:
                return None
            outputs, slopes = zip(*back, strict=True)
            return torch.autograd.grad(outputs, [leaf], slopes, allow_unused=True)[0]

    def passed_exactly(self, role: str) -> Array | None:
        operand = self.operands[role]
        if self.by_rest or self.again is None or role in self.changes or not self.graded:
            return None
        if not isinstance(operand, TensorValue) or not operand.tensor.is_floating_point():
            return None
        pairs = [(r.slot, r.from_uses()) for r in self.results if isinstance(r, TensorValue)]
        try:
            with torch.inference_mode(False), torch.enable_grad():
                given = dict(self._doubled())
                leaf = given[role].requires_grad_()
                made = self.run(given, autocast=False)
                back = [(made[k], g) for k, g in pairs if g is not None and made[k].requires_grad]
                outputs, slopes = zip(*((t, g.to(t.dtype)) for t, g in back), strict=True)
                found = torch.autograd.grad(outputs, [leaf], slopes, allow_unused=True)[0]
        except (RuntimeError, ValueError, TypeError, NotImplementedError):
            return None  # not every operation is there in every dtype
        return None if found is None else to_array(found)

    def _doubled(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Each operand of real numbers, by role, in double precision."""
        for role, operand in self.operands.items():
            if isinstance(operand, TensorValue) and operand.tensor.is_floating_point():
                yield role, operand.tensor.detach().double().clone()

    def _rest(self, role: str) -> torch.Tensor | None:
        operand = self.operands[role]
        whole = operand.slope() if isinstance(operand, TensorValue) else None
        alike = [c for c, _ in operand.uses if isinstance(c, TensorCall) and c.by_rest]
        if alike[0] is not self:  # the first such use stands for all
            return None
        for call, other in operand.uses:
            if whole is not None and isinstance(call, TensorCall) and not call.by_rest:
                part = call.pass_back(other)
                whole = whole if part is None else whole - part
        first = operand.slope() if isinstance(operand, TensorValue) else None
        return None if whole is None or first is None or _is_noise(whole, first) else whole

    def expand(self) -> Inside | None:
        from .inside import expand

        return expand(self)


def _is_noise(rest: torch.Tensor, whole: torch.Tensor) -> bool:
    """Whether what is left of a gradient is only the rounding of the parts taken from it."""
    if not whole.numel():
        return False
    size = 64 * torch.finfo(whole.dtype).eps * float(whole.abs().max())
    return rest is not whole and float(rest.abs().max()) <= size


def _goes_on_in(value: TensorValue) -> list[TensorValue]:
    """It and, through the calls that read it, every later value that its call goes on with (the
    state of an LSTM's cell from step to step), the last first."""
    found = {id(value): value}
    waiting = [value]
    while waiting:
        for call, _ in waiting.pop().uses:
            for later in (call.results[slot] for slot in call.goes_on):
                if isinstance(later, TensorValue) and id(later) not in found and later.back is None:
                    found[id(later)] = later
                    waiting.append(later)
    return sorted(found.values(), key=lambda v: -v.call.number if v.call else 0)


def _sloped(tensor: torch.Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def tensors_in(found: Any) -> tuple[torch.Tensor, ...]:
    """The tensors of a result, in order: of tuples, lists, mappings and dataclasses."""
    if isinstance(found, torch.Tensor):
        return (found,)
    return tuple(t for item in parts_of(found).values() for t in tensors_in(item))


def parts_of(found: Any) -> Mapping[Any, Any]:
    """What a container holds, by key; nothing of what is none."""
    if isinstance(found, Mapping):
        return found
    if hasattr(found, "_fields"):
        return dict(zip(found._fields, found, strict=True))
    if isinstance(found, (tuple, list)):
        return dict(enumerate(found))
    if is_dataclass(found) and not isinstance(found, type):
        return {f.name: getattr(found, f.name) for f in fields(found)}
    return {}
