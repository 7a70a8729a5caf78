"""`python -m benchmarks.scale` prints what a unit of a large training costs to watch and to blame:
the figures that docs/scale.md plans with. Times are CPU time, so a busy machine does not matter."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

import miya
from miya.watching.reading import read_run
from miya.watching.sinks import MemorySink, ParquetSink

from .rows import seconds, size

BATCH = 64
Unit = tuple[str, str]


def main() -> None:
    torch.set_num_threads(1)
    print("| what | a unit costs |\n|---|---|")
    for part in (files, steps, sampling, merging, examples):
        for what, cost in part():
            print(f"| {what} | {cost} |", flush=True)


def chain(layers: int, width: int) -> nn.Sequential:
    torch.manual_seed(0)
    parts = [part for _ in range(layers) for part in (nn.Linear(width, width), nn.ReLU())]
    return nn.Sequential(*parts)


def train(model: nn.Module, count: int, width: int, **watching: object) -> list[float]:
    """CPU seconds of each step, the first two left out."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    watch = miya.watch(model, optimizer, **watching) if watching else None  # type: ignore[arg-type]
    x, found = torch.randn(BATCH, width), []
    for _ in range(count):
        begun = time.process_time()
        optimizer.zero_grad()
        (model(x) - x).square().mean().backward()
        optimizer.step()
        found.append(time.process_time() - begun)
    if watch is not None:
        watch.stop()
    return found[2:]


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


def weight(path: Path) -> int:
    return sum(f.stat().st_size for f in path.rglob("*.parquet"))


def files() -> Iterator[Unit]:
    """Bytes on disk, of a float32 training's own numbers."""
    layers, width, count = 24, 64, 300
    with folder() as run:
        train(chain(layers, width), count, width, every=1, sinks=[ParquetSink(run)], rules=False)
        yield "a watched step of a rank, on disk", size(weight(run / "steps") / count)
        yield "a parameter group in it", size(weight(run / "groups") / count)
        yield "a layer in it", size(weight(run / "layers") / count / layers)
        yield "a neuron in it", f"{weight(run / 'neurons') / count / layers / width:.1f} B"


def steps() -> Iterator[Unit]:
    """CPU time and memory of a watched step, by differences of two models each."""
    few, many = (_extra(chain(n, 8), 8) for n in (8, 72))
    yield "a layer, in the CPU time of a watched step", seconds((many - few) / 64)
    low, high = (_extra(chain(4, width), width) for width in (128, 512))
    numbers = 4 * (512**2 - 128**2)
    yield "a parameter here, in the same", f"{(high - low) / numbers * 1e9:.2f} ns"
    model = chain(4, 256)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    watch = miya.watch(model, optimizer, every=1, sinks=[MemorySink()])
    model(torch.randn(BATCH, 256)).sum().backward()
    optimizer.step()
    kept = sum(t.numel() * t.element_size() for s in watch.steps for t in s.copied.values())
    watch.stop()
    yield "a float32 parameter here, in memory", f"{kept / (4 * 256**2):.1f} B"


def _extra(model: nn.Module, width: int) -> float:
    """CPU seconds by which a watched step is longer."""
    plain, watched = [], []
    for _ in range(3):  # by the 33rd the watch has found out what reads which output
        plain += train(model, 63, width)[30:]
        sink = MemorySink(most=1)
        watched += train(model, 63, width, every=1, sinks=[sink], rules=False)[30:]
    return statistics.fmean(watched) - statistics.fmean(plain)


def sampling() -> Iterator[Unit]:
    """How far a mean activation of one watched step lies from the whole batch's, in deviations."""
    torch.manual_seed(0)
    model, sink = nn.Sequential(nn.Linear(16, 1), nn.Tanh()), MemorySink()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    off = []
    with miya.watch(model, optimizer, every=1, sinks=[sink], rules=False):
        for _ in range(400):
            x = torch.randn(2048, 16)
            out = model(x)
            out.sum().backward()
            optimizer.step()
            off.append((out.mean().item(), out.std().item()))
    found = [
        (r.layers[0].activation_mean - mean) / spread
        for r, (mean, spread) in zip(sink.steps, off, strict=True)
        if r.layers[0].activation_mean is not None
    ]
    root = statistics.fmean(f * f for f in found[1:]) ** 0.5
    yield "error of a mean activation, in deviations (32 rows: 0.177)", f"{root:.3f}"


def merging() -> Iterator[Unit]:
    layers, width, ranks, count = 24, 64, 8, 20
    with folder() as run:
        for rank in range(ranks):
            sinks = [ParquetSink(run, rank=rank, start=0)]
            train(chain(layers, width), count, width, every=1, sinks=sinks, rules=False)
        found = read_run(run)
        for neurons in (False, True):
            begun = time.process_time()
            sum(1 for _ in found.records(neurons=neurons))
            spent = (time.process_time() - begun) / ranks / count / layers
            what = f"with its {width} neurons" if neurons else "without neurons"
            yield f"a layer of a rank and step, read and merged {what}", seconds(spent)


def examples() -> Iterator[Unit]:
    """Bytes on disk and seconds of blamed examples."""
    layers, width, count = 12, 64, 4096
    model, x = chain(layers, width), torch.randn(count, width)
    given = {"batch_size": BATCH, "progress": False, "top": 1}
    with folder() as out:
        begun = time.process_time()
        miya.blame_examples(model, (x, x), nn.MSELoss(), out=out, neurons=0, **given)  # type: ignore[arg-type]
        spent = time.process_time() - begun
        columns = 2 * layers + 2
        yield "an example and parameter tensor, on disk", f"{weight(out) / count / columns:.1f} B"
        rest = [timed_pass(model, x) for _ in range(3)]
        yield (
            "the blame of an example, in CPU time of a plain pass",
            f"{spent / min(rest):.2f} times",
        )


def timed_pass(model: nn.Module, x: torch.Tensor) -> float:
    begun = time.process_time()
    for part in x.split(BATCH):
        model.zero_grad()
        nn.functional.mse_loss(model(part), part).backward()
    return time.process_time() - begun


if __name__ == "__main__":
    main()
