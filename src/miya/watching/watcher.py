"""`Watch`: hooks on a user's own training loop, which see and never touch."""

from __future__ import annotations

import atexit
import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from .activations import Activation, Following
from .again import Closure, Criterion
from .agreed import Agreement
from .assemble import Surveyed, assemble
from .capture import LAST, LATER, SOON, Capture, Waiting, odd, runs
from .crediting import Before
from .delivery import Delivery, Judge, Sink, Teller
from .deltas import Number
from .hook import Call, Hook
from .hooks import Sights
from .inputs import Inputs
from .kept import Marks
from .late import Late
from .layers import layers_of, plain
from .scaled import loss_scale
from .seen import Seen
from .sharded import is_split
from .steps import Steps

EVERY = 25
ALONE = (
    "not every rank still watches: real changes and credits, for which all have to run the model "
    "again, are not worked out any more"
)


class Watch:
    """A watch on one model and its optimizers; made by `watch`.

    `stop()`, or leaving a `with` block, takes it all away. `loss(value)` tells it the loss of the
    step that is under way; `flush()` gives what was seen so far to the sinks. The first optimizer
    counts the steps.
    """

    surveyed: Surveyed
    steps: list[Steps]
    marks: Marks
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
        self.scaled = False  # whether a GradScaler was at work in the last watched step
        self.known: dict[int, Activation] = {}
        self.waiting = Waiting(SOON if self.delivery.reads_all else LATER)
        # of what waited, what somebody looks at
        self.chosen = Waiting(SOON if self.delivery.reads_all else LAST)
        self.lock = threading.RLock()  # of what waits
        self.fault: Exception | None = None  # met while the training stood still
        self.handles: list[Any] = []
        self.again: Closure | Criterion | None = None
        split = loss is not None and any(map(is_split, plain(model).parameters()))
        self.ranks = Agreement() if split else None
        if isinstance(loss, nn.Module):
            self.again = Criterion(plain(model), loss, real or credit, self._fail, self._agreed)
        elif loss is not None:
            self.again = Closure(plain(model), loss, self._agreed)
        self._survey()
        self.inputs = Inputs(self.surveyed.layers)
        self.beside: list[Any] = []  # handles of hooks that are there in watched steps only
        counting = Beat(self, self._after_first)
        self.handles.append(self.optimizers[0].register_step_post_hook(counting))
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
            self._choose()
            for captures in runs(self.chosen.take()):
                made = assemble(captures, self.surveyed, self.inputs.layer)
                for steps in self.steps:
                    steps.told = (steps.told | made.resolved) - made.unresolved
                for record in made.records:
                    self.delivery.tell(record)

    def _choose(self) -> bool:
        """What waits is let go, but for what somebody looks at. Whether that is to be told now."""
        due = False
        waiting = self.waiting.take()
        for capture in waiting:
            capture.pack()
        for captures in runs(waiting):
            every = self.delivery.reads_all
            strange = [True] * len(captures) if every else odd(captures)
            for capture, odd_one in zip(captures, strange, strict=True):
                if self.delivery.wants(capture.step) or odd_one:
                    due |= self.chosen.add(capture) or (odd_one and capture.columns is None)
        return due

    def _late(self) -> None:
        """The training may stand still, and steps wait. Hooks are never touched from here."""
        try:
            with self.lock:
                now = time.monotonic() - self.started
                due = self.waiting.is_due(now) or self.chosen.is_due(now)
                if self.fault is None and due:
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
        for handle in (*self.handles, *self.beside):
            handle.remove()
        self.sights.let_go()
        for steps in self.steps:
            steps.let_go()
        if self.again is not None:
            self.again.close()
        self.beside = []
        self.handles, self.steps, self.optimizers, self.again = [], [], [], None
        self.groups = []
        self.captured, self.given, self.first = None, None, None
        self.marks = Marks(())
        self.surveyed, self.inputs = Surveyed((), (), ()), Inputs(())
        self.waiting, self.chosen = Waiting(), Waiting()
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
        probes = [(k, h) for k, layer in enumerate(layers) if (h := layer.probe) is not None]
        self.marks = Marks(probes)
        self.sights = Sights(self.model, layers, self._fail, self._discard, self.every)
        self.groups = [(g, len(g["params"])) for o in self.optimizers for g in o.param_groups]

    def _regrouped(self) -> bool:
        """Whether an optimizer holds other parameters than it did."""
        now = sum(len(o.param_groups) for o in self.optimizers)
        return now != len(self.groups) or any(len(g["params"]) != n for g, n in self.groups)

    def _attend(self) -> None:
        """Hooks on the optimizers, as long as steps are watched."""
        for k, optimizer in enumerate(self.optimizers):
            before = Hook(partial(self._before, k), self._fail)
            self.beside.append(optimizer.register_step_pre_hook(before))
            if k:
                after = Hook(partial(self._after, k), self._fail)
                self.beside.append(optimizer.register_step_post_hook(after))

    def _after_first(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        """The first optimizer has made its step, which was watched."""
        if self.watching:
            self._after(0, optimizer, args, kwargs)
        if self.active:
            self.step += 1
            if self.fault is not None:
                raise self.fault
            self._begin()

    def _begin(self) -> None:
        """The next step begins: it is watched or not."""
        if self.step % self.every:
            if self.watching:
                self._pause()
            return
        if not self.watching:
            self._attend()
            self.watching = True
        if self._regrouped():
            self.flush()
            self.sights.close()
            self._survey()
        self.rounds += 1
        self._open()

    def _pause(self) -> None:
        """Every hook is taken away, but the one that counts."""
        self.watching = False
        for handle in self.beside:
            handle.remove()
        self.beside = []
        self.sights.close()
        if self.again is not None:
            self.again.close()

    def _open(self) -> None:
        self._look()
        if self.again is not None:
            self.again.open()

    def _look(self) -> None:
        self.given = self.captured = self.first = None
        discovering = self.rounds & (self.rounds - 1) == 0  # 1, 2, 4, 8 ...
        following = Following() if discovering else None
        marks = self.marks.renew(self.rounds, every=discovering)
        seen = Seen(self._fail, following, marks, self.rounds)
        self.sights.open(seen, whole=self.scaled or len(marks) > 1)

    def _before(self, k: int, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        if k == 0 and self.again is not None:
            self.again.before()
            if self.crediting and self._agreed():
                self.first = Before(plain(self.model))
        # a fused optimizer divides gradients by the scale itself
        closure = len(args) > 1 or kwargs.get("closure") is not None
        later = closure or hasattr(optimizer, "grad_scale")
        self.steps[k].before(later)

    @torch.no_grad()
    def _after(self, k: int, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        """An optimizer has stepped: with the first one the watched step ends."""
        if not self.steps[k].measuring:
            return
        capture = self.captured or self._capture()
        self.steps[k].after(capture)
        if k:
            capture.pack()
            self.captured = capture
            return
        if self.sights.seen.following is None or capture.has("gradient"):
            self.sights.settle()
        capture.columns = self.inputs.look(self.rounds)
        scale = loss_scale()
        self.scaled = scale is not None
        self._single(capture, "scale", scale)
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
        self._look()
        if self.again is not None:
            self.again.anew()

    def _end(self, capture: Capture) -> None:
        seen = self.sights.seen
        if seen.following is not None:
            seen.following.done()
            self.known = {**self.known, **seen.following.found}
        capture.step, capture.seconds = self.step + 1, time.monotonic() - self.started
        capture.examples = seen.examples or None
        capture.glimpses, capture.known = seen.glimpses, self.known
        capture.ages = self.sights.resting.ages
        seen.over, self.sights.seen = True, Seen()
        loss, real = self.given, None
        if self.again is not None and not capture.skipped:
            found, real = self.again.after()
            loss = found if loss is None else loss
            self._credits(capture)
        self._single(capture, "loss", loss)
        self._single(capture, "real", real)
        self.captured = None
        with self.lock:
            due = self.waiting.add(capture)
            if self.rounds == 1 or (due and self._choose()):
                self.flush()

    def _single(self, capture: Capture, name: str, value: Number | None) -> None:
        if value is not None:
            capture.tell(((name, 0, 1),), value)

    def _credits(self, capture: Capture) -> None:
        again, first = self.again, self.first
        if first is None or not isinstance(again, Criterion) or again.batch is None:
            return
        if not self._agreed():
            return
        with again.quietly():
            found = first.credits(again.batch, again.criterion, self.surveyed.layers)
        for layer, credit in (found or {}).items():
            capture.tell((("credit", layer, 1),), credit)

    def _agreed(self) -> bool:
        """Whether the model may be run again now: where it is split, all ranks have to."""
        if self.ranks is None or self.ranks.holds():
            return True
        self.teller.say("W706", ALONE)
        return False

    def _capture(self) -> Capture:
        return Capture(tuple(_rate(group) for group, _ in self.groups))

    def _fail(self, fault: Exception) -> None:
        """Something of the watch's own went wrong: it is over, the training is not."""
        if self.active:
            self.waiting, self.chosen = Waiting(), Waiting()
            self.stop()
            self.teller.off(fault)


class Beat(Hook):
    """Counts the steps; on one that is not watched it does nothing else."""

    __slots__ = ("watch",)

    def __init__(self, watch: Watch, call: Call) -> None:
        super().__init__(call, watch._fail)
        self.watch = watch

    def __call__(self, *args: Any) -> None:
        if torch.compiler.is_compiling():
            return
        watch = self.watch
        if not watch.watching and watch.fault is None and (watch.step + 1) % watch.every:
            watch.step += 1
        else:
            super().__call__(*args)


def _rate(group: dict[str, Any]) -> Any:
    """A group's learning rate; one that is a tensor changes in place, and stays on its device."""
    rate = group.get("lr", math.nan)
    return rate.detach().clone() if isinstance(rate, torch.Tensor) else rate
