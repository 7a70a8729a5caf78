"""Each rule at the edge of its limits, on records of trainings that never were."""

import math

import numpy as np
import pytest
from watching.simple_records import fed, layer, named, record

from miya.watching.records import NeuronRecord
from miya.watching.words import told

# the learning rate


@pytest.mark.parametrize(
    ("promise", "loss", "count"), [(0.5, 1.0, 1), (0.499, 1.0, 0), (0.5, 0.99, 0)]
)
def test_steps_that_promise_much_and_bring_nothing(promise, loss, count):
    first = record(1, predicted=-promise)
    rest = [record(k, loss=loss, predicted=-promise * loss) for k in range(2, 6)]
    found = fed([first, *rest])
    assert named(found) == [("learning_rate", "", 1, 5)] * count
    assert not found or found[0].facts["way"] == "start"


@pytest.mark.parametrize(("relative", "count"), [(0.5, 1), (0.49, 0)])
def test_steps_as_large_as_the_weights(relative, count):
    """The loss falls, or is not told: the steps alone say it."""
    steps = [record(k, layer(relative_step=relative), loss=None) for k in range(1, 11)]
    assert fed(steps) == []  # a weight that begins at 0 grows in large steps
    found = fed([*steps, record(11)])
    assert named(found) == [("learning_rate", "", 7, 11)] * count
    assert not found or (found[0].facts["way"] == "weights" and found[0].facts["moved"] == "0")


@pytest.mark.parametrize(("real", "count"), [(0.1, 1), (0.099, 0), (-0.2, 0)])
def test_the_same_batch_rises_by_more_than_was_promised(real, count):
    found = fed(record(k, loss=1 / k, predicted=-0.1, real=real) for k in range(1, 6))
    assert [f.facts["way"] for f in found] == ["same_batch"] * count


@pytest.mark.parametrize(("loss", "count"), [(1.5, 1), (1.49, 0)])
def test_one_large_step_and_a_loss_that_stays_above(loss, count):
    found = fed([record(1, layer(relative_step=3.0)), *(record(k, loss=loss) for k in range(2, 6))])
    assert [(f.facts["way"], f.facts["relative_step"], f.facts["at"]) for f in found] == [
        ("risen", 3.0, 1)
    ] * count


@pytest.mark.parametrize(("relative", "count"), [(0.5, 1), (0.4, 0)])
def test_numbers_that_break_after_a_large_step(relative, count):
    found = fed([record(1, layer(relative_step=relative)), record(2, loss=math.nan)])
    assert named(found) == [("not_finite", "", 2, 2), ("learning_rate", "", 1, 2)][: 1 + count]


# numbers that are not finite


def test_where_the_first_number_broke():
    bad = layer("1", weight=math.nan, nonfinite="gradient")
    causes = {
        "weights": (layer("0"), bad),
        "inputs": (layer("0", nonfinite="output"), layer("1", nonfinite="output")),
        "inside": (layer("0"), layer("1", nonfinite="output")),
        "gradient": (layer("0", nonfinite="gradient"), layer("1")),
    }
    for cause, layers in causes.items():
        found = fed([record(1, layer("0"), layer("1")), record(2, *layers)])
        assert [(f.rule, f.facts["cause"], f.facts["before"]) for f in found] == [
            ("not_finite", cause, 1)
        ]
    again = [record(k, layer(str(k), nonfinite="output")) for k in (1, 2, 3)]
    assert named(fed(again)) == [("not_finite", "1", 1, 1)]
    assert fed([record(1, loss=math.inf)])[0].facts == {"cause": "loss", "loss": "inf"}


def test_an_infinite_gradient_that_the_scaler_skipped_is_no_fault():
    layers = (layer(nonfinite="gradient", gradient=math.inf),)
    assert fed([record(1, *layers, skipped=True)]) == []
    assert named(fed([record(1, *layers)])) == [("not_finite", "0", 1, 1)]


# through the depth


def chain(name, values, kinds=None):
    kinds = kinds or ["Linear"] * len(values)
    return [layer(str(k), kind, **{name: v}) for k, (v, kind) in enumerate(zip(values, kinds))]


@pytest.mark.parametrize(
    ("values", "way"),
    [
        ([1, 4.4, 20], "exploding"),  # 20 over two gaps: 4.47 a gap
        ([1, 4.4, 19.9], None),
        ([1, 1.4, 30], None),  # one gap of less than 1.5
        ([1, 2.5, 6.3, 15.7, 39], None),  # 2.5 a gap: not fast, and not 1,000
        ([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024], "exploding"),
        ([1.5**k for k in range(19)], "exploding"),
        ([0.5**k for k in range(11)], "vanishing"),  # to 0.00098
        ([0.5**k for k in range(10)], None),
        ([1, 0.1, 0.01], "vanishing"),
        ([1, 0.1, 0.011], None),
        ([1, 0.4, 0.0], None),
        ([1, 100], None),
    ],
)
def test_signals_on_the_first_watched_step(values, way):
    found = fed([record(1, *chain("activation_deviation", values))])
    last = str(len(values) - 1)
    assert named(found) == ([("initialisation", last, 1, 1)] if way else [])
    assert not found or found[0].facts["way"] == way
    back = fed([record(1, *chain("delta", values[::-1]))])
    assert named(back) == ([("initialisation", "0", 1, 1)] if way else [])
    assert not back or back[0].facts["what"] == "deltas"


def test_a_norm_between_ends_a_run():
    values, kinds = [1, 10, 100, 1000], ["Linear", "LayerNorm", "Linear", "Linear"]
    assert fed([record(1, *chain("activation_deviation", values, kinds))]) == []


def test_what_comes_to_explode_or_vanish_and_stays():
    fine, bad = [1, 1, 1], [1, 31, 1001]
    for way, values in (("exploding", bad), ("vanishing", [1 / v for v in bad])):
        steps = [record(1, *chain("activation_deviation", fine))]
        steps += [record(k, *chain("activation_deviation", values)) for k in range(2, 7)]
        assert fed(steps[:5]) == []
        assert named(fed(steps)) == [(way, "2", 2, 6)]


def test_neurons_that_are_all_alike():
    def step(k, spread):
        sizes = np.array([1.0, 1.0, 1.0, 1.0 + spread])
        rows = [NeuronRecord("0", gradient=sizes), NeuronRecord("1", gradient=sizes)]
        return record(k, layer("0"), layer("1"), neurons=rows)

    assert named(fed([step(1, 9e-7), step(2, 9e-7)])) == [("initialisation", "0", 1, 2)]
    assert fed([step(1, 9e-7), step(2, 2e-6), step(3, 0)]) == []
    assert fed([step(1, 2e-6), step(2, 0), step(3, 0)]) == []


# neurons


def silent(step, shares, sample=64, **facts):
    shares = np.array(shares, dtype=float)
    dead = float(np.mean(shares == 1))
    at = layer("0", dead=dead, sample=sample, activation="relu", **facts)
    return record(step, at, layer("1"), neurons=[NeuronRecord("0", silent=shares)])


@pytest.mark.parametrize(("dead", "count"), [(2, 1), (1, 0)])
def test_silent_neurons(dead, count):
    """2 of 5 are 40 %."""
    steps = range(1, 61, 10)
    shares = [1.0] * dead + [0.9] * (5 - dead)
    found = fed([silent(k, shares) for k in (*steps, 61, 71)])
    assert named(found) == [("dead_neurons", "0", 1, 71)] * count
    assert not found or (found[0].facts["count"], found[0].facts["cause"]) == (2, "start")


def test_too_few_rows_or_steps_say_nothing_yet():
    assert fed(silent(k, [1, 1], sample=1) for k in range(1, 200)) == []
    assert fed(silent(k, [1, 1]) for k in range(1, 51)) == []
    few = [silent(k, [1, 1], sample=32) for k in range(1, 81, 10)]
    assert fed(few[:7]) == []
    assert named(fed(few)) == [("dead_neurons", "0", 1, 71)]  # 256 rows
    assert named(fed(silent(k, [1, 1]) for k in range(1, 62))) == [("dead_neurons", "0", 1, 60)]


def test_a_neuron_that_wakes_begins_anew():
    steps = [silent(k, [1, 1, 0.5 if k == 31 else 1, 0]) for k in range(1, 201, 10)]
    found = fed(steps)
    assert named(found) == [("dead_neurons", "0", 1, 71)] and found[0].facts["count"] == 2


def test_what_silenced_them():
    steps = [silent(k, [0, 0], bias_mean=0.1, bias_step=-0.001) for k in (1, 11, 21)]
    steps.append(silent(31, [0, 0], bias_mean=0.1, bias_step=-2.2, relative_step=3.1))
    steps += [
        silent(k, [1, 1], bias_mean=-2.1, bias_step=0.0, input_mean=-2.1)
        for k in range(41, 131, 10)
    ]
    found = fed(steps)
    assert named(found) == [("dead_neurons", "0", 41, 111)]
    assert told(found[0]).statement == (
        "0: 100 % of its neurons (2 of 2) have been silent on every watched batch since step 41; "
        "input mean -2.1: the bias went negative at step 31, after a step of 3.1 times the weight "
        "at step 31."
    )


@pytest.mark.parametrize(("flat", "count"), [(0.6, 1), (0.59, 0)])
def test_saturated_activations(flat, count):
    def step(k, share):
        return record(
            k, layer("0", flat=share, activation="tanh"), layer("1", flat=1.0, activation="tanh")
        )

    found = fed(step(k, flat) for k in range(1, 6))
    assert named(found) == [("saturated", "0", 1, 5)] * count
    later = fed([step(1, 0.0), *(step(k, flat) for k in range(2, 7))])
    assert [f.facts["from"] for f in later] == ["later"] * count


# what was left out


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"has_gradient": False, "gradient": None, "step": 0.0}, "no_gradient"),
        ({"gradient": 0.0, "step": 0.0}, "zero_gradient"),
        ({"step": 0.0}, "no_step"),
        ({"held": False, "has_gradient": False, "gradient": None, "step": None}, "not_held"),
        ({"frozen": True, "has_gradient": False, "gradient": None, "step": 0.0}, "off"),
        ({}, None),
    ],
)
def test_a_layer_that_stays_as_it_is(facts, reason):
    def steps(kind="Linear", last=5, **more):
        others = [layer(name, **more) for name in "ac"]
        return [
            record(k, others[0], layer("b", kind, **facts), others[1]) for k in range(1, last + 1)
        ]

    assert fed(steps(last=4)) == []
    found = fed(steps())
    assert named(found) == ([("frozen_layer", "b", 1, 5)] if reason else [])
    assert not found or found[0].facts["reason"] == reason
    meant = reason in ("not_held", "off")
    assert (
        len(fed(steps("Embedding")))
        == len(fed(steps("BatchNorm2d")))
        == (0 if meant or not reason else 1)
    )
    most = [record(k, *(layer(name, **facts) for name in "ab"), layer("c")) for k in range(1, 6)]
    assert len(fed(most)) == (0 if meant or not reason else 2)
    if reason == "zero_gradient":
        assert fed(steps(dead=1.0)) == []  # a layer that lets nothing through is told itself


def test_nothing_moves_where_no_step_is_made():
    assert fed(record(k, layer(step=0.0, relative_step=0.0)) for k in range(1, 9)) == []


def test_gradients_that_were_kept():
    both = [record(k, layer("0", kept=True), layer("1", kept=True)) for k in (1, 2)]
    assert fed(both[:1]) == []
    assert named(fed(both)) == [("zero_grad", "", 1, 2)]
    one = [record(k, layer("0"), layer("1", kept=True)) for k in (1, 2)]
    assert named(fed(one)) == [("zero_grad", "1", 1, 2)]


@pytest.mark.parametrize(
    ("lead", "loss", "count"), [(4.0, 0.05, 1), (3.9, 0.05, 0), (4.0, 0.06, 0)]
)
def test_a_leak(lead, loss, count):
    def step(k, most=3):
        at = layer(input_share=0.5, input_lead=lead, input_most=most)
        return record(k, at, loss=1.0 if k == 1 else loss)

    found = fed(step(k) for k in range(1, 8))
    assert named(found) == [("label_leak", "0", 1, 5)] * count
    assert fed(step(k, most=k % 2) for k in range(1, 30)) == []


# explosions in time


@pytest.mark.parametrize(
    ("facts", "way"),
    [
        ({"kind": "RNN", "gradient": 10.0}, "others"),
        ({"kind": "RNN", "gradient": 9.9}, None),
        ({"kind": "Linear", "gradient": 10.0}, None),
        ({"kind": "GRU", "activation_deviation": 100.0}, "outputs"),
        ({"kind": "Linear", "unrolled": 100.0}, "calls"),
        ({"kind": "Linear", "unrolled": 99.0}, None),
    ],
)
def test_a_recurrent_layer_that_explodes(facts, way):
    exploding = [record(k, layer("0", **facts), layer("1")) for k in range(1, 10)]
    found = fed(exploding[:1])
    assert [f.facts["way"] for f in found] == ([way] if way else [])
    later = [record(0, layer("0", kind=facts["kind"]), layer("1")), *exploding]
    assert fed(later[:8]) == []
    assert named(fed(later)) == ([("recurrence", "0", 1, 8)] if way else [])


@pytest.mark.parametrize(("size", "count"), [(10.0, 1), (9.9, 0)])
def test_gradients_that_jump(size, count):
    def step(k, gradient):
        return record(k, layer("0"), layer("1", gradient=gradient))

    steps = [step(1, 0.9), *(step(k, 0.1) for k in range(2, 50))]
    steps[20], steps[30] = step(21, size), step(31, size)
    assert named(fed(steps)) == [("gradient_spikes", "1", 21, 31)] * count
    early = [step(1, 1.1), *steps[1:]]
    assert fed(early) == []  # not 10 times the beginning


# what goes slowly


@pytest.mark.parametrize(("move", "count"), [(3.0, 1), (2.9, 0)])
def test_a_bias_that_drifts(move, count):
    def step(k, bias, activation="tanh"):
        at = layer(bias_mean=bias, activation_deviation=1.0, activation=activation)
        return record(k, at, layer("1"))

    def steps(**more):
        return [step(k, move * (k - 1) / 19, **more) for k in range(1, 21)]

    assert named(fed(steps())) == [("bias_drift", "0", 1, 20)] * count
    assert fed(steps(activation=None)) == []
    back = [step(k, 5 - move * (k - 1) / 19) for k in range(1, 21)]
    assert fed(back) == []  # what is left is less than what it moved by
    turned = steps()
    turned[10] = step(11, 0.0)
    assert fed(turned) == []


def noise_of(noise, loss, quiet):
    return [
        record(k, layer(noise=noise if n >= quiet else 0.0), loss=1.0 if n < 5 else loss)
        for n, k in enumerate(range(1, 1000, 10))
    ]


@pytest.mark.parametrize(
    ("noise", "loss", "quiet", "count"),
    [(10.0, 0.98, 0, 1), (math.inf, 1.0, 0, 1), (9.9, 1.0, 0, 0), (10.0, 0.97, 0, 0)],
)
def test_batches_that_disagree(noise, loss, quiet, count):
    found = fed(noise_of(noise, loss, quiet))
    assert [f.rule for f in found] == ["gradient_noise"] * count
