"""Models whose parameters meet examples in every way that is known, each with a batch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

CLASSES = 5
BATCH = 6


class Encoder(nn.Module):
    """Padded tokens, a sliced positional table, a class token, attention; any layout."""

    def __init__(self, batch_first=True, norm_first=False):
        super().__init__()
        self.batch_first = batch_first
        self.embedding = nn.Embedding(20, 16, padding_idx=0)
        self.place = nn.Parameter(torch.randn(9, 16))
        self.token = nn.Parameter(torch.randn(1, 1, 16))
        layer = nn.TransformerEncoderLayer(
            16, 4, 32, dropout=0.0, batch_first=batch_first, norm_first=norm_first
        )
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, CLASSES)

    def forward(self, x):
        h = self.embedding(x) + self.place[: x.shape[1]]
        h = torch.cat([self.token.expand(len(x), -1, -1), h], 1)
        h = self.encoder(h if self.batch_first else h.transpose(0, 1))
        return self.head(h[:, 0] if self.batch_first else h[0])


class Attention(nn.Module):
    """Attention to itself with masks, and to a memory, then attention whose weights are used."""

    def __init__(self, batch_first=True, causal=False, bias=True):
        super().__init__()
        self.causal, self.embedding = causal, nn.Embedding(20, 8)
        options = {"batch_first": batch_first, "bias": bias}
        self.one, self.two = (nn.MultiheadAttention(8, 2, **options) for _ in range(2))
        self.seen = nn.MultiheadAttention(8, 2, add_bias_kv=True, **options)
        self.norm, self.head = nn.LayerNorm((3, 8), bias=False), nn.Linear(24, CLASSES)

    def forward(self, x):
        h, mask = self.embedding(x), nn.Transformer.generate_square_subsequent_mask(x.shape[1])
        h = h if self.one.batch_first else h.transpose(0, 1).contiguous()
        options = {"need_weights": False, "attn_mask": mask.to(h.dtype)}
        if not self.causal:  # some tokens are nothing to look at; a mask for every head
            options["attn_mask"] = options["attn_mask"].expand(2 * len(x), -1, -1).mT * 0.1
            options["key_padding_mask"] = (x == 0).to(h.dtype) * -3.0
        h = h + self.one(h, h, h, is_causal=self.causal, **options)[0]
        h = (
            h
            + self.two(
                h,
                h[:, :3] if self.two.batch_first else h[:3],
                h[:, -3:] if self.two.batch_first else h[-3:],
                need_weights=False,
            )[0]
        )
        found, weights = self.seen(h, h, h)
        found = torch.tanh(found) if self.one.batch_first else torch.tanh(found).transpose(0, 1)
        return self.head(
            self.norm((weights @ found.repeat(1, 2, 1)[:, : weights.shape[2]])[:, :3]).flatten(1)
        )


class Tied(nn.Module):
    """One table as embedding and head, one layer called twice."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 16)
        self.twice = nn.Linear(16, 16)
        self.head = nn.Linear(16, 20, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, x):
        return self.head(torch.tanh(self.twice(torch.tanh(self.twice(self.embedding(x))))))


class Loop(nn.Module):
    """One layer at every time step, sequence first."""

    def __init__(self):
        super().__init__()
        self.cell, self.head = nn.Linear(4 + 5, 5), nn.Linear(5, CLASSES)

    def forward(self, x):
        h = torch.zeros(len(x), 5, dtype=x.dtype)
        for part in x.transpose(0, 1):
            h = torch.tanh(self.cell(torch.cat([part, h], 1)))
        return self.head(h)


class Recurrent(nn.Module):
    def __init__(self, kind, **options):
        super().__init__()
        self.core = getattr(nn, kind)(4, 5, batch_first=True, **options)
        self.head = nn.Linear(5 * (2 if options.get("bidirectional") else 1), CLASSES)

    def forward(self, x):
        return self.head(self.core(x)[0][:, -1])


class Functions(nn.Module):
    """Own parameters in calls: merged dimensions, addmm, einsum, a scale, a bilinear form."""

    def __init__(self):
        super().__init__()
        self.inner, self.form = nn.Linear(4, 3), nn.Bilinear(4, 4, CLASSES)
        self.weight, self.bias = nn.Parameter(torch.randn(3, 5)), nn.Parameter(torch.randn(5))
        self.scale = nn.Parameter(torch.tensor(1.3))

    def forward(self, x):
        batch, steps, _ = x.shape
        z = self.inner(x.view(batch * steps, 4)).relu() * self.scale
        z = torch.addmm(self.bias, z, self.weight).view(batch, steps, 5)
        z = torch.einsum("btd,de->bte", z, self.weight.t() @ self.weight)
        return z.mean(1) + self.form(x[:, 0], x[:, 1])


class Windows(nn.Module):
    """Patches folded into the batch and out again, as window attention does."""

    def __init__(self):
        super().__init__()
        self.inner, self.head = nn.Linear(4, 8), nn.Linear(8, CLASSES)
        self.table = nn.Parameter(torch.randn(1, 4, 8))

    def forward(self, x):  # (B, 8, 4) in windows of 4
        parts = x.view(len(x), 2, 4, 4).reshape(len(x) * 2, 4, 4)
        z = torch.tanh(self.inner(parts) * (1 + self.table)).view(len(x), 2, 4, 8)
        return self.head(z.flatten(1, 2).permute(1, 0, 2).mean(0))


class Merged(nn.Module):
    """Time steps and examples in one dimension, sequence first."""

    def __init__(self):
        super().__init__()
        self.scale, self.inner = nn.Parameter(torch.rand(4) + 1), nn.Linear(4, CLASSES)

    def forward(self, x):
        flat = x.transpose(0, 1).reshape(-1, 4)
        return self.inner(torch.tanh(flat * self.scale)).view(x.shape[1], len(x), -1).sum(0)


class Looked(nn.Module):
    """A parameter indexed by the input, and stacked parts of one parameter."""

    def __init__(self):
        super().__init__()
        self.table, self.both = nn.Parameter(torch.randn(7, 5)), nn.Parameter(torch.randn(10, 5))

    def forward(self, x):
        up, down = self.both.chunk(2, 0)
        z = torch.tanh(self.table[x].mean(1) @ up)
        return F.linear(z, down) + F.linear(z, up.t())


def _mlp():
    return nn.Sequential(nn.Linear(7, 8), nn.ReLU(inplace=True), nn.Linear(8, CLASSES))


def _cnn():
    first = (nn.Conv2d(3, 8, 3, padding=1, stride=2), nn.BatchNorm2d(8), nn.ReLU())
    second = (nn.MaxPool2d(2), nn.Conv2d(8, 6, (3, 1), groups=2, padding="same"))
    return nn.Sequential(
        *first, *second, nn.GroupNorm(3, 6), nn.PReLU(6), nn.Flatten(), nn.Linear(54, CLASSES)
    ).eval()


def _transposed():
    up = nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2)
    return nn.Sequential(
        up, nn.Tanh(), nn.InstanceNorm2d(6, affine=True), nn.Tanh(), nn.Flatten(), nn.Linear(384, 5)
    )


def _other_convolutions():
    one = nn.Conv1d(3, 4, 3, dilation=2, padding=2)
    return nn.Sequential(
        one, nn.Tanh(), nn.Unflatten(1, (2, 2)), nn.Unflatten(3, (5, 2)),
        nn.Conv3d(2, 4, 2, groups=2), nn.Flatten(), nn.Linear(16, 5),
    )  # fmt: skip


def _parametrized():
    norm = torch.nn.utils.parametrizations
    return nn.Sequential(
        norm.weight_norm(nn.Linear(7, 6)), nn.Tanh(), norm.weight_norm(nn.Linear(6, CLASSES))
    )


def _orthogonal():
    return nn.Sequential(
        nn.Linear(7, 6), nn.Tanh(), torch.nn.utils.parametrizations.orthogonal(nn.Linear(6, 5))
    )


def _depthwise():
    return nn.Sequential(
        nn.Conv2d(4, 8, 3, groups=4), nn.GELU(), nn.Conv2d(8, 3, 1), nn.RMSNorm([3, 4, 4]),
        nn.Flatten(), nn.Linear(48, CLASSES),
    )  # fmt: skip


def tokens(count=8, of=20):
    return torch.randint(0, of, (BATCH, count))


CASES = {
    "mlp": (_mlp, lambda: torch.randn(BATCH, 7)),
    "cnn": (_cnn, lambda: torch.randn(BATCH, 3, 12, 12)),
    "depthwise": (_depthwise, lambda: torch.randn(BATCH, 4, 6, 6)),
    "transposed": (_transposed, lambda: torch.randn(BATCH, 4, 4, 4)),
    "conv1d-conv3d": (_other_convolutions, lambda: torch.randn(BATCH, 3, 10)),
    "encoder": (Encoder, tokens),
    "encoder-sequence-first": (lambda: Encoder(False), tokens),
    "encoder-eval-norm-first": (lambda: Encoder(True, True).eval(), tokens),
    "attention": (Attention, tokens),
    "attention-causal": (lambda: Attention(causal=True, bias=False), tokens),
    "attention-sequence-first": (lambda: Attention(False), tokens),
    "attention-sequence-first-causal": (lambda: Attention(False, causal=True), tokens),
    "loop": (Loop, lambda: torch.randn(BATCH, 7, 4)),
    "rnn": (lambda: Recurrent("RNN", num_layers=2), lambda: torch.randn(BATCH, 7, 4)),
    "lstm": (lambda: Recurrent("LSTM", bidirectional=True), lambda: torch.randn(BATCH, 7, 4)),
    "gru": (lambda: Recurrent("GRU", bias=False), lambda: torch.randn(BATCH, 7, 4)),
    "functions": (Functions, lambda: torch.randn(BATCH, 3, 4)),
    "windows": (Windows, lambda: torch.randn(BATCH, 8, 4)),
    "merged": (Merged, lambda: torch.randn(BATCH, 3, 4)),
    "looked-up": (Looked, lambda: torch.randint(0, 7, (BATCH, 4))),
    "parametrized": (_parametrized, lambda: torch.randn(BATCH, 7)),
    "orthogonal": (_orthogonal, lambda: torch.randn(BATCH, 7)),
    "frozen": (lambda: _frozen(), lambda: torch.randn(BATCH, 7)),
}


def _frozen():
    model = _mlp()
    model[0].weight.requires_grad_(False)
    model[2].bias.requires_grad_(False)
    return model


def build(name):
    """(model in float64, inputs, classes)."""
    torch.manual_seed(len(name))
    make, inputs = CASES[name]
    x = inputs()
    return make().double(), x.double() if x.is_floating_point() else x, classes()


def classes(batch=BATCH):
    return torch.randint(0, CLASSES, (batch,))


def sequence_loss(output, target):
    return F.cross_entropy(output.flatten(0, 1), target.flatten())


def singles(model, loss, x, y):
    """(losses, norms) by a backward pass of each example: (n,), (n, parameters)."""
    named = [p for p in model.parameters() if p.requires_grad]
    losses, norms = [], []
    for k in range(len(y)):
        cost = loss(model(x[k : k + 1].clone()), y[k : k + 1])
        slopes = torch.autograd.grad(cost, named, allow_unused=True)
        losses.append(float(cost.detach()))
        norms.append([0.0 if g is None else float(g.square().sum().sqrt()) for g in slopes])
    return torch.tensor(losses, dtype=torch.float64), torch.tensor(norms, dtype=torch.float64)
