"""Numbers that no name binds, bound by what agrees: labels, and networks, that nobody has met."""

from __future__ import annotations

import math

import pytest

import miya
from miya.read.page.console import consoles
from miya.read.page.frames import framed
from miya.read.page.session import worked_behind


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


X, Y, RATE = (0.6, -0.4), 0.8, 0.5
W1, B1, W2, B2 = ((0.3, -0.7), (0.5, 0.2)), (0.1, -0.3), (0.9, -0.55), 0.25


def page(changed=None, given="names"):
    """A page in words of its own; changed: (label, number) that is put in its place, with all
    that follows from it."""
    put = dict([changed]) if changed else {}
    lines = []

    def said(label, value):
        value = put.get(label, round(value, 5))
        lines.append(f"The {label} amounts to {value:.5f}.")
        return value

    if given == "names":
        lines += [
            "hidden: sigmoid, output: sigmoid, E = 1/2 (y - t)^2, learning rate 0.5",
            f"x = [{X[0]}, {X[1]}], target = [{Y}]",
            f"W1 = [[{W1[0][0]}, {W1[0][1]}], [{W1[1][0]}, {W1[1][1]}]], b1 = [{B1[0]}, {B1[1]}]",
            f"W2 = [[{W2[0]}, {W2[1]}]], b2 = [{B2}]",
        ]
    else:
        lines += [
            "All cells are sigmoid; E = 1/2 (y - t)^2; learning rate 0.5.",
            f"Stimulus one {X[0]:g}, stimulus two {X[1]:g}; wanted {Y:g}.",
            *(
                f"Cell {i + 1}: synapse one {W1[i][0]:g}, synapse two {W1[i][1]:g}, offset {B1[i]:g}."
                for i in (0, 1)
            ),
            f"Last cell: synapse one {W2[0]:g}, synapse two {W2[1]:g}, offset {B2:g}.",
        ]
    z = [said(f"arousal of cell {i + 1}", sum(w * x for w, x in zip(W1[i], X, strict=True)) + B1[i]) for i in (0, 1)]  # fmt: skip
    a = [said(f"glow of cell {i + 1}", sigmoid(z[i])) for i in (0, 1)]
    z2 = said("last arousal", sum(w * v for w, v in zip(W2, a, strict=True)) + B2)
    a2 = said("last glow", sigmoid(z2))
    g = said("last reproach", a2 - Y)
    s = said("last bend", a2 * (1 - a2))
    d = said("last fault", g * s)
    for i in (0, 1):
        gi = said(f"reproach of cell {i + 1}", W2[i] * d)
        si = said(f"bend of cell {i + 1}", a[i] * (1 - a[i]))
        said(f"fault of cell {i + 1}", gi * si)
    return "\n\n".join(lines) + "\n"


def checked(tmp_path, text):
    path = tmp_path / "page.md"
    path.write_text(text, "utf-8")
    return miya.check(path).marking


@pytest.mark.parametrize("given", ["names", "words"])
def test_a_clean_page_in_words_of_its_own_is_bound_and_has_no_slip(tmp_path, given):
    made = checked(tmp_path, page(given=given))
    assert not made.first_slips
    bound = {str(s.of) for s in made.page.statements if s.inferred}
    assert {"z1[0]", "z1[1]", "a1[0]", "a1[1]", "z2[0]", "a2[0]"} <= bound
    assert any(n.key == "inferred" for n in made.page.assumed)
    assert any(n.key == "guessed" for n in made.page.assumed) == (given == "words")


@pytest.mark.parametrize(
    ("label", "number", "of", "kind"),
    [
        ("arousal of cell 2", 0.22, "z1[1]", "bias_left_out"),
        ("glow of cell 1", 0.50, "a1[0]", None),
        ("bend of cell 2", 0.51999, "σ'1[1]", None),
    ],
)
def test_a_number_that_does_not_agree_is_what_its_label_leaves_over(
    tmp_path, label, number, of, kind
):
    made = checked(tmp_path, page((label, number)))
    named = {str(m.of) for m in made.first_slips}
    # one that nothing explains is listed, and never marked as another quantity
    assert named <= {of}
    if kind is not None:
        assert named == {of} and kind in made.first_slips[0].diagnosis


def test_numbers_of_another_network_give_none(tmp_path):
    text = page(given="words").replace("synapse one 0.3", "synapse one 0.8")
    text = text.replace("synapse two 0.2", "synapse two 0.6").replace("offset 0.25", "offset 0.75")
    made = checked(tmp_path, text)
    assert made.network is None and not made.first_slips


def test_a_printed_frame_is_a_table_on_its_own_lines():
    text = "\n      net     out\nh1  -0.04   0.49\nh2   0.30   0.57\n"
    rows = framed(text).split("\n")
    assert len(rows) == len(text.split("\n"))
    assert rows[1] == "<table><tr><td></td><td>net</td><td>out</td></tr>"
    assert rows[3] == "<tr><td>h2</td><td>0.30</td><td>0.57</td></tr></table>"
    assert framed("It rained  0.5 mm\nand 0.6 mm") == "It rained  0.5 mm\nand 0.6 mm"


def test_a_tabular_is_a_table_on_its_own_lines():
    text = "\\begin{tabular}{lr}\n\\hline\n$w_1$ & $0.3$ \\\\\n\\hline\n\\end{tabular}\nrest"
    rows = framed(text).split("\n")
    assert len(rows) == len(text.split("\n")) and rows[-1] == "rest"
    assert rows[2] == "<table><tr><td>$w_1$</td><td>$0.3$</td></tr></table>"


def test_an_r_session_names_what_it_shows():
    text = "\n".join(
        [
            "> x <- c(0.5, -1)",
            "> W <- matrix(c(1, 2, 3, 4), nrow = 2)",
            "> z <- W %*% x; z",
            "[1] -1.50 -2.50",
            "> dE.dW",
            "      [,1]  [,2]",
            "[1,]  0.10  0.20",
            "[2,] -0.30  0.40",
        ]
    )
    rows = consoles(text).split("\n")
    assert rows[0] == "x = [0.5, -1]" and rows[1] == "W = [[1, 3], [2, 4]]"
    assert rows[3] == "z = [-1.50, -2.50]"
    assert rows[6:] == ["dE/dW = [[0.10, 0.20],", "[-0.30, 0.40]]"]


def test_working_behind_its_number_comes_before_it():
    assert worked_behind("is 0.36 (= 0.6 * 0.6).") == "is 0.6 * 0.6 = 0.36."
    assert worked_behind("net: 0.36   # = 0.6 * 0.6") == "net: 0.6 * 0.6 = 0.36"
    assert worked_behind("0.36 (= the rate)") == "0.36 (= the rate)"


def test_a_delta_of_the_other_sign_is_accepted_and_said(tmp_path):
    text = (
        "hidden: sigmoid, output: sigmoid, E = 1/2 (t - y)^2, learning rate 0.5\n\n"
        "W1 = [[0.3, -0.7], [0.5, 0.2]], b1 = [0.1, -0.3], W2 = [[0.9, -0.55]], b2 = [0.25]\n\n"
        "x = [0.6, -0.4], target = [0.8]\n\nδ = -∂E/∂z\n\n"
    )
    a = [sigmoid(0.56), sigmoid(-0.08)]
    o = sigmoid(0.9 * a[0] - 0.55 * a[1] + 0.25)
    d = (0.8 - o) * o * (1 - o)
    hidden = [w * d * v * (1 - v) for w, v in zip(W2, a, strict=True)]
    text += f"a2 = {o:.5f}\n\ndelta2 = {d:.5f}\n\ndelta1 = [{hidden[0]:.5f}, {hidden[1]:.5f}]\n"
    made = checked(tmp_path, text)
    assert {m.verdict for m in made.marks} <= {"right", "rounding"}
    told = [n for n in made.page.assumed if n.key == "turned"]
    assert [n.values["names"] for n in told] == ["δ2, δ1"]
