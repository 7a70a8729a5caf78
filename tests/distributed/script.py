"""Run by torchrun: a training that is watched, and the blame of its examples."""

import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import miya

torch.set_num_threads(1)
dist.init_process_group("gloo")
rank, world = dist.get_rank(), dist.get_world_size()
folder = Path(sys.argv[1])
torch.manual_seed(0)
x = torch.randn(16, 3, dtype=torch.float64)
y = x.sum(1, keepdim=True)
model = DistributedDataParallel(nn.Linear(3, 1).double())
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
with miya.watch(model, optimizer, every=1, run=folder / "run") as watch:
    for _ in range(3):
        optimizer.zero_grad()
        loss = (model(x.chunk(world)[rank]) - y.chunk(world)[rank]).square().mean()
        loss.backward()
        watch.loss(loss)
        optimizer.step()
found = miya.blame_examples(model, (x, y), nn.MSELoss(), out=folder / "blame", batch_size=4)
(folder / f"{rank}.txt").write_text(repr(found.values("loss").sum() / 16))
dist.destroy_process_group()
