"""What a page's arithmetic says without its names: factors, layers, the network itself."""

from __future__ import annotations

import math

import numpy as np
import pytest

import miya
from miya.analysis.check.agree import Explained, Telling
from miya.analysis.check.factors import meant, worked
from miya.analysis.check.guess import guess
from miya.analysis.check.world import World
from miya.core.build import network
from miya.core.page import Figure
from miya.core.written import Quantity
from miya.read.page.read import read_text


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


X, Y, RATE = (0.6, -0.4), 0.8, 0.5
W1, B1, W2, B2 = ((0.3, -0.7), (0.5, 0.2)), (0.1, -0.3), (0.9, -0.55), 0.25
NET = {
    "learning_rate": RATE,
    "loss": "half_squared_error",
    "layers": [
        {"weight": [list(r) for r in W1], "bias": list(B1), "activation": "sigmoid"},
        {"weight": [list(W2)], "bias": [B2], "activation": "sigmoid"},
    ],
    "examples": [{"input": list(X), "target": [Y]}],
}
TOLD = [
    Quantity("z", 1, (0,)), Quantity("z", 1, (1,)), Quantity("z", 2, (0,)),
    Quantity("∂C/∂W", 1, (0, 0)), Quantity("∂C/∂W", 1, (0, 1)), Quantity("W_new", 1, (0, 0)),
    Quantity("C"), Quantity("∂C/∂a", 2, (0,)), Quantity("σ'", 1, (0,)), Quantity("δ", 1, (0,)),
]  # fmt: skip


def said(line):
    """What a line's factors say that it works out."""
    (statement,) = read_text(line).statements
    made = worked(statement)
    return [str(m.of) for m in meant(made, World(network(NET)), TOLD)] if made else None


@pytest.mark.parametrize(
    ("line", "of"),
    [
        ("q = 0.3*0.6 + (-0.7)*(-0.4) + 0.1 = 0.56", ["z1[0]"]),
        ("q = 0.5*0.6 + 0.2*(-0.4) - 0.3 = 9.99", ["z1[1]"]),  # whatever it gives
        ("q = 0.5*0.6 + 0.2*(-0.4) = 0.22", ["z1[1]"]),  # the bias left out
        ("q = 0.2*(-0.4) - 0.3 = -0.38", ["z1[1]"]),  # a term left out
        ("q = 0.5*(-0.4) + 0.2*0.6 - 0.3 = -0.38", ["z1[1]"]),  # the inputs exchanged
        ("q = 0.3 + 0.5*0.12 = 0.36", None),
    ],
)
def test_the_factors_of_a_line_say_what_it_works_out(line, of):
    found = said(line)
    assert found == of if of else "z1[0]" not in found


def test_a_factor_that_is_another_number_is_named():
    net = network(NET)
    a = sigmoid(0.56)
    (statement,) = read_text(f"q = 0.9*{a:.5f} + (-0.55)*0.7777 + 0.25 = 0.3971").statements
    (found,) = meant(worked(statement), World(net), TOLD)
    assert (str(found.of), found.other) == ("z2[0]", (Quantity("a", 1, (1,)), 0.7777))


def test_figures_have_their_signs_and_say_what_is_arithmetic():
    page = read_text("x_1 = -0.5, then 0.25 - 0.5 = (-0.25)*1.0 and [0, -1]; w_2 is 0.7")
    made = [(f.value, f.free) for f in page.figures]
    assert made == [(-0.5, True), (0.25, False), (0.5, False), (-0.25, False), (1.0, False),
                    (0.0, True), (-1.0, True), (0.7, True)]  # fmt: skip


def numbers(changed=None):
    """A page without one word: what is given, and all that is worked out, slips followed."""
    put = dict([changed] if changed else [])
    out = []

    def say(name, value):
        value = put.get(name, round(value, 5))
        out.append(f"{value:.5f}")
        return value

    z = [say(f"z{i}", sum(w * x for w, x in zip(W1[i], X, strict=True)) + B1[i]) for i in (0, 1)]
    a = [say(f"a{i}", sigmoid(z[i])) for i in (0, 1)]
    o = say("o", sigmoid(say("zo", sum(w * v for w, v in zip(W2, a, strict=True)) + B2)))
    say("C", (o - Y) ** 2 / 2)
    d = say("d", say("g", o - Y) * say("s", o * (1 - o)))
    for i in (0, 1):
        di = say(f"d{i}", say(f"g{i}", W2[i] * d) * say(f"s{i}", a[i] * (1 - a[i])))
        for j in (0, 1):
            say(f"n{i}{j}", W1[i][j] - RATE * say(f"G{i}{j}", di * X[j]))
    rows = [(*X, Y), *((*W1[i], B1[i]) for i in (0, 1)), (*W2, B2)]
    return "\n\n".join(["rate 0.5", *("; ".join(map(str, r)) for r in rows), *out])


@pytest.mark.parametrize(
    "slip", [None, ("z1", 0.31), ("a0", 0.6), ("zo", 0.5), ("d", -0.04), ("n01", -0.69)]
)
def test_the_network_is_found_by_what_its_numbers_give(slip):
    found = guess(read_text(numbers(slip)))
    assert found is not None
    first, second = found.network.layers
    np.testing.assert_array_equal(first.weight, W1)
    np.testing.assert_array_equal(first.bias, B1)
    np.testing.assert_array_equal(second.weight, [W2])
    assert found.network.inputs.tolist() == [list(X)] and found.network.targets.tolist() == [[Y]]
    assert found.network.learning_rate == RATE


def test_numbers_of_no_network_give_none():
    text = (
        numbers().replace("0.9; -0.55; 0.25", "0.8; -0.35; 0.15").replace("0.3; -0.7", "0.4; 0.7")
    )
    assert guess(read_text(text)) is None


def test_what_is_explained_counts_against_slips_taken_for_granted():
    values = [float(t) for t in numbers(("z1", 0.31)).split("\n\n")[6:]]
    sizes = Telling([Figure(v, 1e-5, f"{v:.5f}", 1, True) for v in values], sizes=True)
    made = Explained(network(NET), sizes)
    assert made.slips == 1 and made.score == len(sizes.values) - 2
    assert made.world.values[Quantity("z", 1, (1,))] == 0.31


WORDS = """Stimuli 0.6 and -0.4, goal 0.8, rate 0.5, sigmoid cells, E = 1/2 (goal - glow)^2.

Cell 1: 0.3, -0.7, offset 0.1. Cell 2: 0.5, 0.2, offset -0.3. Last cell: 0.9, -0.55, offset 0.25.

Arousal of cell 1: 0.3*0.6 + (-0.7)*(-0.4) + 0.1 = 0.56000, glow of cell 1: {a0:.5f}

Arousal of cell 2: {work} = {z1:.5f}, glow of cell 2: {a1:.5f}

Last arousal: 0.9*{a0:.5f} + (-0.55)*{a1:.5f} + 0.25 = {zo:.5f}, last glow: {o:.5f}

Last fault: {g:.5f}*{s:.5f} = {d:.5f}
"""


def worded(work, z1):
    a = [round(sigmoid(0.56), 5), round(sigmoid(z1), 5)]
    zo = round(0.9 * a[0] - 0.55 * a[1] + 0.25, 5)
    o = round(sigmoid(zo), 5)
    g, s = round(o - Y, 5), round(o * (1 - o), 5)
    return WORDS.format(work=work, z1=z1, a0=a[0], a1=a[1], zo=zo, o=o, g=g, s=s, d=round(g * s, 5))


def test_a_slip_is_placed_by_its_lines_factors_alone(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(worded("0.5*(-0.4) + 0.2*0.6 - 0.3", -0.38), "utf-8")
    made = miya.check(path).marking
    (slip,) = made.first_slips
    assert (str(slip.of), slip.stated.text) == ("z1[1]", "-0.38000")
    assert "wrong_index" in slip.diagnosis
    path.write_text(worded("0.5*0.6 + 0.2*(-0.4) - 0.3", -0.08), "utf-8")
    assert not miya.check(path).marking.first_slips


def test_a_whole_number_that_a_letter_counts_is_no_slip(tmp_path):
    path = tmp_path / "page.md"
    a = sigmoid(0.56), sigmoid(-0.08)
    o = sigmoid(0.9 * a[0] - 0.55 * a[1] + 0.25)
    path.write_text(
        "hidden: sigmoid, output: sigmoid, E = 1/2 (y - t)^2, learning rate 0.5\n\n"
        "W1 = [[0.3, -0.7], [0.5, 0.2]], b1 = [0.1, -0.3], W2 = [[0.9, -0.55]], b2 = [0.25]\n\n"
        f"x = [0.6, -0.4], target = [0.8]\n\nThe last one is E = 3.\n\nE = {(o - Y) ** 2 / 2:.5f}\n",
        "utf-8",
    )
    assert not miya.check(path).marking.first_slips
