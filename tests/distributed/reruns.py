"""Trainings whose split model is run again by the watch, beside the same without a watch."""

import warnings

import torch
from distributed.trainings import data, made, net
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

import miya
from miya.watching.sinks import MemorySink


class Failing(MemorySink):
    """Breaks at a step."""

    def __init__(self, at):
        super().__init__()
        self.at = at

    def step(self, record):
        super().step(record)
        if record.step == self.at:
            raise OSError("no space")


def outermost(world):
    """All parameters are split together, by the outermost module, which torch leaves whole after a
    forward pass."""
    model = net()
    fixed = {p for p in model.parameters() if not p.requires_grad}
    mesh = init_device_mesh("cpu", (world,))
    return fully_shard(model, mesh=mesh, ignored_params=fixed)


def model_of(kind, world):
    return outermost(world) if kind == "outermost" else made(kind, world)


def run(rank, world, kind, how, fails=None):
    """This rank's parameters, (step, real, credits) of each record, and what was said. how: the
    loss is worked out again, None where nobody watches. fails: the (rank, step) of a fault."""
    warnings.simplefilter("ignore")
    model = model_of(kind, world)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.5)
    criterion, last = nn.MSELoss(), {}
    sink = Failing(fails[1] if fails and fails[0] == rank else None)
    options = {
        "module": {"loss": criterion, "real": True},
        "credit": {"loss": criterion, "credit": True},
        "closure": {"loss": lambda: criterion(model(last["x"]), last["y"])},
    }
    watch = how and miya.watch(model, optimizer, every=1, sinks=[sink], **options[how])
    for x, y in zip(*data()):
        last["x"], last["y"] = x.chunk(world)[rank], y.chunk(world)[rank]
        optimizer.zero_grad()
        criterion(model(last["x"]), last["y"]).backward()
        optimizer.step()
    if watch:
        watch.stop()
    parts = [getattr(p, "_local_tensor", p).detach().clone() for p in model.parameters()]
    told = [(r.step, r.real, [a.credit for a in r.layers]) for r in sink.steps]
    return parts, told, watch and watch.teller.said
