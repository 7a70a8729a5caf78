"""Credits add up to the real change, and each is the integral it is said to be."""

import numpy as np
import pytest
from networks import random_network

from miya.analysis.blame import blame
from miya.analysis.credit import credit
from miya.analysis.removal import neuron_removal, removal
from miya.core.build import network
from miya.core.step import gradients_of, loss_of, take_step


@pytest.mark.parametrize("seed", range(80))
def test_credits_sum_to_the_change(seed):
    trace = take_step(random_network(seed))
    found = credit(trace)
    real = loss_of(trace.after) - loss_of(trace.network)
    assert found.real_change == real
    floor = 1e-15 * max(1, trace.loss, abs(trace.loss_after)) * 10
    assert abs(found.total - real) <= 1e-9 * abs(real) + floor


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu"])
@pytest.mark.parametrize("seed", range(15))
def test_kinks_that_the_step_crosses_are_found(seed, activation):
    net = random_network(
        seed,
        sizes=[3, 6, 6, 2],
        activation=activation,
        learning_rate=1.5,
        loss="absolute_error",
        optimizer={"name": "sgd"},
        masks=False,
    )
    trace = take_step(net)
    found = credit(trace)
    assert abs(found.residual) <= 1e-9 * abs(found.real_change) + 1e-14


@pytest.mark.parametrize("seed", [1, 2, 7])
def test_each_credit_is_its_own_integral(seed):
    net = random_network(
        seed,
        sizes=[2, 4, 1],
        activation="relu",
        learning_rate=0.8,
        loss="squared_error",
        optimizer={"name": "sgd"},
    )
    trace = take_step(net)
    found = credit(trace)
    start = net.parameters()
    change = {n: u.after - start[n] for n, u in trace.updates.items()}
    points = 20_000
    slow = {n: np.zeros_like(v) for n, v in start.items()}
    for k in range(points):
        u = (k + 0.5) / points
        here = gradients_of(net.with_parameters({n: v + u * change[n] for n, v in start.items()}))
        for n in slow:
            slow[n] += here[n] / points
    for n in slow:
        np.testing.assert_allclose(found.values[n], change[n] * slow[n], atol=2e-5)


def test_removal_is_what_leaving_out_does():
    for seed in range(12):
        net = random_network(seed)
        trace = take_step(net)
        found = removal(trace)
        values = net.parameters()
        for name, value in values.items():
            for index in np.ndindex(value.shape):
                without = value.copy()
                without[index] = 0
                slow = loss_of(net.with_parameters({**values, name: without})) - loss_of(net)
                assert found[name][index] == pytest.approx(slow, rel=1e-9, abs=1e-13)


def test_neuron_removal_is_cutting_what_it_sends_on():
    net = random_network(4, sizes=[2, 3, 2], loss="squared_error")
    trace = take_step(net)
    found = neuron_removal(trace)
    values = net.parameters()
    for i in range(3):
        cut = values["weight2"].copy()
        cut[:, i] = 0
        slow = loss_of(net.with_parameters({**values, "weight2": cut})) - loss_of(net)
        assert found[0][i] == pytest.approx(slow, abs=1e-14)


def test_ranks_shares_and_ties():
    net = network(
        {
            "learning_rate": 0.1,
            "loss": "squared_error",
            "layers": [{"weight": [[1, 1, 2]], "bias": [0]}],
            "examples": [{"input": [1, 1, 0], "target": [0]}],
        }
    )
    found = blame(take_step(net))
    assert [(r.rank, r.kind, r.index, r.tied) for r in found.parameters] == [
        (1, "weight", (0, 0), True),
        (1, "weight", (0, 1), True),
        (1, "bias", (0,), True),
        (4, "weight", (0, 2), False),
    ]
    assert sum(r.share for r in found.parameters) == pytest.approx(1)
    assert len(blame(take_step(net), top=2).parameters) == 2


@pytest.mark.parametrize("measure", ["pressure", "step", "credit", "removal"])
def test_every_measure_ranks_by_size(measure):
    for seed in range(10):
        found = blame(take_step(random_network(seed)), measure)
        for rows in (found.parameters, found.neurons):
            sizes = [abs(r.value) for r in rows]
            assert all(a >= b * (1 - 1e-11) for a, b in zip(sizes, sizes[1:], strict=False))
    whole = blame(take_step(random_network(2)), measure)
    assert blame(take_step(random_network(2)), measure, top=3).parameters == tuple(
        whole.parameters[:3]
    ) or any(r.tied for r in whole.parameters[:4])


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_a_way_that_starts_or_ends_on_a_kink(activation):
    """z is 0 before the step in one neuron, and the same step backwards ends there."""
    layers = [
        {"weight": [[1, -1], [0.5, 0.25]], "bias": [0, 0], "activation": activation},
        {"weight": [[1, 2]], "bias": [0]},
    ]
    for target in (5, -5):
        net = network(
            {
                "learning_rate": 0.05,
                "loss": "absolute_error",
                "layers": layers,
                "examples": [{"input": [1, 1], "target": [target]}],
            }
        )
        found = credit(take_step(net))
        assert found.real_change != 0
        assert abs(found.residual) <= 1e-9 * abs(found.real_change)


def test_many_kinks_take_the_quick_rule_and_add_up_all_the_same():
    net = random_network(
        8,
        sizes=[30, 60, 40, 3],
        activation="relu",
        examples=40,
        loss="cross_entropy",
        learning_rate=0.3,
        optimizer={"name": "sgd"},
        masks=False,
    )
    found = credit(take_step(net))
    assert found.pieces > 256
    assert abs(found.residual) <= 1e-9 * abs(found.real_change)
