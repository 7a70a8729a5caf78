"""The loss of the same batch before and after a step, worked out again without a trace."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from ..errors import MiyaInputError
from ..read.torch.copies import copied_inputs
from ..read.torch.generators import Generators, autocast_as, autocast_now, drawing_from
from ..read.torch.runner import attributes_of
from .deltas import Number
from .hook import Fail, Hook
from .sharded import split_again

Agreed = Callable[[], bool]  # whether all ranks run the model now


def checked_loss(loss: Any, real: bool, credit: bool, seen: bool) -> None:
    """seen: whether the model's own calls can be seen. Raises MiyaInputError E713."""
    hint = "give the torch.nn.Module that the loop calls with the output and the target"
    if isinstance(loss, nn.Module):
        if (real or credit) and not seen:
            raise MiyaInputError(
                "E713",
                "the model is compiled, and is not run again by itself",
                hint="give loss= a function without arguments, which works the loss out",
            )
        return
    if loss is not None and not (callable(loss) and _needs_nothing(loss)):
        raise MiyaInputError(
            "E713",
            f"loss is a {type(loss).__name__} that takes arguments"
            if callable(loss)
            else f"loss is a {type(loss).__name__}",
            hint=f"{hint}, or a function without arguments, which works the loss out",
        )
    if credit or (real and loss is None):
        word = "credit" if credit else "real"
        raise MiyaInputError(
            "E713", f"{word}=True needs the loss to be worked out again", hint=hint
        )


def _needs_nothing(call: Callable[..., Any]) -> bool:
    try:
        inspect.signature(call).bind()
    except TypeError:
        return False
    except ValueError:
        return True
    return True


class State:
    """Where a model stands beside its parameters: buffers, its modules' own numbers, generators,
    autocast."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.buffers = {n: b.detach().clone() for n, b in model.named_buffers()}
        self.attributes = attributes_of(model)
        self.generators, self.autocast = Generators(), autocast_now()

    @contextmanager
    def again(self) -> Iterator[None]:
        """What runs inside starts from here, and everything is left as it is now."""
        modules = list(self.model.named_modules())
        own = [dict(module._buffers) for _, module in modules]
        now = attributes_of(self.model)
        try:
            for path, module in modules:
                for name in module._buffers:
                    found = self.buffers.get(f"{path}.{name}" if path else name)
                    module._buffers[name] = None if found is None else found.clone()
                vars(module).update(self.attributes.get(path, {}))
            with drawing_from(self.generators), autocast_as(self.autocast):
                yield
        finally:
            split_again(self.model)
            for (path, module), buffers in zip(modules, own, strict=True):
                module._buffers.update(buffers)
                vars(module).update(now.get(path, {}))


class Closure:
    """A function of the user's works the loss out: called before and after the step, from the same
    random state."""

    def __init__(self, model: nn.Module, call: Callable[[], Any], agreed: Agreed) -> None:
        self.model, self.call, self.agreed = model, call, agreed
        self.first: torch.Tensor | None = None
        self.state: State | None = None

    def open(self) -> None:
        self.first = None

    def anew(self) -> None:
        """The step begins once more."""
        self.open()

    def close(self) -> None:
        self.first = self.state = None

    def before(self) -> None:
        """Right before the optimizer's step."""
        if self.agreed():
            self.state = State(self.model)
            self.first = self._loss()

    def after(self) -> tuple[Number | None, Number | None]:
        """The loss before, and what it changed by."""
        first, self.first = self.first, None
        if first is None:
            return None, None
        return first, self._loss() - first if self.agreed() else None

    def _loss(self) -> torch.Tensor:
        assert self.state is not None
        with torch.no_grad(), self.state.again():
            found = self.call()
        return torch.as_tensor(found).detach().double().clone()


class Batch:
    """One forward pass: what the model was called with, and from which state."""

    def __init__(self, model: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        memo: dict[int, torch.Tensor] = {}
        self.arguments = copied_inputs(tuple(arguments), memo)
        self.named = copied_inputs(dict(named), memo)
        self.state = State(model)
        self.output: Any = None
        self.judged: tuple[tuple[Any, ...], dict[str, Any], torch.Tensor] | None = None


class Criterion:
    """A module that the loop calls with the model's output works the loss out. What it gave is the
    loss; with real, the model and it are called again after the step."""

    def __init__(
        self, model: nn.Module, criterion: nn.Module, again: bool, fail: Fail, agreed: Agreed
    ) -> None:
        self.model, self.criterion, self.again, self.fail = model, criterion, again, fail
        self.agreed = agreed
        self.loss: torch.Tensor | None = None
        self.batches: list[Batch] = []
        self.quiet = False
        self.handles: list[Any] = []

    def open(self) -> None:
        self.loss, self.batches = None, []
        if self.handles:
            return
        hook = Hook(self._judge, self.fail)
        self.handles.append(self.criterion.register_forward_hook(hook, with_kwargs=True))
        if self.again:
            enter, leave = Hook(self._enter, self.fail), Hook(self._leave, self.fail)
            self.handles.append(self.model.register_forward_pre_hook(enter, with_kwargs=True))
            self.handles.append(self.model.register_forward_hook(leave))

    def anew(self) -> None:
        """The step begins once more, with the forward pass that is under way."""
        under_way = [b for b in self.batches[-1:] if b.judged is None and b.output is None]
        self.open()
        self.batches = under_way

    def close(self) -> None:
        for handle in self.handles:
            handle.remove()
        self.handles, self.loss, self.batches = [], None, []

    def before(self) -> None:
        """Right before the optimizer's step there is nothing to do."""

    def _enter(self, module: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        if module is self.model and torch.is_grad_enabled() and not self.quiet:
            self.batches.append(Batch(self.model, arguments, named))

    def _leave(self, module: nn.Module, arguments: Any, output: Any) -> None:
        if self.batches and not self.quiet:
            self.batches[-1].output = output

    def _judge(
        self, module: nn.Module, given: tuple[Any, ...], named: dict[str, Any], found: Any
    ) -> None:
        if self.quiet or not torch.is_grad_enabled() or not isinstance(found, torch.Tensor):
            return
        self.loss = found.detach()
        last = self.batches[-1] if self.batches else None
        if last is not None and given and given[0] is last.output:
            last.judged = copied_inputs(given[1:], {}), copied_inputs(dict(named), {}), self.loss
            last.output = None

    @property
    def batch(self) -> Batch | None:
        """The only one of the step, where its loss was seen."""
        found = self.batches[0] if len(self.batches) == 1 else None
        return found if found is not None and found.judged is not None else None

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """What is called inside is not the loop's."""
        self.quiet = True
        try:
            yield
        finally:
            self.quiet = False

    def after(self) -> tuple[Number | None, Number | None]:
        """The loss as it was, and what it changed by; None of several passes in one step."""
        batch = self.batch
        if batch is None or batch.judged is None or not self.again or not self.agreed():
            return self.loss, None
        rest, named, before = batch.judged
        # with gradients, since torch takes other ways through attention without
        with self.quietly(), batch.state.again(), torch.enable_grad():
            output = self.model(*batch.arguments, **batch.named)
            found = self.criterion(output, *rest, **named)
        return before, found.detach().double() - before.double()
