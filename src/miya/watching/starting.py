"""`miya.watch`: two lines in a training loop."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .again import checked_loss
from .delivery import Sink
from .faults import checked, foreign
from .layers import is_compiled, plain
from .records import Finding, StepRecord
from .watcher import EVERY, Watch

_watched: weakref.WeakKeyDictionary[nn.Module, weakref.ref[Watch]] = weakref.WeakKeyDictionary()


def watch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer | Sequence[torch.optim.Optimizer],
    *,
    every: int = EVERY,
    run: str | Path | None = None,
    sinks: Iterable[Sink] = (),
    rules: bool = True,
    loss: nn.Module | Callable[[], Any] | None = None,
    real: bool = False,
    credit: bool = False,
) -> Watch:
    """Watch a training loop: every `every`-th step, the first one included.

    optimizer: one, or several, of which the first counts the steps. run: a folder that the
    records are written to. sinks: where else they go; without any, findings are printed. rules:
    whether what is wrong with the training is looked for (docs/watching.md).
    loss: the module that the loop calls with the model's output and the target, whose result is
    taken for the loss; or a function without arguments that works the loss of the newest batch
    out, which is then called before and after every watched step for its real change. real:
    with the module, the model and it are called again after every watched step. credit: the
    layers' credits too, which takes many more calls.
    Raises MiyaInputError E710 to E713 for what cannot be watched, and what the run folder
    does.
    Later it raises nothing: a fault of its own takes it off with one warning, W701.
    """
    model, optimizers = checked(model, optimizer, every)
    root = plain(model)
    checked_loss(loss, real, credit, not (is_compiled(model) or is_compiled(root)))
    old = _watched.get(root)
    earlier = None if old is None else old()
    if earlier is not None and earlier.active:
        earlier.stop()
        earlier.teller.say("W703", "the model was watched already: that watch has been stopped")
    found = Watch(
        model,
        optimizers,
        every=every,
        sinks=_sinks(run, sinks),
        rules=_rules(rules),
        loss=loss,
        real=real,
        credit=credit,
    )
    _watched[root] = weakref.ref(found)
    other = foreign(root, optimizers)
    if other is not None:
        found.teller.say("W702", other)
    return found


def _rules(wanted: bool) -> Any:
    if not wanted:
        return None
    from .rules import Rules

    return Rules()


def _sinks(run: str | Path | None, given: Iterable[Sink]) -> list[Sink]:
    from .ranks import agreed_start, rank

    found = list(given)
    if run is not None:
        from .sinks import ParquetSink

        found.insert(0, ParquetSink(run, rank=rank(), start=agreed_start(run)))
    return found or ([Printed()] if rank() == 0 else [])


class Printed:
    """Where nothing else is asked for: what was found is printed, and nothing is kept."""

    steps = False

    def step(self, record: StepRecord) -> None:
        return None

    def finding(self, finding: Finding) -> None:
        from .words import told

        said = told(finding)
        print(
            f"miya: step {finding.step}: {said.statement} {said.remedy}".rstrip(), file=sys.stderr
        )

    def close(self) -> None:
        return None
