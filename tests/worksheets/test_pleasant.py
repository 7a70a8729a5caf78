"""The numbers of a worksheet are pleasant, and the same everywhere."""

import subprocess
import sys
from decimal import Decimal

import numpy as np
import pytest

import miya
from miya.analysis.shape import shape
from miya.story.worked import pleasant

SEEDS = 200
SHAPES = {
    "sigmoid": {},
    "tanh": {"layers": "2-2-1", "activation": "tanh"},
    "relu": {"layers": "2-3-1", "activation": "relu"},
    "two outputs": {"layers": "2-2-2", "loss": "binary_cross_entropy"},
    "classes": {"layers": "2-2-3", "activation": "tanh", "loss": "cross_entropy"},
    "adam": {"optimizer": "adam"},
}
SATURATED = {"sigmoid": 3.0, "tanh": 2.0}


def significant(value):
    return len(Decimal(repr(float(value))).normalize().as_tuple().digits)


@pytest.mark.parametrize("kind", SHAPES)
def test_two_hundred_seeds_please(kind):
    wanted = shape(**SHAPES[kind])
    seen = set()
    for seed in range(SEEDS):
        trace = pleasant(wanted, seed)
        network = trace.network
        givens = [network.inputs, network.targets, *network.parameters().values()]
        values = np.concatenate([g.ravel() for g in givens])
        assert max(map(significant, [*values, network.learning_rate])) <= 2, seed
        seen.add(tuple(values))
        for layer in trace.layers:
            check_layer(layer, wanted, seed)
        for update in trace.updates.values():
            assert (update.after != update.before).all(), seed
            assert (np.abs(update.gradient) >= 1e-4).all(), seed
    assert len(seen) == SEEDS


def check_layer(layer, wanted, seed):
    name = layer.layer.activation.name
    assert np.abs(layer.z).max() <= SATURATED.get(name, 6.0), seed
    assert np.abs(layer.delta).min() >= 1e-4, seed
    if name == "relu":
        assert (layer.z > 0).all(), seed
    for values in (layer.z, layer.a, layer.grad_a, layer.delta):
        for value in values.ravel():
            # half-way results keep one more digit, and only where nothing else was found
            assert significant(value) <= wanted.digits + 1
            assert "e" not in f"{float(value)!r}"


def test_a_sleeping_relu_where_it_is_asked_for():
    for seed in range(40):
        trace = pleasant(shape("2-3-1", activation="relu", dead=True, examples=2), seed)
        asleep = (trace.layers[0].z <= 0).all(axis=0)
        assert asleep.sum() == 1 and (trace.layers[0].delta[:, asleep] == 0).all()


def test_weights_of_a_row_differ_in_size():
    for seed in range(20):
        for update in pleasant(shape("3-3-2"), seed).updates.values():
            for row in np.atleast_2d(update.before):
                assert len(set(np.abs(row))) == len(row)


def test_a_seed_gives_the_same_numbers_in_another_process():
    code = (
        "import miya; print(miya.worksheet(seed=7, fade='solo').csv(key=True)"
        " + miya.worksheet(seed=7, find_the_bug=True).markdown())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONUTF8": "1"},
        ).stdout
        for seed in ("0", "1")
    }
    sheet = miya.worksheet(seed=7, fade="solo").csv(key=True)
    bug = miya.worksheet(seed=7, find_the_bug=True).markdown()
    assert said == {f"{sheet}{bug}\n"}


def test_the_numbers_of_a_seed_stay_what_they_are():
    """Sheets that were handed out are found again by their seed: what it draws never changes."""
    network = miya.worksheet(seed=7).network
    assert network["learning_rate"] == 0.2
    assert network["layers"][0]["weight"] == [[0.6, -0.4], [-0.7, 0.8]]
    assert network["layers"][1]["bias"] == [0.2]
    assert network["examples"] == [{"input": [-1, 2], "target": [1]}]
