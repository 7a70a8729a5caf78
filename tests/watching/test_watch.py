"""What a watch measures, against PyTorch's own float64 autograd and plain NumPy."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import miya
from miya.analysis.model.blame import model_blame
from miya.read.torch.step import model_step
from miya.watching import rows as sampling
from miya.watching import steps
from miya.watching.sinks import MemorySink


@pytest.fixture(autouse=True)
def whole_samples(monkeypatch):
    """Every row of an output is sampled, so that means can be compared with whole ones."""
    monkeypatch.setattr(sampling, "ROWS", 100_000)


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
    return math.sqrt(sum(float((t.detach().double() ** 2).sum()) for t in tensors))


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


class Pieces(nn.Module):
    """Layers whose neurons lie elsewhere than in rows and last dimensions."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 4)
        self.conv = nn.Conv1d(4, 6, 3, padding=1)
        self.norm = nn.BatchNorm1d(6)
        self.back = nn.ConvTranspose1d(6, 4, 3, padding=1, groups=2)
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.layer_norm = nn.LayerNorm(4)
        self.recurrent = nn.GRU(4, 5, batch_first=True)
        self.head = nn.Linear(5, 3)

    def forward(self, tokens):
        x = self.embedding(tokens).transpose(1, 2)
        x = torch.relu(self.norm(self.conv(x)))
        x = self.back(x).transpose(1, 2)
        x = self.layer_norm(x + self.attention(x, x, x, need_weights=False)[0])
        return self.head(self.recurrent(x)[0].mean(1))


def rows(name, tensor):
    """Each neuron's part of a parameter, by hand."""
    if name == "embedding.weight":
        return tensor.T
    if name == "back.weight":  # (in, out / groups, kernel), two groups
        return torch.cat([tensor[:3].transpose(0, 1), tensor[3:].transpose(0, 1)]).flatten(1)
    return tensor.reshape(len(tensor), -1)


def test_neurons_are_those_of_the_table_in_blame():
    torch.manual_seed(1)
    model = Pieces().double()
    tokens = torch.randint(0, 7, (9, 6))
    y = torch.randint(0, 3, (9,))
    records, (was,) = train(model, torch.optim.Adam(model.parameters(), lr=1e-2), [(tokens, y)])
    seen_layers = {layer.layer: layer for layer in records[0].layers}
    for neurons in records[0].neurons:
        names = [n for n in was.gradient if n.rpartition(".")[0] == neurons.layer]
        parts = [rows(n, was.gradient[n]) for n in names]
        if len({len(p) for p in parts}) == 1:
            expected = torch.cat(parts, 1).norm(dim=1).numpy()
            np.testing.assert_allclose(neurons.gradient, expected, rtol=1e-9, atol=1e-15)
        else:
            assert neurons.gradient.size == 0
    # δ of a convolution or projection, summed over examples and positions, is its bias's gradient
    for path in ("conv", "back", "norm", "attention.out_proj", "layer_norm", "head"):
        neurons = next(n for n in records[0].neurons if n.layer == path)
        expected = was.gradient[f"{path}.bias"].numpy()
        np.testing.assert_allclose(neurons.pressure, expected, rtol=1e-8, atol=1e-14)
    assert seen_layers["norm"].activation == "relu" and seen_layers["conv"].activation is None
    assert seen_layers["attention"].delta is None  # its own projections are called as functions
    assert seen_layers["recurrent"].delta > 0 and seen_layers["recurrent"].activation is None


class Again(nn.Module):
    """One layer called five times in a pass."""

    def __init__(self):
        super().__init__()
        self.first, self.cell, self.last = nn.Linear(6, 4), nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, x):
        x = self.first(x)
        self.outputs = []
        for _ in range(5):
            x = self.cell(x)
            self.outputs.append(x)
            x = torch.sigmoid(x)
        return self.last(x)


def test_a_layer_that_is_called_again_adds_up_and_is_told_unrolled():
    torch.manual_seed(2)
    model = Again().double()
    (x, y), *_ = batches(1)
    twin = Again().double()
    twin.load_state_dict(model.state_dict())
    out = twin(x)
    for z in twin.outputs:
        z.retain_grad()
    nn.CrossEntropyLoss()(out, y).backward()
    records, _ = train(model, torch.optim.SGD(model.parameters(), lr=0.1), [(x, y)])
    cell = records[0].layers[1]
    squares = [float((z.grad**2).sum()) for z in twin.outputs]
    assert cell.delta == pytest.approx(math.sqrt(sum(squares)))
    assert cell.unrolled == pytest.approx(math.sqrt(squares[0] / squares[-1]))
    assert cell.activation == "sigmoid" and cell.sample == 5 * 16
    total = sum(z.grad.sum(0) for z in twin.outputs).numpy()
    np.testing.assert_allclose(records[0].neurons[1].pressure, total, rtol=1e-10)
    assert records[0].layers[0].unrolled is None


def test_micro_batches_of_one_step_add_up():
    model, twin = mlp(), mlp()
    twin.load_state_dict(model.state_dict())
    data = batches(3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    sink = MemorySink()
    with miya.watch(model, optimizer, every=1, sinks=[sink], rules=False):
        for x, y in data:
            (nn.CrossEntropyLoss()(model(x), y) / 3).backward()
        optimizer.step()
    x, y = torch.cat([x for x, _ in data]), torch.cat([y for _, y in data])
    values = outputs(twin, x, y)
    record = sink.steps[0]
    assert record.examples == 48 and record.layers[0].unrolled is None
    for layer, neurons, z in zip(record.layers, record.neurons, values[::2], strict=True):
        assert layer.delta == pytest.approx(float(z.grad.norm()))
        np.testing.assert_allclose(neurons.pressure, z.grad.sum(0).numpy(), rtol=1e-9)


def test_delta_and_gradient_are_unscaled_where_a_scaler_is_at_work():
    found = []
    for scaled in (False, True):
        model = mlp(torch.float32)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        scaler = torch.amp.GradScaler("cpu", enabled=scaled, init_scale=1024.0)
        sink = MemorySink()
        with miya.watch(model, optimizer, every=1, sinks=[sink], rules=False):
            x, y = batches(1, dtype=torch.float32)[0]
            scaler.scale(nn.CrossEntropyLoss()(model(x), y)).backward()
            scaler.step(optimizer)
            scaler.update()
        found.append(sink.steps[0])
    for plain, scaled in zip(found[0].layers, found[1].layers, strict=True):
        assert scaled.delta == pytest.approx(plain.delta, rel=1e-5)
        assert scaled.gradient == pytest.approx(plain.gradient, rel=1e-5)
        assert scaled.noise == pytest.approx(plain.noise, rel=1e-4)


def test_vanishing_and_exploding_numbers_are_not_lost_in_float32():
    for factor in (1e-25, 1e25):
        model = mlp(torch.float32)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        sink = MemorySink()
        with miya.watch(model, optimizer, every=1, sinks=[sink], rules=False):
            x, _ = batches(1, dtype=torch.float32)[0]
            (model(x).sum() * factor).backward()
            expected = norm([p.grad for p in model[4].parameters()])
            optimizer.step()
        layer = sink.steps[0].layers[2]
        assert layer.gradient == pytest.approx(expected, rel=1e-6)
        assert layer.delta == pytest.approx(factor * math.sqrt(16 * 3), rel=1e-6)


@pytest.mark.parametrize("way", ["criterion", "closure"])
def test_the_real_change_is_that_of_the_same_batch_and_masks(way):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.5), nn.ReLU(), nn.Linear(8, 3)).double()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    x, y = batches(1)[0]
    state = {}

    def closure():
        state["closure"] = torch.get_rng_state()
        return criterion(model(x), y)

    options = {"loss": criterion, "real": True} if way == "criterion" else {"loss": closure}
    sink = MemorySink()
    watch = miya.watch(model, optimizer, every=1, sinks=[sink], rules=False, **options)
    torch.manual_seed(9)
    state["pass"] = torch.get_rng_state()
    criterion(model(x), y).backward()
    before = {n: p.detach().clone() for n, p in model.state_dict().items()}
    optimizer.step()
    watch.stop()
    losses = []
    for weights in (before, model.state_dict()):
        twin = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.5), nn.ReLU(), nn.Linear(8, 3)).double()
        twin.load_state_dict(weights)
        torch.set_rng_state(state["pass" if way == "criterion" else "closure"])
        losses.append(criterion(twin(x), y).item())
    assert sink.steps[0].loss == pytest.approx(losses[0], rel=1e-12)
    assert sink.steps[0].real == pytest.approx(losses[1] - losses[0], rel=1e-9)


def test_credit_by_layer_is_that_of_the_models_own_measure():
    model, twin = mlp(), mlp()
    criterion = nn.CrossEntropyLoss()
    x, y = batches(1)[0]
    trace = model_step(
        twin, x, y, loss=criterion, optimizer=torch.optim.Adam(twin.parameters(), lr=0.05)
    )
    expected = {row.layer: row.value for row in model_blame(trace, "credit").layers}
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    sink = MemorySink()
    with miya.watch(
        model, optimizer, every=1, sinks=[sink], rules=False, loss=criterion, credit=True
    ):
        criterion(model(x), y).backward()
        optimizer.step()
    record = sink.steps[0]
    for layer in record.layers:
        assert layer.credit == pytest.approx(expected[layer.layer], rel=1e-8)
    assert sum(layer.credit for layer in record.layers) == pytest.approx(record.real, rel=1e-8)


def test_samples_are_spread_over_examples_and_positions(monkeypatch):
    monkeypatch.setattr(sampling, "ROWS", 32)
    sampling.chosen.cache_clear()
    for shape, axis in (((20, 50, 3), 2), ((64, 3, 8, 8), 1), ((4, 3, 30), 1), ((500, 3), 1)):
        size = math.prod(shape)
        places = torch.arange(size, dtype=torch.float64).reshape(shape)
        met = [torch.as_tensor(sampling.sample_of(places, axis, turn)) for turn in range(16)]
        assert all(m.shape == (32, 3) for m in met)
        spread = torch.stack(met)
        for kept in range(len(shape)):
            if kept != axis:
                index = [
                    int(i) for i in np.unravel_index(spread.flatten().long().numpy(), shape)[kept]
                ]
                assert len(set(index)) > 0.5 * min(shape[kept], 512)
        # one sample alone reaches the late positions too
        late = np.unravel_index(met[0][:, 0].long().numpy(), shape)
        last = [k for k in range(1, len(shape)) if k != axis]
        assert all(late[k].max() > 0.7 * shape[k] for k in last)
    sampling.chosen.cache_clear()


def test_the_norm_of_a_weight_is_never_off_by_more_than_said(monkeypatch):
    monkeypatch.setattr(steps, "EXACT", 0)
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-2)
    data = batches(30)
    sink, was = MemorySink(), []
    with miya.watch(model, optimizer, every=1, sinks=[sink], rules=False) as watch:
        for k, (x, y) in enumerate(data):
            optimizer.zero_grad()
            nn.CrossEntropyLoss()(model(x), y).backward()
            if k == 20:
                with torch.no_grad():
                    model[0].weight.mul_(1.5)
            was.append([norm([module.weight, module.bias]) for module in model[::2]])
            optimizer.step()
            watch.flush()
    off = [
        [abs(layer.weight / w - 1) for layer, w in zip(r.layers, now, strict=True)]
        for r, now in zip(sink.steps, was, strict=True)
    ]
    assert 1e-6 < max(max(row) for row in off) <= 1e-3
    assert max(off[20]) < 1e-12  # it was changed between two steps
