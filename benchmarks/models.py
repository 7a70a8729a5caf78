"""A full trace of a model's step, beside the raw step of the same model and beside torchlens
logging it with gradients, where that is installed."""

from __future__ import annotations

import compileall
import copy
import ctypes
import gc
import json
import random
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import nn

import miya

from .rows import Row, seconds, size
from .timing import pairs, timed

PAIRS = 15
WARM = 3
MEMORY_STEPS = 6
WHY_LIMIT = 0.2  # s
ELEMENTS, VALUES = 3, 60  # asked for: of each parameter, and intermediate values
Step = Callable[[], Any]


@dataclass(frozen=True)
class Case:
    """limit: full trace / raw step."""

    name: str
    limit: float


CASES = (
    Case("MLP 784-512-256-10, batch 128", 3.0),
    Case("CNN on 3x32x32, batch 64", 1.5),
    Case("transformer encoder, d 128, 4 layers, 32 x 64", 1.6),
)


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(256, 128)
        layer = nn.TransformerEncoderLayer(128, 4, 512, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 4, enable_nested_tensor=False)
        self.head = nn.Linear(128, 10)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.head(self.encoder(self.embedding(tokens)).mean(1))
        return found


def _mlp() -> nn.Module:
    return nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10)
    )


def _cnn() -> nn.Module:
    first = (nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    second = (nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    last = (nn.Flatten(), nn.Linear(64 * 8 * 8, 128), nn.ReLU(), nn.Linear(128, 10))
    return nn.Sequential(*first, *second, *last)


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def build(case: Case) -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """The model, a batch of inputs and its classes."""
    torch.manual_seed(0)
    shapes: dict[str, tuple[Callable[[], nn.Module], Callable[[], torch.Tensor]]] = {
        "MLP": (_mlp, lambda: torch.randn(128, 784)),
        "CNN": (_cnn, lambda: torch.randn(64, 3, 32, 32)),
        "transformer": (Encoder, lambda: torch.randint(0, 256, (32, 64))),
    }
    model, inputs = shapes[case.name.split()[0]]
    x = inputs().to(device())
    return model().to(device()), x, torch.randint(0, 10, (x.shape[0],), device=device())


def raw(case: Case) -> Step:
    model, x, y = build(case)
    optimizer, criterion = torch.optim.SGD(model.parameters(), lr=1e-3), nn.CrossEntropyLoss()

    def step() -> None:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
        _settled()

    return step


def ours(case: Case) -> Step:
    from miya.read.torch.step import model_step

    model, x, y = build(case)
    optimizer, criterion = torch.optim.SGD(model.parameters(), lr=1e-3), nn.CrossEntropyLoss()

    def step() -> Any:
        trace = model_step(model, x, y, loss=criterion, optimizer=optimizer)
        _settled()
        return trace

    return step


def torchlens(case: Case) -> Step:
    import torchlens as tl
    from torchlens.options import CaptureOptions

    model, x, y = build(case)
    model = copy.deepcopy(model)
    optimizer, criterion = torch.optim.SGD(model.parameters(), lr=1e-3), nn.CrossEntropyLoss()
    options = CaptureOptions(save_grads=True, backward_ready=True, unwrap_when_done=True)

    def step() -> None:
        optimizer.zero_grad()
        log = tl.trace(model, x, capture=options)
        log.log_backward(criterion(log[log.output_layers[0]].out, y))
        optimizer.step()
        _settled()
        if hasattr(log, "cleanup"):
            log.cleanup()

    return step


def _settled() -> None:
    if device().type == "cuda":
        torch.cuda.synchronize()


ARMS: dict[str, Callable[[Case], Step]] = {"raw": raw, "ours": ours, "torchlens": torchlens}


def rows(threads: int) -> Iterator[Row]:
    peer = find_spec("torchlens") is not None
    for case in CASES:
        yield _time(case, "ours", case.limit)
        if peer:
            yield _time(case, "torchlens")
        yield from _memory(case, threads, peer)
        yield from _why(case)


def _time(case: Case, arm: str, limit: float | None = None) -> Row:
    what = f"{arm if arm != 'ours' else 'full trace'} / raw step, {case.name}, {device().type}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one, other = ARMS[arm](case), raw(case)
        for step in (one, other) * WARM:
            step()
        found = pairs(lambda: timed(one), lambda: timed(other), PAIRS)
    return Row.of_pairs(what, found, seconds, limit)


def _memory(case: Case, threads: int, peer: bool) -> Iterator[Row]:
    """Peak memory above the raw step's, in a process of its own each."""
    what = f"memory above the raw step, {case.name}"
    mine, base = extra("ours", case, threads)
    if not peer:
        yield Row(f"{what} / the raw step's peak", size(mine), size(base), mine / base)
        return
    theirs, _ = extra("torchlens", case, threads)
    yield Row(f"{what} / torchlens", size(mine), size(theirs), mine / theirs, limit=1.0)


def extra(arm: str, case: Case, threads: int) -> tuple[int, int]:
    """The bytes at most by which some steps of an arm exceed the peak of raw steps, and that peak;
    everything is imported before."""
    command = [sys.executable, "-m", "benchmarks.models", arm, case.name, str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    base, most = json.loads(done.stdout.splitlines()[-1])
    return max(most - base, 1), base


def serve(arm: str, case: Case, threads: int) -> list[int]:
    """The peak of raw steps, and of steps of the arm."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(threads)
    for make in (raw, ARMS[arm]):  # what a first step alone costs
        make(case)()
    return [_peak(raw(case)), _peak(ARMS[arm](case))]


def _peak(step: Step) -> int:
    """The most bytes held during some steps, each one's trace let go before the next."""
    gc.collect()
    cuda = device().type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    else:
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts from what is held now
    for _ in range(MEMORY_STEPS):
        kept = step()
        del kept
        gc.collect()
    if cuda:
        return int(torch.cuda.max_memory_allocated())
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.findall(r"VmHWM:\s+(\d+)", status)[0])


def _why(case: Case) -> Iterator[Row]:
    """Single numbers asked for and told in full: elements of every parameter, the first of each
    in a trace that has not been asked anything, and of some intermediate values. What
    `miya.explain` and `print` have imported by then is imported before, from bytecode."""
    compileall.compile_dir(Path(miya.__file__).parent, quiet=1)
    for name in ("miya.api", "miya.render.text"):
        import_module(name)
    choose = random.Random(0)
    found: list[tuple[float, str]] = []
    make = ours(case)
    names = list(make().parameters)
    for name in names:
        found += _asked(make(), [name] * ELEMENTS, choose)
    trace = make()
    between = [n for n, v in trace.values.items() if v.has_gradient and n not in names]
    found += _asked(trace, choose.sample(between, min(VALUES, len(between))), choose)
    found.sort()
    for word, (took, element) in (("median", found[len(found) // 2]), ("worst", found[-1])):
        what = f"why, {word} of {len(found)} elements ({element}), {case.name} / 200 ms"
        yield Row(what, seconds(took), seconds(WHY_LIMIT), took / WHY_LIMIT, limit=1.0)


def _told(trace: Any, element: str) -> str:
    from miya.api.why import why

    return why(trace, element).text()


def _asked(trace: Any, names: list[str], choose: random.Random) -> Iterator[tuple[float, str]]:
    """How long a random element of each takes to tell, and which it is."""
    for name in names:
        place = ",".join(str(choose.randrange(n)) for n in trace.values[name].shape)
        element = f"{name}[{place}]" if place else name
        yield timed(partial(_told, trace, element)), element


if __name__ == "__main__":
    arm, name, threads = sys.argv[1:]
    print(json.dumps(serve(arm, next(c for c in CASES if c.name == name), int(threads))))
