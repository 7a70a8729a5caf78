"""`Watch`: hooks on a user's own training loop, which see and never touch."""

from __future__ import annotations

import atexit
import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import nn

from .activations import Activation, Following
from .again import Closure, Criterion
from .assemble import Surveyed, assemble
from .capture import LATER, SOON, Capture, Waiting
from .crediting import Before
from .delivery import Delivery, Judge, Sink, Teller
from .deltas import Number
from .hook import Hook
from .hooks import Sights
from .inputs import Inputs
from .kept import marks
from .late import Late
from .layers import Held, layers_of, plain
from .sampled import samples
from .scaled import loss_scale
from .seen import Seen
from .steps import Steps

EVERY = 10


class Watch:
    """A watch on one model and its optimizers; made by `watch`.

    `stop()`, or leaving a `with` block, takes it all away. `loss(value)` tells it the loss of the
    step that is under way; `flush()` gives what was seen so far to the sinks. The first optimizer
    counts the steps.
    """

    surveyed: Surveyed
    steps: list[Steps]
    probes: list[tuple[int, Held]]
    sights: Sights
    groups: list[tuple[dict[str, Any], int]]
    given: torch.Tensor | float | None
    captured: Capture | None
    first: Before | None

    def __init__(
        self,
        model: nn.Module,
        optimizers: Sequence[torch.optim.Optimizer],
        *,
        every: int = EVERY,
        sinks: Iterable[Sink] = (),
        rules: Judge | None = None,
        loss: nn.Module | Callable[[], Any] | None = None,
        real: bool = False,
        credit: bool = False,
    ) -> None:
        self.every, self.crediting = every, credit
        self.model, self.optimizers = model, list(optimizers)
        self.teller = Teller()
        self.delivery = Delivery(sinks, rules, self.teller)
        self.step, self.rounds = 0, 0  # finished steps of the first optimizer; watched ones
        self.started = time.monotonic()
        self.active, self.watching = True, False
        self.known: dict[int, Activation] = {}
        self.waiting = Waiting(SOON if self.delivery.reads_all else LATER)
        self.lock = threading.RLock()  # of what waits
        self.fault: Exception | None = None  # met while the training stood still
        self.handles: list[Any] = []
        self.again: Closure | Criterion | None = None
        if isinstance(loss, nn.Module):
            self.again = Criterion(plain(model), loss, real or credit, self._fail)
        elif loss is not None:
            self.again = Closure(plain(model), loss)
        self._survey()
        self.inputs = Inputs(self.surveyed.layers)
        for k, optimizer in enumerate(self.optimizers):
            before, after = self._hooks(k)
            self.handles.append(optimizer.register_step_pre_hook(before))
            self.handles.append(optimizer.register_step_post_hook(after))
        self._begin()
        self.late = Late(self._late)
        atexit.register(self.stop)

    def loss(self, value: torch.Tensor | float) -> None:
        """Tell the watch the loss of this step; a tensor is only looked at on a watched step."""
        if self.watching:
            self.given = value.detach() if isinstance(value, torch.Tensor) else value

    def flush(self) -> None:
        """Everything watched so far goes to the sinks."""
        with self.lock:
            for captures in self.waiting.take():
                wanted = [c for c in captures if self.delivery.wants(c.step) or c.is_odd()]
                if not wanted:
                    continue
                made = assemble(wanted, self.surveyed, self.inputs.layer)
                for steps in self.steps:
                    steps.told = (steps.told | made.resolved) - made.unresolved
                for record in made.records:
                    self.delivery.tell(record)

    def _late(self) -> None:
        """The training may stand still, and steps wait. Hooks are never touched from here."""
        try:
            with self.lock:
                now = time.monotonic() - self.started
                if self.fault is None and self.waiting.is_due(now):
                    self.flush()
        except Exception as fault:
            self.fault = fault

    def stop(self) -> None:
        """Remove every hook and let go of the model; what was seen is written."""
        if not self.active:
            return
        self.active = self.watching = False
        atexit.unregister(self.stop)
        self.late.stop()
        try:
            self.flush()
        except Exception as fault:
            self.teller.off(fault)
        finally:
            self._let_go()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *raised: Any) -> None:
        self.stop()

    def _let_go(self) -> None:
        for handle in self.handles:
            handle.remove()
        self.sights.let_go()
        for steps in self.steps:
            steps.let_go()
        if self.again is not None:
            self.again.close()
        self.handles, self.steps, self.optimizers, self.again = [], [], [], None
        self.groups = []
        self.captured, self.given, self.first, self.probes = None, None, None, []
        self.surveyed, self.waiting, self.inputs = Surveyed((), (), ()), Waiting(), Inputs(())
        self.model, self.known = nn.Identity(), {}
        self.delivery.close()

    def _survey(self) -> None:
        """Which layers there are, and which parameters the optimizers hold."""
        layers, held = layers_of(self.model, self.optimizers)
        places = [(k, g) for k, o in enumerate(self.optimizers) for g in range(len(o.param_groups))]
        self.surveyed = Surveyed(layers, held, places)
        self.steps = [
            Steps([(n, h) for n, h in enumerate(held) if h.optimizer == k], optimizer)
            for k, optimizer in enumerate(self.optimizers)
        ]
        self.probes = [(k, h) for k, layer in enumerate(layers) if (h := layer.probe) is not None]
        self.sights = Sights(self.model, layers, self._fail, self._discard)
        self.groups = [(g, len(g["params"])) for o in self.optimizers for g in o.param_groups]

    def _regrouped(self) -> bool:
        """Whether an optimizer holds other parameters than it did."""
        now = sum(len(o.param_groups) for o in self.optimizers)
        return now != len(self.groups) or any(len(g["params"]) != n for g, n in self.groups)

    def _hooks(self, k: int) -> tuple[Hook, Hook]:
        """Those on one optimizer: on steps that are not watched they only count."""

        def before(optimizer: Any, args: Any, kwargs: Any) -> None:
            if self.watching:
                self._before(k, optimizer, len(args) > 1 or kwargs.get("closure") is not None)

        def after(optimizer: Any, args: Any, kwargs: Any) -> None:
            if self.watching:
                self._after(k, optimizer)
            if k == 0 and self.active:
                self.step += 1
                if self.fault is not None:
                    raise self.fault
                self._begin()

        return Hook(before, self._fail), Hook(after, self._fail)

    def _begin(self) -> None:
        """The next step begins: it is watched or not."""
        watched = self.step % self.every == 0
        if not watched:
            if self.watching:
                self.sights.close()
                if self.again is not None:
                    self.again.close()
            self.watching = False
            return
        self.watching = True
        if self._regrouped():
            self.flush()
            self.sights.close()
            self._survey()
        self.rounds += 1
        self._open()

    def _open(self) -> None:
        self.given = self.captured = self.first = None
        discovering = self.rounds & (self.rounds - 1) == 0  # 1, 2, 4, 8 ...
        following = Following() if discovering else None
        self.sights.open(Seen(self._fail, following, marks(self.probes), self.rounds))
        if self.again is not None:
            self.again.open()

    def _before(self, k: int, optimizer: torch.optim.Optimizer, with_closure: bool) -> None:
        if k == 0 and self.again is not None:
            self.again.before()
            if self.crediting:
                self.first = Before(plain(self.model))
        # a fused optimizer divides gradients by the scale itself
        later = with_closure or hasattr(optimizer, "grad_scale")
        self.steps[k].before(later)

    @torch.no_grad()
    def _after(self, k: int, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer has stepped: with the first one the watched step ends."""
        if not self.steps[k].measuring:
            return
        capture = self.captured or self._capture()
        self.steps[k].after(capture)
        if k:
            capture.pack()
            self.captured = capture
            return
        if self.sights.seen.following is not None and capture.has("gradient"):
            self.sights.settle()
        capture.glimpsed(self.sights.seen.glimpses)
        capture.columns = self.inputs.look(self.rounds)
        self._single(capture, "scale", loss_scale())
        self._single(capture, "found_inf", getattr(optimizer, "found_inf", None))
        self._end(capture)

    @torch.no_grad()
    def _discard(self) -> None:
        """The gradients of a watched step were thrown away without a step: a GradScaler met
        infinity. What was seen of it is told, and the step is watched anew."""
        if self.captured is not None:  # another optimizer has made its step
            return
        capture = self._capture()
        capture.skipped = True
        self._end(capture)
        self._open()

    def _end(self, capture: Capture) -> None:
        seen = self.sights.seen
        if seen.following is not None:
            seen.following.done()
            self.known = {**self.known, **seen.following.found}
        capture.step, capture.seconds = self.step + 1, time.monotonic() - self.started
        capture.examples = seen.examples or None
        capture.samples, capture.known = samples(seen.glimpses), self.known
        self.sights.seen = Seen()
        loss, real = self.given, None
        if self.again is not None and not capture.skipped:
            found, real = self.again.after()
            loss = found if loss is None else loss
            self._credits(capture)
        self._single(capture, "loss", loss)
        self._single(capture, "real", real)
        capture.pack()
        self.captured = None
        with self.lock:
            if self.waiting.add(capture) or self.rounds == 1:
                self.flush()

    def _single(self, capture: Capture, name: str, value: Number | None) -> None:
        if value is not None:
            capture.tell(((name, 0, 1),), value)

    def _credits(self, capture: Capture) -> None:
        again, first = self.again, self.first
        if first is None or not isinstance(again, Criterion) or again.batch is None:
            return
        found = first.credits(again.batch, again.criterion, self.surveyed.held)
        for layer, credit in (found or {}).items():
            capture.tell((("credit", layer, 1),), credit)

    def _capture(self) -> Capture:
        return Capture(tuple(_rate(group) for group, _ in self.groups))

    def _fail(self, fault: Exception) -> None:
        """Something of the watch's own went wrong: it is over, the training is not."""
        if self.active:
            self.waiting = Waiting()
            self.stop()
            self.teller.off(fault)


def _rate(group: dict[str, Any]) -> Any:
    """A group's learning rate; one that is a tensor changes in place, and stays on its device."""
    rate = group.get("lr", math.nan)
    return rate.detach().clone() if isinstance(rate, torch.Tensor) else rate
