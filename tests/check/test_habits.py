"""Ways in which people write a step: worked here by plain arithmetic, then marked."""

from __future__ import annotations

from math import exp, log

import pytest

from miya.analysis.check.mark import mark_page
from miya.read.page.read import read_text

X, W1, B1, W2, B2 = (
    [0.5, -0.3],
    [[0.2, 0.4], [-0.6, 0.7]],
    [0.1, -0.2],
    [[0.8, -0.5], [0.3, 0.9]],
    [0.05, 0.15],
)
T, RATE = [1.0, 0.0], 0.5  # fmt: skip


def sigmoid(z):
    return 1 / (1 + exp(-z))


def step(entropy=False):
    """Every number of the step of a 2-2-2 network of sigmoids under ½ Σ (t - o)², or Σ entropy."""
    z1 = [
        sum(w * x for w, x in zip(row, X, strict=True)) + b for row, b in zip(W1, B1, strict=True)
    ]
    a1 = [sigmoid(z) for z in z1]
    z2 = [sum(w * a for w, a in zip(r, a1, strict=True)) + b for r, b in zip(W2, B2, strict=True)]
    a2 = [sigmoid(z) for z in z2]
    e = [a - t for a, t in zip(a2, T, strict=True)]
    d2 = e if entropy else [g * a * (1 - a) for g, a in zip(e, a2, strict=True)]
    back = [sum(W2[o][j] * d2[o] for o in range(2)) for j in range(2)]
    d1 = [g * a * (1 - a) for g, a in zip(back, a1, strict=True)]
    each = [0.5 * v * v for v in e]
    if entropy:
        each = [-t * log(a) - (1 - t) * log(1 - a) for a, t in zip(a2, T, strict=True)]
    return {"z1": z1, "a1": a1, "z2": z2, "a2": a2, "e": e, "d2": d2, "back": back, "d1": d1, "each": each}  # fmt: skip


def marked(text):
    return mark_page(read_text(text, name="page.md"), None)


def slips(made):
    return [(str(m.of), m.stated.text) for m in made.first_slips]


def exam(swapped=False):
    s = step()
    e = [-v for v in s["e"]]
    if swapped:
        e[1] = -e[1]
    d2 = [v * a * (1 - a) for v, a in zip(e, s["a2"], strict=True)]
    back = [sum(W2[o][j] * d2[o] for o in range(2)) for j in range(2)]
    d1 = [g * a * (1 - a) for g, a in zip(back, s["a1"], strict=True)]
    lines = ["Sigmoid everywhere, E = 1/2 sum (t-o)^2, eta = 0.5"]
    lines += ["x1 = 0.5, x2 = -0.3; target t1 = 1, t2 = 0"]
    lines += ["w1 = 0.2 (x1->h1), w2 = 0.4 (x2->h1), b1 = 0.1 (x1, x2 -> h1)"]
    lines += ["w3 = -0.6 (x1->h2), w4 = 0.7 (x2->h2), b2 = -0.2 (x1, x2 -> h2)"]
    lines += ["w5 = 0.8 (h1->o1), w6 = -0.5 (h2->o1), b3 = 0.05 (h1, h2 -> o1)"]
    lines += ["w7 = 0.3 (h1->o2), w8 = 0.9 (h2->o2), b4 = 0.15 (h1, h2 -> o2)"]
    for k, n in (("h", "1"), ("o", "2")):
        for i in range(2):
            lines += [f"net_{k}{i + 1} = {s['z' + n][i]:.5f}", f"{k}{i + 1} = {s['a' + n][i]:.5f}"]
    for i in range(2):
        lines += [
            f"err_o{i + 1} = (t{i + 1}-o{i + 1}) = {e[i]:.5f}",
            f"delta_o{i + 1} = {d2[i]:.5f}",
        ]
    for j in range(2):
        lines += [f"err_h{j + 1} = {back[j]:.5f}", f"delta_h{j + 1} = {d1[j]:.5f}"]
    for o, j, n in ((0, 0, 5), (0, 1, 6), (1, 0, 7), (1, 1, 8)):
        g = d2[o] * s["a1"][j]
        lines += [f"-dE/dw{n} = {g:.5f}", f"w{n} new = {W2[o][j] + RATE * g:.5f}"]
    return "\n\n".join(lines)


def test_errors_of_the_other_sign_are_followed_through_a_page():
    made = marked(exam())
    assert slips(made) == []
    assert {m.of.head for m in made.marks} >= {"∂C/∂a", "δ", "∂C/∂W", "W_new"}
    assert len(made.marks) == 8 + 4 + 4 + 8


def test_one_sign_that_is_wrong_among_the_other_signs_is_the_slip():
    made = marked(exam(swapped=True))
    assert slips(made) == [("∂C/∂a2[1]", f"{step()['e'][1]:.5f}")]
    assert "target_output_swapped" in made.first_slips[0].diagnosis


def theta(j):
    s = step(entropy=True)
    rows = [[b, *row] for b, row in zip(B1, W1, strict=True)]
    last = [[b, *row] for b, row in zip(B2, W2, strict=True)]

    def matrix(m):
        return (
            r"\begin{bmatrix}" + r" \\ ".join(" & ".join(map(str, r)) for r in m) + r"\end{bmatrix}"
        )

    lines = [r"sigmoid, $J(\Theta) = -\sum_k [y_k \log h_k + (1-y_k) \log(1-h_k)]$, $\alpha = 0.5$"]
    lines += [r"$x = [0.5, -0.3]$, $y = [1, 0]$"]
    lines += [rf"$$\Theta^{{(1)}} = {matrix(rows)}$$", rf"$$\Theta^{{(2)}} = {matrix(last)}$$"]
    for n, k in ((1, 2), (2, 3)):
        for i in range(2):
            lines += [
                f"$z^{{({k})}}_{i + 1} = {s[f'z{n}'][i]:.5f}$",
                f"$a^{{({k})}}_{i + 1} = {s[f'a{n}'][i]:.5f}$",
            ]
    lines += [rf"$J(\Theta) = {j if j is not None else sum(s['each']):.5f}$"]
    lines += [rf"$\delta^{{(3)}}_{i + 1} = {s['d2'][i]:.5f}$" for i in range(2)]
    lines += [
        rf"$((\Theta^{{(2)}})^T \delta^{{(3)}})_{i + 1} = {s['back'][i]:.5f}$" for i in range(2)
    ]
    lines += [
        rf"$\frac{{\partial J}}{{\partial \Theta^{{(2)}}_{{{i + 1}0}}}} = {s['d2'][i]:.5f}$"
        for i in range(2)
    ]
    return "\n\n".join(lines)


def test_a_bias_column_and_entropy_summed_over_the_outputs():
    made = marked(theta(None))
    assert slips(made) == []
    assert made.network.sizes == (2, 2, 2)
    assert [layer.bias.tolist() for layer in made.network.layers] == [B1, B2]
    assert sum(str(m.of).startswith("∂C/∂b2") for m in made.marks) == 2
    assert sum(str(m.of).startswith("∂C/∂a1") for m in made.marks) == 2


def test_a_wrong_loss_under_entropy_is_found():
    assert slips(marked(theta(1.23456))) == [("C", "1.23456")]


def rates(rate, digits=5):
    z = 0.2 * 0.5 + 0.4 * 0.3 + 0.1
    o = sigmoid(z)
    d = (o - 1) * o * (1 - o)
    grads = [d * 0.5, d * 0.3]
    new = [w - rate * g for w, g in zip((0.2, 0.4), grads, strict=True)]
    lines = ["x1 = 0.5, x2 = 0.3, target t = 1", "w1 = 0.2, w2 = 0.4, b = 0.1, sigmoid"]
    lines += ["E = 1/2 (t - o)^2", f"net = 0.2*0.5 + 0.4*0.3 + 0.1 = {z:.5f}", f"o = {o:.5f}"]
    lines += [f"dE/dw{k} = {g:.5f}" for k, g in enumerate(grads, 1)]
    return "\n\n".join([*lines, *(f"w{k}_new = {v:.{digits}f}" for k, v in enumerate(new, 1))])


@pytest.mark.parametrize("rate", [0.5, 0.05, 0.25])
def test_the_rate_that_new_weights_tell(rate):
    made = marked(rates(rate))
    assert made.network.learning_rate == rate and slips(made) == []
    assert any(n.key == "found_rate" for n in made.page.assumed)
    assert sum(m.of is not None and m.of.head == "W_new" for m in made.marks) == 2


def test_new_weights_that_tell_no_rate_are_no_slips():
    made = marked(rates(0.5).replace("w1_new = 0.2", "w1_new = 0.9"))
    assert slips(made) == []
    assert any(n.key == "unknown_rate" for n in made.page.assumed)


def test_the_loss_of_one_output_and_what_it_sends_back():
    s = step()
    text = exam() + f"\n\nE_o1 = {s['each'][0]:.5f}\n\nE_o2 = {s['each'][1]:.5f}"
    shares = [W2[o][0] * s["d2"][o] for o in range(2)]
    text += "".join(
        f"\n\n$$\\frac{{\\partial E_{{o{o + 1}}}}}{{\\partial out_{{h1}}}} = {v:.5f}$$"
        for o, v in enumerate(shares)
    )
    made = marked(text)
    assert slips(made) == []
    told = {str(m.of) for m in made.marks}
    assert {"l[0]", "l[1]", "∂Cₒ/∂a1[0][0]", "∂Cₒ/∂a1[0][1]"} <= told


def test_columns_of_aligned_formulas_are_no_product():
    text = r"$$\begin{aligned} w_1 &= 0.1 & w_2 &= 0.75 & b &= 0.2 \\ x_1 &= 1 & x_2 &= 2 \end{aligned}$$"
    page = read_text(text + "\n\ntarget t = 1, sigmoid\n\nnet = 0.1*1 + 0.75*2 + 0.2 = 1.8")
    assert [[float(v) for v in row] for row in page.description["layers"][0]["weight"]] == [
        [0.1, 0.75]
    ]


def test_work_that_is_torn_on_the_left_is_no_slip():
    made = marked("E is 1/2 summed over k of Σ (0.8 - 0.3)^2 = 0.125\n\nz = 0.1*2 = 0.2")
    assert slips(made) == []


def test_factors_of_plain_text_stand_side_by_side():
    page = read_text("x = [1; 2], y = [1]\n\nW1 = [0.1, 0.2], b1 = [0.3]\n\nz1 = W1 x + b1 = [0.8]")
    assert [str(s.of) for s in page.statements] == ["z1[0]"]


def test_neurons_may_have_letters():
    z = [0.5 * 0.5 + 0.1 * -0.3 + 0.2, 0.3 * 0.5 + 0.7 * -0.3 - 0.1]
    a = [sigmoid(v) for v in z]
    top = 0.4 * a[0] - 0.6 * a[1] + 0.25
    lines = ["w_ca = 0.5, w_cb = 0.1, w_c0 = 0.2", "w_da = 0.3, w_db = 0.7, w_d0 = -0.1"]
    lines += ["w_fc = 0.4, w_fd = -0.6, w_f0 = 0.25", "a = 0.5 and b = -0.3 with target t_f = 1"]
    lines += [
        f"net_c = {z[0]:.5f}",
        f"o_c = {a[0]:.5f}",
        f"net_d = {z[1]:.5f}",
        f"o_d = {a[1]:.5f}",
    ]
    lines += [f"net_f = {top:.5f}", f"o_f = {sigmoid(top):.5f}"]
    made = marked("sigmoid, learning rate 0.1\n\n" + "\n\n".join(lines))
    assert slips(made) == [] and made.network.sizes == (2, 2, 1)
    assert [str(m.of) for m in made.marks] == ["z1[0]", "a1[0]", "z1[1]", "a1[1]", "z2[0]", "a2[0]"]


def test_layers_may_be_counted_from_the_last():
    lines = ["$a_0^{(L-2)} = 0.5$, $a_1^{(L-2)} = -0.3$, $y_0 = 1$, sigmoid"]
    lines += ["$w_{00}^{(L-1)} = 0.5$, $w_{01}^{(L-1)} = 0.1$, $b_0^{(L-1)} = 0.2$"]
    lines += ["$w_{10}^{(L-1)} = 0.3$, $w_{11}^{(L-1)} = 0.7$, $b_1^{(L-1)} = -0.1$"]
    lines += ["$w_{00}^{(L)} = 0.4$, $w_{01}^{(L)} = -0.6$, $b_0^{(L)} = 0.25$"]
    z = [0.5 * 0.5 + 0.1 * -0.3 + 0.2, 0.3 * 0.5 + 0.7 * -0.3 - 0.1]
    top = 0.4 * sigmoid(z[0]) - 0.6 * sigmoid(z[1]) + 0.25
    lines += [
        f"$z_0^{{(L-1)}} = {z[0]:.5f}$",
        f"$z_1^{{(L-1)}} = {z[1]:.5f}$",
        f"$z_0^{{(L)}} = {top + 1:.5f}$",
    ]
    made = marked("\n\n".join(lines))
    assert made.network.sizes == (2, 2, 1)
    assert slips(made) == [("z2[0]", f"{top + 1:.5f}")]
