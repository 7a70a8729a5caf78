"""Texts of many numbers at once are those of each by itself, and of the picture's own labels."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import miya
from miya.drawing.build import scene
from miya.drawing.content import Content, written
from miya.drawing.scene import VIEWS
from miya.drawing.texts import all_written, card_texts

NUDGES = (0, 1e-15, -1e-15, 1e-12, -1e-9, 1e-6, -4e-5, 1e-4)


@st.composite
def near_ties(draw):
    """Numbers beside the middle between two roundings, and beside what needs no rounding."""
    digits = draw(st.integers(1, 15))
    short = float(f"{draw(st.floats(1e-6, 1e6)):.{digits - 1}e}")
    unit = 10.0 ** (math.floor(math.log10(short)) - digits + 1)
    half = draw(st.sampled_from([0, 0.5, 1])) * unit
    sign = draw(st.sampled_from([1, -1]))
    return sign * (short + half) * (1 + draw(st.sampled_from(NUDGES)))


@given(st.lists(near_ties() | st.floats(), max_size=30), st.integers(1, 15))
def test_as_each_by_itself(values, digits):
    assert all_written(np.array(values, dtype=float), digits) == [
        written(v, digits) for v in values
    ]


EDGES = [
    0.0,
    -0.0,
    1e-4,
    9.9999e-5,
    999.96,
    9999.5,
    0.99995,
    1.0,
    123456.0,
    np.inf,
    -np.inf,
    np.nan,
]


@pytest.mark.parametrize("digits", [1, 4, 8, 9])
def test_edges(digits):
    assert all_written(np.array(EDGES), digits) == [written(v, digits) for v in EDGES]


SHARED = {
    "learning_rate": 0.3,
    "loss": "half_squared_error",
    "layers": [
        {"weight": [[0.5, -1.25], [0.1, 1e-7]], "bias": 0.25, "activation": "relu"},
        {"weight": [[1.0, -2.0]], "bias": [0.0], "activation": "sigmoid", "trainable": False},
    ],
    "examples": [{"input": [1.0, 2.0], "target": [1.0]}, {"input": [0.5, -1], "target": [0.0]}],
}


@pytest.mark.parametrize("measure", ["pressure", "step", "removal"])
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("example", [0, "sum"])
def test_as_in_the_picture(view, measure, example):
    trace = miya.explain(miya.load(SHARED)).trace
    content = Content(trace, measure, view, None if example == "sum" else 0, 4, "en", True)
    placed = scene(trace, measure=measure, view=view, example=example, digits=4)
    for neuron in placed.neurons:
        labels = [t.text for t in neuron.labels if t.style not in ("name", "head")]
        for row in neuron.rows:
            labels += [t.text for t in row.labels if t.style != "symbol"]
        layer, i = map(int, neuron.ref.removeprefix("n").split("."))
        assert card_texts(content, layer - 1, [i]) == [labels]
