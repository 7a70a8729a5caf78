"""Pages whose own formulas define their names, worked here by plain arithmetic."""

import math

import pytest

import miya
from miya.core.written import Name
from miya.read.page.own import raw
from miya.read.page.stems import Stems, numbers_of

X, T, RATE = (0.35, -0.6), 0.8, 0.4
W, B = ((0.15, -0.25), (0.45, 0.3)), (0.2, -0.35)
V, C = (0.55, -0.7), 0.1


def numbers(planted="", by=0.1):
    """Every number of a step by a name of its own; what is `planted` is wrong by `by`, and what
    follows goes on from it. Rounded numbers are carried on."""
    found = {}

    def put(name, value):
        found[name] = round(value + (by if name == planted else 0), 4)
        return found[name]

    n = [put(f"n{i}", W[i][0] * X[0] + W[i][1] * X[1] + B[i]) for i in (0, 1)]
    h = [put(f"h{i}", 1 / (1 + math.exp(-n[i]))) for i in (0, 1)]
    s = put("s", V[0] * h[0] + V[1] * h[1] + C)
    p = put("p", s)
    put("L", (p - T) ** 2)
    dp = put("dp", 2 * (p - T))
    ds = put("ds", dp)
    for i in (0, 1):
        put(f"dv{i}", ds * h[i])
        dh = put(f"dh{i}", V[i] * ds)
        slope = put(f"slope{i}", h[i] * (1 - h[i]))
        dn = put(f"dn{i}", dh * slope)
        for j in (0, 1):
            put(f"dw{i}{j}", dn * X[j])
            put(f"w{i}{j}", W[i][j] - RATE * found[f"dw{i}{j}"])
        put(f"v{i}", V[i] - RATE * found[f"dv{i}"])
    put("c", C - RATE * ds)
    return found


def words(v):
    """Words for names: Input, Sum, Predicted, Observed; the SSR's derivatives with spaces."""
    return f"""
The hidden nodes have the sigmoid function, the output has none. The Learning Rate is {RATE}.

- Input_1 = {X[0]}
- Input_2 = {X[1]}
- Observed = {T}
- to the first node: w1 = {W[0][0]} and w2 = {W[0][1]} and the Bias b1 = {B[0]}
- to the second node: w3 = {W[1][0]} and w4 = {W[1][1]} and the Bias b2 = {B[1]}
- to the output: w5 = {V[0]} and w6 = {V[1]} and the Bias b3 = {C}

x1 = (Input_1 × w1) + (Input_2 × w2) + b1 = {v["n0"]}

y1 = f(x1) = {v["h0"]}

x2 = (Input_1 × w3) + (Input_2 × w4) + b2 = {v["n1"]}

y2 = f(x2) = {v["h1"]}

Sum = (y1 × w5) + (y2 × w6) + b3 = {v["s"]}

Predicted = Sum = {v["p"]}

SSR = (Observed - Predicted)^2 = {v["L"]}

d SSR/d Predicted = -2 × (Observed - Predicted) = {v["dp"]}

d SSR/d Sum = d SSR/d Predicted × 1 = {v["ds"]}

d SSR/d w5 = d SSR/d Sum × y1 = {v["dv0"]}

d SSR/d w6 = d SSR/d Sum × y2 = {v["dv1"]}

d SSR/d y1 = w5 × d SSR/d Sum = {v["dh0"]}

d y1/d x1 = y1 × (1 - y1) = {v["slope0"]}

d SSR/d x1 = d SSR/d y1 × d y1/d x1 = {v["dn0"]}

d SSR/d w1 = d SSR/d x1 × Input_1 = {v["dw00"]}

d SSR/d w2 = d SSR/d x1 × Input_2 = {v["dw01"]}

Step Size for w5 = Derivative × Learning Rate = {round(RATE * v["dv0"], 4)}

New w5 = {v["v0"]}
"""


def code(v):
    """Code in stages, its gradients behind a d, and slopes under names of their own."""
    return f"""
The hidden units are sigmoid, the output is linear.

```python
x0 = {X[0]}; x1 = {X[1]}
y0 = {T}  # target
w00 = {W[0][0]}; w01 = {W[0][1]}; b0 = {B[0]}
w10 = {W[1][0]}; w11 = {W[1][1]}; b1 = {B[1]}
u00 = {V[0]}; u01 = {V[1]}; c0 = {C}
step_size = {RATE}
z0 = w00*x0 + w01*x1 + b0  # {v["n0"]}
q0 = 1.0/(1 + math.exp(-z0))  # {v["h0"]}
z1 = w10*x0 + w11*x1 + b1  # {v["n1"]}
q1 = 1.0/(1 + math.exp(-z1))  # {v["h1"]}
s0 = u00*q0 + u01*q1 + c0  # {v["s"]}
f0 = s0  # {v["p"]}
L = (f0 - y0)**2  # {v["L"]}
df0 = 2*(f0 - y0)  # {v["dp"]}
ds0 = df0  # {v["ds"]}
du00 = q0 * ds0  # {v["dv0"]}
du01 = q1 * ds0  # {v["dv1"]}
dq0 = u00*ds0  # {v["dh0"]}
local_q0 = (1 - q0) * q0  # {v["slope0"]}
dz0 = local_q0 * dq0  # {v["dn0"]}
dw00 = x0 * dz0  # {v["dw00"]}
dw01 = x1 * dz0  # {v["dw01"]}
u00 += -step_size * du00  # {v["v0"]}
```
"""


def printed(v):
    """Arrays, of which the formulas take elements, and a second neuron in numbers alone."""
    return f"""
```python
z1 = lin1(x)
h = torch.sigmoid(z1)
z2 = lin2(h)
y = z2
loss = ((y - t) ** 2).sum()
torch.optim.SGD(model.parameters(), lr={RATE}).step()
```

```
x tensor([{X[0]}, {X[1]}])
t tensor([{T}])
lin1.weight tensor([[{W[0][0]}, {W[0][1]}],
                    [{W[1][0]}, {W[1][1]}]])
lin1.bias tensor([{B[0]}, {B[1]}])
lin2.weight tensor([[{V[0]}, {V[1]}]])
lin2.bias tensor([{C}])
```

- z1[0] = lin1.weight[0,0] * x[0] + lin1.weight[0,1] * x[1] + lin1.bias[0] = {v["n0"]}
- h[0] = sigmoid({v["n0"]}) = {v["h0"]}
- z1[1] = {W[1][0]} * {X[0]} + {W[1][1]} * ({X[1]}) - {-B[1]} = {v["n1"]}
- h[1] = sigmoid({v["n1"]}) = {v["h1"]}
- z2[0] = {V[0]} * {v["h0"]} + ({V[1]}) * {v["h1"]} + {C} = {v["s"]}
- y[0] = z2[0] = {v["p"]}
- loss = {v["L"]}
- dloss/dy[0] = 2 * (y[0] - t[0]) = {v["dp"]}
- dloss/dz2[0] = dloss/dy[0] = {v["ds"]}
- dloss/dh[0] = lin2.weight[0,0] * dloss/dz2[0] = {v["dh0"]}
- dh[0]/dz1[0] = h[0] * (1 - h[0]) = {v["slope0"]}
- dloss/dz1[0] = dloss/dh[0] * dh[0]/dz1[0] = {v["dn0"]}
- lin2.weight.grad[0,0] = {v["dv0"]}
- lin2.weight.grad[0,1] = {v["dv1"]}
- lin1.weight.grad[0,0] = {v["dw00"]}
- lin1.weight.grad[0,1] = {v["dw01"]}
- new lin2.weight[0,0] = {v["v0"]}
"""


def graph(v):
    """Tables of nodes, with the formula of each in a column, and .grad behind a name."""
    return f"""
| node | data | what |
|---|---|---|
| `x1` | {X[0]} | input |
| `x2` | {X[1]} | input |
| `y1` | {T} | target |
| `w11` | {W[0][0]} | weight |
| `w12` | {W[0][1]} | weight |
| `w21` | {W[1][0]} | weight |
| `w22` | {W[1][1]} | weight |
| `v11` | {V[0]} | weight |
| `v12` | {V[1]} | weight |
| `b1` | {B[0]} | bias |
| `b2` | {B[1]} | bias |
| `c1` | {C} | bias |

The loss is `L = (p1 - y1)**2`, the learning rate {RATE}.

| node | op | data |
|---|---|---|
| `n1` | `w11*x1 + w12*x2 + b1` | {v["n0"]} |
| `h1` | `sigmoid(n1)` | {v["h0"]} |
| `n2` | `w21*x1 + w22*x2 + b2` | {v["n1"]} |
| `h2` | `sigmoid(n2)` | {v["h1"]} |
| `m1` | `v11*h1 + v12*h2 + c1` | {v["s"]} |
| `p1` | `identity(m1)` | {v["p"]} |
| `L` | `(p1 - y1)**2` | {v["L"]} |

- `p1.grad` = {v["dp"]}
- `m1.grad` = {v["ds"]}
- `v11.grad` = {v["dv0"]}
- `v12.grad` = {v["dv1"]}
- `h1.grad` = {v["dh0"]}
- `dh1/dn1` = {v["slope0"]}
- `n1.grad` = {v["dn0"]}
- `w11.grad` = {v["dw00"]}
- `w12.grad` = {v["dw01"]}

| parameter | data | grad | new data |
|---|---|---|---|
| `v11` | {V[0]} | {v["dv0"]} | {v["v0"]} |
"""


def letters(v):
    """Neurons by letters, weights by the pair of theirs, factors side by side in plain text."""
    return f"""
Inputs a and b, sigmoid units c and d and a linear unit f; w_ca is the weight from a to c.

    w_ca = {W[0][0]}, w_cb = {W[0][1]}, w_c0 = {B[0]}

    w_da = {W[1][0]}, w_db = {W[1][1]}, w_d0 = {B[1]}

    w_fc = {V[0]}, w_fd = {V[1]}, w_f0 = {C}

The learning rate is η = {RATE}, a = {X[0]} and b = {X[1]} with target t_f = {T}.

    net_c = w_ca a + w_cb b + w_c0 = {v["n0"]}

    o_c = σ(net_c) = {v["h0"]}

    net_d = w_da a + w_db b + w_d0 = {v["n1"]}

    o_d = σ(net_d) = {v["h1"]}

    net_f = w_fc o_c + w_fd o_d + w_f0 = {v["s"]}

    o_f = net_f = {v["p"]}

The error is E = (t_f - o_f)^2 = {v["L"]}.

    δ_f = 2 * (o_f - t_f) = {v["ds"]}

    δ_c = {v["slope0"]} * {V[0]} * ({v["ds"]}) = {v["dn0"]}
"""


# each with a number on it, and what that is
PAGES = {
    words: (
        ("n1", "z1[1]"),
        ("dh0", "∂C/∂a1[0]"),
        ("dw01", "∂C/∂W1[0][1]"),
        ("v0", "W2_new[0][0]"),
    ),
    code: (
        ("n1", "z1[1]"),
        ("slope0", "σ'1[0]"),
        ("dw01", "∂C/∂W1[0][1]"),
        ("dv1", "∂C/∂W2[0][1]"),
    ),
    printed: (("n1", "z1[1]"), ("dn0", "δ1[0]"), ("dw01", "∂C/∂W1[0][1]"), ("v0", "W2_new[0][0]")),
    graph: (
        ("n1", "z1[1]"),
        ("dh0", "∂C/∂a1[0]"),
        ("dw01", "∂C/∂W1[0][1]"),
        ("v0", "W2_new[0][0]"),
    ),
    letters: (("n1", "z1[1]"), ("h1", "a1[1]"), ("s", "z2[0]")),
}


def checked(tmp_path, text):
    path = tmp_path / "page.md"
    path.write_text(text, "utf-8")
    return miya.check(path).marking


@pytest.mark.parametrize("write", PAGES)
def test_the_network_is_the_one_that_the_formulas_define(tmp_path, write):
    made = checked(tmp_path, write(numbers()))
    assert made.network is not None and made.network.sizes == (2, 2, 1)
    assert [layer.activation.name for layer in made.network.layers] == ["sigmoid", "identity"]
    assert made.network.learning_rate == RATE
    assert made.network.layers[0].weight.tolist() == [list(row) for row in W]
    assert made.network.layers[0].bias.tolist() == list(B)
    assert made.network.layers[1].weight.tolist() == [list(V)]
    assert not made.first_slips


@pytest.mark.parametrize(
    ("write", "planted", "of"), [(w, name, of) for w, rows in PAGES.items() for name, of in rows]
)
def test_a_planted_number_is_named_and_the_network_is_not_lost(tmp_path, write, planted, of):
    made = checked(tmp_path, write(numbers(planted)))
    assert made.network is not None
    assert [str(m.of) for m in made.first_slips] == [of]


def test_names_are_read_in_their_own_letters():
    assert raw("Input_1", Name("x", ("1",))) == Name("Input", ("1",))
    assert raw("lin1_weight", Name("w", ("1",))) == Name("lin", ("1", "weight"))
    assert raw("y", Name("ŷ")) == Name("ŷ")
    assert raw("w5_new", Name("w", ("5", "new"))) == Name("w", ("5", "new"))


def test_numbers_of_a_name_are_apart_where_they_are_two():
    assert numbers_of(Name("w", ("13",))) == (1, 3)
    assert numbers_of(Name("w", ("10",))) == (10,)
    assert numbers_of(Name("w", ("1", "2"), ("^1",))) == (1, 2, 1)


def test_names_of_one_stem_follow_those_that_are_known():
    """w13 leads from 1 to 3; one row of the first layer tells the other, and not the second's."""
    every = {Name("w", (pair,)) for pair in ("13", "23", "14", "24", "35", "45")}
    stems = Stems(every, (2, 2))
    stems.put(Name("w", ("13",)), "W", 1, (0, 0))
    stems.put(Name("w", ("23",)), "W", 1, (0, 1))
    found = {n.low[0]: (p.up, p.index) for n, p in stems.named().items()}
    assert found == {
        "13": (("1",), (0, 0)),
        "23": (("1",), (0, 1)),
        "14": (("1",), (1, 0)),
        "24": (("1",), (1, 1)),
    }


def test_weights_numbered_through_fill_their_layer_by_rows():
    every = {Name("w", (str(k),)) for k in range(1, 7)}
    stems = Stems(every, (2, 2))
    for k, place in enumerate([(1, (0, 0)), (1, (0, 1))], 1):
        stems.put(Name("w", (str(k),)), "W", *place)
    for k, place in ((5, (0, 0)), (6, (0, 1))):
        stems.put(Name("w", (str(k),)), "W", 2, place)
    found = {n.low[0]: (p.up, p.index) for n, p in stems.named().items()}
    assert found["3"] == (("1",), (1, 0)) and found["4"] == (("1",), (1, 1))


def test_a_page_without_formulas_defines_nothing(tmp_path):
    from miya.read.page.read import read_page

    path = tmp_path / "page.md"
    path.write_text("w1 = 0.5 and w2 = 0.25, the loss is 0.125.\n", "utf-8")
    page = read_page(path)
    assert page.again is not None and page.again() is None
