"""Pages of several training steps, and of an optimizer with numbers of its own."""

from __future__ import annotations

import csv
import math
import re
from functools import lru_cache
from pathlib import Path

import pytest

import miya
from miya.analysis.check.exact import table
from miya.analysis.check.world import World
from miya.core.step import take_step
from miya.read.page.read import read_text

HERE = Path(__file__).parent
PAGES = HERE / "pages"
STEPS = {
    "momentum_steps.txt": 3,
    "velocity.md": 2,
    "adam_steps.md": 2,
    "adam_state.html": 1,
    "rmsprop.txt": 2,
    "adagrad.md": 2,
    "two_epochs.md": 2,
    "layer_by_layer.md": 1,
    "example_a_step.txt": 2,
    "running_mean.md": 2,
    "nesterov.ipynb": 2,
    "adamw.md": 2,
}
with (HERE / "planted_steps.tsv").open(encoding="utf-8") as file:
    PLANTED = list(csv.DictReader(file, delimiter="\t"))
ONE = "x1 = 1, x2 = 2, y = 1, eta = 0.1\n\nw1 = 0.5, w2 = -0.4, b = 0.1\n\nsigmoid, E = 1/2 (a - y)^2\n\n"


@lru_cache(maxsize=32)
def clean(page):
    return miya.check(PAGES / page).marking


def checked(text, tmp_path, **options):
    path = tmp_path / "page.md"
    path.write_text(text, "utf-8")
    return miya.check(path, **options)


def places(marks):
    return [(m.step, str(m.of)) for m in marks]


@pytest.mark.parametrize("page", STEPS)
def test_each_number_belongs_to_its_step(page):
    made = clean(page)
    assert made.page.steps == STEPS[page] == max(m.step for m in made.marks)
    counts = [sum(m.step == k + 1 for m in made.marks) for k in range(STEPS[page])]
    assert min(counts) >= 9 and {m.verdict for m in made.marks} <= {"right", "rounding"}


def with_number(page, row):
    (mark, *_) = [
        m for m in clean(page).marks if (str(m.of), m.step) == (row["symbol"], int(row["step"]))
    ]
    lines = (PAGES / page).read_text("utf-8").split("\n")
    line = lines[mark.line - 1]
    found = list(re.finditer(rf"(?<![\d.]){re.escape(mark.stated.text)}(?!\d)", line))
    at = found[-1].start()
    lines[mark.line - 1] = line[:at] + row["number"] + line[at + len(mark.stated.text) :]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "row", PLANTED, ids=lambda r: f"{r['page']}-{r['step']}-{r['symbol']}-{r['kind']}"
)
def test_a_planted_mistake_is_named_in_its_step(row, tmp_path):
    path = tmp_path / row["page"]
    path.write_text(with_number(row["page"], row), "utf-8")
    made = miya.check(path).marking
    assert places(made.first_slips) == [(int(row["step"]), row["symbol"])]
    assert row["kind"] in made.first_slips[0].diagnosis
    assert made.page.steps == STEPS[row["page"]]


def test_the_second_step_follows_from_the_page_s_own_new_weights(tmp_path):
    row = {"step": "1", "symbol": "W1_new[0][0]", "number": "0.58361"}
    made = checked(with_number("momentum_steps.txt", row), tmp_path)
    assert places(made.marking.first_slips) == [(1, "W1_new[0][0]")]
    z = next(m for m in made.marking.marks if (m.step, str(m.of)) == (2, "z1[0]"))
    assert z.verdict == "rounding" and z.own == pytest.approx(-0.04834, abs=1e-4)
    z2 = with_number("momentum_steps.txt", row).replace("0.51361*1", "0.58361*1")
    z2 = z2.replace("= -0.11834", "= -0.04834")
    made = checked(z2, tmp_path)
    z = next(m for m in made.marking.marks if (m.step, str(m.of)) == (2, "z1[0]"))
    assert z.verdict == "follows" and z.own == pytest.approx(-0.04834, abs=1e-4)
    assert ("W1_new[0][0]", "0.58361", 1) in [
        (str(q), text, k) for (q, text), k in zip(z.inherited, z.inherited_in, strict=True)
    ]
    assert "follows from W1_new[0][0] (step 1) = 0.58361" in made.text()
    item = next(i for i in made.data()["items"] if i["step"] == 2 and i["symbol"] == "z1")
    assert {"symbol": "W1_new[0][0]", "stated": "0.58361", "step": 1} in item["inherited"]


def test_a_velocity_is_marked_by_the_page_s_own_velocity(tmp_path):
    row = {"step": "2", "symbol": "v_W1[0][0]", "number": "-0.13193"}
    made = checked(with_number("momentum_steps.txt", row), tmp_path).marking
    after = {(m.step, str(m.of)): m for m in made.marks}
    third = after[3, "v_W1[0][0]"]
    assert third.own == pytest.approx(0.9 * -0.13193 - 0.12282, abs=1e-4)
    assert third.exact == pytest.approx(-0.35179, abs=1e-5)


def test_what_is_open_is_named_with_its_counts():
    order, velocity, biases = (
        clean(page).conventions[0] for page in ("layer_by_layer.md", "velocity.md", "two_epochs.md")
    )
    assert (order.name, order.chosen) == ("order", "updated weights")
    assert (
        order.fits[order.chosen]
        == order.total
        > max(n for o, n in order.fits.items() if o != order.chosen)
    )
    assert (velocity.name, velocity.chosen) == ("velocity", "v = μ v - η g")
    assert len(velocity.fits) == 4 and velocity.fits[velocity.chosen] == velocity.total
    assert (biases.name, biases.chosen) == ("biases", "frozen")
    assert clean("running_mean.md").conventions[0].chosen == "v = μ v + (1 - μ) g"


def test_a_network_from_outside_leaves_the_order_open_too(tmp_path):
    net = {
        "learning_rate": 0.5,
        "loss": "squared_error",
        "layers": [
            {"weight": [[0.4, -0.6], [0.3, 0.7]], "bias": [0.1, -0.1], "activation": "sigmoid"},
            {"weight": [[0.9, -0.8]], "bias": [0.2], "activation": "sigmoid"},
        ],
        "examples": [{"input": [1.0, 0.5], "target": 0}],
    }
    text = (PAGES / "layer_by_layer.md").read_text("utf-8")
    made = checked(text, tmp_path, network=net).marking
    assert made.conventions[0].chosen == "updated weights" and not made.first_slips


PARTS = (
    "## Step 1: z\n\nz = -0.2\n\n## Step 2: a\n\na = 0.4502\n\n## Step 3: the loss\n\nE = 0.1512\n"
)


def test_numbered_parts_of_one_step_are_no_steps():
    page = read_text(ONE + PARTS)
    assert page.steps == 1 and {s.step for s in page.statements} == {1}


@pytest.mark.parametrize(
    "first, second",
    [
        ("Step 1", "Step 2"),
        ("## Iteration 1: start", "## Iteration 2: on"),
        ("**Epoch 1**", "**Epoch 2**"),
        ("First step", "The second training step"),
        ("Step one", "Step two"),
        ("", "Second iteration"),
        ("Training step #1", "Training step #2"),
        ("Round 3", "Round 4"),
    ],
)
def test_how_steps_are_headed(first, second):
    body = "z = -0.2\n\na = 0.45\n\nw1_new = 0.5136\n\n"
    page = read_text(f"{ONE}{first}\n\n{body}{second}\n\n{body}")
    assert (page.steps, [s.step for s in page.statements]) == (2, [1, 1, 1, 2, 2, 2])


def test_prose_that_mentions_a_step_begins_none():
    body = "z = -0.2\n\na = 0.45\n\n"
    assert read_text(f"{ONE}{body}In step 2 we see it again.\n\n{body}").steps == 1


def stated(line):
    head = ONE + "Adam, beta1 = 0.9, beta2 = 0.999\n\nz = -0.2\n\n"
    return [(str(s.of), s.stated.text) for s in read_text(head + line).statements[1:]]


@pytest.mark.parametrize(
    "line, name",
    [
        ("m_w1 = 0.9*0 + 0.1*0.2 = 0.02", "m_W1[0][0]"),
        (r"$\hat{m}_{w_1} = 0.02$", "m_hat_W1[0][0]"),
        ("m̂_w2 = 0.02", "m_hat_W1[0][1]"),
        ("v_hat_b = 0.02", "v_hat_b1[0]"),
        ("v(w1) = 0.02", "v_W1[0][0]"),
        (r"$v^{(w_2)} = 0.02$", "v_W1[0][1]"),
        ("For w2:\n\nm = 0.02", "m_W1[0][1]"),
        ("- **b**: v = 0.02", "v_b1[0]"),
        ("dE/dw2 = 0.02\n\nm = 0.02", "m_W1[0][1]"),
        ("first moment of w1 = 0.02", "m_W1[0][0]"),
        ("| weight | m |\n|---|---|\n| w2 | 0.02 |", "m_W1[0][1]"),
        (r"$\Delta w_1 = 0.02$", "ΔW1[0][0]"),
        ("g_w1 = 0.02", "∂C/∂W1[0][0]"),
        ("v_before_w1 = 0.02", "v_before_W1[0][0]"),
    ],
)
def test_how_an_optimizer_s_numbers_are_named(line, name):
    if "before" in name:
        page = read_text(ONE + "Adam\n\n" + line + "\n\nz = -0.2")
        assert [str(q) for q in page.data[1]] == [name]
        return
    assert (name, "0.02") in stated(line)


def test_what_a_page_starts_from():
    head = ONE + "Adam\n\nt = 3, m_w1 = 0.01, v_w1 = 0.02\n\n"
    page = read_text(head + "z = -0.2\n\nm_w1 = 0.9*0.01 + 0.1*(-0.13609) = -0.004609")
    assert page.first == 3
    assert {str(q): v for q, v in page.data[1].items()} == {
        "m_before_W1[0][0]": 0.01,
        "v_before_W1[0][0]": 0.02,
    }
    assert [str(s.of) for s in page.statements] == ["z1[0]", "m_W1[0][0]"]


def test_a_step_without_what_came_before_says_so():
    page = read_text(ONE + "Adam\n\nt = 3\n\nz = -0.2")
    assert page.first == 3 and "assumed_state" in [n.key for n in page.assumed]


def test_without_an_optimizer_v_stays_a_weight():
    text = (PAGES / "one_by_one.md").read_text("utf-8")
    assert not any("_W" in s.of.head for s in read_text(text).statements if s.of)


OPTIMIZERS = (
    {"name": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    {"name": "adam", "amsgrad": True},
    {"name": "adamw"},
    {"name": "rmsprop", "centered": True, "momentum": 0.5},
    {"name": "adagrad", "lr_decay": 0.1},
)


@pytest.mark.parametrize("use", OPTIMIZERS, ids=lambda o: o["name"])
def test_every_number_of_a_run_follows_by_its_formula(use):
    """What a page's numbers give is worked out anew: without any it must give the trace."""
    net = {
        "learning_rate": 0.1,
        "loss": "squared_error",
        "optimizer": use,
        "layers": [
            {"weight": [[0.4, -0.6], [0.3, 0.7]], "bias": [0.1, -0.1], "activation": "tanh"},
            {"weight": [[0.9, -0.8]], "bias": [0.2], "activation": "sigmoid"},
        ],
        "examples": [{"input": [1.0, 0.5], "target": 0}],
    }
    network, state, world = miya.load(net), None, None
    for number in (1, 2, 3):
        trace = take_step(network, number=number, state=state)
        world = World(trace.network, previous=world)
        for of, value in table(trace).items():
            assert math.isclose(world.get(of), value, rel_tol=1e-9, abs_tol=1e-15), (number, of)
        network = trace.after
        state = {name: update.state for name, update in trace.updates.items()}
