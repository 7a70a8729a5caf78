"""Layouts by class: logs, sessions, letters for neurons, tables by header, letters in their roles."""

from __future__ import annotations

from pathlib import Path

import pytest

from miya.analysis.check.mark import mark_page
from miya.api import load
from miya.api.checked import marked
from miya.read.page.macros import document, expanded
from miya.read.page.read import read_text
from miya.read.page.records import recorded
from miya.read.page.roles import untimed
from miya.read.page.session import sessions

GIVEN = """
hidden: sigmoid, output: sigmoid, E = 1/2 (y - t)^2, learning rate 0.5
W1 = [[0.1, 0.2], [0.3, 0.4]], b1 = [0.1, -0.1], W2 = [[0.5, -0.6]], b2 = [0.2]
x = [1.0, 0.5], target = [1]
"""


def stated(text: str, form: str = "markdown") -> dict[str, str]:
    page = read_text(text, form)
    return {str(s.of): s.stated.text for s in page.statements if s.of is not None}


@pytest.mark.parametrize(
    ("line", "want"),
    [
        ("12:00:01 INFO fwd hidden[0] net=0.3000 out=0.5744", "net_h1 = 0.3000; out_h1 = 0.5744 ;"),
        (
            "output[0] dloss_dout=-0.4 dout_dnet=0.25 delta=-0.1",
            "∂C/∂out_o1 = -0.4; ∂out_o1/∂net_o1 = 0.25; delta_o1 = -0.1 ;",
        ),
        (
            "hidden[1].weight[0] grad=0.02 old=0.3 new=0.29  # 0.3 - 0.5*0.02 = 0.29",
            "∂C/∂w_x1h2 = 0.02; w_x1h2_new = 0.3 - 0.5*0.02 = 0.29 ;",
        ),
        (
            "For the first hidden neuron the net input is 0.1 + 0.2 ≈ 0.3000, and its output is 0.5744.",
            "net_h1 = 0.1 + 0.2 ≈ 0.3000; out_h1 = 0.5744 ;",
        ),
        (
            "- Bias of the output neuron: gradient 0.0475; new bias 0.8 − 0.1 × 0.0475 ≈ 0.7953.",
            "∂C/∂b_o1 = 0.0475; b_o1_new = 0.8 - 0.1 * 0.0475 ≈ 0.7953 ;",
        ),
        (
            "The second hidden neuron has the weights 0.3 from the first input, −0.4 from the second "
            "input, and a bias of −0.1.",
            "w_x1h2 = 0.3; w_x2h2 = -0.4; b_h2 = -0.1 ;",
        ),
        ("It rained 0.5 mm on the first day.", "It rained 0.5 mm on the first day."),
    ],
)
def test_a_record_is_written_anew(line, want):
    text = recorded("unit 0\n" + line if "[" in line else "\n" + line)
    assert text.split("\n")[1] == want


def test_letters_for_neurons_are_those_that_the_page_introduces():
    text = "hidden units P, Q: tanh\noutput unit R: sigmoid\nw(P,R) = 0.2\nR: sum = 0.4  out = 0.6"
    assert recorded(text).split("\n")[2:] == ["w_h1o1 = 0.2", "net_o1 = 0.4; out_o1 = 0.6 ;"]
    plain = "A: sum = 0.4  out = 0.6"  # A was never introduced
    assert recorded(plain) == plain


def test_a_heading_names_the_neuron_of_the_lines_below():
    text = "### Neuron h2\n- weight from x1: δ × x1 = 0.02 × 0.5 = 0.01\n- bias: δ = 0.02\n**o1**\n- bias: 0.2 → 0.19"
    made = recorded(text).split("\n")
    assert made[1] == "∂C/∂w_x1h2 = 0.02 * 0.5 = 0.01 ;"
    assert made[2] == "∂C/∂b_h2 = 0.02 ;" and made[4] == "b_o1_new = 0.19 ;"
    assert recorded("## Results\n- bias: δ = 0.02").split("\n")[1] == "- bias: δ = 0.02"


def test_a_session_shows_numbers_of_what_was_typed():
    text = "\n".join(
        [
            ">>> lin1.weight.data = torch.tensor([[0.1, 1.]])",
            ">>> z1",
            "tensor([0.25, -0.1], grad_fn=<AddBackward0>)",
            ">>> lin1.weight.grad",
            "tensor([[0.01, 0.02],",
            "        [0.03, 0.04]])",
            ">>> opt.step()",
            ">>> lin1.weight",
            "Parameter containing:",
            "tensor([[0.09, 0.98]], requires_grad=True)",
            "In [4]: a1",
            "Out[4]: array([0.5, 0.6])",
        ]
    )
    made = sessions(text).split("\n")
    assert made[0].strip() == "W1 = torch.tensor([[0.1, 1.]])"
    assert made[2] == "z1 = [0.25, -0.1]"
    assert made[4] == "grad_W1 = [[0.01, 0.02]," and made[5].strip() == "[0.03, 0.04]]"
    assert made[9] == "W1_new = [[0.09, 0.98]]" and made[11] == "a1 = [0.5, 0.6]"


def test_commands_of_a_latex_document_are_written_out():
    text = "\\newcommand{\\pd}[2]{\\frac{\\partial #1}{\\partial #2}}\n$\\pd{L}{z_1} = 0.2$"
    assert expanded(text) == "\n$\\frac{\\partial L}{\\partial z_1} = 0.2$"
    assert expanded(r"\newcommand{\a}{\a\a} \a").count(r"\a") < 100  # one that calls itself
    body = document(
        "\\documentclass{article}\n\\begin{document}\n\\[\n z_1 = 0.3\n\\]\n\\end{document}"
    )
    assert body.split("\n")[2:5] == ["$$", "z_1 = 0.3", "$$"]


def test_a_time_in_brackets_is_no_factor():
    assert untimed("w_1(n) = 0.5, w_1(n+1) = 0.4") == "w_1 = 0.5, w_1^{new} = 0.4"
    assert untimed("f(n) = 2") == "f(n) = 2"


def test_letters_have_the_role_that_formulas_give_them():
    text = GIVEN + "\n$p = W_1 x + b_1$, $h = \\sigma(p)$, $q = W_2 h + b_2$, $o = \\sigma(q)$\n"
    found = stated(text + "\n$p_1 = 0.3000$, $p_2 = 0.4000$, $q_1 = 0.1280$")
    assert found["z1[0]"] == "0.3000" and found["z1[1]"] == "0.4000" and found["z2[0]"] == "0.1280"


def test_an_error_is_minus_the_gradient_where_the_target_stands_first():
    table = "| Unit, j | $(t_j - o_j)$ | $Err_j$ |\n|---|---|---|\n| 5 | -0.26 | -0.05 |\n"
    given = (
        "hidden: sigmoid, output: sigmoid, E = 1/2 (t - o)^2, learning rate 0.5\n\n"
        "x1 = 1.0, x2 = 0.5, t5 = 0.5\n\n"
        "w13 = 0.1, w23 = 0.2, w14 = 0.3, w24 = 0.4, w35 = 0.5, w45 = -0.6, θ3 = 0.1, θ4 = -0.1, θ5 = 0.2\n\n"
    )
    page = read_text(given + table)
    flipped = {str(s.of): s.flipped for s in page.statements}
    assert flipped["∂C/∂a2[0]"] is True


def test_matrices_may_have_semicolons_and_results_a_line_of_their_own():
    text = GIVEN.replace("[[0.1, 0.2], [0.3, 0.4]]", "[0.1 0.2; 0.3 0.4]")
    found = stated(text + "\nz1 = (0.1 + 0.1 + 0.1, 0.3 + 0.2 - 0.1)\n     = (0.3000, 0.4000)\n")
    assert (found["z1[0]"], found["z1[1]"]) == ("0.3000", "0.4000")


def test_one_numbered_table_of_quantity_calculation_and_result():
    table = (
        "| # | Quantity | Calculation | Result |\n|---|---|---|---|\n"
        "| 1 | net h1 | 0.1*1.0 + 0.2*0.5 + 0.1 | 0.3000 |\n| 2 | net h2 | 0.3*1.0 + 0.4*0.5 - 0.1 | 0.4000 |\n"
    )
    page = read_text(GIVEN + "\n" + table)
    assert {str(s.of): bool(s.work) for s in page.statements} == {"z1[0]": True, "z1[1]": True}


def test_the_same_number_under_two_headings_is_the_same_weight():
    text = GIVEN.replace("W1 = [[0.1, 0.2], [0.3, 0.4]]", "w1 = 0.1, w2 = 0.2, w3 = 0.3, w4 = 0.4")
    text = text.replace("W2 = [[0.5, -0.6]]", "w5 = 0.5, w6 = -0.6")
    text += "\n## Output layer\n\nw5 = 0.5\n\n## Hidden layer\n\nw5 = 0.5\n\nnet_h1 = 0.3000\n"
    assert stated(text)["z1[0]"] == "0.3000"


def test_half_in_front_of_a_norm_is_no_loss():
    page = read_text(GIVEN + "\nThe cost is $J = \\tfrac{1}{2} \\lVert y - t \\rVert^2$.\n")
    assert not [s for s in page.statements if s.of is not None and s.of.head == "C"]


def test_velocities_on_a_network_without_momentum_are_no_fault():
    text = (Path(__file__).parent / "pages" / "velocity.md").read_text("utf-8")
    page = read_text(text)
    assert any(s.of is not None and s.of.head == "v_W" for s in page.statements)
    assert mark_page(page, load()).marks


def test_columns_below_a_name_are_vectors():
    text = "z1 =\n\n    0.4540\n    0.4160\n\ndW2 =\n\n    0.0202    0.0187\n\nz2 =\n    1.1605\n"
    made = sessions(text).split("\n")
    assert made[2] == "z1 = [[0.4540], [0.4160]]"
    assert made[7] == "dW2 = [0.0202, 0.0187]" and made[10] == "z2 = 1.1605"
    julia = "julia> z1 = W1*x + b1\n2-element Vector{Float64}:\n 0.3\n 0.4\n"
    assert sessions(julia).split("\n")[2] == "z1 = [[0.3], [0.4]]"


def test_a_log_names_the_layer_once_a_line():
    row = "[epoch 1] layer2: delta=[-0.1165] dW=[[-0.0669, -0.0697]]"
    assert recorded(row) == "delta2 = [-0.1165] ; dW2 = [[-0.0669, -0.0697]] ;"
    assert recorded("x\nlayer 0: z=[0.3]").split("\n")[1] == "z1 = [0.3] ;"


def test_weights_between_lettered_neurons_by_an_arrow():
    text = "inputs I1, I2; hidden nodes A and B; output node C\nweight I1->A = 0.1, bias A = 0.2\n"
    text += "Node A: net = 0.3, out = 0.5744\nA->C: gradient = -0.07, new weight = 0.53"
    made = recorded(text).split("\n")[1:]
    assert made[0] == "w_x1h1 = 0.1, b_h1 = 0.2"
    assert made[1] == "net_h1 = 0.3; out_h1 = 0.5744 ;"
    assert made[2] == "∂C/∂w_h1o1 = -0.07; w_h1o1_new = 0.53 ;"


def test_layers_as_keys_of_a_nested_list():
    text = "hidden:\n  W: [[0.1, 0.2]]\n  b: [0.1]\nforward:\n  output: {z: [0.128], a: [0.532]}"
    made = recorded(text).split("\n")
    assert made[1:3] == ["W_h = [[0.1, 0.2]] ;", "b_h = [0.1] ;"]
    assert made[4].split(";") == ["z_o = [0.128], ", " a_o = [0.532]"]


def test_a_neuron_and_its_numbers_in_a_sentence():
    made = recorded("Hidden neuron 1 receives 0.1*1.0 + 0.2 = 0.3 and fires with 0.5744.")
    assert made == "net_h1 = 0.1*1.0 + 0.2 = 0.3; out_h1 = 0.5744 ;"
    made = recorded("Hidden neuron 2: weights 0.3 and 0.4, bias -0.1.")
    assert made == "w_x1h2 = 0.3; w_x2h2 = 0.4; b_h2 = -0.1 ;"


def test_numbers_of_a_table_that_are_not_understood_are_listed():
    table = "| thing | amount |\n|---|---|\n| tea | 0.77 |\n\n| edge | old → new |\n|---|---|\n"
    page = read_text(GIVEN + "\n" + table + "| h1→o1 | 0.5 → 0.5335 |\n")
    assert "0.77" in [number for number, _, _ in page.unread]
    found = {str(s.of): s.stated.text for s in page.statements}
    assert found["W2_new[0][0]"] == "0.5335" and "0.5335" not in [u[0] for u in page.unread]


def test_a_column_of_single_numbers_may_have_semicolons():
    found = stated(GIVEN + "\nz1 = [0.3000; 0.4000]\n")
    assert (found["z1[0]"], found["z1[1]"]) == ("0.3000", "0.4000")


@pytest.mark.parametrize(
    "told", ["delta_j = -dE/dnet_j", "$\\delta_j = -\\frac{\\partial E}{\\partial z_j}$"]
)
def test_a_delta_that_the_page_defines_with_a_minus_is_turned(told):
    page = read_text(GIVEN + f"\n{told}\n\ndelta_o1 = 0.1165\n")
    assert [s.flipped for s in page.statements if str(s.of) == "δ2[0]"] == [True]
    page = read_text(GIVEN + "\ndelta_o1 = 0.1165\n")
    assert [s.flipped for s in page.statements if str(s.of) == "δ2[0]"] == [False]


def test_a_rate_s_letter_in_a_cell_of_its_own_is_its_name():
    table = "| Item | Value |\n|:--|:--|\n| Learning rate η | 0.2 |\n| Epochs | 1 |\n\n"
    page = read_text(table + GIVEN.replace(", learning rate 0.5", ""), "markdown")
    assert page.description is not None and float(page.description["learning_rate"]) == 0.2
    assert not any(note.key == "assumed_no_rate" for note in page.assumed)


def test_biases_that_no_layer_took_put_the_network_in_doubt():
    text = """
A network of 2 Input Nodes, 2 Nodes in the Hidden Layer with the **tanh** Activation Function, and one
Output Node without an Activation Function.

- Input_1 = 0.13
- Input_2 = 0.8
- Observed = 0.99

The Weights and Biases:

- to the Hidden Node 1: w1 = -0.74 (from Input_1), w2 = -0.8 (from Input_2) and the Bias b1 = -0.1
- to the Hidden Node 2: w3 = 0.73 (from Input_1), w4 = 0.6 (from Input_2) and the Bias b2 = 0.2
- to the Output Node 1: w5 = 0.58 (from y1), w6 = -0.58 (from y2) and the Bias b3 = -0.4

The Learning Rate is 0.1.

x1 = (Input_1 × w1) + (Input_2 × w2) + b1 = (0.13 × (-0.74)) + (0.8 × (-0.8)) - 0.1 = -0.8362

y1 = f(x1) = f(-0.8362) = -0.6838

x2 = (Input_1 × w3) + (Input_2 × w4) + b2 = (0.13 × 0.73) + (0.8 × 0.6) + 0.2 = 0.7749

y2 = f(x2) = f(0.7749) = 0.6498

Sum = (y1 × w5) + (y2 × w6) + b3 = (-0.6838 × 0.58) + (0.6498 × (-0.58)) - 0.4 = -1.1735

Predicted = Sum = -1.1735

SSR = (Observed - Predicted)² = (0.99 - (-1.1735))^2 = 4.6806

d SSR/d Predicted = -2 × (Observed - Predicted) = -2 × (0.99 - (-1.1735)) = -4.3269

d SSR/d Sum = d SSR/d Predicted × 1 = -4.3269

d SSR/d w5 = d SSR/d Sum × y1 = -4.3269 × (-0.6838) = 2.9587

d SSR/d w6 = d SSR/d Sum × y2 = -2.8115

d SSR/d b3 = d SSR/d Sum × 1 = -4.3269

d SSR/d y1 = w5 × d SSR/d Sum = 0.58 × (-4.3269) = -2.5096

d y1/d x1 = 1 - y1² = 1 - (-0.6838)^2 = 0.5324

d SSR/d x1 = d SSR/d y1 × d y1/d x1 = -2.5096 × 0.5324 = -1.3362

d SSR/d y2 = w6 × d SSR/d Sum = -0.58 × (-4.3269) = 2.5096

d y2/d x2 = 1 - y2² = 1 - 0.6498^2 = 0.5778

d SSR/d x2 = d SSR/d y2 × d y2/d x2 = 2.5096 × 0.5778 = 1.4501

d SSR/d w1 = d SSR/d x1 × Input_1 = -0.1737

d SSR/d w2 = d SSR/d x1 × Input_2 = -1.3362 × 0.8 = -1.0690

d SSR/d b1 = d SSR/d x1 × 1 = -1.3362

d SSR/d w3 = d SSR/d x2 × Input_1 = 0.1885

d SSR/d w4 = d SSR/d x2 × Input_2 = 1.4501 × 0.8 = 1.1600

d SSR/d b2 = d SSR/d x2 × 1 = 1.4501
"""
    made = marked(lambda use: read_text(text, "markdown", "page", use))
    assert not made.first_slips
