"""Recording torch's functions as a model calls them.

Every call of a torch function passes through one TorchFunctionMode: its name, its operands and
its results are kept as they are, and a hook on each result receives the gradient that autograd
works out. Nothing is computed twice and no arithmetic is replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch._C._functorch import peek_interpreter_stack
from torch.overrides import TorchFunctionMode

from ...core.calls import Kind
from ...errors import MiyaInputError
from .functions import (
    BY_GRAPH,
    CHANGES,
    COMPOSITE,
    NO_OPERATION,
    again,
    called,
    names_of,
    opened,
    plain_name,
)
from .functions import RANDOM as RANDOM
from .generators import Torch, autocast_now
from .graph import Linked
from .names import Names, Visit
from .overwrites import Overwrites
from .values import TensorCall, TensorValue, tensors_in

REENTRANT = "CheckpointFunction"
INDEXING = ("__getitem__", "__setitem__")


@dataclass
class Failure:
    """A call that raised: where, of what, with which arguments."""

    error: BaseException
    module: str
    name: str = ""
    arguments: Mapping[str, Any] | None = None


class Recorder(Overwrites, TorchFunctionMode):
    """Records the calls made while it is entered. `given` names what is there before.

    keeping: whether a gradient that comes by is kept. paused: calls are made, and not recorded.
    foreign: by id, tensors that must not be read, and the error that says why.
    """

    def __init__(self, gradients: bool = True) -> None:
        TorchFunctionMode.__init__(self)
        Overwrites.__init__(self)
        self.calls: list[TensorCall] = []
        self.known: dict[int, tuple[torch.Tensor, TensorValue]] = {}
        self.made: list[TensorValue] = []
        self.modules: list[str] = [""]
        self.gradients = gradients
        self.visits: list[Visit] = []
        self.keeping = True
        self.paused = False
        self.foreign: dict[int, Callable[[], MiyaInputError]] = {}
        self.outside: Callable[[torch.Tensor], str | None] = lambda tensor: None
        self.named = False
        self.failure: Failure | None = None
        self.linked = Linked()
        self.held: list[torch.Tensor] = []  # every known tensor, in the order of being known
        self.generators: dict[int, tuple[torch.Generator, torch.Tensor]] = {}

    def given(self, tensor: torch.Tensor, name: str, kind: Kind, module: str = "") -> TensorValue:
        """A tensor that is there before the computation."""
        value = TensorValue(name, kind, tensor, module)
        self._know(tensor, value)
        return value

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = called(func)
        if name in NO_OPERATION or self.paused or functorch_at_work():
            return func(*args, **kwargs)
        if name in COMPOSITE:
            with self:
                return opened(func)(*args, **kwargs)
        return self._record(func, name, args, kwargs)

    def _record(self, func: Any, full: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        name, in_place = plain_name(full)
        if name in BY_GRAPH:
            return self._made_by_graph(func, name, args, kwargs)
        names = names_of(func, name, args)
        given = {
            (names[k] if k < len(names) else f"argument{k}" if k else "input"): a
            for k, a in enumerate(args)
        }
        positional = tuple(given)
        given.update(kwargs)
        if name in INDEXING and isinstance(given.get("index"), list):
            given["index"] = (given["index"],)  # x[[2, 0]] is x[([2, 0],)], not x[2, 0]
        in_place = in_place or given.get("inplace") is True or "out" in kwargs
        arguments = {key: self._recorded(a) for key, a in given.items()}
        random_state = Torch() if name in RANDOM else None
        changed = kwargs.get("out", args[0] if args else None) if in_place else None
        if isinstance(changed, torch.Tensor):
            self.keep_what_is_overwritten(changed)
        self._keep_what_changes(name, given)
        try:
            found = func(*args, **kwargs)
        except Exception as error:
            if self.failure is None or self.failure.error is not error:
                self.failure = Failure(error, self.modules[-1], name, arguments)
            raise
        results = tensors_in(changed if name == "__setitem__" else found)
        if not results or (changed is None and self._is_operand(results, arguments)):
            return found
        if not any(True for _ in values_in(arguments)):
            self._made_of_nothing(name, results)
            return found
        values = tuple(TensorValue("", "result", t, self.modules[-1]) for t in results)
        call = TensorCall(
            name,
            arguments,
            values,
            self.modules[-1],
            again(func, name, arguments, positional, in_place),
            random_state,
        )
        call.changes = CHANGES.get(name, ())
        if torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda"):
            call.autocast = autocast_now()
        if isinstance(changed, torch.Tensor):
            self._file_change(call, values, results, changed)
        else:
            self._file(call, values, results)
        return found

    def _made_by_graph(self, func: Any, name: str, args: Any, kwargs: Any) -> Any:
        """What autograd makes in a forward pass: linked by its graph."""
        found = func(*args, **kwargs)
        for tensor in tensors_in(found):
            if tensor.grad_fn is not None and id(tensor) not in self.known:
                value = self._link(tensor, f"autograd.{name}")
                if isinstance(value.call, TensorCall):
                    value.call.by_rest = True  # its graph runs through that of the forward pass
        return found

    def _made_of_nothing(self, name: str, tensors: tuple[torch.Tensor, ...]) -> None:
        for tensor in tensors:
            self.given(tensor, name, "constant", self.modules[-1])

    def _is_operand(self, results: tuple[torch.Tensor, ...], arguments: Mapping[str, Any]) -> bool:
        """Whether a call only gave back what it got (dropout in evaluation, contiguous)."""
        if len(results) != 1:
            return False
        known = self.known.get(id(results[0]))
        return known is not None and any(v is known[1] for v in values_in(arguments))

    def _file(
        self, call: TensorCall, values: tuple[TensorValue, ...], tensors: tuple[torch.Tensor, ...]
    ) -> None:
        call.number, call.goes_on = len(self.calls), goes_on_with(call.name, tensors)
        call.graded = torch.is_grad_enabled()
        self.calls.append(call)
        for role, operand in call.operands.items():
            operand.uses.append((call, role))
        for slot, (value, tensor) in enumerate(zip(values, tensors, strict=True)):
            value.call, value.slot = call, slot
            self._know(tensor, value)
            if self.gradients and tensor.requires_grad:
                self._hook(tensor, value)

    def _hook(self, tensor: torch.Tensor, value: TensorValue) -> None:
        value.hooked = True
        keep = _keep_gradient(self, value)
        node = tensor.grad_fn
        if (
            self.changes
            and node is not None
            and (tensor._base is not None or tensor._backward_hooks)
        ):
            at = tensor.output_nr  # a tensor changed in place keeps hooks of its former node
            node.register_prehook(lambda slopes: keep(slopes[at]))
        else:
            tensor.register_hook(keep)  # type: ignore[no-untyped-call]

    def _know(self, tensor: torch.Tensor, value: TensorValue) -> None:
        before = self.known.get(id(tensor))
        if before is None:
            self.held.append(tensor)
        elif before[1].tensor is tensor:
            self._also.setdefault(id(tensor), []).append(before[1])
        self.known[id(tensor)] = (tensor, value)
        self.made.append(value)

    def _recorded(self, found: Any) -> Any:
        """The same with each tensor replaced by its Value."""
        if isinstance(found, torch.Tensor):
            return self.value_of(found)
        if isinstance(found, (tuple, list)):
            return tuple(self._recorded(item) for item in found)
        if isinstance(found, torch.Generator):
            self.generators.setdefault(id(found), (found, found.get_state()))
            return found.clone_state()
        return found

    def value_of(self, tensor: torch.Tensor) -> TensorValue:
        known = self.known.get(id(tensor))
        if known is not None:
            value = known[1]
            if value.hooked or not tensor.requires_grad or value.kind == "parameter":
                return value
            if tensor.grad_fn is not None and self.gradients:
                return self._link(tensor, by=value)
            if self.gradients:
                self._hook(tensor, value)
            return value
        if (refused := self.foreign.get(id(tensor))) is not None:
            raise refused()
        name = self.outside(tensor)
        if name is not None or tensor.grad_fn is None:
            kind: Kind = "input" if name else "constant"
            value = self.given(tensor, name or "constant", kind, self.modules[-1])
            if self.gradients and tensor.requires_grad:
                self._hook(tensor, value)
            return value
        return self._link(tensor)

    def _link(
        self, tensor: torch.Tensor, name: str = "", by: TensorValue | None = None
    ) -> TensorValue:
        """File what made a tensor past the recorder's eyes (an autograd.Function, TorchScript), by
        the graph that autograd kept of it."""
        with torch._C.DisableTorchFunction():  # what autograd is asked here is no call of the model
            operands, edges = self.linked.behind(tensor, self.known.values())
        arguments: dict[str, TensorValue] = {f"input{k or ''}": v for k, v in enumerate(operands)}
        if by is not None:
            arguments["by"] = by
        value = TensorValue("", "result", tensor, self.modules[-1])
        name = name or self.linked.name(tensor)
        if name == REENTRANT:
            raise MiyaInputError(
                "E417",
                f"{self.modules[-1] or 'the model'} uses a reentrant checkpoint, whose inside has "
                "a backward pass of its own",
                hint="call checkpoint(..., use_reentrant=False)",
            )
        call = TensorCall(name, arguments, (value,), self.modules[-1], None, None)
        self._file(call, (value,), (tensor,))
        if self.gradients:
            self.linked.watch(call, edges)
        return value

    def name(self) -> None:
        """Name every value that has no name yet."""
        if not self.named:
            Names(self.made, self.visits).give()
        self.named = True

    def finish(self) -> None:
        """Let go of the autograd graph, keep the numbers, and name every value."""
        self.known.clear()
        self.held.clear()
        self.forget()
        self.linked = Linked()
        for value in self.made:
            value.tensor = value.tensor.detach()
        for call in self.calls:
            if any(v.dtype.startswith("complex") for v in (*call.results, *call.operands.values())):
                call.name = f"complex {call.name}"
        self.name()


def goes_on_with(name: str, results: tuple[torch.Tensor, ...]) -> tuple[int, ...]:
    """Results that others are made of within the call: an LSTM cell's c, of which it makes h,
    unless one kernel makes both."""
    if name != "lstm_cell" or results[0].grad_fn is results[1].grad_fn:
        return ()
    return (1,)


def functorch_at_work() -> bool:
    """Inside torch.func's transforms tensors are wrapped, and mean nothing outside."""
    return peek_interpreter_stack() is not None


def values_in(found: Any) -> Iterator[TensorValue]:
    """The Values among arguments."""
    if isinstance(found, TensorValue):
        yield found
    elif isinstance(found, Mapping):
        for item in found.values():
            yield from values_in(item)
    elif isinstance(found, tuple):
        for item in found:
            yield from values_in(item)


def _keep_gradient(recorder: Recorder, value: TensorValue) -> Callable[[torch.Tensor | None], None]:
    def keep(gradient: torch.Tensor | None) -> None:
        if recorder.keeping and gradient is not None:
            value.grad = gradient

    return keep
