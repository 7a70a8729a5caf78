"""The terms that the records tell of each element add up to autograd's gradient."""

import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from miya.core.contributions import contributions
from miya.read.torch.step import model_step

ACTIVATIONS = [
    "ReLU",
    "ReLU6",
    "LeakyReLU",
    "ELU",
    "SELU",
    "CELU",
    "GELU",
    "SiLU",
    "Mish",
    "Hardswish",
    "Hardtanh",
    "Hardshrink",
    "Softshrink",
    "Tanhshrink",
    "Softplus",
    "Softsign",
    "LogSigmoid",
    "Sigmoid",
    "Tanh",
    "GLU",
    "PReLU",
]


class Of(nn.Module):
    """A function of a parameter."""

    def __init__(self, function, *shape):
        super().__init__()
        self.x = nn.Parameter(torch.randn(*shape))
        self.function = function

    def forward(self):
        return self.function(self.x)


def put(x):
    y = x.clone()
    y[:, 0] = x[:, 1] * 2
    return y


def conv(*after, **options):
    return lambda: nn.Sequential(nn.Conv2d(4, 6, 3, **options), *after)


IMAGES = {
    "stride, padding, groups": conv(stride=2, padding=1, groups=2),
    "same, dilation": conv(padding="same", dilation=2),
    "circular": conv(padding=1, padding_mode="circular"),
    "transposed": lambda: nn.ConvTranspose2d(4, 6, 3, 2, 1, output_padding=1, groups=2),
    "max pool": conv(nn.ReLU(), nn.MaxPool2d(2)),
    "max pool with overlaps": conv(nn.MaxPool2d(3, 2, 1)),
    "average pool": conv(nn.AvgPool2d(3, 2, 1)),
    "average pool of what is there": conv(
        nn.AvgPool2d(3, 2, 1, count_include_pad=False, ceil_mode=True)
    ),
    "adaptive average": conv(nn.AdaptiveAvgPool2d(3)),
    "adaptive maximum": conv(nn.AdaptiveMaxPool2d(3)),
    "norm, in place, flat": conv(
        nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(216, 4)
    ),
}
FUNCTIONS = {
    "arithmetic": lambda x: (x * 2 + 1) / (3 + x.abs()) - x**2 - x.exp(),
    "slices": lambda x: x[:, 1:] * x[:, :-1],
    "joined": lambda x: torch.cat([x, x * 2], 1).transpose(0, 1).reshape(-1),
    "matmul": lambda x: x @ x.transpose(1, 2),
    "where": lambda x: torch.where(x > 0, x, x * 0.1),
    "clamp": lambda x: x.clamp(-0.5, 0.5),
    "expanded": lambda x: x.unsqueeze(0).expand(2, -1, -1, -1).contiguous(),
    "padded": lambda x: F.pad(x, (1, 2)),
    "put": put,
}


def weighed(output):
    """A loss in which no two elements have one slope."""
    weights = torch.linspace(0.3, 1.7, output.numel(), dtype=output.dtype)
    return (output * weights.view(output.shape)).sum()


def adds_up(module, inputs):
    module = module.double()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    trace = model_step(module, inputs, loss=weighed, optimizer=optimizer)
    draw, told = random.Random(0), 0
    for value in {id(v): v for v in trace.values.values()}.values():
        if value.gradient is None or value is trace.root:
            continue
        for _ in range(20):
            index = tuple(draw.randrange(n) for n in value.shape)
            found = contributions(value, index)
            assert all(c.terms is not None for c in found if c.call.name != "sum"), value
            told += sum(len(t) for c in found for t in c.terms or [])
            size = sum(abs(c.total) for c in found) + sum(
                float(np.abs(t.values).sum()) for c in found for t in c.terms or []
            )
            total = sum(c.total for c in found)
            assert total == pytest.approx(float(value.gradient[index]), rel=1e-10, abs=1e-10 * size)
    assert told


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name):
    torch.manual_seed(1)
    adds_up(nn.Sequential(nn.Linear(3, 4), getattr(nn, name)()), torch.randn(5, 3).double())


@pytest.mark.parametrize("name", IMAGES)
def test_images(name):
    torch.manual_seed(2)
    adds_up(IMAGES[name](), torch.randn(3, 4, 8, 8).double())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    torch.manual_seed(3)
    adds_up(Of(FUNCTIONS[name], 3, 4, 5), ())


def test_a_view_of_a_weight_keeps_the_numbers_from_before_the_step():
    torch.manual_seed(4)
    module = Of(lambda x: x.T @ x, 3, 3).double()
    before = module.x.detach().clone().numpy()
    trace = model_step(
        module, (), loss=weighed, optimizer=torch.optim.SGD(module.parameters(), lr=1.0)
    )
    seen = [v for v in trace.values.values() if v.call and v.call.name in ("T", "transpose")]
    assert seen and all(np.array_equal(v.array, before.T) for v in seen)
