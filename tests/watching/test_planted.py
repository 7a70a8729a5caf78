"""Faults planted in real trainings: each is named, and the layer that has it."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from watching import trainings
from watching.trainings import Last, Training, batches, digits, made, mlp, one_thread, sequences

from miya.watching.words import told

__all__ = ["one_thread"]

pytestmark = pytest.mark.usefixtures("one_thread")
SEEDS = (0, 1, 2)


def drawn(training, fill):
    """Its Linear weights filled anew, and biases of 0."""
    for module in training.model.modules():
        if isinstance(module, nn.Linear):
            with torch.no_grad():
                fill(module.weight)
                module.bias.zero_()
    return training


def large_weights(seed):
    return drawn(made(trainings.relu_adam, seed), lambda w: w.normal_(0, 1))


def small_weights(seed):
    return drawn(made(trainings.tanh_sgd, seed), lambda w: w.normal_(0, 0.01))


def constant_weights(seed):
    return drawn(made(trainings.tanh_sgd, seed), lambda w: w.fill_(0.1))


def scaled_later(factor):
    def change(training, step, x, y):
        if step == 10:
            for module in training.model:
                if isinstance(module, nn.Linear):
                    with torch.no_grad():
                        module.weight.mul_(factor)

    def make(seed):
        torch.manual_seed(seed)
        model = mlp(nn.ReLU, 64, 48, 48, 48, 10)
        optimizer = torch.optim.SGD(model.parameters(), 1e-6)
        return Training(
            model, optimizer, batches(*digits(), 32, seed), F.cross_entropy, change=change
        )

    return make


def dead_from_the_start(seed):
    training = made(trainings.relu_adam, seed)
    with torch.no_grad():
        training.model[2].bias.fill_(-8)
    return training


def dead_after_a_step(seed):
    """One step of a loss that pushes a layer's biases far down."""
    training = made(trainings.relu_adam, seed)
    training.optimizer = torch.optim.SGD(training.model.parameters(), 0.05)
    second = training.model[2]
    second.bias.data.fill_(0.1)
    usual = training.loss

    def loss(out, y):
        return usual(out, y) + (200 * second.bias.sum() if training.count == 20 else 0.0)

    training.loss = loss
    return training


def saturated(seed):
    torch.manual_seed(seed)
    x, y = digits()
    model = mlp(nn.Sigmoid, 64, 48, 32, 10)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    return Training(model, optimizer, batches(50 * x, y, 32, seed), F.cross_entropy)


def switched_off(seed):
    training = made(trainings.relu_adam, seed)
    training.model[2].requires_grad_(False)
    return training


def with_groups(seed, *groups):
    training = made(trainings.relu_adam, seed)
    found = [{"params": training.model[k].parameters(), **more} for k, more in groups]
    training.optimizer = torch.optim.Adam(found, 3e-3)
    return training


def not_held(seed):
    return with_groups(seed, (0, {}), (4, {}))


def no_step(seed):
    return with_groups(seed, (0, {}), (2, {"lr": 0.0}), (4, {}))


class Cut(nn.Module):
    def forward(self, x):
        return x.detach()


def cut_off(seed):
    training = made(trainings.relu_adam, seed)
    training.model = nn.Sequential(training.model[0], nn.ReLU(), Cut(), training.model[2:])
    return training


def leaking(seed, label=True):
    """Twenty inputs of which two say a little of the label, and input 7 is the label."""
    torch.manual_seed(seed)
    x = torch.randn(1000, 20)
    y = (torch.rand(1000) < torch.sigmoid(x[:, 0] + x[:, 1])).long()
    if label:
        x[:, 7] = 2.0 * y - 1
    model = mlp(nn.ReLU, 20, 32, 32, 2)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    return Training(model, optimizer, batches(x, y, 32, seed), F.cross_entropy)


def exploding_rnn(seed):
    torch.manual_seed(seed)
    recurrent = nn.RNN(2, 24, batch_first=True)
    nn.init.orthogonal_(recurrent.weight_hh_l0, 4.0)
    model = Last(recurrent, 24)
    optimizer = torch.optim.SGD(model.parameters(), 1e-6)
    return Training(model, optimizer, sequences(seed, 40), F.cross_entropy)


class Loop(nn.Module):
    """A recurrent layer by hand, of two Linear layers."""

    def __init__(self, gain):
        super().__init__()
        self.into, self.again, self.head = nn.Linear(2, 24), nn.Linear(24, 24), nn.Linear(24, 2)
        nn.init.orthogonal_(self.again.weight, gain)

    def forward(self, x):
        h = x.new_zeros(len(x), 24)
        for k in range(x.shape[1]):
            h = torch.relu(self.into(x[:, k]) + self.again(h))
        return self.head(h)


def exploding_loop(seed):
    torch.manual_seed(seed)
    model = Loop(2.5)
    optimizer = torch.optim.SGD(model.parameters(), 1e-9)
    return Training(model, optimizer, sequences(seed, 20), F.cross_entropy)


def nan_input(seed):
    def change(training, step, x, y):
        return (torch.where(torch.arange(64) == 5, math.nan, x), y) if step == 6 else None

    training = made(trainings.relu_adam, seed)
    training.change = change
    return training


class Logarithm(nn.Module):
    def forward(self, x):
        return torch.log(x)


def nan_inside(seed):
    training = made(trainings.relu_adam, seed)
    training.model = nn.Sequential(training.model[0], Logarithm(), training.model[2:])
    return training


def nan_loss(seed):
    training = made(trainings.relu_adam, seed)
    usual = training.loss
    training.loss = lambda out, y: usual(out, y) + (math.nan if training.count == 4 else 0.0)
    return training


def jumping(seed):
    def change(training, step, x, y):
        return (1e5 * x, y) if step in (20, 24) else None

    torch.manual_seed(seed)
    model = mlp(nn.ReLU, 64, 32, 10)
    optimizer = torch.optim.SGD(model.parameters(), 1e-7)
    return Training(model, optimizer, batches(*digits(), 32, seed), F.cross_entropy, change=change)


def drifting(seed):
    training = made(trainings.tanh_sgd, seed, rate=0.05)
    usual, first = training.loss, training.model[0]
    training.loss = lambda out, y: usual(out, y) - 5 * first.bias.sum()
    return training


def noisy(seed):
    torch.manual_seed(seed)
    x, y = torch.randn(4000, 10), torch.randint(2, (4000,))
    model = nn.Linear(10, 2)
    nn.init.zeros_(model.weight)
    optimizer = torch.optim.SGD(model.parameters(), 1e-2)
    return Training(model, optimizer, batches(x, y, 4, seed), F.cross_entropy)


def at(kind, rate):
    return lambda seed: made(kind, seed, rate=rate)


# what it is: how it is made, for how many steps, the rule, the layer, and facts of the finding
PLANTED = {
    "too fast, SGD": (at(trainings.tanh_sgd, 20.0), 10, "learning_rate", "", {}),
    "too fast, Adam": (at(trainings.relu_adam, 1.0), 10, "learning_rate", "", {}),
    "too fast, CNN": (at(trainings.cnn, 1.0), 10, "learning_rate", "", {}),
    "too fast, LSTM": (at(trainings.lstm, 3.0), 20, "learning_rate", "", {}),
    "too fast, logistic": (at(trainings.logistic, 50.0), 20, "learning_rate", "", {}),
    "large weights": (
        large_weights,
        2,
        "initialisation",
        "4",
        {"what": "activations", "way": "exploding"},
    ),
    "large weights back": (
        large_weights,
        2,
        "initialisation",
        "0",
        {"what": "deltas", "way": "exploding"},
    ),
    "small weights": (
        small_weights,
        2,
        "initialisation",
        "4",
        {"what": "activations", "way": "vanishing"},
    ),
    "small weights back": (
        small_weights,
        2,
        "initialisation",
        "0",
        {"what": "deltas", "way": "vanishing"},
    ),
    "constant weights": (constant_weights, 3, "initialisation", "2", {"way": "alike"}),
    "scaled up": (scaled_later(30.0), 20, "exploding", "6", {"what": "activations"}),
    "scaled down": (scaled_later(0.1), 20, "vanishing", "0", {"what": "deltas"}),
    "dead at first": (dead_from_the_start, 60, "dead_neurons", "2", {"cause": "start"}),
    "dead after a step": (
        dead_after_a_step,
        80,
        "dead_neurons",
        "2",
        {"cause": "bias", "at": 20, "negative": 20, "since": 21},
    ),
    "saturated": (saturated, 6, "saturated", "0", {"from": "start"}),
    "switched off": (switched_off, 8, "frozen_layer", "2", {"reason": "off"}),
    "not held": (not_held, 8, "frozen_layer", "2", {"reason": "not_held"}),
    "rate of 0": (no_step, 8, "frozen_layer", "2", {"reason": "no_step"}),
    "cut off": (cut_off, 8, "frozen_layer", "0", {"reason": "no_gradient"}),
    "leak": (leaking, 130, "label_leak", "0", {"input": 7}),
    "RNN": (exploding_rnn, 2, "recurrence", "recurrent", {"way": "others"}),
    "loop": (exploding_loop, 2, "recurrence", "again", {"way": "calls"}),
    "NaN inputs": (nan_input, 8, "not_finite", "0", {"cause": "inputs", "before": 5}),
    "NaN inside": (nan_inside, 2, "not_finite", "2.2", {"cause": "inside"}),
    "NaN loss": (nan_loss, 6, "not_finite", "", {"cause": "loss", "before": 3}),
    "jumps": (jumping, 30, "gradient_spikes", "2", {"times": 2}),
    "drift": (drifting, 40, "bias_drift", "0", {}),
}


@pytest.mark.filterwarnings("ignore::miya.MiyaWarning")
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_named(fault, seed):
    make, steps, rule, layer, facts = PLANTED[fault]
    found, _, _ = make(seed).watched(steps)
    named = [f for f in found if (f.rule, f.layer) == (rule, layer)]
    assert len(named) == 1, [(f.rule, f.layer) for f in found]
    shown = {**named[0].facts, "since": named[0].since}
    assert {name: shown[name] for name in facts} == facts
    for language in ("en", "ja"):
        said = told(named[0], language)
        assert said.statement and said.remedy and "{" not in said.statement + said.remedy


@pytest.mark.parametrize("seed", SEEDS)
def test_targets_that_are_noise_are_named(seed):
    found, _, _ = noisy(seed).watched(420, every=5)
    assert [(f.rule, f.layer, f.facts["examples"]) for f in found] == [("gradient_noise", "", 4)]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_forgotten_zero_grad_is_named(seed):
    found, _, _ = made(trainings.tanh_sgd, seed).watched(4, zero=False)
    assert [(f.rule, f.layer, f.since, f.step) for f in found] == [("zero_grad", "", 2, 3)]


@pytest.mark.parametrize("seed", SEEDS)
def test_without_the_leaking_input_nothing_is_found(seed):
    found, _, _ = leaking(seed, label=False).watched(130)
    assert found == []


@pytest.mark.parametrize("in_place", [True, False])
def test_a_zero_grad_in_any_place_is_no_forgotten_one(in_place):
    """After the forward pass, with gradients filled with 0, and over micro-batches."""
    training = made(trainings.tanh_sgd, 0)
    optimizer, forward = training.optimizer, training.model.forward
    half = {"loss": training.loss}

    def loss(out, y):
        optimizer.zero_grad(set_to_none=not in_place)
        x, other = next(training.data)
        half["loss"](forward(x), other).backward()
        return half["loss"](out, y)

    training.loss = loss
    found, _, records = training.watched(6, zero=False)
    assert found == [] and not any(a.kept for r in records for a in r.layers)


def test_gradients_zeroed_by_their_data_are_none_that_are_kept():
    training = made(trainings.tanh_sgd, 0)

    def change(training, step, x, y):
        for p in training.model.parameters():
            if p.grad is not None:
                p.grad.data.zero_()

    training.change = change
    found, _, _ = training.watched(6, zero=False)
    assert found == []


def test_two_optimizers_of_which_one_zeroes_late():
    """As with a generator and its judge: the judge's gradients are zeroed right before use."""
    torch.manual_seed(0)
    from miya.watching.rules import Rules
    from miya.watching.sinks import MemorySink
    from miya.watching.watcher import Watch

    model = nn.ModuleDict({"judge": mlp(nn.Tanh, 4, 8, 1), "maker": mlp(nn.Tanh, 4, 8, 4)})
    judge = torch.optim.SGD(model["judge"].parameters(), 0.05)
    maker = torch.optim.SGD(model["maker"].parameters(), 0.05)
    sink = MemorySink()
    with Watch(model, [judge, maker], every=1, sinks=[sink], rules=Rules()):
        for _ in range(10):
            made_up = model["maker"](torch.randn(8, 4))
            judge.zero_grad()
            said = model["judge"](torch.cat([torch.randn(8, 4) + 1, made_up.detach()]))
            F.softplus(torch.cat([-said[:8], said[8:]])).mean().backward()
            judge.step()
            maker.zero_grad()
            F.softplus(-model["judge"](made_up)).mean().backward()
            maker.step()
    assert list(sink.findings) == []
    assert not any(a.kept for r in sink.steps for a in r.layers)
