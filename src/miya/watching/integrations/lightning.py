"""`MiyaCallback` for Lightning: `Trainer(callbacks=[MiyaCallback(run="runs/first")])`."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ...read.need import need
from ..delivery import Sink
from ..watcher import EVERY
from .watching import Watching

if TYPE_CHECKING:
    from collections.abc import Iterable

    Base = object
elif importlib.util.find_spec("lightning") is not None:
    from lightning.pytorch.callbacks import Callback as Base
else:
    need("pytorch_lightning", "lightning", "the callback needs")
    from pytorch_lightning.callbacks import Callback as Base


class MiyaCallback(Base):
    """Watches a LightningModule with the Trainer's own optimizers; the options are those of
    `miya.watch`.

    The loss is what Lightning takes the backward pass of; of accumulated batches, their sum.
    Raises MiyaInputError E640 without Lightning, E712.
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

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        self.watching.begin(pl_module, trainer.optimizers)

    def on_before_backward(self, trainer: Any, pl_module: Any, loss: torch.Tensor) -> None:
        if self.watching.looking:
            self.watching.safely(lambda: self.watching.add(_unscaled(trainer, loss)))

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        self.watching.end()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        self.watching.end()

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:
        self.watching.end()


def _unscaled(trainer: Any, loss: torch.Tensor) -> torch.Tensor:
    """Lightning tells the loss times the scale of its GradScaler."""
    scaler = getattr(trainer.precision_plugin, "scaler", None)
    scale = getattr(scaler, "_scale", None)
    if scaler is None or not scaler.is_enabled() or not isinstance(scale, torch.Tensor):
        return loss.detach()
    return loss.detach() / scale
