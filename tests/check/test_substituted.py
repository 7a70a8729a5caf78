"""What a page says only by the numbers that it puts into a formula, and what it names by a layer."""

import math

import pytest

import miya
from miya.read.page import evidence


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def data(tmp_path, text):
    page = tmp_path / "page.md"
    page.write_text(text, "utf-8")
    return miya.check(page)


A1, A2 = 0.6225, 0.4750  # of z = 0.5 and -0.1
Z = round(0.4 * A1 - 0.6 * A2 + 0.2, 3)
O = round(sigmoid(Z), 4)  # noqa: E741
TABLE = f"""The learning rate is 0.9 and every unit has the logistic function 1/(1+e^(-I)).

| name | value |
|---|---|
| x1 | 1 |
| x2 | 0 |
| w13 | 0.2 |
| w14 | -0.3 |
| w23 | 0.4 |
| w24 | 0.1 |
| w35 | 0.4 |
| w45 | -0.6 |
| θ3 | 0.3 |
| θ4 | 0.2 |
| θ5 | 0.2 |

| unit j | net input I_j | output O_j |
|---|---|---|
| 3 | 0.2 + 0.3 = 0.5 | {A1} |
| 4 | -0.3 + 0.2 = -0.1 | {A2:.4f} |
| 5 | (0.4)({A1}) + (-0.6)({A2:.4f}) + 0.2 = {Z} | {O} |

The class of this example is CLASS. The error is $E = \\frac{{1}}{{2}}(T - O)^2 = LINE$.
"""


def table(target, shown=None):
    loss = (target - O) ** 2 / 2
    line = f"\\frac{{1}}{{2}}({target} - {O})^2 = {loss if shown is None else shown:.4f}"
    return TABLE.replace("CLASS", str(target)).replace("LINE", line)


@pytest.mark.parametrize("target", [0, 1])
def test_a_target_is_what_the_loss_has_put_in_for_it(tmp_path, target):
    made = data(tmp_path, table(target))
    assert made.marking.network.targets.tolist() == [[target]]
    assert f"{target} stands for it in line" in made.text()
    assert not made.marking.first_slips


def test_a_slip_of_that_loss_is_one(tmp_path):
    slips = data(tmp_path, table(1, shown=0.2222)).data()["first_slips"]
    assert [s["symbol"] for s in slips] == ["C"]


def test_two_lines_that_differ_tell_no_target(tmp_path):
    text = (
        table(1) + f"\nAgain: $E = \\frac{{1}}{{2}}(T - O)^2 = \\frac{{1}}{{2}}(0 - {O})^2 = 0.1$\n"
    )
    made = data(tmp_path, text)
    assert made.marking.network is None or made.marking.network.targets.tolist() != [[0.0]]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("- $g^{[1]}$ = tanh, $g^{[2]}$ = sigmoid", {1: "tanh", 2: "sigmoid"}),
        ("f_1 is ReLU and f_2 is linear", {1: "relu", 2: "identity"}),
        ("$\\sigma^{(1)}(z) = $ tanh; $\\sigma^{(2)} = $ identity", {1: "tanh", 2: "identity"}),
    ],
)
def test_functions_by_their_layer(row, expected):
    assert evidence._spoken(row, 2)[0] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("loss: $\\mathcal{L} = -(y \\log a + (1-y) \\log(1-a))$", "binary_cross_entropy"),
        ("$$L = -\\log(1 - 0.453) = 0.604$$", "binary_cross_entropy"),
        ("$$L = -\\log(0.453) = 0.792$$", "cross_entropy"),
    ],
)
def test_losses_behind_their_word(text, expected):
    assert evidence.loss(text, [], 1) == (expected, True)


LETTERS = """Inputs x1, x2; hidden neurons A, B; output neuron C; the sigmoid 1/(1 + e^-net).

    w1A = 0.6, w2A = 0.6, bias of A = 0.9
    w1B = -0.7, w2B = -0.3, bias of B = 0.1
    wAC = 0.8, wBC = -0.2, bias of C = 0.3

The input is x1 = 0.1 and x2 = 0.66; the target is 0.5. The learning rate is 0.5.

Net input to A = (0.6 x 0.1) + (0.6 x 0.66) + 0.9 = 1.36
Output of A = 1/(1 + e^-1.36) = 0.80
Net input to B = ((-0.7) x 0.1) + ((-0.3) x 0.66) + 0.1 = -0.17
Output of B = 1/(1 + e^0.17) = 0.46
Net input to C = (0.8 x 0.80) + ((-0.2) x 0.46) + 0.3 = 0.85
Output of C = 1/(1 + e^-0.85) = 0.70

E = 0.5 x (0.5 - 0.70)^2 = 0.02
delta_C = (0.5 - 0.70) x 0.70 x (1 - 0.70) = -0.042
delta_A = 0.8 x (-0.042) x 0.80 x (1 - 0.80) = -0.0054
delta_B = -0.2 x (-0.042) x 0.46 x (1 - 0.46) = 0.0021

wAC+ = 0.8 + 0.5 x (-0.042) x 0.80 = 0.78
wBC+ = -0.2 + 0.5 x (-0.042) x 0.46 = -0.21
w1A+ = 0.6 + 0.5 x (-0.0054) x 0.1 = 0.60
bias of C+ = 0.3 + 0.5 x (-0.042) = 0.28
bias of A+ = 0.9 + 0.5 x (-0.0054) = 0.90
"""


def test_a_network_under_which_less_than_half_comes_out_is_not_marked_against(tmp_path):
    """Every number of it is right."""
    made = data(tmp_path, LETTERS)
    assert not made.marking.first_slips and len(made.marking.marks) > 10


def test_an_answer_of_nothing_but_slips_is_still_marked(tmp_path):
    text = """Input x = [1, 2], target y = 0.5, learning rate 0.1, sigmoid everywhere, C = (a2 - y)^2.
W1 = [[0.1, 0.2], [0.3, 0.4]], b1 = [0, 0], W2 = [[0.5, 0.6]], b2 = 0

z1 = [0.56, 1.17]
a1 = [0.71, 0.82]
z2 = 0.91
a2 = 0.62
C = 0.07
"""
    slips = data(tmp_path, text).data()["first_slips"]
    assert [s["symbol"] for s in slips] == ["z2", "C"]
