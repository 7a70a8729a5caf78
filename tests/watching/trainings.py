"""Small trainings that go well, of eight kinds. Each gives a model, its optimizers and a function
that works the loss of the next batch out. They can be spoilt by what a test changes in them."""

from __future__ import annotations

import functools

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

from miya.watching.rules import Rules
from miya.watching.sinks import MemorySink
from miya.watching.watcher import Watch


@pytest.fixture
def one_thread():
    """Small batches are slower on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@functools.cache
def digits():
    """(1797, 64) with mean 0 and deviation 1 over all, and their classes."""
    found = load_digits()
    x = torch.tensor(found.data, dtype=torch.float32)
    return (x - x.mean()) / x.std(), torch.tensor(found.target)


def batches(x, y, size, seed):
    pick = torch.Generator().manual_seed(seed)
    while True:
        for at in torch.randperm(len(x), generator=pick).split(size):
            yield x[at], y[at]


def mlp(activation, *sizes):
    parts = []
    for a, b in zip(sizes, sizes[1:]):
        parts += [nn.Linear(a, b), activation()]
    return nn.Sequential(*parts[:-1])


class Training:
    """A model, its optimizer, and where its batches come from. change: called with it and the
    step's number before each step; it gives another batch, or nothing."""

    def __init__(self, model, optimizer, data, loss, clip=None, change=None):
        self.model, self.optimizer, self.data, self.loss = model, optimizer, data, loss
        self.clip, self.change, self.count = clip, change, 0

    def step(self, watch=None, zero=True):
        if zero:
            self.optimizer.zero_grad()
        x, y = next(self.data)
        self.count += 1
        if self.change is not None:
            x, y = self.change(self, self.count, x, y) or (x, y)
        loss = self.loss(self.model(x), y)
        loss.backward()
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        if watch is not None:
            watch.loss(loss)
        self.optimizer.step()
        return loss.item()

    def watched(self, steps, every=1, zero=True):
        """What the rules find, and the losses."""
        sink = MemorySink()
        with Watch(self.model, [self.optimizer], every=every, sinks=[sink], rules=Rules()) as watch:
            losses = [self.step(watch, zero) for _ in range(steps)]
        return list(sink.findings), losses, list(sink.steps)


def tanh_sgd(seed, rate=0.1):
    model = mlp(nn.Tanh, 64, 48, 32, 10)
    return Training(
        model,
        torch.optim.SGD(model.parameters(), rate),
        batches(*digits(), 32, seed),
        F.cross_entropy,
    )


def relu_adam(seed, rate=3e-3):
    model = mlp(nn.ReLU, 64, 64, 64, 10)
    return Training(
        model,
        torch.optim.Adam(model.parameters(), rate),
        batches(*digits(), 32, seed),
        F.cross_entropy,
    )


def cnn(seed, rate=3e-3):
    model = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(256, 10),
    )
    return Training(
        model,
        torch.optim.Adam(model.parameters(), rate),
        batches(*digits(), 32, seed),
        F.cross_entropy,
    )


class Last(nn.Module):
    """The class of a sequence, from what a recurrent layer says at its end."""

    def __init__(self, recurrent, size, classes=2):
        super().__init__()
        self.recurrent, self.head = recurrent, nn.Linear(size, classes)

    def forward(self, x):
        return self.head(self.recurrent(x)[0][:, -1])


def sequences(seed, length=8, size=32):
    """Of random numbers: whether the first is positive."""
    pick = torch.Generator().manual_seed(seed)
    while True:
        x = torch.randn(size, length, 2, generator=pick)
        yield x, (x[:, 0, 0] > 0).long()


def lstm(seed, rate=1e-2):
    model = Last(nn.LSTM(2, 24, batch_first=True), 24)
    return Training(
        model,
        torch.optim.Adam(model.parameters(), rate),
        sequences(seed),
        F.cross_entropy,
        clip=1.0,
    )


class Transformer(nn.Module):
    """Says of each token what came one place before it."""

    def __init__(self, width=32, tokens=12, length=10):
        super().__init__()
        self.token, self.place = nn.Embedding(tokens, width), nn.Embedding(length, width)
        layer = nn.TransformerEncoderLayer(width, 4, 64, 0.0, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, tokens)

    def forward(self, x):
        h = self.token(x) + self.place(torch.arange(x.shape[1]))
        return self.head(self.norm(self.blocks(h))).flatten(0, 1)


def shifted(seed, tokens=12, length=10, size=32):
    pick = torch.Generator().manual_seed(seed)
    while True:
        x = torch.randint(tokens, (size, length), generator=pick)
        yield x, x.roll(1, 1).flatten()


def transformer(seed, rate=3e-3):
    model = Transformer()
    return Training(
        model, torch.optim.AdamW(model.parameters(), rate), shifted(seed), F.cross_entropy
    )


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width)
        self.conv2, self.norm2 = nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width)

    def forward(self, x):
        h = F.relu(self.norm1(self.conv1(x)))
        return F.relu(x + self.norm2(self.conv2(h)))


def residual(seed, rate=0.05):
    model = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 8, 3, stride=2, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        Block(8),
        Block(8),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(32, 10),
    )
    optimizer = torch.optim.SGD(model.parameters(), rate, momentum=0.9, weight_decay=1e-4)
    return Training(model, optimizer, batches(*digits(), 32, seed), F.cross_entropy)


def autoencoder(seed, rate=3e-3):
    x, _ = digits()
    pixels = (x - x.min()) / (x.max() - x.min())
    model = nn.Sequential(*mlp(nn.ReLU, 64, 48, 12), *mlp(nn.ReLU, 12, 48, 64), nn.Sigmoid())
    return Training(
        model,
        torch.optim.Adam(model.parameters(), rate),
        batches(x, pixels, 32, seed),
        F.binary_cross_entropy,
    )


def logistic(seed, rate=0.05):
    model = nn.Linear(64, 10)
    return Training(
        model,
        torch.optim.SGD(model.parameters(), rate),
        batches(*digits(), 32, seed),
        F.cross_entropy,
    )


HEALTHY = {
    f.__name__: f
    for f in (tanh_sgd, relu_adam, cnn, lstm, transformer, residual, autoencoder, logistic)
}


def made(kind, seed, **options):
    """A training whose weights and batches are of a seed."""
    torch.manual_seed(seed)
    return kind(seed, **options)
