"""What the callbacks of all trainers have in common."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...errors import MiyaWarning
from ..delivery import Sink
from ..faults import check_every
from ..starting import watch
from ..watcher import EVERY, Watch


class Watching:
    """One trainer's watch: begun anew with each training, and over with it. What goes wrong is a
    warning, and the training goes on."""

    def __init__(
        self,
        *,
        run: str | Path | None = None,
        every: int = EVERY,
        sinks: Iterable[Sink] = (),
        rules: bool = True,
    ) -> None:
        """The options are those of `miya.watch`. Raises MiyaInputError E712."""
        check_every(every)
        self.options: dict[str, Any] = {
            "run": run,
            "every": every,
            "sinks": list(sinks),
            "rules": rules,
        }
        self.watch: Watch | None = None
        self.losses: torch.Tensor | None = None
        self.at = -1

    def begin(self, model: nn.Module, optimizers: Sequence[torch.optim.Optimizer]) -> None:
        self.end()
        self.safely(lambda: self._begin(model, optimizers))

    def _begin(self, model: nn.Module, optimizers: Sequence[torch.optim.Optimizer]) -> None:
        self.watch = watch(model, list(optimizers), **self.options)
        self.losses, self.at = None, -1

    @property
    def looking(self) -> bool:
        """Whether the step that is under way is watched."""
        return self.watch is not None and self.watch.watching

    def add(self, loss: torch.Tensor) -> None:
        """A part of the step's loss, of one micro-batch. Nothing is fetched from its device."""
        if self.watch is None or not self.watch.watching:
            return
        part = loss.detach()
        same = self.at == self.watch.step and self.losses is not None
        self.losses = self.losses + part if same else part.clone()  # type: ignore[operator]
        self.at = self.watch.step
        self.watch.loss(self.losses)

    def end(self) -> None:
        """The training is over, or met an exception."""
        found, self.watch, self.losses = self.watch, None, None
        if found is not None:
            self.safely(found.stop)

    def safely(self, call: Callable[[], Any]) -> None:
        try:
            call()
        except Exception as fault:
            self.refuse(f"{type(fault).__name__}: {fault}")

    def refuse(self, why: str) -> None:
        """Say that the training goes on and is not watched."""
        found, self.watch = self.watch, None
        if found is not None:
            found.stop()
        said = f"W782 the training is not watched: {why}"
        try:
            warnings.warn(said, MiyaWarning, stacklevel=4)
        except MiyaWarning:
            print(f"miya: {said}")
