"""Each rule at the edge of its limits, on records of trainings that never were."""

import math
import pickle

import numpy as np
import pytest
from documents import ROOT

from miya.story.words import languages
from miya.watching.records import Finding, LayerRecord, NeuronRecord, StepRecord
from miya.watching.rules import APART, EARLY, MOST, RULES, Rules
from miya.watching.words import told

SOUND = {"gradient": 0.1, "weight": 1.0, "step": 0.001, "relative_step": 0.001}


def layer(name="0", kind="Linear", **facts):
    return LayerRecord(name, kind, **{**SOUND, **facts})


def record(step, *layers, loss=1.0, predicted=-1e-3, neurons=(), **more):
    facts = {"seconds": 0.0, "real": None, "examples": 8, "skipped": False, **more}
    found = layers or (layer(),)
    return StepRecord(
        step=step, loss=loss, predicted=predicted, layers=found, neurons=tuple(neurons), **facts
    )


def fed(records, rules=None):
    rules = rules or Rules()
    return [f for r in records for f in rules.feed(r)]


def named(found):
    return [(f.rule, f.layer, f.since, f.step) for f in found]


def limits(name):
    return next(rule.limits for rule in RULES if rule.name == name)


# the learning rate


@pytest.mark.parametrize(
    ("promise", "loss", "count"), [(0.5, 1.0, 1), (0.499, 1.0, 0), (0.5, 0.99, 0)]
)
def test_steps_that_promise_much_and_bring_nothing(promise, loss, count):
    first = record(1, predicted=-promise)
    rest = [record(k, loss=loss, predicted=-promise * loss) for k in range(2, 6)]
    found = fed([first, *rest])
    assert named(found) == [("learning_rate", "", 1, 5)] * count
    assert not found or found[0].facts["way"] == "start_promise"


@pytest.mark.parametrize(("relative", "count"), [(0.5, 1), (0.49, 0)])
def test_steps_as_large_as_the_weights(relative, count):
    """The loss falls, or is not told: the steps alone say it."""
    steps = [record(k, layer(relative_step=relative), loss=None) for k in range(1, 5)]
    assert fed(steps) == []
    found = fed([*steps, record(5)])
    assert named(found) == [("learning_rate", "", 1, 5)] * count
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


# all together


def test_each_is_told_once_and_many_at_once_are_counted():
    layers = [layer(str(k), kept=True, gradient=0.0, step=0.0) for k in range(8)]
    steps = [record(k, layer("a"), *layers) for k in range(1, 30)]
    found = [f for f in fed(steps) if f.rule == "frozen_layer"]
    assert len(found) == MOST and [f.facts.get("more") for f in found] == [None] * 4 + [3]
    assert told(found[-1]).statement.endswith("It is so in 3 more layers.")


def test_later_steps_are_looked_at_some_apart():
    rules, looked = Rules(), []
    finder = next(f for r, f in rules.finders if r.name == "saturated")
    feed, finder.feed = finder.feed, lambda r: looked.append(r.step) or feed(r)
    fed([record(k) for k in range(1, 100)], rules)
    assert looked == [*range(1, EARLY + 1), *range(EARLY + APART, 100, APART)]


def test_memory_does_not_grow():
    rules, pick = Rules(), np.random.default_rng(0)

    def step(k):
        at = layer("0", dead=0.5, sample=64, activation="relu", bias_mean=k * 1e-9)
        at = LayerRecord(**{**vars(at), "activation_deviation": 1.0, "noise": 1.0, "delta": 1.0})
        rows = [NeuronRecord("0", silent=(pick.random(64) < 0.6).astype(float))]
        return record(k, at, layer("1", "RNN"), loss=float(pick.random()), neurons=rows)

    sizes = []
    for until in (1_000, 3_000):
        fed((step(k) for k in range(until - 999, until)), rules)
        sizes.append(len(pickle.dumps([vars(f) for _, f in rules.finders])))
    assert sizes[1] < 1.05 * sizes[0]


# in words


@pytest.mark.parametrize("language", languages())
def test_a_rule_without_words_is_told_in_general_ones(language):
    said = told(Finding("unheard_of", "fc1", 7, 3, {"size": 2.0}), language)
    assert "fc1" in said.statement and said.remedy == ""


def test_every_rule_is_documented_with_its_source_and_limits():
    page = (ROOT / "docs/watching.md").read_text("utf-8")
    for rule in RULES:
        row = next(line for line in page.splitlines() if line.startswith(f"| `{rule.name}`"))
        assert rule.source in row
        for value in rule.limits.values():
            assert shown(value) in row, (rule.name, value)


def shown(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"
