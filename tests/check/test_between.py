"""What a story works out in lines of its own is on the template, and is marked like the rest."""

from __future__ import annotations

import csv
import io
import math
import time

import pytest

import miya
from miya.analysis.check.exact import table
from miya.analysis.check.world import World
from miya.api import answer_sheet
from miya.core.activations import KINDS as ACTIVATIONS
from miya.core.losses import KINDS as LOSSES
from miya.core.step import take_step
from miya.story.symbols import plain_symbol
from miya.story.teller import Teller
from miya.story.worked import PARTS, calculations

LAST = {
    "cross_entropy": "identity",
    "binary_cross_entropy_with_logits": "identity",
    "binary_cross_entropy": "sigmoid",
}
USES = (
    "sgd",
    {"name": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "maximize": True},
    {"name": "adam", "amsgrad": True},
    "adamw",
    {"name": "rmsprop", "centered": True, "momentum": 0.5},
    "adagrad",
)


def network(activation="sigmoid", loss="squared_error", use="sgd", examples=2):
    hidden = "tanh" if activation == "softmax" else activation
    rows = [([1, 2], [1, 0]), ([0.5, -1], [0, 1])][:examples]
    return {
        "learning_rate": 0.1,
        "loss": loss,
        "optimizer": use,
        "layers": [
            {"weight": [[0.1, 0.2], [0.3, -0.4]], "bias": [0.1, 0.2], "activation": hidden},
            {
                "weight": [[0.5, 0.2], [0.3, -0.4]],
                "bias": [0.1, 0.2],
                "activation": LAST.get(loss, activation),
            },
        ],
        "examples": [
            {"input": x, "target": y.index(1) if loss == "cross_entropy" else y} for x, y in rows
        ],
    }


NETWORKS = {
    **{f"{name}-{n}": network(name, examples=n) for name in ACTIVATIONS for n in (1, 2)},
    **{f"{name}-{n}": network(loss=name, examples=n) for name in LOSSES for n in (1, 2)},
    **{f"use-{k}": network(use=use) for k, use in enumerate(USES)},
}
everywhere = pytest.mark.parametrize("name", NETWORKS)


@everywhere
def test_every_number_follows_by_its_formula(name):
    net = miya.load(NETWORKS[name])
    world = World(net)
    for of, value in table(take_step(net)).items():
        for way in world.ways(of):
            assert math.isclose(way, value, rel_tol=1e-8, abs_tol=1e-12), str(of)


def filled(name, tmp_path, **changed):
    teller = Teller(take_step(miya.load(NETWORKS[name])), "en", 6, False)
    told = {
        plain_symbol(c.symbol): c.closed.result
        for p in PARTS
        for c in calculations(list(p(teller)))
    }
    asked = [r[0] for r in csv.reader(io.StringIO(answer_sheet(NETWORKS[name])))][1:]
    assert asked == list(told)
    path = tmp_path / "sheet.csv"
    rows = [f"{s},{changed.get(s, told[s])}\n" for s in asked]
    path.write_text("symbol,value\n" + "".join(rows), "utf-8")
    return told, miya.check(path, network=NETWORKS[name])


@everywhere
def test_a_template_has_every_line_of_the_story_and_all_of_it_is_marked(name, tmp_path):
    told, made = filled(name, tmp_path)
    assert [str(m.of) for m in made.marking.marks] == list(told)
    assert not made.marking.page.unread
    assert {m.verdict for m in made.marking.marks} <= {"right", "rounding"}


@pytest.mark.parametrize(
    "name, symbol, number, follows",
    [
        ("cross_entropy-2", "L[0]", "1.2345", "l[0][0]"),
        ("cross_entropy-2", "p[1][0]", "0.9", "∂C/∂a2[1][0]"),
        ("squared_error-2", "l[0][0]", "0.5", "C_each[0]"),
        ("squared_error-2", "C_each[1]", "0.5", "C"),
        ("softmax-2", "m2[0]", "0.5", "δ2[0][0]"),
        ("gelu-1", "cdf1[0]", "0.9", "a1[0]"),
        ("silu-1", "s1[1]", "0.9", "a1[1]"),
        ("use-2", "m_W1[0][0]", "0.5", "m_hat_W1[0][0]"),
        ("use-4", "s_b2[1]", "0.5", "v_b2[1]"),
    ],
)
def test_a_slip_in_such_a_line_is_named_and_carried_on(name, symbol, number, follows, tmp_path):
    _, made = filled(name, tmp_path, **{symbol: number})
    slips = [str(m.of) for m in made.marking.first_slips]
    assert slips == [symbol]
    marks = {str(m.of): m for m in made.marking.marks}
    after = marks[follows]
    assert after.own != pytest.approx(after.exact, rel=1e-3)
    assert after.verdict == "not_carried"


def test_a_log_sum_may_be_called_so(tmp_path):
    path = tmp_path / "sheet.csv"
    path.write_text("log_sum[0],1.0\nl[0][0],0.9\n", "utf-8")
    marks = miya.check(path, network=NETWORKS["cross_entropy-2"]).marking.marks
    assert [str(m.of) for m in marks] == ["L[0]", "l[0][0]"]


def test_a_template_of_a_large_network_takes_no_time():
    rows = [[0.01 * (i + j) for j in range(60)] for i in range(100)]
    net = {
        "learning_rate": 0.1,
        "loss": "squared_error",
        "layers": [
            {"weight": rows, "bias": [0.0] * 100, "activation": "tanh"},
            {"weight": [[0.01] * 100], "bias": [0.0], "activation": "identity"},
        ],
        "examples": [{"input": [0.1] * 60, "target": [1]}],
    }
    start = time.perf_counter()
    sheet = answer_sheet(net)
    assert time.perf_counter() - start < 5 and 20 < sheet.count("\n") < 500
