"""What must hold between the numbers of any trace."""

from dataclasses import replace
from math import fsum

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import random_network

from miya.core.step import take_step

seeds = st.integers(0, 10**9)
close = {"rtol": 1e-10, "atol": 1e-12}


@given(seeds)
@settings(max_examples=150, deadline=None)
def test_bias_gradient_is_delta_and_weights_account_for_delta_z(seed):
    trace = take_step(random_network(seed))
    for layer in trace.layers:
        delta = layer.delta.sum(axis=0)
        if layer.layer.shared_bias:
            np.testing.assert_allclose(layer.bias.gradient, [delta.sum()], **close)
            continue
        np.testing.assert_allclose(layer.bias.gradient, delta, **close)
        ours = (layer.layer.weight * layer.weight.gradient).sum(axis=1)
        ours = ours + layer.layer.bias * layer.bias.gradient
        np.testing.assert_allclose(ours, (layer.delta * layer.z).sum(axis=0), **close)


@given(seeds)
@settings(max_examples=60, deadline=None)
def test_a_batch_is_the_sum_of_its_examples(seed):
    net = random_network(seed, examples=4)
    net = replace(net, loss=replace(net.loss, examples="sum"))
    whole = take_step(net).gradients
    parts = [
        take_step(replace(net, inputs=net.inputs[n : n + 1], targets=net.targets[n : n + 1]))
        for n in range(4)
    ]
    for name, gradient in whole.items():
        np.testing.assert_allclose(gradient, sum(p.gradients[name] for p in parts), **close)


@given(seeds)
@settings(max_examples=60, deadline=None)
def test_every_sum_is_the_sum_of_its_terms(seed):
    trace = take_step(random_network(seed))
    for layer in trace.layers:
        for told, terms in (
            (layer.z, layer.z_terms),
            (layer.weight.gradient, layer.weight_terms),
            (layer.bias.gradient, layer.bias_terms),
        ):
            for index in np.ndindex(told.shape):
                total = fsum(t.value for t in terms(index))
                assert told[index] == pytest.approx(total, rel=1e-12, abs=1e-14)
    for earlier, later in zip(trace.layers, trace.layers[1:], strict=False):
        for index in np.ndindex(earlier.grad_a.shape):
            total = fsum(t.value for t in later.path_terms(index))
            assert earlier.grad_a[index] == pytest.approx(total, rel=1e-12, abs=1e-14)


def test_gradients_use_the_weights_from_before_the_update():
    net = random_network(3, loss="squared_error", learning_rate=100.0, optimizer={"name": "sgd"})
    slow = take_step(replace(net, learning_rate=1e-6))
    for name, gradient in take_step(net).gradients.items():
        np.testing.assert_array_equal(gradient, slow.gradients[name])


def test_the_network_given_is_left_as_it_was():
    net = random_network(5)
    before = {k: v.copy() for k, v in net.parameters().items()}
    take_step(net)
    for name, value in net.parameters().items():
        np.testing.assert_array_equal(value, before[name])


def test_frozen_entries_do_not_move_and_others_do():
    moved = 0
    for seed in range(60):
        for update in take_step(random_network(seed)).updates.values():
            assert (update.after[~update.mask] == update.before[~update.mask]).all()
            moved += (update.after[update.mask] != update.before[update.mask]).sum()
    assert moved > 1000


def test_float32_on_request():
    from networks import description

    from miya.core.build import network

    trace = take_step(network(description(1, optimizer={"name": "adam"}), dtype="float32"))
    for update in trace.updates.values():
        assert update.gradient.dtype == update.after.dtype == np.float32
