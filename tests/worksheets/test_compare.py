"""Conventions side by side: the same numbers, and the factors that theory says."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from networks import random_network

import miya
from miya.analysis.compare import relation
from miya.analysis.describe import describe
from miya.core.build import network as build

EXAMPLES = ["original", "xor_tanh", "relu_classifier", "adam_batch", "frozen_shared_biases"]
HERE = Path(__file__).parent.parent.parent / "examples"
GRADIENTS = ("∂C/∂a2", "δ2", "∂C/∂W2", "∂C/∂b2", "∂C/∂a1", "δ1", "∂C/∂W1", "∂C/∂b1")


def path(name):
    return next(HERE.glob(f"{name}.*"))


def quantities(found):
    return {q["symbol"]: q for q in found.data()["quantities"]}


def test_half_a_squared_error_halves_the_gradients_and_the_steps():
    found = quantities(miya.compare(loss=["squared_error", "half_squared_error"]))
    for symbol in ("C", *GRADIENTS, "ΔW1", "Δb1", "ΔW2", "Δb2"):
        assert found[symbol]["factors"] == [0.5] and not found[symbol]["agrees"], symbol
    for symbol in ("z1", "a1", "z2", "a2", "σ'1", "σ'2"):
        assert found[symbol]["agrees"] and found[symbol]["factors"] == [1.0], symbol
    assert found["W2_new"]["factors"] == [None] and not found["W2_new"]["agrees"]


def test_sum_against_mean_is_the_number_of_what_is_averaged():
    found = quantities(miya.compare(path("xor_tanh"), reduction=["mean", "sum"]))
    assert found["C"]["factors"] == [4.0] and found["δ1"]["factors"] == [4.0]


def test_frozen_biases_stay_and_everything_else_agrees():
    found = quantities(miya.compare(biases=["trained", "frozen"]))
    assert found["∂C/∂b1"]["agrees"] and found["W1_new"]["agrees"]
    assert found["Δb1"]["factors"] == [0.0]
    assert found["b2_new"]["values"][1] == [0.05]
    assert not found["C_new"]["agrees"]


def test_optimizers_part_at_the_update():
    found = quantities(miya.compare(optimizer=["sgd", "adam", "rmsprop"]))
    assert all(found[s]["agrees"] for s in ("C", *GRADIENTS))
    assert not found["ΔW1"]["agrees"] and len(found["ΔW1"]["values"]) == 3


def test_the_numbers_are_those_of_each_convention_alone():
    found = quantities(miya.compare(loss=["squared_error", "huber"]))
    net = describe(miya.load()) | {"loss": "huber"}
    alone = miya.explain(net).trace
    assert found["∂C/∂W1"]["values"][1] == alone.layers[0].weight.gradient.tolist()
    assert found["C_new"]["values"][1] == alone.loss_after


def test_axes_together_give_every_combination():
    found = miya.compare(loss=["squared_error", "huber"], biases=["trained", "frozen"])
    names = [v["name"] for v in found.data()["variants"]]
    assert names == [
        "squared_error, trained",
        "squared_error, frozen",
        "huber, trained",
        "huber, frozen",
    ]


@pytest.mark.parametrize("seed", range(30))
def test_a_description_gives_the_network_back(seed):
    network = random_network(seed)
    again = build(describe(network))
    assert describe(again) == describe(network)
    for name, value in network.parameters().items():
        assert (again.parameters()[name] == value).all()
        assert (again.masks()[name] == network.masks()[name]).all()
    first, second = miya.explain(network).trace, miya.explain(again).trace
    assert first.loss == second.loss and first.loss_after == second.loss_after


@pytest.mark.parametrize(
    ("first", "other", "same", "factor"),
    [
        ([1, 2], [1, 2], True, 1.0),
        ([1, 2], [0.5, 1], False, 0.5),
        ([1, 2], [1 / 3, 2 / 3], False, 1 / 3),
        ([1, 0], [2, 0], False, 2.0),
        ([1, 0], [2, 1], False, None),
        ([1, 2], [2, 3], False, None),
        ([1.0], [1.2953], False, None),
        ([1.0, 2.0], [1.2953, 2.5906], False, 1.2953),
        ([0, 0], [0, 0], True, 1.0),
        ([1, 2], [0, 0], False, 0.0),
        ([1, 2], [float("inf"), 2], False, None),
        ([1, 2], [-1, -2], False, -1.0),
    ],
)
def test_relations(first, other, same, factor):
    found = relation(np.array(first, float), np.array(other, float))
    assert found.same == same
    assert found.factor == (None if factor is None else pytest.approx(factor, rel=1e-12))


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_form_tells_every_quantity(name, language):
    found = miya.compare(path(name), biases=["trained", "frozen"], language=language)
    assert json.loads(found.json()) == found.data()
    assert "<table" in found.html() and "|" in found.markdown()
    text = found.text()
    for quantity in found.data()["quantities"]:
        assert quantity["symbol"] in text


def test_the_story_says_where_they_part():
    text = " ".join(miya.compare(loss=["squared_error", "half_squared_error"]).text().split())
    assert "They first part at C." in text
    assert "The same under all: z1, a1, z2, a2, σ'2, σ'1." in text
    assert "under half_squared_error it is 0.5 times that under squared_error" in text
    assert re.search(r"∂C/∂W2\[0\]\[1\] +-0\.13915 +-0\.069573 +× 0\.5", text)
    same = miya.compare(path("xor_tanh"), loss=["squared_error", "mean_squared_error"])
    assert "Nothing parts" in same.text()


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({}, "E686 there is nothing to compare. Give two values or more of one"),
        ({"loss": ["huber"]}, "E686 there is nothing to compare"),
        ({"loss": ["huber", "huber"]}, "E686 loss has 'huber' twice. Give each once"),
        ({"reduction": ["sum", "men"]}, "E686 reduction is 'men'. Choose sum and mean"),
        ({"biases": ["on", "off"]}, "E686 biases is 'on'. Choose trained and frozen"),
        ({"loss": ["huber", "hubr"]}, "E304 loss 'hubr' is unknown. Did you mean huber?"),
        ({"optimizer": ["sgd", ""]}, "E304 optimizer '' is unknown"),
        (
            {"loss": ["huber", "squared_error", "absolute_error", "half_squared_error"],
             "biases": ["trained", "frozen"]},
            "E686 8 combinations are too many to stand side by side",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_compared(axes, message):
    with pytest.raises(miya.MiyaInputError, match=re.escape(message)):
        miya.compare(**axes)
