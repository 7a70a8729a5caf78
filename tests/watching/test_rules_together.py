"""All rules: what they tell once, what they remember, that nothing upsets them, their words."""

import math
import pickle
import random
from dataclasses import fields
from string import Formatter

import numpy as np
import pytest
from documents import ROOT
from watching.simple_records import fed, layer, record

from miya.story.words import languages, load
from miya.watching.records import Finding, LayerRecord, NeuronRecord, StepRecord
from miya.watching.rules import APART, EARLY, MOST, RULES, Rules
from miya.watching.words import told


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


ODD = [None, 0.0, 1e-320, 1e-3, 1.0, 1e3, 1e308, math.inf, -math.inf, math.nan]


def odd_record(step, pick):
    """Any numbers at all, of layers of any kind."""

    def numbers(kind):
        names = [f.name for f in fields(kind) if f.type == "float | None"]
        return {name: pick.choice(ODD) for name in names}

    layers = [
        LayerRecord(
            str(k),
            pick.choice(["Linear", "Conv2d", "LSTM", "LayerNorm", "Embedding"]),
            **numbers(LayerRecord),
            activation=pick.choice([None, "tanh"]),
            input_most=pick.choice([None, 0, 3]),
            kept=pick.random() < 0.5,
            frozen=pick.random() < 0.2,
            nonfinite="output" if pick.random() < 0.01 else "",
        )
        for k in range(6)
    ]
    rows = [NeuronRecord(str(k), silent=np.ones(4), gradient=np.ones(4)) for k in range(6)]
    more = {name: pick.choice(ODD) for name in ("predicted", "real")}
    more["loss"] = pick.choice(ODD[:7] if pick.random() < 0.95 else ODD)
    skipped = pick.random() < 0.2
    return StepRecord(
        step, 0.0, examples=4, skipped=skipped, layers=tuple(layers), neurons=tuple(rows), **more
    )


@pytest.mark.parametrize("seed", range(8))
def test_no_numbers_are_too_odd(seed):
    """Whatever is measured, the rules raise nothing, and all that they find can be told."""
    pick, rules = random.Random(seed), Rules()
    for k in range(1, 80):
        for finding in rules.feed(odd_record(k, pick)):
            assert all(told(finding, language).remedy for language in languages())


# in words


VARIANTS = {
    "not_finite": [{"cause": c} for c in ("weights", "inputs", "inside", "gradient", "loss")],
    "learning_rate": [
        {"way": w}
        for w in ("start", "risen", "same_batch", "weights", "broke_promise", "broke_steps")
    ],
    "initialisation": [
        *(
            {"what": a, "way": b}
            for a in ("activations", "deltas")
            for b in ("exploding", "vanishing")
        ),
        {"what": "neurons", "way": "alike"},
    ],
    "exploding": [{"what": "activations"}, {"what": "deltas"}],
    "vanishing": [{"what": "activations"}, {"what": "deltas"}],
    "dead_neurons": [{"cause": c} for c in ("bias", "step", "start", "unknown")],
    "saturated": [{"from": "start"}, {"from": "later"}],
    "frozen_layer": [
        {"reason": r} for r in ("no_gradient", "zero_gradient", "no_step", "not_held", "off")
    ],
    "zero_grad": [{}],
    "label_leak": [{}],
    "recurrence": [{"way": w} for w in ("others", "outputs", "calls")],
    "gradient_spikes": [{}],
    "bias_drift": [{}],
    "gradient_noise": [{}],
}


class Any(dict):
    """Facts of which every one is there."""

    def __missing__(self, name):
        return 0.5

    def items(self):
        return [(name, self.get(name, 0.5)) for name in {*self, *FACTS}]


FACTS = {
    name for t in load("en")["watch"].values() for _, name, _, _ in Formatter().parse(t) if name
}


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("rule", [rule.name for rule in RULES])
def test_every_finding_has_words_and_a_remedy(rule, language):
    said = {told(Finding(rule, "fc1", 7, 3, Any(facts)), language) for facts in VARIANTS[rule]}
    assert len(said) == len(VARIANTS[rule])
    assert all(s.remedy and "{" not in s.statement + s.remedy for s in said)


def test_no_words_are_left_over():
    """Every text of the section belongs to a finding, or to all."""
    keys = {"model", "gap", "since", "more", "not_finite_if_before"}
    for rule, variants in VARIANTS.items():
        for facts in variants:
            key = "_".join([rule, *facts.values()])
            keys |= {key, f"{key}_remedy", f"{rule}_remedy"}
    assert set(load("en")["watch"]) <= keys


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
