"""`MiyaCallback` for Keras 3 on torch: `model.fit(..., callbacks=[MiyaCallback(run=...)])`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import MiyaInputError
from ...read.need import need
from ..delivery import Sink
from ..watcher import EVERY
from .keras_model import Beside, refusal
from .watching import Watching

if TYPE_CHECKING:
    from collections.abc import Iterable

    Base = object
else:
    need("keras", "keras", "the callback needs")
    from keras.callbacks import Callback as Base


class MiyaCallback(Base):
    """Watches what `fit` trains with the model's own optimizer; the options are those of
    `miya.watch`.

    Keras tells callbacks of no exception: the watch is then over with the next training, the
    process or `stop()`.
    Raises MiyaInputError E640 without Keras, E712, E780 where Keras runs on another backend.
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
        check_backend()
        self.watching = Watching(run=run, every=every, sinks=sinks, rules=rules)
        self.beside: Beside | None = None

    def stop(self) -> None:
        self.watching.end()
        if self.beside is not None:
            self.beside.remove()
            self.beside = None

    def on_train_begin(self, logs: Any = None) -> None:
        self.stop()
        model: Any = self.model  # type: ignore[attr-defined]
        why = refusal(model)
        if why:
            self.watching.refuse(why)
            return
        self.watching.safely(lambda: self._begin(model))

    def _begin(self, model: Any) -> None:
        self.beside = Beside(model, self.watching.add)
        self.watching.begin(self.beside.module, [self.beside.optimizer])

    def on_train_end(self, logs: Any = None) -> None:
        self.stop()


def check_backend() -> None:
    """Raises MiyaInputError E780."""
    import keras  # type: ignore[import-untyped]

    found = keras.backend.backend()
    if found != "torch":
        raise MiyaInputError(
            "E780",
            f"Keras runs on {found}",
            hint="set KERAS_BACKEND=torch before Keras is first imported",
        )
