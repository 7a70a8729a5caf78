"""`MiyaCallback` for Hugging Face's Trainer: `Trainer(..., callbacks=[MiyaCallback(run=...)])`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ...read.need import need
from ..delivery import Sink
from ..layers import is_compiled, plain
from ..watcher import EVERY
from .watching import Watching

if TYPE_CHECKING:
    from collections.abc import Iterable

    Base = object
else:
    need("transformers", "transformers", "the callback needs")
    from transformers import TrainerCallback as Base


class MiyaCallback(Base):
    """Watches the Trainer's model with its own optimizer; the options are those of `miya.watch`.

    The loss is the model's own (`loss` of its output), each micro-batch's weighed as it is in the
    gradient; of a model that is compiled, and of a Trainer that works the loss out itself, it is
    not told. The Trainer tells callbacks of no exception: the watch is then over with the next
    training, the process or `stop()`.
    Raises MiyaInputError E640 without transformers, E712.
    """

    def __init__(
        self,
        *,
        run: str | Path | None = None,
        every: int = EVERY,
        sinks: Iterable[Sink] = (),
        rules: bool = True,
    ) -> None:
        super().__init__()
        self.watching = Watching(run=run, every=every, sinks=sinks, rules=rules)
        self.hook: Any = None
        self.optimizer: Any = None

    def stop(self) -> None:
        self._take()
        self.optimizer = None
        self.watching.end()

    def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        self.stop()
        self.optimizer = given["optimizer"]
        self.watching.begin(given["model"], [_inner(self.optimizer)])

    def on_step_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        model = plain(given["model"])
        if self.watching.looking and self.hook is None and not is_compiled(model):
            self.hook = model.register_forward_hook(self._see)

    def on_step_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        self._take()

    def on_train_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        self.stop()

    def _see(self, model: nn.Module, arguments: Any, output: Any) -> None:
        """A forward pass; the gradient that comes back to its loss is its weight in the step."""
        loss = output.get("loss") if isinstance(output, dict) else None
        if not isinstance(loss, torch.Tensor) or not loss.requires_grad or loss.dim():
            return
        value = loss.detach()

        def weigh(weight: torch.Tensor) -> None:
            self.watching.safely(lambda: self.watching.add(value * self._unscaled(weight)))

        loss.register_hook(weigh)  # type: ignore[no-untyped-call]

    def _unscaled(self, weight: torch.Tensor) -> torch.Tensor:
        scaler = getattr(self.optimizer, "scaler", None)
        scale = getattr(scaler, "_scale", None)
        return weight.detach() if scale is None else weight.detach() / scale

    def _take(self) -> None:
        if self.hook is not None:
            self.hook.remove()
            self.hook = None


def _inner(optimizer: Any) -> torch.optim.Optimizer:
    """The optimizer inside accelerate's."""
    while hasattr(optimizer, "optimizer"):
        optimizer = optimizer.optimizer
    found: torch.optim.Optimizer = optimizer
    return found
