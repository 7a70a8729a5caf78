"""Example credit: shares of the real change of the loss, over examples and parameters."""

import copy

import numpy as np
import pytest
import torch
from per_example import zoo
from torch import nn
from torch.func import functional_call

import miya
from miya.per_example.capture import measured
from miya.per_example.columns import CREDIT
from miya.per_example.engine import Engine
from miya.per_example.rows import Rows
from miya.per_example.sources import Unknown

CROSS = nn.CrossEntropyLoss()


def loss_at(model, loss, x, y, change, u):
    """The loss of each example alone at θ + uΔθ, in float64, by running the model there."""
    twin = copy.deepcopy(model).double()
    named = {n: p.detach() + u * change[n] for n, p in twin.named_parameters()}
    x = x.double() if x.is_floating_point() else x
    runs = (functional_call(twin, named, (x[k : k + 1],)) for k in range(len(y)))
    return np.array([float(loss(out, y[k : k + 1])) for k, out in enumerate(runs)])


def stepped(model, loss, x, y, rate):
    """Δθ of a step of plain gradient descent on the mean loss."""
    twin = copy.deepcopy(model)
    slopes = torch.autograd.grad(loss(twin(x), y), list(twin.parameters()))
    names = [n for n, _ in twin.named_parameters()]
    return {n: -rate * g.double() for n, g in zip(names, slopes)}


def mlp():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 5))
    return model.double(), torch.randn(20, 6).double(), zoo.classes(20)


def test_of_a_linear_model_and_a_square_they_are_in_closed_form():
    """The slope is straight in u there, so the mean of both ends is its integral."""
    torch.manual_seed(0)
    model, x, y = nn.Linear(3, 1).double(), torch.randn(8, 3).double(), torch.randn(8, 1).double()
    change = {"weight": torch.randn(1, 3).double(), "bias": torch.randn(1).double()}
    found = miya.blame_examples(model, (x, y), nn.MSELoss(), step=change)
    off = (model(x) - y).detach()
    moved = x @ change["weight"].T
    later = off + moved + change["bias"]
    mean = (2 * off + 2 * later) / 2
    right = {"weight": (mean * moved)[:, 0] / 8, "bias": (mean * change["bias"])[:, 0] / 8}
    for name, values in right.items():
        mine = found.columns.column(CREDIT + name)
        assert mine == pytest.approx(values.numpy(), rel=1e-12, abs=1e-15)
    real = (later.square() - off.square()).mean()
    assert found.real_change == pytest.approx(float(real), rel=1e-12)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_they_add_up_to_the_real_change_and_to_a_models_credits(optimizer):
    model, x, y = mlp()
    made = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer](model.parameters(), 0.1)
    found = miya.blame_examples(model, (x, y), CROSS, optimizer=made, by="credit", batch_size=7)
    told = miya.explain(model, x, y, loss=CROSS, optimizer=made)
    right = told.credit
    assert found.real_change == pytest.approx(right.real_change, rel=1e-10)
    assert abs(found.residual) <= 1e-9 * abs(found.real_change)
    for ours, theirs in zip(found.facts.parameters, ("weight1", "bias1", "weight2", "bias2")):
        mine = found.columns.column(CREDIT + ours).sum()
        assert mine == pytest.approx(right.values[theirs].sum(), rel=1e-7), ours
    assert sum(found.credit_by_layer().values()) == pytest.approx(found.real_change, rel=1e-9)
    assert found.values().sum() == pytest.approx(found.real_change, rel=1e-9)


CASES = ("cnn", "encoder", "lstm", "functions", "windows", "looked-up", "parametrized", "frozen")


@pytest.mark.parametrize("name", CASES)
def test_each_example_and_parameter_has_its_own(name):
    model, x, y = zoo.build(name)
    torch.manual_seed(1)
    change = {n: 0.02 * torch.randn_like(p) for n, p in model.named_parameters() if p.requires_grad}
    found = miya.blame_examples(model, (x, y), CROSS, step=change)
    every = {n: change.get(n, torch.zeros_like(p)) for n, p in model.named_parameters()}
    ends = [loss_at(model, CROSS, x, y, every, u) for u in (0.0, 1.0)]
    real = (ends[1] - ends[0]) / len(y)
    assert found.values("credit") == pytest.approx(real, rel=1e-8, abs=1e-9 * np.abs(real).max())
    # by parameter: the middle rule on 400 pieces, with slopes of single backward passes
    twin, credits = copy.deepcopy(model), dict.fromkeys(change, 0.0)
    at = {n: p.detach().clone() for n, p in twin.named_parameters()}
    for u in (np.arange(400) + 0.5) / 400:
        with torch.no_grad():
            for n, p in twin.named_parameters():
                p.copy_(at[n] + u * every[n])
        slopes = torch.autograd.grad(
            CROSS(twin(x[:1]), y[:1]), [dict(twin.named_parameters())[n] for n in change],
            allow_unused=True,
        )  # fmt: skip
        for n, g in zip(change, slopes):
            credits[n] += 0.0 if g is None else float((g * change[n]).sum()) / 400 / len(y)
    largest = max(map(abs, credits.values()))
    for n, right in credits.items():
        mine = float(found.columns.column(CREDIT + n)[0])
        assert mine == pytest.approx(right, rel=2e-3, abs=2e-4 * largest), n


def test_a_loss_that_is_a_sum_counts_every_example_whole():
    model, x, y = mlp()
    change = stepped(model, CROSS, x, y, 0.5)
    one = miya.blame_examples(model, (x, y), CROSS, step=change)
    summed = miya.blame_examples(model, (x, y), nn.CrossEntropyLoss(reduction="sum"), step=change)
    assert summed.values("credit") == pytest.approx(one.values("credit") * 20, rel=1e-12)


def test_the_step_of_an_optimizer_is_that_of_the_whole_data_set():
    model, x, y = mlp()
    optimizer = torch.optim.SGD(model.parameters(), 0.5)
    one = miya.blame_examples(model, (x, y), CROSS, optimizer=optimizer, batch_size=6)
    other = miya.blame_examples(model, (x, y), CROSS, step=stepped(model, CROSS, x, y, 0.5))
    assert one.values("credit") == pytest.approx(other.values("credit"), rel=1e-10)


def test_a_model_in_float32_is_followed_in_float64():
    model, x, y = mlp()
    model, x = model.float(), x.float()
    change = stepped(model, CROSS, x, y, 0.5)
    found = miya.blame_examples(model, (x, y), CROSS, step=change)
    ends = [loss_at(model, CROSS, x, y, change, u) for u in (0.0, 1.0)]
    assert found.values("credit") == pytest.approx((ends[1] - ends[0]) / 20, rel=1e-9)
    assert "The model ran in float32; credits are worked out in float64." in found.text()


def test_where_no_rule_follows_the_model_every_row_runs_alone():
    from per_example.test_norms import Hidden

    torch.manual_seed(0)
    model, x, y = Hidden().double(), torch.randn(4, 4).double(), zoo.classes(4)
    change = stepped(model, CROSS, x, y, 0.5)
    with pytest.warns(miya.MiyaWarning, match="W773"):
        found = miya.blame_examples(model, (x, y), CROSS, step=change)
    assert abs(found.residual) <= 1e-9 * abs(found.real_change)
    ends = [loss_at(model, CROSS, x, y, change, u) for u in (0.0, 1.0)]
    assert found.values("credit") == pytest.approx((ends[1] - ends[0]) / 4, rel=1e-8)


TOGETHER = ("cnn", "encoder", "lstm", "gru", "looked-up", "merged", "frozen")


@pytest.mark.parametrize("name", TOGETHER)
def test_rows_at_their_own_places_have_the_slopes_of_single_runs(name):
    model, x, y = zoo.build(name)
    engine = Engine(model, CROSS, measured(model), False)
    change = {n: 0.05 * torch.randn_like(p) for n, p in engine.named.items()}
    if name == "encoder":
        change["embedding.weight"][0] = 0.0  # padding has no gradient in torch, and does not move
    examples, u = np.array([0, 3, 3, 5, 1]), np.array([0.0, 0.3, 0.9, 1.0, 0.5])
    given = (engine, x, y, len(y), change)
    together, alone = Rows(*given), Rows(*given, alone=True)
    assert together.losses(examples, u) == pytest.approx(alone.losses(examples, u), rel=1e-12)
    mine, right = together.slopes(examples, u), alone.slopes(examples, u)
    assert np.abs(mine - right).max() <= 1e-12 * np.abs(right).max()


@pytest.mark.parametrize("name", ["functions", "windows", "parametrized"])
def test_parameters_worked_out_of_others_are_not_straight_on_the_way(name):
    model, x, y = zoo.build(name)
    engine = Engine(model, CROSS, measured(model), False)
    change = {n: torch.ones_like(p) for n, p in engine.named.items()}
    with pytest.raises(Unknown, match="out of other parameters"):
        Rows(engine, x, y, len(y), change)
