"""The blame of the same examples by one process and by several."""

import os
import time

import torch
from distributed.trainings import split
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import Dataset, IterableDataset

import miya
from miya.per_example import folder

COUNT, BATCH = 46, 4


class Net(nn.Module):
    def __init__(self, drop):
        super().__init__()
        self.conv = nn.Conv1d(2, 3, 3)
        self.drop = nn.Dropout(0.4 if drop else 0.0)
        self.fc = nn.Linear(12, 3)

    def forward(self, x):
        return self.fc(self.drop(torch.relu(self.conv(x)).flatten(1)))


class Examples(Dataset):
    """Counts what it is asked for; at the example `fatal` its process is lost."""

    def __init__(self, fatal=None):
        generator = torch.Generator().manual_seed(2)
        self.x = torch.randn(COUNT, 2, 6, dtype=torch.float64, generator=generator)
        self.y = torch.randint(3, (COUNT,), generator=generator)
        self.fatal, self.asked = fatal, []

    def __len__(self):
        return COUNT

    def __getitem__(self, k):
        if k == self.fatal:
            time.sleep(0.5)
            os._exit(1)
        self.asked.append(k)
        return self.x[k], self.y[k]


class Stream(IterableDataset):
    def __iter__(self):
        data = Examples()
        return (data[k] for k in range(COUNT))


def model_of(kind, world, drop=False):
    torch.manual_seed(4)
    model = Net(drop).double()
    if kind == "ddp" and world > 1:
        return DistributedDataParallel(model)
    return split(model, world) if kind == "fsdp" and world > 1 else model


def blame(rank, world, kind, out, options=(), fatal=None):
    """Every column, the ranking, what is told, the weights most pushed, and which examples this
    process has measured."""
    folder.SECONDS = 0.0  # a file a batch
    options = dict(options)
    model = model_of(kind, world, options.pop("drop", False))
    if options.pop("adam", False):
        options["optimizer"] = torch.optim.Adam(model.parameters(), lr=0.02)
    data = Stream() if options.pop("stream", False) else Examples(fatal)
    found = miya.blame_examples(
        model, data, nn.CrossEntropyLoss(), batch_size=BATCH, out=out, top=3, progress=False,
        **options,
    )  # fmt: skip
    columns = {name: found.columns.column(name) for name in found.columns.names()}
    top = [(row.example, row.weights, row.neurons) for row in found.top(3)]
    return columns, found.ranking().tolist(), top, len(found), getattr(data, "asked", [])
