"""What flows through a layer: one example's, and the sum."""

import numpy as np
import pytest
from networks import random_network

import miya
from miya.analysis.flow import flow, greediest
from miya.core.step import take_step


@pytest.mark.parametrize("seed", range(8))
def test_the_sum_is_that_of_the_examples(seed):
    trace = take_step(random_network(seed, examples=4))
    for layer in trace.layers:
        ones, whole = [flow(layer, n) for n in range(4)], flow(layer, None)
        for name in ("delta", "grad_a", "carried", "carried_bias", "passed"):
            each = sum(getattr(one, name) for one in ones)
            np.testing.assert_allclose(getattr(whole, name), each, rtol=1e-12, atol=1e-300)
        assert (whole.z[0] == layer.z.min(axis=0)).all() and (
            whole.a[1] == layer.a.max(axis=0)
        ).all()


def test_the_greediest_of_the_original_story():
    layer, neuron, share = greediest(miya.explain().trace)
    sizes = np.abs(miya.explain().trace.layers[0].delta[0])
    assert (layer, neuron) == (1, 1) and share == pytest.approx(sizes[1] / sizes.sum())


def test_a_tie_is_nobodys_greed():
    table = {
        "learning_rate": 0.1,
        "loss": "squared_error",
        "layers": [{"weight": [[0.5], [0.5]], "bias": [0, 0]}],
        "examples": [{"input": [1], "target": [0, 0]}],
    }
    assert greediest(miya.explain(table).trace) is None


def test_greed_over_the_examples_is_that_of_the_sum():
    # neuron 0 has the largest |δ| of each example, but they cancel; neuron 1's add up
    table = {
        "learning_rate": 0.1,
        "loss": "squared_error",
        "layers": [{"weight": [[1], [0.5], [0.1]], "bias": [0, 0, 0]}],
        "examples": [
            {"input": [1], "target": [-2, 0, 0]},
            {"input": [1], "target": [3.9, 0, 0]},
        ],
    }
    trace = miya.explain(table).trace
    assert greediest(trace, 0)[:2] == (1, 0)
    layer, neuron, share = greediest(trace)
    sums = np.abs(trace.layers[0].delta.sum(axis=0))
    assert (layer, neuron) == (1, 1) and share == pytest.approx(sums[1] / sums.sum())
    first = {row.layer: row for row in reversed(miya.blame(table).neurons)}
    assert first[1].index == (1,)
