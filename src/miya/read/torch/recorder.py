"""Recording torch's functions as a model calls them.

Every call of a torch function passes through one TorchFunctionMode: its name, its operands and
its results are kept as they are, and a hook on each result receives the gradient that autograd
works out. Nothing is computed twice and no arithmetic is replaced.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from ...core.calls import Call, Kind
from .functions import COMPOSITE, NO_OPERATION, parameters_of
from .values import TensorCall, TensorValue, tensors_in

DUNDER = {
    "__radd__": "add",
    "__rmul__": "mul",
    "__rsub__": "rsub",
    "__rtruediv__": "rdiv",
    "__rdiv__": "rdiv",
    "__truediv__": "div",
    "__itruediv__": "div_",
    "__getitem__": "__getitem__",
    "__setitem__": "__setitem__",
}
RANDOM = frozenset(
    "dropout dropout1d dropout2d dropout3d alpha_dropout feature_dropout feature_alpha_dropout "
    "rrelu bernoulli multinomial rand_like randn_like lstm gru rnn_tanh rnn_relu normal poisson "
    "scaled_dot_product_attention fractional_max_pool2d fractional_max_pool3d uniform "
    "exponential gumbel_softmax randint_like".split()
)


def plain_name(name: str) -> tuple[str, bool]:
    """An operation's name without the marks of a method, and whether it works in place."""
    if name in DUNDER:
        name = DUNDER[name]
    elif name.startswith("__i") and name.endswith("__") and name not in ("__invert__",):
        name = name[3:-2] + "_"
    elif name.startswith("__") and name.endswith("__"):
        name = name[2:-2]
    if name == "__setitem__":
        return name, True
    in_place = name.endswith("_") and not name.endswith("__")
    return (name.rstrip("_") if in_place else name), in_place


class Recorder(TorchFunctionMode):
    """Records the calls made while it is entered. `given` names what is there before."""

    def __init__(self, gradients: bool = True) -> None:
        super().__init__()
        self.calls: list[TensorCall] = []
        self.known: dict[int, tuple[torch.Tensor, TensorValue]] = {}
        self.made: list[TensorValue] = []
        self.modules: list[str] = [""]
        self.gradients = gradients
        self.outputs: dict[str, list[TensorValue]] = {}  # of modules, by path

    def given(self, tensor: torch.Tensor, name: str, kind: Kind, module: str = "") -> TensorValue:
        """A tensor that is there before the computation."""
        value = TensorValue(name, kind, tensor, module)
        self._know(tensor, value)
        return value

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in NO_OPERATION:
            return func(*args, **kwargs)
        if name in COMPOSITE:
            with self:
                return opened(func)(*args, **kwargs)
        return self._record(func, name, args, kwargs)

    def _record(self, func: Any, full: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        name, in_place = plain_name(full)
        names = parameters_of(func, name)
        given = {(names[k] if k < len(names) else f"argument{k}"): a for k, a in enumerate(args)}
        positional = tuple(given)
        given.update(kwargs)
        in_place = in_place or given.get("inplace") is True or "out" in kwargs
        arguments = {key: self._recorded(a) for key, a in given.items()}
        random_state = torch.get_rng_state() if name in RANDOM else None
        changed = kwargs.get("out", args[0] if args else None) if in_place else None
        if isinstance(changed, torch.Tensor):
            self._keep_what_is_overwritten(changed)
        if name in ("batch_norm", "instance_norm"):
            self._keep_statistics(given)
        found = func(*args, **kwargs)
        results = tensors_in(changed if name == "__setitem__" else found)
        if not results:
            return found
        values = tuple(
            TensorValue("", "result", self._tracked(t, arguments), self.modules[-1])
            for t in results
        )
        if not any(True for _ in _values_in(arguments)):
            for value, tensor in zip(values, results, strict=True):
                value.kind, value.name = "constant", name
                self._know(tensor, value)
            return found
        call = TensorCall(
            name, arguments, values, self.modules[-1], _again(func, arguments, positional, in_place), random_state
        )  # fmt: skip
        self._file(call, values, results)
        if isinstance(changed, torch.Tensor):
            self._renew_views(changed, values[0])
        return found

    def _tracked(self, tensor: torch.Tensor, arguments: Mapping[str, Any]) -> torch.Tensor:
        return tensor

    def _file(
        self, call: TensorCall, values: tuple[TensorValue, ...], tensors: tuple[torch.Tensor, ...]
    ) -> None:
        call.number = len(self.calls)
        self.calls.append(call)
        for role, operand in call.operands.items():
            operand.uses.append((call, role))
        for slot, (value, tensor) in enumerate(zip(values, tensors, strict=True)):
            value.call, value.slot = call, slot
            self._know(tensor, value)
            if self.gradients and tensor.requires_grad:
                tensor.register_hook(_keep_gradient(value))

    def _know(self, tensor: torch.Tensor, value: TensorValue) -> None:
        self.known[id(tensor)] = (tensor, value)
        self.made.append(value)

    def _recorded(self, found: Any) -> Any:
        """The same with each tensor replaced by its Value."""
        if isinstance(found, torch.Tensor):
            return self.value_of(found)
        if isinstance(found, (tuple, list)):
            return tuple(self._recorded(item) for item in found)
        return found

    def value_of(self, tensor: torch.Tensor) -> TensorValue:
        known = self.known.get(id(tensor))
        if known is not None:
            return known[1]
        if tensor.grad_fn is None:
            return self.given(tensor, "constant", "constant", self.modules[-1])
        value = TensorValue("", "result", tensor, self.modules[-1])
        call = TensorCall("unrecorded", {}, (value,), self.modules[-1], _cannot, None)
        self._file(call, (value,), (tensor,))
        return value

    def _keep_what_is_overwritten(self, tensor: torch.Tensor) -> None:
        for held, value in self._sharing(tensor):
            if value.tensor is held:
                value.tensor = held.detach().clone()
                value.version = value.tensor._version

    def _keep_statistics(self, given: Mapping[str, Any]) -> None:
        if given.get("training") or given.get("use_input_stats"):
            for role in ("running_mean", "running_var"):
                if isinstance(given.get(role), torch.Tensor):
                    self._keep_what_is_overwritten(given[role])

    def _renew_views(self, changed: torch.Tensor, by: TensorValue) -> None:
        for held, value in self._sharing(changed):
            if held is not changed and held is not by.tensor:
                renewed = TensorValue("", "result", held, self.modules[-1])
                call = TensorCall(
                    "changed_in_place", {"input": value, "by": by}, (renewed,), self.modules[-1], _cannot, None
                )  # fmt: skip
                self._file(call, (renewed,), (held,))

    def _sharing(self, tensor: torch.Tensor) -> list[tuple[torch.Tensor, TensorValue]]:
        where = tensor.untyped_storage().data_ptr()
        return [kv for kv in self.known.values() if kv[0].untyped_storage().data_ptr() == where]

    def finish(self) -> None:
        """Let go of the autograd graph, keep the numbers, and name every value."""
        self.known.clear()
        for value in self.made:
            value.tensor = value.tensor.detach()
        self._name()

    def _name(self) -> None:
        seen: Counter[str] = Counter()
        last = {id(call.results[0]): path for path, vs in self.outputs.items() for v in vs if (call := v.call)}  # fmt: skip
        for value in self.made:
            if value.name and value.kind != "constant":
                continue
            call = value.call
            word = value.name or (call.name.strip("_") if call else "constant")
            path = last.get(id(value)) if call else None
            base = path if path and path == value.module else ".".join(filter(None, (value.module, word)))  # fmt: skip
            if call is not None and len(call.results) > 1:
                base += f":{value.slot}" if value.slot else ""
            seen[base] += 1
            value.name = base if seen[base] == 1 else f"{base}@{seen[base]}"


def _values_in(arguments: Mapping[str, Any]) -> list[TensorValue]:
    return [v for v in Call("", arguments, (), "").operands.values() if isinstance(v, TensorValue)]


def _keep_gradient(value: TensorValue) -> Callable[[torch.Tensor], None]:
    def keep(gradient: torch.Tensor) -> None:
        value.grad = gradient

    return keep


def _cannot(tensors: Mapping[str, torch.Tensor]) -> Any:
    raise NotImplementedError("this call was not recorded with its arguments")


def _again(
    func: Any, arguments: Mapping[str, Any], positional: tuple[str, ...], in_place: bool
) -> Callable[[Mapping[str, torch.Tensor]], Any]:
    def again(tensors: Mapping[str, torch.Tensor]) -> Any:
        def built(found: Any, role: str) -> Any:
            if isinstance(found, TensorValue):
                tensor = tensors.get(role, found.tensor)
                return tensor.clone() if in_place else tensor
            if isinstance(found, tuple):
                return tuple(built(item, f"{role}.{k}") for k, item in enumerate(found))
            return found

        made = {role: built(found, role) for role, found in arguments.items()}
        result = func(*[made.pop(role) for role in positional], **made)
        return result if result is not None else made.get("input")

    return again


def opened(func: Any) -> Any:
    """A composite Python function of torch that calls its parts instead of asking who overrides
    it: the same code, whose `has_torch_function` says no."""
    func = getattr(func, "__wrapped__", func)
    blind = {"has_torch_function": _no, "has_torch_function_unary": _no, "has_torch_function_variadic": _no}  # fmt: skip
    made = FunctionType(
        func.__code__, {**func.__globals__, **blind}, func.__name__, func.__defaults__, func.__closure__
    )  # fmt: skip
    made.__kwdefaults__ = func.__kwdefaults__
    return made


def _no(*args: Any) -> bool:
    return False
