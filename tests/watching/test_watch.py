"""What a watch measures, against PyTorch's own float64 autograd and plain NumPy."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import miya
from miya.watching import seen
from miya.watching.sinks import MemorySink


@pytest.fixture(autouse=True)
def whole_samples(monkeypatch):
    """Every row of an output is sampled, so that means can be compared with whole ones."""
    monkeypatch.setattr(seen, "ROWS", 100_000)


def mlp(dtype=torch.float64, activation=nn.ReLU):
    torch.manual_seed(3)
    layers = nn.Linear(6, 8), activation(), nn.Linear(8, 5), nn.Tanh(), nn.Linear(5, 3)
    return nn.Sequential(*layers).to(dtype)


def batches(count, size=16, dtype=torch.float64, inputs=6):
    torch.manual_seed(4)
    return [
        (torch.randn(size, inputs, dtype=dtype), torch.randint(0, 3, (size,))) for _ in range(count)
    ]


def train(model, optimizer, data, criterion=None, **options):
    """The records of every step, and what each step really was, by autograd alone."""
    criterion = criterion or nn.CrossEntropyLoss()
    sink = MemorySink()
    watch = miya.watch(model, optimizer, every=1, sinks=[sink], rules=False, **options)
    oracle = []
    for x, y in data:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        watch.loss(loss)
        loss.backward()
        before = {n: p.detach().clone() for n, p in model.named_parameters()}
        gradient = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
        optimizer.step()
        step = {n: p.detach() - before[n] for n, p in model.named_parameters()}
        oracle.append(
            SimpleNamespace(before=before, gradient=gradient, step=step, loss=loss.item())
        )
    watch.stop()
    return list(sink.steps), oracle


def norm(tensors):
    return math.sqrt(sum(float((t.double() ** 2).sum()) for t in tensors))


def of(values, path):
    return [v for n, v in values.items() if n.rpartition(".")[0] == path]


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "decay": lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.1),
    "nesterov_foreach": lambda p: torch.optim.SGD(
        p, lr=0.1, momentum=0.9, nesterov=True, foreach=True
    ),
    "maximize": lambda p: torch.optim.SGD(p, lr=0.1, maximize=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "adamw_fused": lambda p: torch.optim.AdamW(p, lr=0.01, fused=True),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_parameters_are_measured_as_autograd_has_them(name, dtype):
    model = mlp(dtype)
    records, oracle = train(model, OPTIMIZERS[name](model.parameters()), batches(5, dtype=dtype))
    close = {"rel": 1e-12 if dtype == torch.float64 else 3e-6}
    assert [r.step for r in records] == [1, 2, 3, 4, 5]
    for number, (record, was) in enumerate(zip(records, oracle, strict=True)):
        changed = name == "nesterov_foreach" and number == 0  # it writes to the gradients
        assert record.loss == pytest.approx(was.loss, **close)
        if not changed:
            promised = sum(float((was.gradient[n] * d).sum()) for n, d in was.step.items())
            assert record.predicted == pytest.approx(promised, rel=1e-4)
        for layer, neurons in zip(record.layers, record.neurons, strict=True):
            gradient, step = of(was.gradient, layer.layer), of(was.step, layer.layer)
            assert layer.step == pytest.approx(norm(step), **close)
            assert layer.weight == pytest.approx(norm(of(was.before, layer.layer)), **close)
            assert layer.relative_step == pytest.approx(layer.step / layer.weight)
            rows = [torch.cat([t.reshape(len(t), -1) for t in ts], 1) for ts in (gradient, step)]
            lengths = [row.double().norm(dim=1).numpy() for row in rows]
            np.testing.assert_allclose(neurons.step, lengths[1], rtol=1e-5, atol=1e-9)
            if not changed:
                assert layer.gradient == pytest.approx(norm(gradient), **close)
                np.testing.assert_allclose(neurons.gradient, lengths[0], rtol=1e-5)
            assert layer.bias_mean == pytest.approx(
                float(was.before[f"{layer.layer}.bias"].double().mean()), rel=1e-9, abs=1e-12
            )
            assert layer.bias_step == pytest.approx(
                float(was.step[f"{layer.layer}.bias"].double().mean()), rel=1e-5, abs=1e-9
            )
        assert record.groups[0].step == pytest.approx(norm(was.step.values()), **close)
        assert record.groups[0].weight == pytest.approx(norm(was.before.values()), **close)
        assert record.groups[0].learning_rate in (0.1, 0.01)


def outputs(model, x, y):
    """Each layer's output, what it becomes, and δ: worked out on a copy of the weights."""
    values, a = [], x
    for module in model:
        a = module(a)
        if a.requires_grad:
            a.retain_grad()
        values.append(a)
    nn.CrossEntropyLoss()(a, y).backward()
    return values


def test_outputs_and_deltas_are_those_of_autograd():
    model, (x, y) = mlp(), batches(1)[0]
    twin = mlp()
    values = outputs(twin, x, y)
    records, _ = train(model, torch.optim.SGD(model.parameters(), lr=0.1), [(x, y)])
    record = records[0]
    assert record.examples == 16
    for place, (layer, neurons) in enumerate(zip(record.layers, record.neurons, strict=True)):
        z = values[2 * place]
        a = values[2 * place + 1] if place < 2 else z
        assert layer.activation == ("relu", "tanh", None)[place]
        assert layer.input_mean == pytest.approx(float(z.detach().mean()))
        assert layer.activation_mean == pytest.approx(float(a.detach().mean()))
        assert layer.activation_deviation == pytest.approx(float(a.detach().std(correction=0)))
        assert layer.delta == pytest.approx(float(z.grad.norm()))
        assert layer.sample == 16
        np.testing.assert_allclose(neurons.pressure, z.grad.sum(0).numpy(), rtol=1e-12)
        np.testing.assert_allclose(neurons.mean, a.detach().mean(0).numpy(), rtol=1e-12)
        sizes = z.grad.sum(0).abs()
        assert layer.greediest == pytest.approx(float(sizes.max() / sizes.sum()))
    silent = (values[1] == 0).double().mean(0).numpy()
    np.testing.assert_allclose(record.neurons[0].silent, silent, atol=1e-15)
    assert record.layers[0].dead == (silent == 1).mean()
    assert record.layers[1].dead is None and record.neurons[1].silent.size == 0
    flat = (1 - values[3].detach() ** 2 < 0.01).double()
    assert record.layers[1].flat == pytest.approx(float(flat.mean()))
    assert record.layers[1].saturated == pytest.approx(float((flat.mean(0) == 1).double().mean()))


def test_noise_is_the_variance_of_the_bias_gradient_over_its_squared_mean():
    model, (x, y) = mlp(), batches(1, size=40)[0]
    records, _ = train(mlp(), torch.optim.SGD(model.parameters(), lr=0.1), []) if False else ([], 0)
    watched = mlp()
    records, _ = train(watched, torch.optim.SGD(watched.parameters(), lr=0.1), [(x, y)])
    each = []
    for k in range(40):
        model.zero_grad()
        nn.CrossEntropyLoss()(model(x[k : k + 1]), y[k : k + 1]).backward()
        each.append(model[4].bias.grad.clone())
    of_one = torch.stack(each)
    variance = float(of_one.var(0).sum()) / 40
    mean = float((of_one.mean(0) ** 2).sum()) - variance
    expected = variance / mean if mean > 0 else math.inf
    assert records[0].layers[2].noise == pytest.approx(expected, rel=1e-9)
