"""The same training by one process and by several, each on its share of every batch."""

import os
import time
from collections import Counter
from contextlib import contextmanager, nullcontext

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

import miya

BATCH, STEPS, EVERY = 4, 7, 2  # the samples of outputs then hold every row


class Net(nn.Module):
    """An embedding, a cell that is unrolled, a silent and a flat activation, and one neuron that
    leads the rest."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(9, 6)
        self.cell = nn.RNNCell(6, 5)
        self.wide = nn.Linear(5, 11)
        self.norm = nn.LayerNorm(11)
        self.flat = nn.Linear(11, 7)
        self.last = nn.Linear(7, 1)

    def forward(self, words):
        h = torch.zeros(len(words), 5, dtype=self.last.weight.dtype)
        for x in self.words(words).unbind(1):
            h = self.cell(x, h)
        return self.last(torch.sigmoid(self.flat(self.norm(torch.relu(self.wide(h))))))


def net():
    torch.manual_seed(3)
    model = Net().double()
    with torch.no_grad():
        model.wide.bias[:4] -= 9  # silent ones
        model.flat.bias[:2] += 12  # flat ones
        model.flat.weight[5] *= 40
        model.norm.bias += 0.3
    model.norm.bias.requires_grad_(False)
    return model


def data():
    generator = torch.Generator().manual_seed(5)
    x = torch.randint(9, (STEPS, BATCH, 5), generator=generator)
    return x, torch.randn(STEPS, BATCH, 1, dtype=torch.float64, generator=generator)


def split(model, *sizes):
    """FSDP2: every layer by itself, its first dimension cut in parts. sizes: (parts,), or (copies,
    parts)."""
    mesh = init_device_mesh("cpu", sizes, mesh_dim_names=("copies", "parts")[-len(sizes) :])
    for layer in model.children():  # one parameter stays whole
        fixed = {p for p in layer.parameters() if not p.requires_grad}
        fully_shard(layer, mesh=mesh, ignored_params=fixed)
    return fully_shard(model, mesh=mesh)


def made(kind, world):
    model = net()
    if kind == "ddp":
        return DistributedDataParallel(model)
    if kind == "copies":
        return split(model, 2, world // 2)
    return split(model, world) if kind == "fsdp" else model


def train(rank, world, kind, run, options=(), watched=True, lost=None, around=nullcontext):
    """lost: the (rank, step) that is lost. around: what every step runs in."""
    model = made(kind, world)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.5)
    criterion = nn.MSELoss()
    options = {"every": EVERY, **dict(options)}
    if options.get("real"):
        options["loss"] = criterion
    watch = miya.watch(model, optimizer, run=run, **options) if watched else None
    with watch or nullcontext():
        for step, (x, y) in enumerate(zip(*data()), 1):
            if lost == (rank, step):
                watch.flush()
                time.sleep(1.5)  # the last second may be lost with the process
                os._exit(1)
            with around():
                optimizer.zero_grad()
                loss = criterion(model(x.chunk(world)[rank]), y.chunk(world)[rank])
                loss.backward()
                if watch is not None:
                    watch.loss(loss)
                optimizer.step()
    assert watch is None or not watch.teller.said, watch.teller.said


def collectives(rank, world, kind, run):
    """How often each collective was called in each step, by whomever: first of a training that is
    not watched, then of one that is."""
    calls = []

    @contextmanager
    def counted():
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as seen:
            yield
        names = [e.name for e in seen.events()]
        calls.append(Counter(n for n in names if n.startswith("gloo:")))

    train(rank, world, kind, run, (), False, None, counted)
    train(rank, world, kind, run, (), True, None, counted)
    return calls[:STEPS], calls[STEPS:]


def watched_by_first(rank, world, run):
    """Only the first process watches."""
    return train(rank, world, "ddp", run, watched=rank == 0)


def starts(rank, world, run):
    """A watch is begun as late as may be on the other ranks."""
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    time.sleep(0.2 * rank)
    watch = miya.watch(model, optimizer, run=run)
    start = watch.delivery.sinks[0].run.start
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    dist.barrier()
    watch.stop()
    return start
