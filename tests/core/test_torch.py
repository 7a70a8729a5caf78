"""1,800 random networks, over 1,000 of them compared, against PyTorch float64: gradients and updates of three steps."""

import numpy as np
import pytest
import torch
from networks import random_network, tame
from torch.nn import functional as F

from miya.core.step import take_step
from miya.errors import MiyaInputError

torch.set_num_threads(1)
ACTIVATIONS = {
    "identity": lambda z, p: z,
    "sigmoid": lambda z, p: torch.sigmoid(z),
    "tanh": lambda z, p: torch.tanh(z),
    "relu": lambda z, p: torch.relu(z),
    "leaky_relu": lambda z, p: F.leaky_relu(z, p["negative_slope"]),
    "elu": lambda z, p: F.elu(z, p["alpha"]),
    "softplus": lambda z, p: F.softplus(z, threshold=1000),
    "silu": lambda z, p: F.silu(z),
    "gelu": lambda z, p: F.gelu(z),
    "gelu_tanh": lambda z, p: F.gelu(z, approximate="tanh"),
    "softmax": lambda z, p: torch.softmax(z, 1),
}
LOSSES = {
    "squared_error": lambda a, y, p: (a - y) ** 2,
    "half_squared_error": lambda a, y, p: (a - y) ** 2 / 2,
    "mean_squared_error": lambda a, y, p: F.mse_loss(a, y, reduction="none"),
    "absolute_error": lambda a, y, p: F.l1_loss(a, y, reduction="none"),
    "huber": lambda a, y, p: F.huber_loss(a, y, reduction="none", delta=p["delta"]),
    "binary_cross_entropy": lambda a, y, p: F.binary_cross_entropy(a, y, reduction="none"),
    "binary_cross_entropy_with_logits": lambda a, y, p: F.binary_cross_entropy_with_logits(
        a, y, reduction="none"
    ),
    "cross_entropy": lambda a, y, p: F.cross_entropy(a, y, reduction="none"),
}
OPTIMIZERS = {
    "sgd": torch.optim.SGD,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}


def torch_loss(net, parameters):
    a = torch.tensor(net.inputs)
    for k, layer in enumerate(net.layers):
        z = a @ parameters[2 * k].T + parameters[2 * k + 1]
        a = ACTIVATIONS[layer.activation.name](z, layer.activation.parameters)
    values = LOSSES[net.loss.name](a, torch.tensor(net.targets), net.loss.parameters)
    if net.loss.name != "cross_entropy":
        values = values.mean(1) if net.loss.outputs == "mean" else values.sum(1)
    return values.mean() if net.loss.examples == "mean" else values.sum()


def near(ours, theirs, what, floor=0.0):
    """Within 1e-10 of the array's size; `floor` is what float64 noise alone may differ by."""
    size = np.abs(theirs).max()
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10 * size + floor, err_msg=what)


@pytest.mark.parametrize("block", range(12))
def test_gradients_and_updates_are_torchs(block):
    compared = 0
    for seed in range(block * 150, block * 150 + 150):
        net = random_network(seed)
        parameters = [torch.tensor(v, requires_grad=True) for v in net.parameters().values()]
        masks = [torch.tensor(m) for m in net.masks().values()]
        frozen = [not m.any() for m in masks]
        optimizer = (
            OPTIMIZERS[net.optimizer.name](
                [p for p, f in zip(parameters, frozen, strict=True) if not f],
                lr=net.learning_rate,
                **net.optimizer.options,
            )
            if not all(frozen)
            else None
        )
        state = None
        for number in (1, 2, 3):
            try:
                trace = take_step(net, number=number, state=state)
            except MiyaInputError as error:  # training may end at a loss of log(0)
                assert error.code == "E309" and number > 1
                break
            clamped = net.loss.name == "binary_cross_entropy" and trace.layers[-1].a.min() < 1e-30
            if clamped or not tame(trace):
                break
            compared += 1
            for p in parameters:
                p.grad = None
            loss = torch_loss(net, parameters)
            loss.backward()
            near(trace.loss, loss.item(), f"loss of {seed}, step {number}")
            floor = 1e-15 + 1e-13 * max(float(p.grad.abs().max()) for p in parameters)
            for (name, ours), theirs in zip(trace.gradients.items(), parameters, strict=True):
                near(ours, theirs.grad.numpy(), f"gradient of {name}, network {seed}", floor)
            before = [p.detach().clone() for p in parameters]
            # the optimizer is compared on the same gradients: Adam makes a whole step of noise
            for ours, p in zip(trace.gradients.values(), parameters, strict=True):
                p.grad = torch.tensor(ours)
            if optimizer:
                optimizer.step()
            with torch.no_grad():
                for p, old, mask in zip(parameters, before, masks, strict=True):
                    p.copy_(torch.where(mask, p, old))
            for update, theirs in zip(trace.updates.values(), parameters, strict=True):
                near(update.after, theirs.detach().numpy(), f"{update.name} after, {seed}")
            # both go on from torch's own values, so that a step's error is its own
            after = {
                n: p.detach().numpy().copy()
                for n, p in zip(net.parameters(), parameters, strict=True)
            }
            net = net.with_parameters(after)
            state = {name: update.state for name, update in trace.updates.items()}
    assert compared > 240
