"""Credits of models add up to the real change, and are the integrals that they claim to be."""

import numpy as np
import pytest
import torch
from models.small import MAKE, Residual, step
from torch import nn

from miya.analysis.credit import credit
from miya.analysis.model.blame import model_blame
from miya.analysis.model.credit import model_credit
from miya.core.build import network
from miya.core.step import take_step
from miya.errors import MiyaInputError
from miya.read.torch.step import model_step

pytestmark = pytest.mark.filterwarnings("ignore::miya.errors.MiyaWarning")


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.AdamW])
def test_credits_add_up_to_the_real_change(name, optimizer):
    trace, *_ = step(name, optimizer=optimizer, rate=0.01)
    found = model_credit(trace)
    real = trace.loss_after - trace.loss
    assert found.met and abs(found.residual) <= 1e-9 * abs(real)
    assert found.real_change == pytest.approx(real, rel=1e-9)
    assert sum(v.sum() for v in found.values.values()) == pytest.approx(real, rel=1e-9)


@pytest.mark.parametrize("name", ["lenet", "lstm", "tied", "branches"])
def test_neurons_and_layers_share_the_same_sum(name):
    trace, *_ = step(name)
    found = model_blame(trace, "credit", top=10**6)
    whole = found.credit.total
    assert sum(row.value for row in found.parameters) == pytest.approx(whole, rel=1e-9)
    assert sum(row.value for row in found.layers) == pytest.approx(whole, rel=1e-9)
    assert sum(row.value for row in found.neurons) == pytest.approx(whole, rel=1e-9)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_the_same_as_the_credits_of_a_network_file(activation):
    r = np.random.default_rng(5)
    sizes = [(6, 4), (3, 6)]
    net = network(
        {
            "learning_rate": 0.1,
            "loss": {"name": "cross_entropy", "examples": "mean"},
            "layers": [
                {
                    "weight": r.normal(size=size).tolist(),
                    "bias": r.normal(size=size[0]).tolist(),
                    "activation": kind,
                }
                for size, kind in zip(sizes, (activation, "identity"), strict=True)
            ],
            "examples": [
                {"input": r.normal(size=4).tolist(), "target": np.eye(3)[k % 3].tolist()}
                for k in range(5)
            ],
        }
    )
    trace = take_step(net)
    kind = {"relu": nn.ReLU, "tanh": nn.Tanh}[activation]
    model = nn.Sequential(nn.Linear(4, 6), kind(), nn.Linear(6, 3)).double()
    with torch.no_grad():
        for layer, ours in zip((model[0], model[2]), net.layers, strict=True):
            layer.weight.copy_(torch.tensor(ours.weight))
            layer.bias.copy_(torch.tensor(ours.bias))
    made = model_step(
        model,
        torch.tensor(net.inputs),
        torch.tensor(net.targets),
        loss=nn.CrossEntropyLoss(),
        optimizer=torch.optim.SGD(model.parameters(), lr=net.learning_rate),
    )
    ours, theirs = model_credit(made), credit(trace)
    assert ours.real_change == pytest.approx(theirs.real_change, rel=1e-9)
    for name, key in (("0.weight", "weight1"), ("0.bias", "bias1"), ("2.weight", "weight2")):
        size = np.abs(theirs.values[key]).max()
        np.testing.assert_allclose(ours.values[name], theirs.values[key], atol=1e-9 * size)


def test_each_credit_is_the_integral_of_its_slope():
    trace, *_ = step("branches", rate=0.5)
    found = model_credit(trace)
    moved = {n: trace.parameters[n] for n in found.values}
    total = {n: np.zeros(p.shape) for n, p in moved.items()}
    count = 400
    for k in range(count):
        at = {n: p.before + (k + 0.5) / count * p.change for n, p in moved.items()}
        for n, g in trace.runner.loss_and_gradients(at)[1].items():
            total[n] += g / count
    for n, p in moved.items():
        size = np.abs(found.values[n]).max()
        np.testing.assert_allclose(total[n] * p.change, found.values[n], atol=2e-5 * size)


def test_the_way_is_cut_at_kinks_by_example():
    trace, *_ = step("lenet", rate=0.3)
    found = model_credit(trace)
    assert found.parts == 4 and found.pieces > 8 and found.met


def test_batch_statistics_keep_the_batch_whole():
    trace, *_ = step("residual", rate=0.1)
    assert model_credit(trace).parts == 1
    again, *_ = step("residual", rate=0.1)
    with pytest.raises(MiyaInputError, match="E613 chunk is 2"):
        model_credit(again, chunk=2)


def test_chunks_change_nothing_but_the_memory():
    whole, *_ = step("lstm")
    chunked, *_ = step("lstm")
    one, other = model_credit(whole), model_credit(chunked, chunk=1)
    assert (one.parts, other.parts) == (1, 3)
    for name, values in one.values.items():
        np.testing.assert_allclose(other.values[name], values, atol=1e-9 * np.abs(values).max())


def test_masks_are_the_steps_own():
    trace, *_ = step("encoder", rate=0.02)
    assert model_credit(trace).real_change == pytest.approx(trace.loss_after - trace.loss, rel=1e-9)


def test_a_float32_model_is_evaluated_in_float64():
    trace, *_ = step("lstm", dtype=torch.float32)
    found = model_credit(trace)
    assert found.dtype == "float64" and found.met
    assert found.real_change == pytest.approx(trace.loss_after - trace.loss, rel=1e-2)


def test_too_few_evaluations_are_said():
    trace, *_ = step("lenet", rate=2.0)
    found = model_credit(trace, most=12)
    assert not found.met and found.evaluations < 100
    from miya.api.model_views import rank_model

    assert "goal of 1e-9 was not met" in str(rank_model(trace, "credit"))


def test_running_statistics_and_random_state_are_left():
    trace, model, *_ = step("residual", make=lambda: Residual(2))
    threads = torch.get_num_threads()
    mean, state = model.norm.running_mean.clone(), torch.get_rng_state()
    model_credit(trace)
    assert torch.equal(model.norm.running_mean, mean)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_an_infinite_change_has_no_credits():
    trace, *_ = step("branches", rate=1e300)
    with pytest.raises(MiyaInputError, match="E610"):
        model_credit(trace)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_loss_that_reads_the_parameters_too(dtype):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).to(dtype)
    x, y = torch.randn(6, 4, dtype=dtype), torch.randint(0, 3, (6,))

    def loss(output, target):
        return nn.functional.cross_entropy(output, target) + 0.1 * model[0].weight.square().sum()

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    trace = model_step(model, x, y, loss=loss, optimizer=optimizer)
    assert trace.runner.loss({}) == pytest.approx(trace.loss, rel=1e-6)
    found = model_credit(trace)
    assert found.met and found.dtype == "float64"
    assert found.first_order == pytest.approx(trace.predicted_change)
    assert found.real_change == pytest.approx(trace.loss_after - trace.loss, rel=1e-4)
