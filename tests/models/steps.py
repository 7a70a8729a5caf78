"""A raw step in torch to compare with, snapshots of all that a step may touch, and the check that
the contributions of every recorded value add up to its gradient."""

import gc
import random
from copy import deepcopy

import numpy as np
import torch
from torch import nn

from miya.core.contributions import contributions
from miya.read.torch.calling import call_model, loss_of
from miya.read.torch.values import tensors_in


def raw_step(model, inputs, target, loss, optimizer):
    """As a user writes it. Gives the loss."""
    for p in model.parameters():
        p.grad = None

    def cost():
        found = loss_of(call_model(model, inputs), target, loss)
        found.backward()
        return found

    if isinstance(optimizer, torch.optim.LBFGS):

        def closure():
            optimizer.zero_grad()
            return cost()

        return float(optimizer.step(closure).detach())
    found = cost()
    if optimizer is not None:
        optimizer.step()
    return float(found.detach())


def bits(tensor):
    if tensor is None:
        return None
    found = tensor.detach()
    if found.layout is not torch.strided:
        found = found.to_dense()
    return (
        str(found.dtype),
        tuple(found.shape),
        found.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes(),
    )


def snapshot(model, optimizer=None, others=()):
    """Everything of the user's that a step could change, bit for bit."""
    return {
        "parameters": {n: (bits(p), p._version, p.requires_grad, id(p)) for n, p in model.named_parameters()},
        "gradients": {n: (id(p.grad), bits(p.grad)) for n, p in model.named_parameters()},
        "tensor hooks": {n: len(p._backward_hooks or {}) for n, p in model.named_parameters()},
        "buffers": {n: (bits(b), b._version) for n, b in model.named_buffers()},
        "modes": {n: m.training for n, m in model.named_modules()},
        "hooks": {n: (list(m._forward_hooks), list(m._forward_pre_hooks), list(m._backward_hooks)) for n, m in model.named_modules()},
        "optimizer": None if optimizer is None else state_bits(optimizer),
        "others": [(bits(t), t._version, t.requires_grad, bits(t.grad) if t.is_leaf else 0) for o in others for t in tensors_in(o)],
        "generators": (random.getstate(), np.random.get_state()[1].tobytes(), np.random.get_state()[2:], bits(torch.get_rng_state())),
        "collector": gc.isenabled(),
        "torch": (
            torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_dtype(),
            torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu"), torch.is_autocast_cache_enabled(),
        ),
    }  # fmt: skip


def state_bits(optimizer):
    order = [p for g in optimizer.param_groups for p in g["params"]]
    held = [
        {k: plain(v) for k, v in optimizer.state[p].items()} if p in optimizer.state else None
        for p in order
    ]
    options = [{k: plain(v) for k, v in g.items() if k != "params"} for g in optimizer.param_groups]
    return held, options


def plain(found):
    if isinstance(found, torch.Tensor):
        return bits(found)
    if isinstance(found, (list, tuple)):
        return [plain(item) for item in found]
    return found


def twin(model, make):
    """A copy of a model, and a second optimizer of it made the same way."""
    copied = deepcopy(model)
    return copied, make(copied.parameters())


def adds_up(trace, relative=1e-9, most=6):
    """The contributions to elements of every value that has a gradient and is read."""
    checked = 0
    draw = np.random.default_rng(0)
    for value in {id(v): v for v in trace.values.values()}.values():
        if value.gradient is None or not value.uses or not value.size:
            continue
        gradient = np.asarray(value.gradient)
        scale = max(float(np.abs(gradient).max()), 1e-30)
        for flat in draw.choice(value.size, min(most, value.size), replace=False):
            index = tuple(int(k) for k in np.unravel_index(flat, value.shape))
            parts = contributions(value, index)
            total = sum(c.total for c in parts)
            sizes = [float(np.abs(t.values).sum()) for c in parts for t in c.terms or ()]
            scale = max(scale, *sizes, 0.0)
            assert abs(total - gradient[index]) <= relative * scale, (
                value.name,
                index,
                total,
                gradient[index],
            )
            checked += 1
    return checked


class Mlp(nn.Module):
    """Two layers, dropout and batch normalisation: a mask, buffers and modes."""

    def __init__(self):
        super().__init__()
        self.fc1, self.norm, self.drop = nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Dropout(0.4)
        self.fc2 = nn.Linear(5, 2)

    def forward(self, x):
        return self.fc2(self.drop(torch.relu(self.norm(self.fc1(x)))))


def data(n=6, inputs=3, classes=2, dtype=torch.float32):
    draw = torch.Generator().manual_seed(5)
    return torch.randn(n, inputs, generator=draw).to(dtype), torch.randint(
        0, classes, (n,), generator=draw
    )


def seeded(make, seed=1):
    torch.manual_seed(seed)
    return make()
