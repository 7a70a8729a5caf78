"""Which module a call is made in, and what each module gave."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from .names import Visit
from .recorder import Failure, Recorder
from .values import tensors_in

LOSS = "loss"


class Visits:
    """While entered, hooks on the modules of a copy keep the recorder's path. only: the module
    whose calls alone are recorded, beside those of the loss."""

    def __init__(self, recorder: Recorder, model: nn.Module, criterion: Any, only: str | None):
        self.recorder, self.only = recorder, only
        self.modules = [(path, m) for path, m in model.named_modules()]
        self.judge = criterion if isinstance(criterion, nn.Module) else None
        if self.judge is not None:
            self.modules += list(self.judge.named_modules(prefix=LOSS))
        self.open: list[Visit] = []
        self.depth = 0  # how many calls of `only` are open
        self.outside: dict[int, tuple[weakref.ref[torch.Tensor], str]] = {}
        self.before = sys.exc_info()[1]
        self.handles: list[Any] = []

    def __enter__(self) -> Visits:
        self.recorder.modules = []
        if self.only is not None:
            self.recorder.paused = True
            self.recorder.outside = self._name_outside
        for path, module in self.modules:
            if isinstance(module, torch.jit.ScriptModule):
                continue  # it takes no hooks, and what it calls is not seen
            enter, leave = self._enter(path), self._leave(path)
            self.handles.append(module.register_forward_pre_hook(enter, prepend=True))
            self.handles.append(module.register_forward_hook(leave, always_call=True))
        self.recorder.modules.append("")
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self.handles:
            handle.remove()
        self.recorder.paused = False

    @contextmanager
    def loss(self) -> Iterator[None]:
        """While the loss is worked out."""
        paused, self.recorder.paused = self.recorder.paused, False
        self.recorder.modules.append(LOSS)
        self.open.append(Visit(LOSS, len(self.recorder.calls), True, []))
        yield
        self.recorder.modules.pop()
        self.open.pop()
        self.recorder.paused = paused

    def _enter(self, path: str) -> Callable[[nn.Module, Any], None]:
        def enter(module: nn.Module, arguments: Any) -> None:
            if self.open:
                self.open[-1].whole = False
            self.recorder.modules.append(path)
            self.open.append(Visit(path, len(self.recorder.calls), True, []))
            if path == self.only:
                self.depth += 1
                self.recorder.paused = False

        return enter

    def _leave(self, path: str) -> Callable[[nn.Module, Any, Any], None]:
        def leave(module: nn.Module, arguments: Any, output: Any) -> None:
            if self._failed(path):
                return
            recorder, visit = self.recorder, self.open.pop()
            recorder.modules.pop()
            if not recorder.paused:
                visit.outputs = [recorder.value_of(t) for t in tensors_in(output)]
                recorder.visits.append(visit)
            elif self.only is not None:
                self._remember(path, output)
            if path == self.only:
                self.depth -= 1
                recorder.paused = self.depth == 0

        return leave

    def _remember(self, path: str, output: Any) -> None:
        """What a module outside gave, by the innermost path, without keeping it alive."""
        for tensor in tensors_in(output):
            held, _ = self.outside.get(id(tensor), (None, ""))
            if held is None or held() is not tensor:
                self.outside[id(tensor)] = weakref.ref(tensor), path

    def _failed(self, path: str) -> bool:
        """Whether a module is left by an error; the innermost one is remembered."""
        error = sys.exc_info()[1]
        if error is None or error is self.before:
            return False
        recorder = self.recorder
        if recorder.failure is None or recorder.failure.error is not error:
            recorder.failure = Failure(error, path)
        self.open.pop()
        recorder.modules.pop()
        return True

    def _name_outside(self, tensor: torch.Tensor) -> str | None:
        held, path = self.outside.get(id(tensor), (None, ""))
        if held is not None and held() is tensor:
            return path or "output"
        return None if tensor.grad_fn is None else "outside"
