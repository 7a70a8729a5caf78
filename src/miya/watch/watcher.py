"""`watch`: hooks on a user's own training loop, which see and never touch."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import torch
from torch import nn

from ..errors import MiyaWarning
from .assemble import assemble
from .layers import layers_of, plain
from .records import StepRecord
from .seen import Looker, Seen
from .steps import Measured, Steps

EVERY = 10


class Sink(Protocol):
    """Receives what was seen. `close` is called once, also when the watch was disabled."""

    def step(self, record: StepRecord) -> None: ...

    def close(self) -> None: ...


class Watch:
    """A watch on one model and its optimizers. `stop()` or leaving a `with` takes it all away."""

    def __init__(
        self,
        model: nn.Module,
        optimizers: Sequence[torch.optim.Optimizer],
        *,
        every: int = EVERY,
        sinks: Iterable[Sink] = (),
    ) -> None:
        self.model, self.optimizers, self.every = model, list(optimizers), every
        self.sinks = list(sinks)
        self.layers, held = layers_of(model, optimizers)
        self.steps = [
            Steps([h for h in held if h.optimizer == k]) for k in range(len(self.optimizers))
        ]
        self.owners = {
            id(p): k
            for k, layer in enumerate(self.layers)
            for p in plain(model).get_submodule(layer.path).parameters(recurse=False)
        }
        self.step = 0  # finished steps of the first optimizer
        self.started = time.monotonic()
        self.seen = Seen()
        self.measured: list[Measured] = []
        self.given_loss: torch.Tensor | float | None = None
        self.looking: list[Looker] = []
        self.handles: list[Any] = []
        self.module_handles: list[Any] = []
        self.active = True
        for k, optimizer in enumerate(self.optimizers):
            self.handles.append(optimizer.register_step_pre_hook(self._guarded(self._before, k)))
            self.handles.append(optimizer.register_step_post_hook(self._guarded(self._after, k)))
        self._prepare()

    def loss(self, value: torch.Tensor | float) -> None:
        """Tell the watch the loss of this step; a tensor is only looked at on a watched step."""
        if self.active and self._watched():
            self.given_loss = value.detach() if isinstance(value, torch.Tensor) else value

    def stop(self) -> None:
        """Remove every hook and let go of the model; what was seen is written."""
        if not self.active:
            return
        self.active = False
        for handle in (*self.handles, *self.module_handles):
            handle.remove()
        self.handles, self.module_handles, self.looking = [], [], []
        for steps in self.steps:
            steps.let_go()
        self.measured, self.seen, self.owners, self.given_loss = [], Seen(), {}, None
        self.model, self.optimizers = nn.Identity(), []
        for sink in self.sinks:
            sink.close()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *raised: Any) -> None:
        self.stop()

    def _watched(self) -> bool:
        """Whether the step that is under way is one to watch; the first is."""
        return self.step % self.every == 0

    def _prepare(self) -> None:
        """Put in the hooks that see the coming step, where it is watched."""
        if not self._watched() or self.module_handles or is_compiled(self.model):
            return
        self.seen = Seen()
        root = plain(self.model)
        self.module_handles = [
            root.register_forward_pre_hook(self._guarded(self._enter)),
            root.register_forward_hook(self._guarded(self._leave), always_call=True),
        ]

    def _enter(self, module: nn.Module, arguments: Any) -> None:
        if not module.training or not torch.is_grad_enabled():
            return
        looker = Looker(self.layers, self.owners, self.seen)
        looker.__enter__()
        self.looking.append(looker)

    def _leave(self, module: nn.Module, arguments: Any, output: Any) -> None:
        if self.looking:
            looker = self.looking.pop()
            looker.__exit__(None, None, None)
            looker.made.clear()

    def _before(self, k: int, optimizer: Any, args: Any, kwargs: Any) -> None:
        if self._watched():
            self.steps[k].before()

    def _after(self, k: int, optimizer: Any, args: Any, kwargs: Any) -> None:
        if self._watched():
            self.measured += self.steps[k].after()
        if k == len(self.optimizers) - 1:
            if self._watched():
                self._finish()
            self.step += 1
            self._prepare()

    def _finish(self) -> None:
        for handle in self.module_handles:
            handle.remove()
        self.module_handles = []
        record = assemble(self)
        self.measured, self.seen, self.given_loss = [], Seen(), None
        for sink in self.sinks:
            sink.step(record)

    def _guarded(self, call: Callable[..., None], *first: Any) -> Callable[..., None]:
        def guarded(*args: Any) -> None:
            if not self.active:
                return
            try:
                call(*first, *args)
            except Exception as fault:
                self._fail(fault)

        return guarded

    def _fail(self, fault: Exception) -> None:
        try:
            for looker in self.looking:
                looker.__exit__(None, None, None)
            self.stop()
        finally:
            self.active = False
            warnings.warn(
                f"W701 the watch has been taken off, the training goes on: {type(fault).__name__}: {fault}",
                MiyaWarning,
                stacklevel=2,
            )


def is_compiled(model: nn.Module) -> bool:
    return hasattr(model, "_orig_mod") or getattr(model, "_compiled_call_impl", None) is not None
