"""A last set of pages as they are met in the world, for one measurement at the end."""

from __future__ import annotations

from notations import CROSS, DOT, g, times
from wild_one import View, e_notation, flipped, tidy
from wild_two import signed, turned_work


def signal_processing(page, r):
    """A neural networks textbook for engineers: v_j(n), y_j(n), d_k(n), local gradients, w(n+1)."""
    v = View(page, r)
    shape = {"sigmoid": r"\frac{1}{1 + \exp(-v)}", "tanh": r"\tanh(v)", "identity": "v"}
    half = r"\frac{1}{2} " if v.half else ""
    lines = [
        "# Computer exercise: one iteration of the back-propagation algorithm",
        "",
        f"The hidden neurons have the activation function $\\varphi(v) = {shape[v.hidden]}$ and the output neurons have the activation function $\\varphi(v) = {shape[v.out]}$. "
        rf"The instantaneous error energy is $\mathcal{{E}}(n) = {half}\sum_k e_k^2(n)$ with $e_k(n) = d_k(n) - y_k^{{(2)}}(n)$, the learning-rate parameter is $\eta = {g(v.p.rate)}$.",
        "",
        "The input is "
        + ", ".join(f"$x_{j + 1}(n) = {g(x)}$" for j, x in enumerate(v.p.x))
        + " and the desired response is "
        + ", ".join(f"$d_{i + 1}(n) = {g(t)}$" for i, t in enumerate(v.p.y))
        + ".",
        "",
        "*Initialization.* The synaptic weights $w_{ji}^{(l)}(n)$ (to neuron $j$ from neuron $i$) and biases are",
        "",
    ]

    def at(letter, place, k, step="n"):
        return f"{letter}_{{{place}}}^{{({k})}}({step})"

    for k, size in v.layers():
        for i in range(size):
            row = [
                f"${at('w', f'{i + 1}{j + 1}', k)} = {g(w)}$" for j, w in enumerate(v.p.W[k - 1][i])
            ]
            lines += [", ".join([*row, f"${at('b', i + 1, k)} = {v.bias(k, i)}$"]), ""]
    lines += [
        "*Forward computation.* Induced local fields and function signals:",
        "",
        "$$",
        r"\begin{aligned}",
    ]
    for k, size in v.layers():
        for i in range(size):
            lines += [
                rf"{at('v', i + 1, k)} &= {v.worked(v.at('z', k, i), CROSS)}, \quad & {at('y', i + 1, k)} &= {v.shown('a', k, i)} \\"
            ]
    lines += [
        r"\end{aligned}",
        "$$",
        "",
        rf"The error energy is $\mathcal{{E}}(n) = {v.worked(v.at('C'), CROSS)}$.",
        "",
        r"*Backward computation.* The local gradient is $\delta_j(n) = -\partial \mathcal{E}(n) / \partial v_j(n)$.",
        "",
    ]
    for k, size in ((2, v.o), (1, v.m)):
        lines += ["$$", r"\begin{aligned}"]
        for i in range(size):
            grad, steep, delta = v.at("∂C/∂a", k, i), v.at("σ'", k, i), v.at("δ", k, i)
            y = at("y", i + 1, k)
            back = times(tidy(turned_work(grad.work, k == 2)), CROSS)
            lines.append(
                rf"-\frac{{\partial \mathcal{{E}}(n)}}{{\partial {y}}} &= {back} = {flipped(grad.shown)} \\"
            )
            if steep:
                lines.append(rf"\varphi'({at('v', i + 1, k)}) &= {v.worked(steep, CROSS)} \\")
            product = (
                f"{signed(flipped(grad.shown))}{CROSS}{steep.shown} = "
                if steep and "*" in delta.work
                else ""
            )
            lines.append(rf"\delta_{{{i + 1}}}^{{({k})}}(n) &= {product}{flipped(delta.shown)} \\")
        lines += [r"\end{aligned}", "$$", ""]
    lines += [
        r"*Weight adjustment.* With $\partial \mathcal{E} / \partial w_{ji} = -\delta_j y_i$:",
        "",
    ]
    for k, size in ((2, v.o), (1, v.m)):
        for i in range(size):
            turned = flipped(v.shown("δ", k, i))
            for j in range(v.p.sizes[k - 1]):
                grad = v.at("∂C/∂W", k, i, j)
                rest = times(grad.work.partition("*")[2], CROSS)
                place = f"{i + 1}{j + 1}"
                lines += [
                    rf"$\frac{{\partial \mathcal{{E}}(n)}}{{\partial {at('w', place, k)}}} = -{signed(turned)}{CROSS}{rest} = {grad.shown}$, "
                    rf"${at('w', place, k, 'n+1')} = {v.worked(v.at('W_new', k, i, j), CROSS)}$",
                    "",
                ]
            lines += [
                rf"$\frac{{\partial \mathcal{{E}}(n)}}{{\partial {at('b', i + 1, k)}}} = {v.shown('∂C/∂b', k, i)}$, "
                rf"${at('b', i + 1, k, 'n+1')} = {v.worked(v.at('b_new', k, i), CROSS)}$",
                "",
            ]
    return "\n".join(lines), ".md"


def exam(page, r):
    """A model solution in plain text: parts (a) to (e), vectors as tuples, points in brackets."""
    v = View(page, r)
    named = {"sigmoid": "logistic sigmoid", "tanh": "hyperbolic tangent", "identity": "identity"}
    order = {1: ("hidden", "h"), 2: ("output", "o")}

    def tuple_of(values):
        values = list(values)
        return "(" + ", ".join(values) + ")" if len(values) > 1 else values[0]

    def vector(head, k):
        steps = [v.at(head, k, i) for i in range(v.p.sizes[k])]
        shown = tuple_of(s.shown for s in steps)
        if all(s.work.strip("()") not in ("", s.shown) for s in steps) and any(
            v.tells(s, 0.5) for s in steps
        ):
            return f"{tuple_of(tidy(s.work) for s in steps)}\n       = {shown}"
        return shown

    def matrix(head, k):
        return "; ".join(
            " ".join(v.shown(head, k, i, j) for j in range(v.p.sizes[k - 1]))
            for i in range(v.p.sizes[k])
        )

    lines = [
        "MACHINE LEARNING - FINAL EXAM - MODEL SOLUTION",
        "",
        "Question 3 (20 points)",
        "",
        f"A feed-forward network has {v.n} inputs, one hidden layer of {v.m} units ({named[v.hidden]})",
        f"and an output layer of {v.o} unit{'s' if v.o > 1 else ''} ({named[v.out]}).  The parameters are",
    ]
    for k in (1, 2):
        rows = "; ".join(" ".join(map(g, row)) for row in v.p.W[k - 1])
        lines.append(
            f"   W_{order[k][1]} = [{rows}],   b_{order[k][1]} = {tuple_of(map(g, v.p.b[k - 1]))}"
        )
    lines += [
        "(rows separated by semicolons, one row for each unit of the layer).",
        f"For the example x = {tuple_of(map(g, v.p.x))} with target t = {tuple_of(map(g, v.p.y))} and the loss",
        f"L = {'1/2 ' if v.half else ''}||o - t||^2 carry out one step of gradient descent with learning rate {g(v.p.rate)}.",
        "",
        "(a) [4] Forward pass.",
        f"   net_h = {vector('z', 1)}",
        f"   h = {vector('a', 1)}",
        f"   net_o = {vector('z', 2)}",
        f"   o = {vector('a', 2)}",
        "",
        "(b) [2] Loss.",
        f"   L = {v.worked(v.at('C'))}",
        "",
    ]
    for part, k, points in (("c", 2, 4), ("d", 1, 5)):
        name, t = order[k]
        act = "h" if k == 1 else "o"
        lines += [
            f"({part}) [{points}] Gradients at the {name} layer.",
            f"   dL/d{act} = {vector('∂C/∂a', k)}",
        ]
        if v.at("σ'", k, 0):
            lines.append(f"   d{act}/dnet_{t} = {vector(chr(963) + chr(39), k)}   (elementwise)")
        lines += [f"   dL/dnet_{t} = {vector('δ', k)}", f"   dL/dW_{t} = [{matrix('∂C/∂W', k)}]"]
        steps = [
            v.at("∂C/∂W", k, i, j) for i in range(v.p.sizes[k]) for j in range(v.p.sizes[k - 1])
        ]
        lines += [
            f"      where entry ({s.key[2][0] + 1},{s.key[2][1] + 1}) is {s.work} = {s.shown}"
            for s in steps
            if v.tells(s, 0.2)
        ]
        lines += [f"   dL/db_{t} = {vector('∂C/∂b', k)}", ""]
    lines.append("(e) [5] Update.")
    for k in (1, 2):
        t = order[k][1]
        lines.append(f"   W_{t}(new) = [{matrix('W_new', k)}]")
        steps = [
            v.at("W_new", k, i, j) for i in range(v.p.sizes[k]) for j in range(v.p.sizes[k - 1])
        ]
        lines += [
            f"      where entry ({s.key[2][0] + 1},{s.key[2][1] + 1}) is {s.work} = {s.shown}"
            for s in steps
            if v.tells(s, 0.15)
        ]
        lines.append(f"   b_{t}(new) = {vector('b_new', k)}")
    return "\n".join(lines), ".txt"


def run_log(page, r):
    """A debug log pasted into a question: key=value pairs per unit, small numbers as 1.2e-03."""
    v = View(page, r)
    clock = [0]
    name = {1: "hidden", 2: "output"}

    def stamp(text):
        clock[0] += 1
        return f"10:42:{clock[0] % 60:02d} DEBUG {text}"

    def note(*steps):
        found = [s for s in steps if s and v.tells(s, 0.4)]
        return "  # " + "; ".join(f"{tidy(s.work)} = {s.shown}" for s in found) if found else ""

    lines = [
        "Here is the debug output of my little C++ network for one sample. Does the backward pass look right to you?",
        "",
        "config:",
        f"  layers: {v.n}-{v.m}-{v.o}",
        f"  hidden.activation: {v.hidden}",
        f"  output.activation: {'linear' if v.out == 'identity' else v.out}",
        f"  loss: {'0.5 * ' if v.half else ''}sum((out - target)^2)",
        f"  learning_rate: {g(v.p.rate)}",
        "",
        "sample:",
        "  input: " + " ".join(map(g, v.p.x)),
        "  target: " + " ".join(map(g, v.p.y)),
        "",
    ]
    for k, size in v.layers():
        lines.append(f"{name[k]} layer:")
        lines += [
            f"  unit {i}: weights = {' '.join(map(g, v.p.W[k - 1][i]))} bias = {v.bias(k, i)}"
            for i in range(size)
        ]
    lines += ["", "(unit and weight numbers start at 0)", "", "```"]
    for k, size in v.layers():
        for i in range(size):
            z, a = v.at("z", k, i), v.at("a", k, i)
            lines.append(stamp(f"forward  {name[k]}[{i}] net={z.shown} out={a.shown}{note(z)}"))
    lines.append(stamp(f"loss={v.shown('C')}{note(v.at('C'))}"))
    for k, size in ((2, v.o), (1, v.m)):
        for i in range(size):
            grad, steep, delta = v.at("∂C/∂a", k, i), v.at("σ'", k, i), v.at("δ", k, i)
            mid = f" dout_dnet={steep.shown}" if steep else ""
            lines.append(
                stamp(
                    f"backward {name[k]}[{i}] dloss_dout={grad.shown}{mid} delta={e_notation(delta.shown, 0.001)}{note(grad, steep, delta)}"
                )
            )
    for k, size in ((2, v.o), (1, v.m)):
        for i in range(size):
            for j in range(v.p.sizes[k - 1]):
                grad, new = v.at("∂C/∂W", k, i, j), v.at("W_new", k, i, j)
                lines.append(
                    stamp(
                        f"update   {name[k]}[{i}].weight[{j}] grad={e_notation(grad.shown, 0.001)} old={g(v.p.W[k - 1][i][j])} new={new.shown}{note(grad, new)}"
                    )
                )
            grad, new = v.at("∂C/∂b", k, i), v.at("b_new", k, i)
            lines.append(
                stamp(
                    f"update   {name[k]}[{i}].bias grad={e_notation(grad.shown, 0.001)} old={v.bias(k, i)} new={new.shown}{note(new)}"
                )
            )
    return "\n".join([*lines, "```"]), ".md"


def matrix_notes(page, r):
    """Lecture notes that put every matrix in: W x + b, Hadamard products, outer products, all in numbers."""
    v = View(page, r)

    def bm(rows):
        return r"\begin{bmatrix}" + r"\\".join("&".join(row) for row in rows) + r"\end{bmatrix}"

    def col(values):
        return bm([[x] for x in values])

    def vec(head, k):
        return [v.shown(head, k, i) for i in range(v.p.sizes[k])]

    def mat(head, k):
        return [
            [v.shown(head, k, i, j) for j in range(v.p.sizes[k - 1])] for i in range(v.p.sizes[k])
        ]

    kinds = {
        "sigmoid": r"$f(z) = 1/(1+e^{-z})$",
        "tanh": r"$f(z) = \tanh z$",
        "identity": "$f(z) = z$",
    }
    half = r"\tfrac12 " if v.half else ""
    given = {k: [list(map(g, row)) for row in v.p.W[k - 1]] for k in (1, 2)}
    bias = {k: list(map(g, v.p.b[k - 1])) for k in (1, 2)}
    lines = [
        "# Lecture 7: the chain rule with matrices",
        "",
        f"In the hidden layer {kinds[v.hidden]}, in the output layer {kinds[v.out]}.",
        "",
        rf"The criterion is $J = {half}\|y_2 - t\|^2$ and the step length is $\mu = {g(v.p.rate)}$ (the learning rate).",
        "",
        rf"$$y_0 = x = {col(map(g, v.p.x))}, \quad t = {col(map(g, v.p.y))}$$",
        "",
    ]
    for k in (1, 2):
        lines += [rf"$$W_{k} = {bm(given[k])}, \quad b_{k} = {col(bias[k])}$$", ""]
    lines += ["### Forward", ""]
    for k, _ in v.layers():
        into = list(map(g, v.p.x)) if k == 1 else vec("a", 1)
        lines += [
            rf"$$s_{k} = W_{k} y_{k - 1} + b_{k} = {bm(given[k])}{col(into)} + {col(bias[k])} = {col(vec('z', k))}$$",
            "",
            rf"$$y_{k} = f(s_{k}) = {col(vec('a', k))}$$",
            "",
        ]
    lines += [
        f"$$J = {v.worked(v.at('C'), DOT)}$$",
        "",
        "### Backward",
        "",
        r"Write $g_k = \partial J / \partial y_k$ and $\delta_k = \partial J / \partial s_k$, both as columns.",
        "",
    ]
    for k in (2, 1):
        size = v.p.sizes[k]
        acts = vec("a", k)
        if k == 2:
            front = "" if v.half else "2"
            diff = rf"{front}(y_2 - t) = {front}\left({col(acts)} - {col(map(g, v.p.y))}\right)"
        else:
            turned = [list(c) for c in zip(*given[2])]
            diff = rf"W_2^T \delta_2 = {bm(turned)}{col(vec('δ', 2))}"
        lines += [rf"$$g_{k} = {diff} = {col(vec('∂C/∂a', k))}$$", ""]
        kind = v.p.acts[k - 1]
        if kind == "identity":
            lines += [rf"$$\delta_{k} = g_{k} = {col(vec('δ', k))}$$", ""]
        else:
            slope = vec("σ'", k)
            ones = col(["1"] * size)
            inner = (
                rf"{col(acts)} \odot \left({ones} - {col(acts)}\right)"
                if kind == "sigmoid"
                else rf"{ones} - {col(acts)} \odot {col(acts)}"
            )
            lines += [
                rf"$$f'(s_{k}) = {inner} = {col(slope)}$$",
                "",
                rf"$$\delta_{k} = g_{k} \odot f'(s_{k}) = {col(vec('∂C/∂a', k))} \odot {col(slope)} = {col(vec('δ', k))}$$",
                "",
            ]
        into = list(map(g, v.p.x)) if k == 1 else vec("a", 1)
        lines += [
            rf"$$\frac{{\partial J}}{{\partial W_{k}}} = \delta_{k} y_{k - 1}^T = {col(vec('δ', k))}{bm([into])} = {bm(mat('∂C/∂W', k))}$$",
            "",
            rf"$$\frac{{\partial J}}{{\partial b_{k}}} = \delta_{k} = {col(vec('∂C/∂b', k))}$$",
            "",
        ]
    lines += ["### Step", ""]
    for k in (1, 2):
        lines += [
            rf"$$W_{k}^+ = W_{k} - \mu \frac{{\partial J}}{{\partial W_{k}}} = {bm(given[k])} - {g(v.p.rate)}{bm(mat('∂C/∂W', k))} = {bm(mat('W_new', k))}$$",
            "",
            rf"$$b_{k}^+ = b_{k} - \mu \frac{{\partial J}}{{\partial b_{k}}} = {col(bias[k])} - {g(v.p.rate)}{col(vec('∂C/∂b', k))} = {col(vec('b_new', k))}$$",
            "",
        ]
    return "\n".join(lines), ".md"


def signals(page, r):
    """A learning theory course on a web page: s^{(l)}_j, x^{(l)}_j, w^{(l)}_{ij} from i to j, bias as w_{0j}."""
    v = View(page, r)
    theta = {
        "sigmoid": r"\theta(s) = \frac{1}{1+e^{-s}}",
        "tanh": r"\theta(s) = \tanh(s)",
        "identity": r"\theta(s) = s",
    }
    half = r"\tfrac12 " if v.half else ""

    def name(letter, place, k):
        return f"{letter}_{{{place}}}^{{({k})}}"

    lines = [
        "<!doctype html>",
        "<html><head><title>Backpropagation: a worked iteration of SGD</title>",
        '<script src="https://cdn.jsdelivr.net/npm/mathjax@3/es5/tex-chtml.js"></script></head><body>',
        "<h1>A worked iteration of SGD</h1>",
        rf"<p>The weight \( w_{{ij}}^{{(\ell)}} \) leads from unit \( i \) of layer \( \ell - 1 \) to unit \( j \) of layer \( \ell \); "
        r"\( x_0 = 1 \) in each layer, so \( w_{0j}^{(\ell)} \) is the bias. The signal into a unit is \( s_j^{(\ell)} = \sum_{i} w_{ij}^{(\ell)} x_i^{(\ell-1)} \) and its output is "
        rf"\( x_j^{{(\ell)}} = \theta(s_j^{{(\ell)}}) \), with \( {theta[v.hidden]} \) in the hidden layer and \( {theta[v.out]} \) in the output layer.</p>",
        rf"<p>The error on the example is \( e = {half}\sum_j (x_j^{{(2)}} - y_j)^2 \) and \( \eta = {g(v.p.rate)} \).</p>",
        "<p>"
        + ", ".join(rf"\( {name('x', j + 1, 0)} = {g(x)} \)" for j, x in enumerate(v.p.x))
        + "; "
        + ", ".join(rf"\( y_{i + 1} = {g(t)} \)" for i, t in enumerate(v.p.y))
        + "</p>",
        "<ul>",
    ]
    for k, size in v.layers():
        for i in range(size):
            row = [rf"\( {name('w', f'0{i + 1}', k)} = {v.bias(k, i)} \)"]
            row += [
                rf"\( {name('w', f'{j + 1}{i + 1}', k)} = {g(w)} \)"
                for j, w in enumerate(v.p.W[k - 1][i])
            ]
            lines.append(f"<li>{', '.join(row)}</li>")
    lines += ["</ul>", "<h2>Forward</h2>"]
    for k, size in v.layers():
        lines += [r"\[ \begin{aligned}"]
        for i in range(size):
            work = v.at("z", k, i)
            lines.append(
                rf"{name('s', i + 1, k)} &= {v.worked(work, DOT)} &\qquad {name('x', i + 1, k)} &= {v.shown('a', k, i)} \\"
            )
        lines += [r"\end{aligned} \]"]
    lines += [
        rf"<p>Therefore \( e = {v.worked(v.at('C'), DOT)} \).</p>",
        "<h2>Backward</h2>",
        r"<p>As usual \( \delta_j^{(\ell)} = \partial e / \partial s_j^{(\ell)} \).</p>",
    ]
    for k, size in ((2, v.o), (1, v.m)):
        lines += [f"<h3>Layer {k}</h3>", "<ul>"]
        for i in range(size):
            x, s = name("x", i + 1, k), name("s", i + 1, k)
            text = rf"\( \dfrac{{\partial e}}{{\partial {x}}} = {v.worked(v.at('∂C/∂a', k, i), DOT)} \), "
            if v.at("σ'", k, i):
                text += rf"\( \theta'({s}) = {v.worked(v.at(chr(963) + chr(39), k, i), DOT)} \), "
            lines.append(
                f"<li>{text}"
                + rf"\( \delta_{{{i + 1}}}^{{({k})}} = {v.worked(v.at('δ', k, i), DOT)} \)</li>"
            )
        lines.append("</ul>")
    lines += [
        "<h2>Gradient and new weights</h2>",
        "<table border=1>",
        r"<tr><th>weight</th><th>\( \partial e / \partial w \)</th><th>\( w - \eta\, \partial e / \partial w \)</th></tr>",
    ]
    for k, size in v.layers():
        for i in range(size):
            rows = [(f"0{i + 1}", v.shown("∂C/∂b", k, i), v.at("b_new", k, i))]
            rows += [
                (f"{j + 1}{i + 1}", v.worked(v.at("∂C/∂W", k, i, j), DOT), v.at("W_new", k, i, j))
                for j in range(v.p.sizes[k - 1])
            ]
            lines += [
                rf"<tr><td>\( {name('w', place, k)} \)</td><td>\( {grad} \)</td><td>\( {v.worked(new, DOT)} \)</td></tr>"
                for place, grad, new in rows
            ]
    return "\n".join([*lines, "</table>", "</body></html>"]), ".html"


def cards(page, r):
    """A chatbot's answer with a block per neuron: the heading names the neuron, the lines say z, a, δ; '=' starts lines."""
    v = View(page, r)
    named = {"sigmoid": "sigmoid", "tanh": "tanh", "identity": "linear (no activation)"}
    unit = {0: "x", 1: "h", 2: "y"}
    half = "½ × " if v.half else ""

    def num(text):
        return text.replace("-", "−")

    def block(name, step, symbols=""):
        pad = " " * len(name)
        made = [f"{name} = {symbols}"] if symbols else []
        if v.tells(step) and step.work.strip("()") != step.shown:
            work = num(times(tidy(step.work), " × ").replace("^2", "²"))
            made += [f"{pad} = {work}" if made else f"{name} = {work}"]
        made += [f"{pad} ≈ {num(step.shown)}" if made else f"{name} = {num(step.shown)}"]
        return made

    lines = [
        "Absolutely! Here is a complete pass through the network, neuron by neuron. 👇",
        "",
        "## 📌 Given",
        "",
        "| | |",
        "|---|---|",
        "| Inputs | " + ", ".join(f"x{j + 1} = {num(g(x))}" for j, x in enumerate(v.p.x)) + " |",
        "| Targets | " + ", ".join(f"t{i + 1} = {g(t)}" for i, t in enumerate(v.p.y)) + " |",
        f"| Hidden activation | {named[v.hidden]} |",
        f"| Output activation | {named[v.out]} |",
        f"| Loss | L = {half}Σ(y − t)² |",
        f"| Learning rate | η = {g(v.p.rate)} |",
        "",
    ]
    for k, size in v.layers():
        for i in range(size):
            row = ", ".join(
                f"{num(g(w))} (from {unit[k - 1]}{j + 1})" for j, w in enumerate(v.p.W[k - 1][i])
            )
            lines.append(f"- Weights into **{unit[k]}{i + 1}**: {row}; bias {num(v.bias(k, i))}")
    lines += ["", "## ▶️ Forward pass", ""]
    for k, size in v.layers():
        for i in range(size):
            me = f"{unit[k]}{i + 1}"
            call = {"sigmoid": "σ(z)", "tanh": "tanh(z)", "identity": "z"}[v.p.acts[k - 1]]
            lines += [
                f"### Neuron {me}",
                "",
                "```",
                *block("z", v.at("z", k, i)),
                *block(me, v.at("a", k, i), call),
                "```",
                "",
            ]
    lines += ["### Loss", "", "```", *block("L", v.at("C")), "```", "", "## ◀️ Backward pass", ""]
    for k, size in ((2, v.o), (1, v.m)):
        for i in range(size):
            me = f"{unit[k]}{i + 1}"
            lines += [f"### Neuron {me}", "", "```", *block(f"∂L/∂{me}", v.at("∂C/∂a", k, i))]
            steep = v.at("σ'", k, i)
            if steep:
                lines += block(f"∂{me}/∂z", steep)
            lines += block("δ = ∂L/∂z", v.at("δ", k, i))
            lines += ["```", "", "Gradients of its parameters:", ""]
            lines += [
                f"- weight from {unit[k - 1]}{j + 1}: δ × {unit[k - 1]}{j + 1} = {num(v.worked(v.at('∂C/∂W', k, i, j), ' × '))}"
                for j in range(v.p.sizes[k - 1])
            ]
            lines += [f"- bias: δ = {num(v.shown('∂C/∂b', k, i))}", ""]
    lines += ["## 🔧 Updated parameters (w ← w − η · gradient)", ""]
    for k, size in v.layers():
        for i in range(size):
            lines.append(f"**{unit[k]}{i + 1}**")
            for j, w in enumerate(v.p.W[k - 1][i]):
                step = v.at("W_new", k, i, j)
                middle = f" ({num(times(step.work, ' × '))})" if v.tells(step, 0.5) else ""
                lines.append(
                    f"- from {unit[k - 1]}{j + 1}: {num(g(w))} → {num(step.shown)}{middle}"
                )
            step = v.at("b_new", k, i)
            middle = f" ({num(times(step.work, ' × '))})" if v.tells(step, 0.5) else ""
            lines += [f"- bias: {num(v.bias(k, i))} → {num(step.shown)}{middle}", ""]
    lines.append("Want me to verify these with a numerical gradient check? 🙂")
    return "\n".join(lines), ".md"


WILD_THREE = {
    f.__name__: f for f in (signal_processing, exam, run_log, matrix_notes, signals, cards)
}
