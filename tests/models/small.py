"""Small models for the tests of blame, credit, removal and the diagram, each with a batch."""

import torch
import torch.nn.functional as F
from torch import nn

from miya.read.torch.step import model_step


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 3, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(3, 6, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(54, 12),
        nn.ReLU(),
        nn.Linear(12, 4),
    )


class CharLSTM(nn.Module):
    def __init__(self, layers=2):
        super().__init__()
        self.embed = nn.Embedding(10, 5)
        self.lstm = nn.LSTM(5, 6, num_layers=layers, batch_first=True)
        self.head = nn.Linear(6, 10)

    def forward(self, x):
        return self.head(self.lstm(self.embed(x))[0]).transpose(1, 2)


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        batch, time, width = x.shape
        parts = self.qkv(x).split(width, 2)
        q, k, v = (p.view(batch, time, self.heads, -1).transpose(1, 2) for p in parts)
        made = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(made.transpose(1, 2).reshape(batch, time, width))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.ln1, self.attn = nn.LayerNorm(width), Attention(width, heads)
        self.ln2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x):
        x = x + self.attn(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self, blocks=1, tied=False):
        super().__init__()
        self.tok, self.pos = nn.Embedding(10, 8), nn.Embedding(6, 8)
        self.blocks = nn.ModuleList([Block(8, 2) for _ in range(blocks)])
        self.ln, self.head = nn.LayerNorm(8), nn.Linear(8, 10, bias=False)
        if tied:
            self.head.weight = self.tok.weight

    def forward(self, x):
        h = self.tok(x) + self.pos(torch.arange(x.shape[1]))
        for block in self.blocks:
            h = block(h)
        return self.head(self.ln(h)).transpose(1, 2)


class Residual(nn.Module):
    def __init__(self, blocks=1):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.blocks = nn.ModuleList(
            [
                nn.ModuleList([nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)])
                for _ in range(blocks)
            ]
        )
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        x = F.relu(self.norm(self.stem(x)), inplace=True)
        for conv, norm in self.blocks:
            x = F.relu(x + norm(conv(x)))
        return self.fc(x.mean((2, 3)))


class Branches(nn.Module):
    """Two inputs, a module called twice, a concatenation, a frozen and an unused parameter."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.shared = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)
        self.out, self.unused = nn.Linear(12, 3), nn.Linear(2, 2)
        self.b.weight.requires_grad_(False)

    def forward(self, x, y):
        a, b = torch.tanh(self.a(x)), torch.sigmoid(self.b(y))
        return self.out(torch.cat([self.shared(a), self.shared(b), a * b], -1))


def encoder():
    layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True, dropout=0.1)
    return nn.Sequential(nn.Embedding(10, 8), nn.TransformerEncoder(layer, 2))


def ids(batch=3, time=6):
    return torch.randint(0, 10, (batch, time))


def batch(name):
    classes = {"lenet": 4, "residual": 3, "branches": 3}
    if name == "lenet":
        return torch.randn(4, 1, 16, 16), torch.randint(0, classes[name], (4,))
    if name == "residual":
        return torch.randn(4, 2, 6, 6), torch.randint(0, classes[name], (4,))
    if name == "branches":
        return (torch.randn(5, 4), torch.randn(5, 4)), torch.randint(0, classes[name], (5,))
    if name == "encoder":
        return ids(), torch.randint(0, 6, (3, 8))
    return ids(), ids()


MAKE = {
    "lenet": lenet,
    "lstm": CharLSTM,
    "gpt": GPT,
    "tied": lambda: GPT(tied=True),
    "residual": Residual,
    "branches": Branches,
    "encoder": encoder,
}


def step(name, dtype=torch.float64, optimizer=torch.optim.SGD, rate=0.05, seed=0, make=None):
    """The trace of one step, and the model as it was."""
    torch.manual_seed(seed)
    model = (make or MAKE[name])().to(dtype)
    inputs, target = batch(name)
    inputs = (
        tuple(wide(t, dtype) for t in inputs) if isinstance(inputs, tuple) else wide(inputs, dtype)
    )
    kept = [p for p in model.parameters() if p.requires_grad]
    made = model_step(
        model, inputs, target, loss=nn.CrossEntropyLoss(), optimizer=optimizer(kept, lr=rate)
    )
    return made, model, inputs, target


def wide(tensor, dtype):
    return tensor.to(dtype) if tensor.is_floating_point() else tensor
