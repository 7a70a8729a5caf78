"""The gradient norms of every example and layer, beside the raw step of the same model, and beside
torch.func's vmap(grad); the models are those of `models`."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from .models import CASES, Case, Step, _peak, _settled, build, device, raw
from .rows import Row, seconds, size
from .timing import pairs, timed

PAIRS = 25
WARM = 3
LIMITS = {"MLP": 1.25, "CNN": 2.0, "transformer": 1.12}


def ours(case: Case, neurons: bool = False) -> Step:
    """Norms by parameter and the losses, on the CPU; with the neurons' pressures where asked."""
    from miya.per_example.batch import together
    from miya.per_example.capture import measured

    model, x, y = build(case)
    named, criterion = measured(model), nn.CrossEntropyLoss()

    def step() -> Any:
        return together(model, criterion, named, x, y, len(y), neurons=neurons)

    return step


def mapped(case: Case) -> Step:
    """vmap(grad), and the norm of what it gives."""
    model, x, y = build(case)
    held = {name: p.detach() for name, p in model.named_parameters()}

    def loss(parameters: Any, one: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        out = functional_call(model, parameters, (one.unsqueeze(0),))
        return F.cross_entropy(out, label.unsqueeze(0))

    each = vmap(grad(loss), in_dims=(None, 0, 0))

    def step() -> None:
        with sdpa_kernel(SDPBackend.MATH):
            found = each(held, x, y)
        for slope in found.values():
            torch.linalg.vector_norm(slope.flatten(1), dim=1)
        _settled()

    return step


ARMS: dict[str, Callable[[Case], Step]] = {
    "norms": ours,
    "norms and pressures": partial(ours, neurons=True),
    "vmap(grad)": mapped,
}


def rows(threads: int) -> Iterator[Row]:
    for case in CASES:
        for arm in ARMS:
            limit = LIMITS[case.name.split()[0]] if arm == "norms" else None
            yield _time(case, arm, limit)
        mine, theirs = (extra(arm, case, threads) for arm in ("norms", "vmap(grad)"))
        what = f"memory of per-example norms above the raw step, {case.name} / vmap(grad)"
        yield Row(what, size(mine), size(theirs), mine / theirs, limit=1.0)


def _time(case: Case, arm: str, limit: float | None) -> Row:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one, other = ARMS[arm](case), raw(case)
        for step in (one, other) * WARM:
            step()
        found = pairs(lambda: timed(one), lambda: timed(other), PAIRS)
    what = f"per-example {arm} / raw step, {case.name}, {device().type}"
    return Row.of_pairs(what, found, seconds, limit)


def extra(arm: str, case: Case, threads: int) -> int:
    """The bytes at most by which some steps of an arm exceed the peak of raw steps."""
    command = [sys.executable, "-m", "benchmarks.per_example", arm, case.name, str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    base, most = json.loads(done.stdout.splitlines()[-1])
    return int(max(most - base, 1))


def serve(arm: str, case: Case, threads: int) -> list[int]:
    """The peak of raw steps, and of steps of the arm."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(threads)
    for make in (raw, ARMS[arm]):  # what a first step alone costs
        make(case)()
    return [_peak(raw(case)), _peak(ARMS[arm](case))]


if __name__ == "__main__":
    arm, name, threads = sys.argv[1:]
    print(json.dumps(serve(arm, next(c for c in CASES if c.name == name), int(threads))))
