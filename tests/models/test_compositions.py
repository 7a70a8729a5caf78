"""300 random compositions, each a step of a random optimizer: every number is autograd's, updates are
torch.optim's bit for bit, and nothing of the user's changes, also when the model breaks off."""

import random
import warnings
from collections import Counter
from copy import deepcopy

import numpy as np
import pytest
import torch
from models.composed import Interrupted, composed, cost
from models.exactness import exact
from models.steps import adds_up, raw_step, snapshot
from torch import nn, optim
from torch.utils.checkpoint import checkpoint

from miya.errors import MiyaInputError, MiyaWarning
from miya.read.torch.step import model_step

SEEDS = range(300)

# Every optimizer of torch.optim that takes dense gradients on a CPU, with options to draw from.
OPTIMIZERS = {
    "SGD": {"lr": (0.1, 0.5), "momentum": (0, 0.9), "dampening": (0, 0.2), "weight_decay": (0, 0.01), "maximize": (False, True)},
    "Adam": {"lr": (0.01, 0.1), "betas": ((0.9, 0.999), (0.5, 0.6)), "eps": (1e-8, 1e-3), "weight_decay": (0, 0.1), "amsgrad": (False, True), "foreach": (None, True, False)},
    "AdamW": {"lr": (0.01,), "weight_decay": (0.0, 0.2), "amsgrad": (False, True), "maximize": (False, True), "fused": (None, True)},
    "RMSprop": {"lr": (0.01,), "alpha": (0.99, 0.5), "centered": (False, True), "momentum": (0, 0.8), "weight_decay": (0, 0.1)},
    "Adagrad": {"lr": (0.01, 0.1), "lr_decay": (0, 0.1), "initial_accumulator_value": (0, 0.2), "weight_decay": (0, 0.1)},
    "Adadelta": {"lr": (0.5, 1.0), "rho": (0.9, 0.5), "weight_decay": (0, 0.1)},
    "Adamax": {"lr": (0.01,), "betas": ((0.9, 0.999), (0.5, 0.6)), "weight_decay": (0, 0.1)},
    "NAdam": {"lr": (0.01,), "momentum_decay": (0.004, 0.1), "decoupled_weight_decay": (False, True), "weight_decay": (0, 0.1)},
    "RAdam": {"lr": (0.01,), "weight_decay": (0, 0.1), "decoupled_weight_decay": (False, True)},
    "Rprop": {"lr": (0.01, 0.1), "etas": ((0.5, 1.2), (0.3, 1.5)), "maximize": (False, True)},
    "ASGD": {"lr": (0.01,), "lambd": (1e-4, 0.1), "alpha": (0.75, 0.5), "weight_decay": (0, 0.1)},
    "Adafactor": {"lr": (0.01,), "beta2_decay": (-0.8, -0.5), "weight_decay": (0, 0.1), "maximize": (False, True)},
    "Muon": {"lr": (0.01,), "momentum": (0.95, 0.5), "nesterov": (True, False), "weight_decay": (0, 0.1)},
    "LBFGS": {"lr": (0.1, 1.0), "max_iter": (1, 4), "history_size": (2, 5), "line_search_fn": (None, "strong_wolfe")},
}  # fmt: skip


def optimizer_of(seed):
    """(its name, what makes one of a model): in two groups now and then, or of some parameters."""
    draw = random.Random(f"optimizer {seed}")
    name = list(OPTIMIZERS)[seed % len(OPTIMIZERS)]
    options = {word: draw.choice(found) for word, found in OPTIMIZERS[name].items()}
    how, cut = draw.choice(["all", "all", "groups", "trained", "some"]), draw.random()

    def make(model):
        held = [p for p in model.parameters() if name != "Muon" or p.ndim == 2]
        held = [p for p in held if how != "trained" or p.requires_grad]
        if how == "some":
            held = held[: max(1, int(cut * len(held)))]
        if how == "groups" and name != "LBFGS" and len(held) > 1:
            held = [{"params": held[::2], "lr": options["lr"] / 2}, {"params": held[1::2]}]
        return getattr(optim, name)(held, **options)

    return name, make


def prepared(seed):
    model, inputs, target = composed(seed)
    name, make = optimizer_of(seed)
    if name == "LBFGS":  # it asks again, and each time would draw another mask
        for module in model.modules():
            if isinstance(module, (nn.Dropout, nn.MultiheadAttention, nn.TransformerEncoderLayer)):
                module.eval()
    return model, inputs, target, make


@pytest.mark.parametrize("seed", SEEDS)
def test_every_number_is_autograd_s(seed):
    model, inputs, target, make = prepared(seed)
    exact(model, inputs, target, loss=cost, optimizer=make, steps_before=seed % 3)


@pytest.mark.parametrize("seed", SEEDS[::3])
def test_nothing_changes_when_it_breaks_off(seed):
    model, inputs, target, make = prepared(seed)
    optimizer = make(model)
    model.breaks_at = random.Random(seed).randrange(len(model.plan))
    before = snapshot(model, optimizer, (inputs, target))
    with pytest.raises(MiyaInputError, match="E416 the model raised Interrupted") as raised:
        model_step(model, inputs, target, loss=cost, optimizer=optimizer, apply=seed % 2 == 0)
    assert isinstance(raised.value.__cause__, Interrupted)
    assert snapshot(model, optimizer, (inputs, target)) == before


def test_the_compositions_differ():
    """What the 300 are made of: no kind of step, module, output or optimizer is missing."""
    steps, kinds, inputs, outputs, others = (Counter() for _ in range(5))
    for seed in SEEDS:
        model, given, _, make = prepared(seed)
        steps.update(name for name, *_ in model.plan)
        kinds.update({type(m).__name__ for m in model.modules()})
        used = Counter(part for _, part, *_ in model.plan if part is not None)
        others["shared"] += max(used.values()) > 1
        others["unused"] += len(used) < len(model.parts)
        others["frozen"] += not all(p.requires_grad for p in model.parameters())
        others["groups"] += len(make(model).param_groups) > 1
        inputs[len(given)] += 1
        outputs[len(model.outputs)] += 1
    assert len(steps) >= 20 and len(kinds) >= 18 and min(inputs.values()) > 30
    assert set(inputs) == set(outputs) == {1, 2, 3} and min(others.values()) > 30, others
    held = {n for n in vars(optim) if isinstance(c := getattr(optim, n), type) and issubclass(c, optim.Optimizer)}  # fmt: skip
    assert held - set(OPTIMIZERS) == {
        "Optimizer",
        "SparseAdam",
    }  # of sparse gradients: test_optimizers


class Checkpointed(nn.Module):
    """A model whose inside is worked out a second time on the way back."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, *inputs):
        return checkpoint(self.inner, *inputs, use_reentrant=False)


@pytest.mark.parametrize("seed", SEEDS[::25])
def test_under_a_checkpoint(seed):
    model, inputs, target, make = prepared(seed)
    exact(Checkpointed(model), inputs, target, loss=cost, optimizer=make)


@pytest.mark.parametrize("seed", SEEDS[::50])
def test_compiled(seed):
    """A compiled model is told as it is written: the very numbers of the one that is not."""
    model, inputs, target, make = prepared(seed)
    random = torch.get_rng_state()
    plain = silent_step(model, inputs, target, make(model))
    torch.set_rng_state(random)
    wrapped = torch.compile(model, backend="eager")
    before = snapshot(wrapped, None, (inputs, target))
    told = silent_step(wrapped, inputs, target, make(model))
    assert snapshot(wrapped, None, (inputs, target)) == before
    assert told.loss == plain.loss and set(told.values) == set(plain.values)
    for name, p in plain.parameters.items():
        assert told.parameters[name].after.tobytes() == p.after.tobytes()
    for name, value in plain.values.items():
        assert np.array_equal(told.values[name].array, value.array, equal_nan=True)
        if value.gradient is not None:
            assert np.array_equal(told.values[name].gradient, value.gradient)


def silent_step(model, inputs, target, optimizer):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MiyaWarning)
        return model_step(model, inputs, target, loss=cost, optimizer=optimizer)


@pytest.mark.parametrize("seed", SEEDS[::25])
def test_under_autocast(seed):
    """In single precision under autocast: gradients and updates are torch's bit for bit, and terms add
    up as closely as bfloat16 is written."""
    model, inputs, target, make = prepared(seed)
    model = model.float()
    inputs = tuple(x.detach().float() if x.is_floating_point() else x for x in inputs)
    other = deepcopy(model)
    optimizer, theirs = make(model), make(other)
    random = torch.get_rng_state()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        before = snapshot(model, optimizer, (inputs, target))
        trace = silent_step(model, inputs, target, optimizer)
        assert snapshot(model, optimizer, (inputs, target)) == before
        torch.set_rng_state(random)
        raw_step(other, inputs, target, cost, theirs)
    for name, p in other.named_parameters():
        assert trace.parameters[name].after.tobytes() == p.detach().numpy().tobytes(), name
    assert adds_up(trace, 0.05) > 0
