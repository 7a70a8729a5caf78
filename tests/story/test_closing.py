"""Whoever retypes the printed digits gets the printed result: evaluated here by mpmath, and by
Python's own floats, from the JSON alone."""

import json
import warnings

import pytest
from arithmetic import check
from networks import random_network

import miya
from miya.core.activations import KINDS as ACTIVATIONS


def steps(net, **options):
    return json.loads(miya.explain(net, **options).json())["steps"]


@pytest.mark.parametrize("carry", ["exact", "rounded"])
@pytest.mark.parametrize("block", range(10))
def test_every_printed_calculation_closes(block, carry):
    for seed in range(block * 12, block * 12 + 12):
        net = random_network(
            seed, sizes=[2, 3, 2] if seed % 2 else None, digits=[2, 3, 17][seed % 3]
        )
        for step in steps(net, carry=carry, digits=[3, 4, 5, 7][seed % 4]):
            check(step)


@pytest.mark.parametrize("carry", ["exact", "rounded"])
@pytest.mark.parametrize("activation", [a for a in ACTIVATIONS if a != "softmax"])
def test_every_activation_closes_far_out(activation, carry):
    for z in (-1000, -200, -30, -13, -7, -3.5, -1e-6, 0, 1e-6, 2.9, 3.1, 6.5, 13, 45, 1000):
        net = {
            "learning_rate": 0.1,
            "loss": "half_squared_error",
            "layers": [
                {"weight": [[1]], "bias": [0], "activation": activation},
                {"weight": [[0.5]], "bias": [0.25]},
            ],
            "examples": [{"input": [z], "target": [0.3]}],
        }
        for step in steps(net, carry=carry):
            check(step)


@pytest.mark.parametrize("digits", [14, 15])
@pytest.mark.parametrize("block", range(3))
def test_the_most_digits_close_in_exact_and_in_float_arithmetic(block, digits):
    for seed in range(500 + block * 6, 506 + block * 6):
        for step in steps(random_network(seed), digits=digits):
            check(step)


def one(z, activation, **more):
    return {
        "learning_rate": 0.1,
        "loss": "half_squared_error",
        "layers": [
            {"weight": [[1]], "bias": [0], "activation": activation},
            {"weight": [[0.5]], "bias": [0.25]},
        ],
        "examples": [{"input": [z], "target": [0.3]}],
        **more,
    }


@pytest.mark.parametrize("options", [{}, {"carry": "rounded"}, {"dtype": "float32"}])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_story_of_huge_and_tiny_numbers_is_told_or_refused(activation, options):
    for z in (5e-324, 1e-300, 1e-8, 1e8, 16777217, 1e50, 1e120, 1e200, -1e8, -1e50, -1e120):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", miya.MiyaWarning)
                told = miya.explain(one(z, activation), **options)
                assert told.text() and told.json()
        except miya.MiyaInputError as error:
            assert error.code in ("E311", "E309", "E202")


def test_rounded_results_are_printed_as_they_are_carried():
    """Each result of layers, read back from the page, is the value in the trace."""
    heads = {"z": "z", "a": "a", "δ": "delta", "∂C/∂a": "grad_a"}
    compared = 0
    for seed in range(700, 712):
        told = miya.explain(random_network(seed, examples=1), carry="rounded", digits=4)
        for step in told.story.calculations:
            symbol = step.symbol
            if symbol.head in heads and symbol.layer and symbol.index:
                value = getattr(told.trace.layers[symbol.layer - 1], heads[symbol.head])
                assert float(step.closed.result) == value[0][symbol.index[-1]], (seed, symbol)
                compared += 1
    assert compared > 200


@pytest.mark.parametrize("digits", [1, 2, 10, 12])
def test_few_and_many_digits_close(digits):
    for carry in ("exact", "rounded"):
        for step in steps(None, digits=digits, carry=carry):
            check(step)


def test_the_checker_sees_a_wrong_digit():
    step = steps(None)[0]
    check(step)
    with pytest.raises(AssertionError):
        check({**step, "result": "0.09"})


def test_rounded_carry_carries_the_rounded_value_on():
    told = miya.explain(carry="rounded", digits=3).data()
    # a1 by hand to 3 digits, then z2 from those
    assert told["layers"][0]["a"] == [0.52, 0.565, 0.435]
    z2 = 0.2 * 0.52 - 0.3 * 0.565 + 0.1 * 0.435 + 0.05
    assert told["layers"][1]["z"] == [float(f"{z2:.2e}")]


def test_the_json_has_what_it_promises():
    told = json.loads(miya.explain().json())
    assert set(told["loss"]) >= {"before", "after", "predicted_change", "credit_sum", "residual"}
    for layer in told["layers"]:
        assert set(layer) >= {"name", "input", "z", "a", "grad_a", "delta", "weight", "bias"}
        assert set(layer["weight"]) >= {"before", "gradient", "after"}
    assert told["layers"][0]["delta"][1] == pytest.approx(0.0181736, abs=1e-7)
    assert {"kind", "symbol", "expression", "result"} == set(told["steps"][0])
    batch = json.loads(miya.explain(random_network(1, examples=4, sizes=[2, 3, 1])).json())
    assert len(batch["layers"][0]["z"]) == 4 and len(batch["layers"][0]["z"][0]) == 3
