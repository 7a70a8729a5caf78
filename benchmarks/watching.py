"""A watched training loop beside the raw one: at every step, and as `miya.watch` does by default.

Where they are installed, also against what TensorBoard's histograms of all gradients and
wandb.watch add at the same frequency, on the MLP; and, written by hand, the least that a watch of
every step has to read there.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import torch
from torch import nn

import miya
from miya.watching.watcher import EVERY

from .models import CASES, Case, _settled, build, device
from .rows import Row, seconds
from .timing import Pairs, pairs, timed

Step = Callable[[], None]
EACH_STEP = {"MLP": 1.15, "CNN": 1.03, "transformer": 1.03}
BY_DEFAULT = 1.03
OF_PEERS = 0.25  # of what they add
STEPS = {"MLP": 4 * EVERY, "CNN": EVERY, "transformer": EVERY}  # in one measurement
PAIRS = {"MLP": 31, "CNN": 15, "transformer": 9}
WARM = 60  # steps: of the first 50 watched ones the rules look at every one


def loop(case: Case) -> tuple[nn.Module, torch.optim.Optimizer, Step]:
    model, x, y = build(case)
    optimizer, criterion = torch.optim.SGD(model.parameters(), lr=1e-3), nn.CrossEntropyLoss()

    def step() -> None:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
        _settled()

    return model, optimizer, step


def watched(case: Case, every: int, **options: Any) -> tuple[Step, Callable[[], None]]:
    model, optimizer, step = loop(case)
    watch = miya.watch(model, optimizer, every=every, **options)
    return step, watch.stop


def tensorboard(case: Case) -> Step:
    from torch.utils.tensorboard import SummaryWriter

    model, _, step = loop(case)
    writer, count = SummaryWriter(tempfile.mkdtemp()), [0]

    def both() -> None:
        step()
        count[0] += 1
        for name, p in model.named_parameters():
            writer.add_histogram(name, p.grad, count[0])

    return both


def wandb(case: Case) -> Step:
    os.environ |= {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_DIR": tempfile.mkdtemp()}
    import wandb as peer

    model, _, step = loop(case)
    peer.init(project="benchmark", settings=peer.Settings(x_disable_stats=True))
    peer.watch(model, log="gradients", log_freq=1)

    def both() -> None:
        step()
        peer.log({"step": 1})

    return both


def least(case: Case) -> Step:
    """What a watch has to read of a plain MLP in a step, with nothing made of it: 32 rows of every
    output, Σδ², Σδ (the bias's gradient), the norm of each neuron's gradient, the bias before the
    step and after it."""
    model, optimizer, step = loop(case)
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    weights, biases = ([getattr(m, name) for m in layers] for name in ("weight", "bias"))
    kept: list[torch.Tensor] = []

    def take(delta: torch.Tensor) -> None:
        flat = delta.view(-1)
        kept.append(torch.dot(flat, flat))

    def look(module: nn.Module, arguments: Any, output: torch.Tensor) -> None:
        kept.append(output.detach()[::4].clone())
        output.register_hook(take)  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def before(*_: Any) -> None:
        kept.extend(torch.linalg.vector_norm(w.grad, dim=1) for w in weights)
        kept.append(torch.cat([*biases, *(b.grad for b in biases)]))

    @torch.no_grad()
    def after(*_: Any) -> None:
        kept.append(torch.cat(biases))
        kept.clear()

    for module in layers:
        module.register_forward_hook(look)
    optimizer.register_step_pre_hook(before)
    optimizer.register_step_post_hook(after)
    return step


PEERS = {"tensorboard": tensorboard, "wandb": wandb}


def rows(threads: int) -> Iterator[Row]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in CASES:
            kind = case.name.split()[0]
            for every, limit in ((1, EACH_STEP[kind]), (EVERY, BY_DEFAULT)):
                found = beside(case, *watched(case, every))
                said = "every step" if every == 1 else f"every {every}th step, the default"
                what = f"watched / raw loop, {said}, {case.name}, {device().type}"
                yield Row.of_pairs(what, found, seconds, limit)
        found = beside(CASES[0], least(CASES[0]))
        what = f"the least reads by hand / raw loop, every step, {CASES[0].name}, {device().type}"
        yield Row.of_pairs(what, found, seconds)
        yield from _peers(CASES[0])
        yield from _written(CASES[0])


def beside(case: Case, step: Step, end: Callable[[], None] = lambda: None) -> Pairs:
    """The seconds of one step of each side, some at a time, in turn."""
    _, _, raw = loop(case)
    kind = case.name.split()[0]
    for each in (step, raw) * WARM:
        each()
    count = STEPS[kind]

    def several(one: Step) -> float:
        def run() -> None:
            for _ in range(count):
                one()

        return timed(run) / count

    found = pairs(lambda: several(step), lambda: several(raw), PAIRS[kind])
    end()
    return found


def _peers(case: Case) -> Iterator[Row]:
    """What watching every step adds, over what a peer adds."""
    ours = _added(beside(case, *watched(case, 1)))
    for name, make in PEERS.items():
        if find_spec(name) is not None:
            theirs = _added(beside(case, make(case)))
            what = f"added by watching / by {name}, every step, {case.name}"
            yield Row(what, seconds(ours), seconds(theirs), ours / theirs, limit=OF_PEERS)


def _added(found: Pairs) -> float:
    ours, raw = found.medians
    return ours - raw


def _written(case: Case) -> Iterator[Row]:
    """With every number of every neuron written to a run folder too."""
    if find_spec("pyarrow") is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        found = beside(case, *watched(case, EVERY, run=folder))
    what = f"watched and written / raw loop, every {EVERY}th step, {case.name}"
    yield Row.of_pairs(what, found, seconds)
