"""What is taken as a number, an array or a set of examples."""

import time
from decimal import Decimal
from fractions import Fraction

import bad_inputs as table
import numpy as np
import pytest
import torch

import miya
from miya.core.numbers_in import show


class Float(float):
    pass


class Frame:
    """Like a data frame: no list, but an array when asked."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)


@pytest.mark.parametrize(
    "given, wanted",
    [
        (Float(0.1), 0.1),
        (np.float32(0.1), float(np.float32(0.1))),
        (np.float16(0.1), float(np.float16(0.1))),
        (np.int8(3), 3.0),
        (np.array(0.1), 0.1),
        (Decimal("0.1"), 0.1),
        (Fraction(1, 3), 1 / 3),
        ("1/3", 1 / 3),
        ("  -2e-3 ", -0.002),
        ("−.5", -0.5),
    ],
)
def test_one_number(given, wanted):
    net = miya.load(table.python(weight=[[given, 1]], learning_rate=given if wanted > 0 else 0.1))
    assert net.layers[0].weight.tolist() == [[wanted, 1.0]]
    assert net.layers[0].weight.dtype == np.float64


@pytest.mark.parametrize(
    "given",
    [
        np.array([[0.5, 2]], np.float16),
        np.array([[0.5, 2]], np.float32),
        np.ma.array([[0.5, 2]], mask=[[0, 0]]),
        np.array([["1/2", 2]], dtype=object),
        np.array([["0.5", "2"]]),
        np.array([[0.5, 2]], np.longdouble),
        Frame([[0.5, 2]]),
        torch.tensor([[0.5, 2]]),
        (("1/2", 2),),
        [np.array([0.5, 2])],
    ],
    ids=lambda g: type(g).__name__,
)
def test_arrays(given):
    assert miya.load(table.python(weight=given)).layers[0].weight.tolist() == [[0.5, 2]]


def test_a_given_array_is_copied():
    weight = np.array([[0.5, 2.0]])
    net = miya.load(table.python(weight=weight))
    weight[0, 0] = 9
    assert net.layers[0].weight[0, 0] == 0.5


def test_a_mask_of_numpy_is_taken():
    net = miya.load(
        table.python(trainable={"weight": np.array([[True, False]]), "bias": np.False_})
    )
    assert net.layers[0].weight_mask.tolist() == [[True, False]] and not net.layers[0].bias_mask[0]


THREE = {"weight": table.THREE, "bias": 0, "loss": "cross_entropy"}


@pytest.mark.parametrize(
    "target",
    [[2, 0], [[2], [0]], [[0, 0, 1], [1, 0, 0]], np.array([2, 0], np.uint8), Frame([2, 0])],
)
def test_table_of_classes(target):
    given = table.python(**THREE, examples={"input": [[1, 2], [3, 4]], "target": target})
    assert miya.load(given).targets.tolist() == [[0, 0, 1], [1, 0, 0]]


def test_table_of_one_example_is_no_batch():
    net = miya.load(table.python(examples={"input": [[1, 2]], "target": [1], "name": ["only"]}))
    assert not net.batch and net.example_names == ("only",)
    assert miya.explain(net).trace.loss == miya.explain(table.PYTHON).trace.loss


def test_sixty_thousand_images_are_read_in_a_moment():
    r = np.random.default_rng(0)
    images = r.random((60_000, 784), dtype=np.float32)
    classes = r.integers(0, 10, 60_000)
    given = table.python(weight=np.zeros((10, 784)), bias=0, loss="cross_entropy")
    given["examples"] = {"input": images, "target": classes}
    start = time.perf_counter()
    net = miya.load(given)
    taken = time.perf_counter() - start
    assert net.inputs.shape == (60_000, 784)
    assert (net.targets.argmax(axis=1) == classes).all() and net.targets.sum() == 60_000
    images[50_000, 3] = np.nan
    with pytest.raises(
        miya.MiyaInputError, match=r"E201 examples, input\[50000\]\[3\] is NaN"
    ) as e:
        miya.load(given)
    assert e.value.path == ("examples", "input", 50_000, 3)
    assert taken < 5  # about 0.4 s; element by element it would be a minute


@pytest.mark.parametrize(
    "value, shown",
    [
        ("abc", "'abc'"),
        ("a" * 10**6, "'" + "a" * 38 + "…"),
        ([[1] * 100] * 100, "[[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1…"),
        (np.float64(0.1), "0.1"),
        (np.array([1, 2]), "array([1, 2])"),
        (10**5000, "a int"),
    ],
    ids=range(6),
)
def test_values_are_shown_in_short(value, shown):
    assert show(value) == shown and len(shown) <= 40
