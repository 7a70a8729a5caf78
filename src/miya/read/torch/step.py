"""One real training step of a copy of a model, recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import nn

from ...core.calls import Kind
from ...core.model import Module, ModelTrace, OptimizerUse, ParameterStep
from ...errors import MiyaInputError
from .recorder import Recorder
from .runner import ModelRunner
from .values import TensorValue, tensors_in, to_array

Loss = Callable[..., torch.Tensor]


def model_step(
    model: nn.Module,
    inputs: Any,
    target: Any = None,
    *,
    loss: Loss | None = None,
    optimizer: torch.optim.Optimizer,
    apply: bool = False,
    title: str = "",
) -> ModelTrace:
    """One training step of `model`, on a copy, as a ModelTrace.

    inputs: a tensor, a tuple of arguments or a dict of named ones. target, loss: C is
    loss(model(inputs), target), or loss(model(inputs)) without a target; without a loss the model
    gives C itself. optimizer: a torch.optim optimizer of the model's parameters.
    apply: make the step on the model and optimizer themselves, once all has gone well.
    Raises MiyaInputError E401 to E409.
    """
    with _random_state_kept(), torch.enable_grad():
        worked = _Step(model, inputs, target, loss, optimizer)
        worked.run()
        trace = worked.trace(title or type(model).__name__)
        if apply:
            worked.apply(model, optimizer)
    return trace


@contextmanager
def _random_state_kept() -> Iterator[None]:
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        yield


class _Step:
    """The copies that the step works on, and what came of it."""

    def __init__(
        self, model: nn.Module, inputs: Any, target: Any, loss: Any, optimizer: Any
    ) -> None:
        self.model, self.optimizer, self.criterion = deepcopy((model, optimizer, loss))
        self.inputs, self.target = inputs, target
        self.recorder = Recorder()
        self.random_state = torch.get_rng_state()
        self.parameters = _named_parameters(self.model)
        self.before = {name: p.detach().clone() for name, (p, _) in self.parameters.items()}
        self.values: dict[str, TensorValue] = {}

    def run(self) -> None:
        self._give()
        with self._modules(), self.recorder:
            output = call_model(self.model, self.inputs)
            cost = loss_of(output, self.target, self.criterion)
        if not isinstance(cost, torch.Tensor) or cost.numel() != 1:
            shape = tuple(cost.shape) if isinstance(cost, torch.Tensor) else type(cost).__name__
            raise MiyaInputError(
                "E401", f"the loss is no single number but {shape}", hint="choose a scalar: loss.mean()?"
            )  # fmt: skip
        if not cost.requires_grad:
            raise MiyaInputError(
                "E402", "no parameter requires grad", hint="set requires_grad on what is to be trained"
            )  # fmt: skip
        self.root = self.recorder.value_of(cost)
        self.output = [self.recorder.value_of(t) for t in tensors_in(output)]
        if self.optimizer is not None:
            self.optimizer.zero_grad()
        cost.backward()  # type: ignore[no-untyped-call]
        for name, (p, _) in self.parameters.items():
            self.values[name].grad = None if p.grad is None else p.grad.detach().clone()
        self.state_before = _state(self.optimizer, self.parameters)
        if self.optimizer is not None:
            self.optimizer.step()
        for name, value in self.values.items():
            value.tensor = self.before[name]
        self.recorder.finish()

    def _give(self) -> None:
        for name, (p, _) in self.parameters.items():
            self.values[name] = self.recorder.given(p, name, "parameter", name.rpartition(".")[0])
        for name, b in self.model.named_buffers():
            self.recorder.given(b, name, "buffer", name.rpartition(".")[0])
        self.given = {
            kind: [self.recorder.given(t, name, kind) for name, t in named(found, kind)]
            for kind, found in (("input", self.inputs), ("target", self.target))
        }

    @contextmanager
    def _modules(self) -> Iterator[None]:
        """Know which module a call is made in, and what each one gave."""
        handles = []
        stack = self.recorder.modules
        for path, module in self.model.named_modules():
            handles.append(module.register_forward_pre_hook(_enter(stack, path)))
            handles.append(
                module.register_forward_hook(_leave(self.recorder, path), always_call=True)
            )
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def trace(self, title: str) -> ModelTrace:
        recorder = self.recorder
        values = {v.name: v for v in recorder.made}
        for path, outputs in recorder.outputs.items():
            if outputs and path:
                values.setdefault(path, outputs[0])
        steps = {name: self._step_of(name) for name in self.parameters}
        return ModelTrace(
            title=title,
            calls=tuple(recorder.calls),
            values=values,
            root=self.root,
            inputs=tuple(self.given["input"]),
            outputs=tuple(self.output),
            targets=tuple(self.given["target"]),
            parameters=steps,
            modules={
                path: Module(path, type(m).__name__, m.extra_repr(), m.training)
                for path, m in self.model.named_modules()
            },
            optimizer=_use(self.optimizer),
            runner=ModelRunner(self),
            dtype=str(next(iter(self.before.values())).dtype).removeprefix("torch."),
        )

    def _step_of(self, name: str) -> ParameterStep:
        p, aliases = self.parameters[name]
        value, before = self.values[name], self.before[name]
        group = group_of(self.optimizer, p)
        return ParameterStep(
            name,
            aliases,
            value if value.uses else None,
            p.requires_grad and group is not None,
            group,
            tuple(p.shape),
            value.dtype,
            {
                "before": lambda: to_array(before),
                "after": lambda: to_array(p),
                "gradient": value.read_gradient,
            },
        )

    def apply(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Put the step's results into the user's own model and optimizer."""
        with torch.no_grad():
            for (_, ours), (_, theirs) in zip(
                self.model.named_parameters(), model.named_parameters(), strict=True
            ):
                theirs.copy_(ours)
                theirs.grad = None if ours.grad is None else ours.grad.clone()
            for (_, a), (_, b) in zip(
                self.model.named_buffers(), model.named_buffers(), strict=True
            ):
                b.copy_(a)
        optimizer.load_state_dict(self.optimizer.state_dict())


def call_model(model: nn.Module, inputs: Any) -> Any:
    if isinstance(inputs, Mapping):
        return model(**inputs)
    return model(*inputs) if isinstance(inputs, (tuple, list)) else model(inputs)


def loss_of(output: Any, target: Any, criterion: Any) -> Any:
    if criterion is None:
        return output
    return criterion(output) if target is None else criterion(output, target)


def named(found: Any, word: str) -> list[tuple[str, torch.Tensor]]:
    """The tensors of an argument, by name: "input", "input.0" or the argument's own name."""
    if isinstance(found, torch.Tensor):
        return [(word, found)]
    if isinstance(found, Mapping):
        return [pair for key, item in found.items() for pair in named(item, str(key))]
    if isinstance(found, (tuple, list)):
        return [pair for k, item in enumerate(found) for pair in named(item, f"{word}.{k}")]
    return []


def _named_parameters(model: nn.Module) -> dict[str, tuple[nn.Parameter, tuple[str, ...]]]:
    """Each parameter by its first name, with the further names of a tied one."""
    names: dict[int, list[str]] = {}
    found: dict[int, nn.Parameter] = {}
    for name, p in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(p), []).append(name)
        found[id(p)] = p
    return {ns[0]: (found[k], tuple(ns[1:])) for k, ns in names.items()}


def group_of(optimizer: Any, p: torch.Tensor) -> int | None:
    for k, group in enumerate(optimizer.param_groups if optimizer is not None else ()):
        if any(q is p for q in group["params"]):
            return k
    return None


def _use(optimizer: Any) -> OptimizerUse | None:
    if optimizer is None:
        return None
    groups = tuple({k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups)
    return OptimizerUse(type(optimizer).__name__, groups)


def _state(optimizer: Any, parameters: Any) -> dict[str, Any]:
    return {}


def _enter(stack: list[str], path: str) -> Callable[..., None]:
    def enter(module: nn.Module, arguments: Any) -> None:
        stack.append(path)

    return enter


def _leave(recorder: Recorder, path: str) -> Callable[..., None]:
    def leave(module: nn.Module, arguments: Any, output: Any) -> None:
        recorder.modules.pop()
        found = [recorder.known.get(id(t)) for t in tensors_in(output)]
        recorder.outputs.setdefault(path, []).extend(k[1] for k in found if k)

    return leave
