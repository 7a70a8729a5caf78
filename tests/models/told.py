"""Small models whose steps are told: seeded, in float64, one step each."""

import warnings

import torch
from torch import nn

import miya


class Net(nn.Module):
    """A network of convolutions with a residual."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(36, 3)

    def forward(self, x):
        h = torch.relu(self.norm(self.conv1(x)))
        h = self.pool(h + self.conv2(h))
        return self.fc(torch.flatten(h, 1))


class Reader(nn.Module):
    """An LSTM over tokens."""

    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(9, 4)
        self.lstm = nn.LSTM(4, 5, batch_first=True)
        self.head = nn.Linear(5, 9)

    def forward(self, tokens):
        return self.head(self.lstm(self.emb(tokens))[0][:, -1])


class Tied(nn.Module):
    """A transformer whose embedding is its output layer, with a frozen and an unused parameter."""

    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(11, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, batch_first=True)
        self.enc = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
        self.head = nn.Linear(8, 11, bias=False)
        self.head.weight = self.emb.weight
        self.spare = nn.Linear(3, 3)
        self.enc.layers[0].linear1.bias.requires_grad_(False)

    def forward(self, tokens):
        return self.head(self.enc(self.emb(tokens))).mean(1)


def mlp():
    return nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))


GIVEN = {
    "cnn": (Net, lambda: torch.randn(3, 1, 6, 6), 3),
    "lstm": (Reader, lambda: torch.randint(0, 9, (3, 4)), 9),
    "tied": (Tied, lambda: torch.randint(0, 11, (2, 5)), 11),
}


def explained(name, *, dtype=torch.float64, optimizer=None, **options):
    """A model of GIVEN, explained. It warns of what is tied or without a gradient."""
    torch.manual_seed(7)
    kind, inputs, classes = GIVEN[name]
    model, x = kind().to(dtype), inputs()
    x = x.to(dtype) if x.is_floating_point() else x
    y = torch.randint(0, classes, (len(x),))
    make = optimizer or (lambda p: torch.optim.SGD(p, lr=0.1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", miya.MiyaWarning)
        return miya.explain(model, x, y, loss="cross_entropy", optimizer=make, **options)
