"""What is read of large outputs, against all of them, and Σδ against autograd's own."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import miya
from miya.watching import deltas, sampled
from miya.watching.activations import RELU
from miya.watching.sinks import MemorySink

SHAPES = {
    "rows": ((24, 4096), 1),
    "sequence": ((16, 64, 128), 2),
    "odd": ((16, 700, 10), 2),
    "image": ((16, 32, 32, 32), 1),
    "long": ((16, 8, 1024), 1),
}


@pytest.fixture(autouse=True)
def alone():
    """Small operations on one thread, which does not wait for another."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


TURNS = 1120  # a multiple of every number of turns


def told(delta, axis):
    """The sums of squares of all of it, by hand."""
    inner = [d for d in range(1, delta.ndim) if d != axis]
    parts = delta.double().sum(inner) if inner else delta.double()
    return float((delta.double() ** 2).sum()), float((parts**2).sum())


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_parts_of_a_large_delta_make_up_the_whole_over_their_turns(kind, dtype):
    shape, axis = SHAPES[kind]
    torch.manual_seed(0)
    delta = torch.randn(shape).to(dtype) * torch.rand(shape[0], *[1] * (len(shape) - 1)).to(dtype)
    assert deltas.is_large(delta, axis)
    squares, of_examples = told(delta, axis)
    found = [deltas.read(delta, axis, turn, summed=False) for turn in range(TURNS)]
    assert all(f.pressure is None and f.examples == shape[0] for f in found)
    assert np.mean([f.squares for f in found]) == pytest.approx(squares, rel=1e-5)
    assert np.mean([f.example_squares for f in found]) == pytest.approx(of_examples, rel=1e-5)
    assert len({f.squares for f in found}) > 1, "not all of it was read"
    assert max(abs(f.squares / squares - 1) for f in found) < 0.2


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("summed", [True, False])
def test_the_ranks_of_a_batch_add_up_to_the_whole(kind, summed):
    shape, axis = SHAPES[kind]
    delta = torch.randn(shape, dtype=torch.float64)
    whole = deltas.read(delta, axis, 5, summed)
    ranks = [deltas.read(part, axis, 5, summed) for part in delta.split([2, 3, shape[0] - 5])]
    for name in ("squares", "example_squares", "examples"):
        together = sum(getattr(rank, name) for rank in ranks)
        assert together == pytest.approx(getattr(whole, name), rel=1e-12), name
    if summed:
        together = sum(rank.pressure for rank in ranks)
        np.testing.assert_allclose(together.numpy(), whole.pressure.numpy(), atol=1e-12)


def test_where_sums_are_asked_for_they_are_of_everything():
    delta = torch.randn(16, 64, 128, dtype=torch.float64)
    found = deltas.read(delta, 2, 3, summed=True)
    np.testing.assert_allclose(found.pressure.numpy(), delta.sum((0, 1)).numpy(), atol=1e-12)
    assert found.example_squares == pytest.approx(told(delta, 2)[1], rel=1e-12)


def test_a_small_delta_is_read_whole():
    delta = torch.randn(128, 512, dtype=torch.float64)
    assert not deltas.is_large(delta, 1)
    found = deltas.read(delta, 1, 3, summed=True)
    assert found.squares == pytest.approx(float((delta**2).sum()), rel=1e-12)
    assert deltas.read(delta, 1, 3, summed=False).pressure is None
    np.testing.assert_allclose(found.pressure.numpy(), delta.sum(0).numpy(), atol=1e-12)


class Cases:
    """A layer, and its input."""

    linear = (lambda: nn.Linear(6, 5), (4, 6))
    sequence = (lambda: nn.Linear(6, 5), (4, 3, 6))
    conv = (lambda: nn.Conv2d(2, 5, 3), (4, 2, 7, 7))
    back = (lambda: nn.ConvTranspose1d(2, 5, 3), (4, 2, 7))
    layer_norm = (lambda: nn.LayerNorm(6), (4, 3, 6))
    batch_norm = (lambda: nn.BatchNorm2d(3), (4, 3, 5, 5))
    group_norm = (lambda: nn.GroupNorm(1, 3), (4, 3, 5))
    attention = (lambda: nn.MultiheadAttention(6, 2, batch_first=True), (4, 3, 6))


class Around(nn.Module):
    """One layer, whose output is kept."""

    def __init__(self, layer):
        super().__init__()
        self.layer, self.outputs = layer, []

    def forward(self, x):
        attends = isinstance(self.layer, nn.MultiheadAttention)
        found = self.layer(x, x, x)[0] if attends else self.layer(x)
        if found.requires_grad:
            found.retain_grad()
        self.outputs.append(found)
        return found


def pressures(model, losses, counts=None, **options):
    """What the watch told of the layer in each step, and what autograd has. losses: of the model
    and a batch, each step with a list of them."""
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    sink, expected = MemorySink(), []
    with miya.watch(model, optimizer, every=1, sinks=[sink], rules=False, **options) as watch:
        for step in losses:
            optimizer.zero_grad()
            model.outputs.clear()
            for backward in step:
                backward(model)
            axis = 1 if isinstance(model.layer, CHANNELS) else -1
            deltas_ = [out.grad for out in model.outputs if out.grad is not None]
            expected.append(sum(d.movedim(axis, -1).flatten(0, -2).sum(0) for d in deltas_))
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1e-3)
            optimizer.step()
            if counts is not None:
                counts.append(sum(leaf.trusted for leaf in watch.sights.leaves.leaves.values()))
    own = ("layer.out_proj", "layer")
    told = [
        next(n.pressure for name in own for n in r.neurons if n.layer == name) for r in sink.steps
    ]
    return told, [e.numpy() for e in expected]


CHANNELS = (nn.modules.conv._ConvNd, nn.BatchNorm2d, nn.GroupNorm)


def plainly(shape, seed):
    def backward(model):
        x = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        model(x).sin().sum().backward()

    return backward


@pytest.mark.parametrize("name", [n for n in vars(Cases) if not n.startswith("_")])
def test_the_sum_of_deltas_is_the_gradient_of_the_bias(name):
    make, shape = getattr(Cases, name)
    torch.manual_seed(1)
    model, counts = Around(make().double()), []
    steps = [[plainly(shape, 10 * k), plainly(shape, 10 * k + 1)] for k in range(7)]
    told, expected = pressures(model, steps, counts)
    assert counts == [1] * 7, "it is trusted, so that the third step asks autograd alone"
    for one, other in zip(told, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)
    assert not any(p._backward_hooks for p in model.parameters())


def with_own_part(model):
    """The bias has a part in the loss of its own too, which is no δ."""
    x = torch.randn(4, 3, 6, dtype=torch.float64)
    (model(x).sin().sum() + (model.layer.bias + 1).square().sum()).backward()


def without_bias(model):
    x = torch.randn(4, 3, 6, dtype=torch.float64)
    model(x)
    out = model.outputs[-1]
    out.sin().sum().backward(inputs=[model.layer.weight, out])


class Scaled(nn.Module):
    """Adds its bias times two."""

    def __init__(self):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(5, 6)), nn.Parameter(torch.randn(5))

    def forward(self, x):
        return x @ self.weight.T + 2 * self.bias


@pytest.mark.parametrize(
    ("layer", "backward"),
    [
        (lambda: nn.Linear(6, 5), with_own_part),
        (lambda: nn.Linear(6, 5), without_bias),
        (Scaled, plainly((4, 3, 6), 3)),
    ],
)
def test_where_the_bias_has_another_gradient_deltas_are_summed(layer, backward):
    model, counts = Around(layer().double()), []
    told, expected = pressures(model, [[backward]] * 6, counts)
    assert counts == [0] * 6
    for one, other in zip(told, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)


def test_hooks_of_the_users_own_on_a_bias_are_left_to_do_their_work():
    model, counts = Around(nn.Linear(6, 5).double()), []
    model.layer.bias.register_hook(lambda gradient: 3 * gradient)
    told, expected = pressures(model, [[plainly((4, 3, 6), k)] for k in range(6)], counts)
    assert counts == [0] * 6 and len(model.layer.bias._backward_hooks) == 1
    for one, other in zip(told, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)


def test_a_pass_that_leaves_the_bias_out_is_told_without_a_pressure_and_then_summed():
    model = Around(nn.Linear(6, 5).double())
    steps = [[plainly((4, 3, 6), k)] for k in range(4)] + [[without_bias]] * 2
    told, expected = pressures(model, steps)
    assert [len(one) for one in told] == [5, 5, 5, 5, 0, 5]
    for one, other in zip(told[:4] + told[5:], expected[:4] + expected[5:], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("bias", [True, False])
def test_large_outputs_are_told_as_autograd_has_them(bias, monkeypatch):
    monkeypatch.setattr(deltas, "WHOLE", 2)
    monkeypatch.setattr(deltas, "PART", 10_000_000)
    torch.manual_seed(2)
    parts = nn.Conv2d(1, 4, 3, bias=bias), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3, bias=bias)
    model = nn.Sequential(*parts).double()
    x, y = torch.randn(40, 1, 8, 8, dtype=torch.float64), torch.randint(0, 3, (40,))
    outputs = []
    model[0].register_forward_hook(lambda m, a, out: (out.retain_grad(), outputs.append(out))[1])
    optimizer, sink = torch.optim.SGD(model.parameters(), lr=0.1), MemorySink()
    with miya.watch(model, optimizer, every=1, sinks=[sink], rules=False):
        for _ in range(2):  # two micro-batches of one step
            nn.CrossEntropyLoss()(model(x), y).backward()
        optimizer.step()
    total = sum(out.grad for out in outputs)
    record = sink.steps[0]
    neurons = record.neurons[0].pressure
    np.testing.assert_allclose(neurons, total.sum((0, 2, 3)).numpy(), rtol=1e-10)
    norm = math.sqrt(sum(float((out.grad**2).sum()) for out in outputs))
    assert record.layers[0].delta == pytest.approx(norm, rel=1e-9)


def test_large_and_small_activations_are_not_lost_in_float32():
    z = torch.randn(2, 32, 8, dtype=torch.float64)
    for factor in (1e-25, 1.0, 1e25):
        steps = [(s * factor).float().numpy() for s in z]
        found = sampled.sums(steps, RELU).double().numpy()
        activity = sampled.activity(32, 8, RELU, found)
        a = (z * factor).float().double().clamp(min=0).numpy()
        np.testing.assert_allclose(activity.square, (a**2).mean((1, 2)), rtol=1e-5)
        np.testing.assert_allclose(activity.mean, a.mean(1), rtol=1e-5)
        np.testing.assert_allclose(activity.alive, (a != 0).mean(1))


def train(steps, broken=(), **options):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    x, y = torch.randn(16, 4), torch.randint(0, 2, (16,))
    with miya.watch(model, optimizer, every=1, **options) as watch:
        for k in range(1, steps + 1):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            watch.loss(loss * math.nan if k in broken else loss)
            loss.backward()
            optimizer.step()


class Findings:
    """A sink that takes findings only."""

    steps = False

    def __init__(self):
        self.met = []

    def step(self, record):
        self.met.append(record.step)

    def finding(self, finding):
        pass

    def close(self):
        pass


def test_where_no_sink_reads_steps_records_are_made_of_those_that_rules_look_at():
    sink, other = Findings(), Findings()
    with pytest.warns(miya.errors.MiyaWarning, match="W705 step 84: the loss is NaN"):
        train(120, broken=(84,), sinks=[sink])
    late = [step for step in sink.met if step > 50]
    assert sink.met[:50] == list(range(1, 51))
    assert {60, 70, 80, 84, 90, 100, 110, 120} <= set(late) and len(late) < 15
    train(120, sinks=[other, MemorySink()])
    assert other.met == list(range(1, 121)), "one sink that reads them is enough"


class Mixed(nn.Module):
    """Every layer whose node is looked at, activations in place, and attention."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv1d(1, 6, 3), nn.BatchNorm1d(6)
        self.relu = nn.ReLU(inplace=True)
        self.attention = nn.MultiheadAttention(6, 2, dropout=0.1, batch_first=True)
        self.layer_norm, self.head = nn.LayerNorm(6), nn.Linear(6, 3)

    def forward(self, x):
        x = self.relu(self.norm(self.conv(x[:, None]))).transpose(1, 2)
        x = self.layer_norm(x + self.attention(x, x, x, need_weights=False)[0])
        return self.head(x).mean(1)


def test_looking_at_large_outputs_changes_no_bit(monkeypatch):
    monkeypatch.setattr(deltas, "WHOLE", 0)
    monkeypatch.setattr(deltas, "PART", 2)
    states = []
    for watched in (False, True):
        torch.manual_seed(3)
        model = Mixed()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        sink = MemorySink()
        watch = miya.watch(model, optimizer, every=1, sinks=[sink]) if watched else None
        for k in range(60):
            x, y = torch.randn(8, 12), torch.randint(0, 3, (8,))
            optimizer.zero_grad(set_to_none=k % 2 == 0)
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
        if watch is not None:
            watch.stop()
            assert len(sink.steps) == 60
            assert all(n.pressure.size for n in sink.steps[5].neurons if n.layer != "attention")
        state = [*model.state_dict().values(), torch.get_rng_state()]
        state += [v for s in optimizer.state.values() for v in s.values()]
        states.append([t.clone() for t in state])
    assert all(torch.equal(a, b) for a, b in zip(*states, strict=True))
