"""Names in prose, letters with other meanings, tables, and what keeps a slip from being false."""

from __future__ import annotations

import pytest

import miya
from miya.read.page.read import read_text

NET = (
    "x1 = 0.5, x2 = -0.3; y = 1; η = 0.5. Hidden layer: sigmoid, output layer: sigmoid. "
    "C = (a - y)^2\n\n"
)
WORDS = (
    "Input 1 is 0.5. Input 2 is -0.3. The target of the output unit is 1.\n"
    "The weights into hidden unit 1 are 0.2 from input 1, -0.4 from input 2; its bias is 0.1.\n"
    "The weights into hidden unit 2 are 0.7 from input 1, 0.1 from input 2; its bias is -0.2.\n"
    "The weights into output unit 1 are 0.6 from hidden unit 1, -0.5 from hidden unit 2; "
    "its bias is 0.3.\nBoth layers use the sigmoid. The learning rate is 0.5. "
    "The loss is (output - target)^2.\n\n"
)
MATRICES = "W1 = [[0.2, -0.4], [0.7, 0.1]], b1 = [0.1, -0.2], W2 = [[0.6, -0.5]], b2 = [0.3]\n\n"


def checked(tmp_path, text, suffix=".md"):
    page = tmp_path / f"page{suffix}"
    page.write_text(text, "utf-8")
    return miya.check(page).marking


def stated(text, form="markdown"):
    return [(str(s.of), s.stated.text) for s in read_text(text, form).statements]


@pytest.mark.parametrize(
    "line, name",
    [
        ("The net input of hidden unit 1 is 0.32.", "z1[0]"),
        ("Hidden unit 2's activation comes to 0.53.", "a1[1]"),
        ("The output of the second hidden neuron is 0.53.", "a1[1]"),
        ("The slope of the activation function at output unit 1 is 0.24.", "σ'2[0]"),
        (
            "The gradient of the loss with respect to the weight from input 2 to hidden unit 1 "
            "is 0.01.",
            "∂C/∂W1[0][1]",
        ),
        ("The new bias of hidden unit 2 is -0.21.", "b1_new[1]"),
        ("h1.net = 0.32", "z1[0]"),
        ("slope_hidden = [0.24, 0.25]", "σ'1[0]"),
        ("### Hidden unit 2\n\n- net = 0.12", "z1[1]"),
        (r"$w^{(1)}_{11} \rightarrow 0.2 - 0.5 \cdot 0.02 = 0.19$", "W1_new[0][0]"),
        ("w_x2,h1 <- -0.4 - 0.5*0.02 = -0.41", "W1_new[0][1]"),
        ("| unit | net input |\n|---|---|\n| h2 | 0.12 |", "z1[1]"),
        ("| from | to | gradient |\n|---|---|---|\n| x1 | h2 | 0.01 |", "∂C/∂W1[1][0]"),
    ],
)
def test_names_of_many_styles(line, name):
    assert name in [of for of, _ in stated(NET + MATRICES + line)]


def test_a_network_in_words():
    layers = read_text(WORDS + "z = 1").description["layers"]
    assert [[float(w) for w in row] for row in layers[0]["weight"]] == [[0.2, -0.4], [0.7, 0.1]]
    assert [float(b) for b in layers[0]["bias"]] == [0.1, -0.2]
    assert [float(w) for w in layers[1]["weight"][0]] == [0.6, -0.5]


def test_neurons_numbered_through(tmp_path):
    text = (
        "x1 = 0.5, x2 = -0.3, T5 = 1, learning rate l = 0.5. Sigmoid. E = (O - T)^2\n\n"
        "w13 = 0.2\nw23 = -0.4\nθ3 = 0.1\nw14 = 0.7\nw24 = 0.1\nθ4 = -0.2\nw35 = 0.6\n"
        "w45 = -0.5\nθ5 = 0.3\n\nI_3 = 0.32\nO_3 = 0.5793\nI_4 = 0.12\nO_4 = 0.5300\nI_5 = 0.3826\n"
    )
    made = checked(tmp_path, text, ".txt")
    names = [str(m.of) for m in made.marks]
    assert names == ["z1[0]", "a1[0]", "z1[1]", "a1[1]", "z2[0]"]
    assert not made.first_slips


OTHER = (
    "a_1^{(1)} = 0.32\n\nz_1 = 0.5793\n\na_2^{(1)} = 0.12\n\nz_2 = 0.5300\n\na_1^{(2)} = 0.3826\n"
)


def test_a_and_z_the_other_way_round(tmp_path):
    made = checked(tmp_path, NET + MATRICES + OTHER)
    assert [str(m.of) for m in made.marks] == ["z1[0]", "a1[0]", "z1[1]", "a1[1]", "z2[0]"]
    assert not made.first_slips


def test_a_slip_among_letters_the_other_way_round_is_named(tmp_path):
    made = checked(tmp_path, NET + MATRICES + OTHER.replace("0.12\n", "0.22\n"))
    assert str(made.first_slips[0].of) == "z1[1]"


def test_delta_as_the_negative_gradient(tmp_path):
    lines = (
        "z1 = [0.32, 0.12]\n\na1 = [0.5793, 0.5300]\n\nz2 = 0.3826\n\na2 = 0.5945\n\n"
        "δ2 = 0.1955\n\nδ1 = [0.0286, -0.0243]\n\ndC/dW2 = [-0.1133, -0.1036]\n"
    )
    made = checked(tmp_path, NET + MATRICES + lines)
    assert not made.first_slips
    assert [m.stated.text for m in made.marks if m.of.head == "δ"] == [
        "0.1955",
        "0.0286",
        "-0.0243",
    ]
    one = next(m for m in made.marks if m.of.head == "δ")
    assert one.exact == pytest.approx(0.1955, abs=1e-4)


def test_one_sign_slip_is_no_other_convention(tmp_path):
    lines = (
        "z1 = [0.32, 0.12]\n\na1 = [0.5793, 0.5300]\n\nz2 = 0.3826\n\na2 = 0.5945\n\n"
        "δ2 = 0.1955\n\nδ1 = [0.0286, -0.0243]\n\ndC/dW2 = [0.1133, 0.1036]\n"
    )
    made = checked(tmp_path, NET + MATRICES + lines)
    assert [str(m.of) for m in made.first_slips] == ["δ2[0]"]


def test_numbers_far_from_their_name_are_listed_and_not_marked(tmp_path):
    lines = "z1 = [0.32, 0.12]\n\na1 = [0.5793, 0.5300]\n\nδ1 = [17.25, -48.5]\n"
    made = checked(tmp_path, NET + MATRICES + lines)
    assert not made.first_slips
    assert {"17.25", "-48.5"} <= {number for number, _, _ in made.page.unread}
    assert "doubted" in [n.key for n in made.page.assumed]


def test_an_activation_that_no_word_places_is_the_one_that_fits(tmp_path):
    text = NET.replace("Hidden layer: sigmoid, output layer: sigmoid.", "We squash with tanh.")
    lines = "z1 = [0.32, 0.12]\n\na1 = [0.5793, 0.5300]\n\nz2 = 0.3826\n\na2 = 0.3650\n"
    made = checked(tmp_path, text + MATRICES + lines)
    assert made.network.layers[0].activation.name == "sigmoid"
    assert not made.first_slips


def test_layer_capital_l_is_no_loss():
    found = stated(NET + MATRICES + "Layer $L = 3$ is the output.\n\nC = 0.1645")
    assert ("C", "3") not in found and ("C", "0.1645") in found
