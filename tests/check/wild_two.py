"""More pages as they are met in the world, kept from whoever tunes the reader."""

from __future__ import annotations

import re

from notations import DOT, g, times
from wild_one import View, flipped, scientific, tidy

LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
ORDINAL = ["first", "second", "third"]


def low(text):
    return str(text).translate(LOW)


def signed(text):
    return f"({text})" if text.startswith("-") else text


def turned_work(work, output):
    """The work of a gradient with every sign turned: t - o for o - t, or -δ for δ."""
    if output:
        return re.sub(r"\((\S+) - (\S+)\)", lambda m: f"({m[2]} - {signed(m[1])})", work)
    return re.sub(
        r"\*(\(-[\d.]+\)|[\d.]+)", lambda m: "*" + signed(flipped(m[1].strip("()"))), work
    )


def data_mining(page, r):
    """A data mining textbook's tables in HTML: units numbered through, w_ij from i to j, θ_j, Err_j."""
    v = View(page, r)
    first = {0: 1, 1: v.n + 1, 2: v.n + v.m + 1}
    rule = {
        "sigmoid": "1/(1 + e<sup>−I<sub>j</sub></sup>)",
        "tanh": "tanh(I<sub>j</sub>)",
        "identity": "I<sub>j</sub>",
    }
    slope = {
        "sigmoid": "O<sub>j</sub>(1 − O<sub>j</sub>)",
        "tanh": "(1 − O<sub>j</sub><sup>2</sup>)",
        "identity": "1",
    }
    two = "" if v.half else "2"

    def unit(k, i):
        return first[k] + i

    def edge(k, i, j):
        return f"w<sub>{unit(k - 1, j)}{unit(k, i)}</sub>"

    def table(head, rows):
        made = ["<table>", "<tr>" + "".join(f"<th>{c}</th>" for c in head) + "</tr>"]
        made += ["<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows]
        return [*made, "</table>"]

    def calc(step, work=None, value=None):
        work, value = work or tidy(step.work), value or step.shown
        work = work.replace("^2", "<sup>2</sup>").replace("*", " × ")
        return f"{work} = {value}" if v.tells(step) else value

    lines = [
        "<html><head><title>Example: learning by backpropagation</title></head><body>",
        "<h2>Sample calculations for learning by the backpropagation algorithm</h2>",
        f"<p>Units {first[0]}–{first[1] - 1} are input units, units {first[1]}–{first[2] - 1} are hidden units and "
        f"{'unit ' + str(first[2]) + ' is the output unit' if v.o == 1 else 'units ' + str(first[2]) + '–' + str(first[2] + v.o - 1) + ' are output units'}. "
        "w<sub>ij</sub> is the weight of the connection from unit i to unit j, θ<sub>j</sub> is the bias of unit j.</p>",
        f"<p>The net input is I<sub>j</sub> = Σ<sub>i</sub> w<sub>ij</sub> O<sub>i</sub> + θ<sub>j</sub>. The output of a hidden unit is O<sub>j</sub> = {rule[v.hidden]}, "
        f"the output of an output unit is O<sub>j</sub> = {rule[v.out]}.</p>",
        f"<p>The error is E = {'½ ' if v.half else ''}Σ<sub>j</sub> (T<sub>j</sub> − O<sub>j</sub>)<sup>2</sup> and the learning rate is l = {g(v.p.rate)}.</p>",
        "<h3>Initial input, weight, bias and target values</h3>",
    ]
    head = [f"x<sub>{j + 1}</sub>" for j in range(v.n)]
    row = [g(x) for x in v.p.x]
    lines += table(
        [*head, *(f"T<sub>{unit(2, i)}</sub>" for i in range(v.o))], [[*row, *map(g, v.p.y)]]
    )
    for k, size in v.layers():
        head = [edge(k, i, j) for i in range(size) for j in range(v.p.sizes[k - 1])]
        row = [g(w) for line in v.p.W[k - 1] for w in line]
        lines += table(
            [*head, *(f"θ<sub>{unit(k, i)}</sub>" for i in range(size))],
            [[*row, *map(g, v.p.b[k - 1])]],
        )
    rows = [
        [unit(k, i), calc(v.at("z", k, i)), v.shown("a", k, i)]
        for k, size in v.layers()
        for i in range(size)
    ]
    lines += ["<h3>Net input and output</h3>"]
    lines += table(["Unit, j", "Net input, I<sub>j</sub>", "Output, O<sub>j</sub>"], rows)
    lines += [
        f"<p>The error of this tuple is E = {calc(v.at('C'))}.</p>",
        "<h3>Error at each unit</h3>",
    ]
    lines += [
        f"<p>Err<sub>j</sub> = −∂E/∂I<sub>j</sub> = {two}(T<sub>j</sub> − O<sub>j</sub>){'' if v.out == 'identity' else ' · ' + slope[v.out]} in the output layer and "
        f"Err<sub>j</sub> = {slope[v.hidden]} Σ<sub>k</sub> Err<sub>k</sub> w<sub>jk</sub> in the hidden layer.</p>"
    ]
    for k, size in ((2, v.o), (1, v.m)):
        linear = v.p.acts[k - 1] == "identity"
        source = (
            f"{two}(T<sub>j</sub> − O<sub>j</sub>)"
            if k == 2
            else "Σ<sub>k</sub> Err<sub>k</sub> w<sub>jk</sub>"
        )
        rows = []
        for i in range(size):
            grad, steep, delta = v.at("∂C/∂a", k, i), v.at("σ'", k, i), v.at("δ", k, i)
            back = calc(grad, tidy(turned_work(grad.work, k == 2)), flipped(grad.shown))
            whole = (
                f"{signed(flipped(grad.shown))}*{steep.shown}"
                if steep and "*" in delta.work
                else ""
            )
            err = calc(delta, whole, flipped(delta.shown)) if whole else flipped(delta.shown)
            rows.append([unit(k, i), back, *([] if linear else [calc(steep)]), err])
        lines += table(
            ["Unit, j", source, *([] if linear else [slope[v.p.acts[k - 1]]]), "Err<sub>j</sub>"],
            rows,
        )
    lines += [
        "<h3>Weight and bias updating</h3>",
        "<p>∂E/∂w<sub>ij</sub> = −Err<sub>j</sub> O<sub>i</sub>, and every weight moves by −l times that.</p>",
    ]
    rows = []
    for k, size in ((2, v.o), (1, v.m)):
        for i in range(size):
            err = flipped(v.shown("δ", k, i))
            for j in range(v.p.sizes[k - 1]):
                step = v.at("∂C/∂W", k, i, j)
                work = f"−{signed(err)}*{step.work.partition('*')[2]}"
                rows.append([edge(k, i, j), calc(step, work), calc(v.at("W_new", k, i, j))])
    for k, size in ((2, v.o), (1, v.m)):
        rows += [
            [f"θ<sub>{unit(k, i)}</sub>", v.shown("∂C/∂b", k, i), calc(v.at("b_new", k, i))]
            for i in range(size)
        ]
    lines += table(["Weight or bias", "Derivative of E", "New value"], rows)
    return "\n".join([*lines, "</body></html>"]).replace("-", "−"), ".html"


def deep_book(page, r):
    """A deep learning textbook: a^{(k)} before and h^{(k)} after, gradients as \\nabla of J."""
    v = View(page, r)
    act = {"sigmoid": r"\sigma", "tanh": r"\tanh", "identity": ""}

    def vec(values):
        values = list(values)
        return rf"\left[ {', '.join(values)} \right]^\top" if len(values) > 1 else f"[{values[0]}]"

    def small(rows):
        body = r" \\ ".join(" & ".join(row) for row in rows)
        return rf"\left[\begin{{smallmatrix}} {body} \end{{smallmatrix}}\right]"

    def bold(letter, k=None):
        up = f"^{{({k})}}" if k else ""
        return rf"\boldsymbol{{{letter}}}{up}"

    def after(k):
        return bold("h", 1) if k == 1 else r"\hat{\boldsymbol{y}}"

    def grad(of):
        return rf"\nabla_{{{of}}} J"

    def values(head, k):
        return vec(v.shown(head, k, i) for i in range(v.p.sizes[k]))

    def hand(head, k, symbol):
        found = [v.at(head, k, i) for i in range(v.p.sizes[k])]
        found = [(i, s) for i, s in enumerate(found) if s and v.tells(s, 0.35)]
        return [
            f"(Component {i + 1} of ${symbol}$ is ${times(tidy(s.work), DOT)} = {s.shown}$.)"
            for i, s in found
        ] + [""] * bool(found)

    half = r"\tfrac{1}{2} " if v.half else ""
    last = bold("a", 2) if v.out == "identity" else f"{act[v.out]}({bold('a', 2)})"
    shape = {
        "sigmoid": r"the logistic sigmoid $\sigma$",
        "tanh": "the hyperbolic tangent",
        "identity": "the identity (linear units)",
    }
    lines = [
        "### Example: back-propagation in a feedforward network with one hidden layer",
        "",
        f"The hidden units apply {shape[v.hidden]} elementwise and the output units apply {shape[v.out]}:",
        "",
        rf"$${bold('a', 1)} = {bold('b', 1)} + {bold('W', 1)} \boldsymbol{{x}}, \quad {bold('h', 1)} = {act[v.hidden]}({bold('a', 1)}), \quad "
        rf"{bold('a', 2)} = {bold('b', 2)} + {bold('W', 2)} {bold('h', 1)}, \quad \hat{{\boldsymbol{{y}}}} = {last}.$$",
        "",
        rf"The cost is $J = {half}\lVert \hat{{\boldsymbol{{y}}}} - \boldsymbol{{y}} \rVert_2^2$, minimized by gradient descent with learning rate $\epsilon = {g(v.p.rate)}$.",
        "",
        rf"We use $\boldsymbol{{x}} = {vec(map(g, v.p.x))}$ and $\boldsymbol{{y}} = {vec(map(g, v.p.y))}$. The parameters are",
        "",
    ]
    for k in (1, 2):
        rows = [list(map(g, row)) for row in v.p.W[k - 1]]
        lines += [
            rf"$${bold('W', k)} = {small(rows)}, \qquad {bold('b', k)} = {vec(map(g, v.p.b[k - 1]))}.$$",
            "",
        ]
    lines += ["*Forward propagation.*", ""]
    for k, _ in v.layers():
        lines += [
            rf"$${bold('a', k)} = {values('z', k)}, \qquad {after(k)} = {values('a', k)}$$",
            "",
            *hand("z", k, bold("a", k)),
        ]
    lines += [f"The cost is $J = {v.worked(v.at('C'), DOT)}$.", "", "*Back-propagation.*", ""]
    for k in (2, 1):
        lines += [
            f"$${grad(after(k))} = {values('∂C/∂a', k)}$$",
            "",
            *hand("∂C/∂a", k, grad(after(k))),
        ]
        if v.p.acts[k - 1] != "identity":
            mark = rf"{act[v.p.acts[k - 1]]}'({bold('a', k)})"
            lines += [f"$${mark} = {values(chr(963) + chr(39), k)}$$", "", *hand("σ'", k, mark)]
            product = rf" = {grad(after(k))} \odot {mark}"
        else:
            product = ""
        lines += [
            f"$${grad(bold('a', k))}{product} = {values('δ', k)}$$",
            "",
            *hand("δ", k, grad(bold("a", k))),
        ]
        into = r"\boldsymbol{h}^{(1)\top}" if k == 2 else r"\boldsymbol{x}^\top"
        rows = [
            [v.shown("∂C/∂W", k, i, j) for j in range(v.p.sizes[k - 1])]
            for i in range(v.p.sizes[k])
        ]
        lines += [f"$${grad(bold('b', k))} = {grad(bold('a', k))} = {values('∂C/∂b', k)}$$", ""]
        lines += [
            rf"$${grad(bold('W', k))} = ({grad(bold('a', k))}) \, {into} = {small(rows)}$$",
            "",
        ]
        for i in range(v.p.sizes[k]):
            for j in range(v.p.sizes[k - 1]):
                step = v.at("∂C/∂W", k, i, j)
                if v.tells(step, 0.2):
                    lines += [
                        rf"(Entry $({i + 1}, {j + 1})$ of ${grad(bold('W', k))}$ is ${times(step.work, DOT)} = {step.shown}$.)",
                        "",
                    ]
    lines += [
        r"*Update,* $\boldsymbol{\theta} \leftarrow \boldsymbol{\theta} - \epsilon \nabla_{\boldsymbol{\theta}} J$:",
        "",
    ]
    for k, size in v.layers():
        cells = [[v.at("W_new", k, i, j) for j in range(v.p.sizes[k - 1])] for i in range(size)]
        lines += [
            rf"$${bold('W', k)} \leftarrow {small([[s.shown for s in row] for row in cells])}, \qquad {bold('b', k)} \leftarrow {values('b_new', k)}$$",
            "",
        ]
        for i, row in enumerate(cells):
            for j, s in enumerate(row):
                if v.tells(s, 0.1):
                    lines += [
                        rf"(For instance $W^{{({k})}}_{{{i + 1},{j + 1}}} \leftarrow {times(s.work, DOT)} = {s.shown}$.)",
                        "",
                    ]
            s = v.at("b_new", k, i)
            if v.tells(s, 0.1):
                lines += [
                    rf"(For instance $b^{{({k})}}_{{{i + 1}}} \leftarrow {times(s.work, DOT)} = {s.shown}$.)",
                    "",
                ]
    return "\n".join(lines), ".md"


def torch_session(page, r):
    """An interactive PyTorch session pasted into a README, parameters shown before and after the step."""
    v = View(page, r)
    act = {"sigmoid": "torch.sigmoid({})", "tanh": "torch.tanh({})", "identity": "{}"}
    after = {1: "h", 2: "out"}

    def flat(values):
        return "tensor([" + ", ".join(values) + "]"

    def rows(k, head, tail=""):
        made = [
            "[" + ", ".join(v.shown(head, k, i, j) for j in range(v.p.sizes[k - 1])) + "]"
            for i in range(v.p.sizes[k])
        ]
        return "tensor([" + ",\n        ".join(made) + "]" + tail + ")"

    def values(head, k, tail=""):
        return flat([v.shown(head, k, i) for i in range(v.p.sizes[k])]) + tail + ")"

    def hand(head, k, name):
        made = []
        steps = [s for s in page.steps if s.key[0] == head and s.key[1] == k]
        for s in steps:
            if v.tells(s, 0.2):
                where = "".join(f"[{i}]" for i in s.key[2])
                made.append(
                    f"# by hand: {name}{where} = {tidy(s.work).replace('^', '**')} = {s.shown}"
                )
        return made

    named = {"sigmoid": "sigmoid", "tanh": "tanh", "identity": "linear"}
    half = "0.5 * " if v.half else ""
    lines = [
        "# Checking PyTorch's autograd",
        "",
        f"A {v.n}-{v.m}-{v.o} network: hidden activation {named[v.hidden]}, output activation {named[v.out]}. One SGD step, lr={g(v.p.rate)}.",
        "",
        "```pycon",
        ">>> import torch, torch.nn as nn",
        f">>> fc1, fc2 = nn.Linear({v.n}, {v.m}), nn.Linear({v.m}, {v.o})",
    ]
    for k, _ in v.layers():
        matrix = ", ".join("[" + ", ".join(map(g, row)) + "]" for row in v.p.W[k - 1])
        lines += [
            f">>> fc{k}.weight.data = torch.tensor([{matrix}])",
            f">>> fc{k}.bias.data = torch.tensor([{', '.join(map(g, v.p.b[k - 1]))}])",
        ]
    lines += [
        f">>> opt = torch.optim.SGD([*fc1.parameters(), *fc2.parameters()], lr={g(v.p.rate)})",
        f">>> x = torch.tensor([{', '.join(map(g, v.p.x))}])",
        f">>> target = torch.tensor([{', '.join(g(t) if '.' in g(t) else g(t) + '.' for t in v.p.y)}])",
    ]
    for k, _ in v.layers():
        into, grad_fn = ("x", "") if k == 1 else ("h", "")
        name = {
            "sigmoid": "SigmoidBackward0",
            "tanh": "TanhBackward0",
            "identity": "ViewBackward0",
        }[v.p.acts[k - 1]]
        lines += [
            f">>> z{k} = fc{k}({into}); z{k}.retain_grad()",
            f">>> z{k}",
            values("z", k, ", grad_fn=<ViewBackward0>"),
            *hand("z", k, f"z{k}"),
        ]
        lines += [
            f">>> {after[k]} = {act[v.p.acts[k - 1]].format(f'z{k}')}; {after[k]}.retain_grad()",
            f">>> {after[k]}",
            values("a", k, f", grad_fn=<{name}>{grad_fn}"),
        ]
    lines += [
        f">>> loss = {half}((out - target) ** 2).sum()",
        ">>> loss.item()",
        v.shown("C"),
        *hand("C", None, "loss"),
        ">>> loss.backward()",
    ]
    for k in (2, 1):
        lines += [f">>> {after[k]}.grad", values("∂C/∂a", k), *hand("∂C/∂a", k, f"{after[k]}.grad")]
        kind = v.p.acts[k - 1]
        if kind != "identity":
            mine = f"{after[k]} * (1 - {after[k]})" if kind == "sigmoid" else f"1 - {after[k]} ** 2"
            lines += [
                f">>> ({mine}).detach()   # d{after[k]}/dz{k}",
                values("σ'", k),
                *hand("σ'", k, f"d{after[k]}/dz{k}"),
            ]
        lines += [f">>> z{k}.grad", values("δ", k), *hand("δ", k, f"z{k}.grad")]
        lines += [
            f">>> fc{k}.weight.grad",
            rows(k, "∂C/∂W"),
            *hand("∂C/∂W", k, f"fc{k}.weight.grad"),
        ]
        lines += [f">>> fc{k}.bias.grad", values("∂C/∂b", k)]
    lines += [">>> opt.step()"]
    for k in (1, 2):
        lines += [
            f">>> fc{k}.weight",
            "Parameter containing:",
            rows(k, "W_new", ", requires_grad=True"),
            *hand("W_new", k, f"fc{k}.weight"),
        ]
        lines += [
            f">>> fc{k}.bias",
            "Parameter containing:",
            values("b_new", k, ", requires_grad=True"),
            *hand("b_new", k, f"fc{k}.bias"),
        ]
    return "\n".join([*lines, "```"]), ".md"


def spreadsheet(page, r):
    """One long Markdown table: quantity, calculation, result; edges written as x1→h1."""
    v = View(page, r)
    unit = {0: "x", 1: "h", 2: "o"}
    named = {"sigmoid": "sigmoid", "tanh": "tanh", "identity": "linear"}

    def edge(k, i, j):
        return f"w[{unit[k - 1]}{j + 1}→{unit[k]}{i + 1}]"

    rows = ["| Given | Value |", "| :--- | ---: |"]
    rows += [f"| {unit[0]}{j + 1} | {g(x)} |" for j, x in enumerate(v.p.x)]
    rows += [f"| target of o{i + 1} | {g(t)} |" for i, t in enumerate(v.p.y)]
    for k, size in v.layers():
        for i in range(size):
            rows += [f"| {edge(k, i, j)} | {g(w)} |" for j, w in enumerate(v.p.W[k - 1][i])]
            rows.append(f"| b[{unit[k]}{i + 1}] | {v.bias(k, i)} |")
    rows += [
        f"| learning rate | {g(v.p.rate)} |",
        f"| hidden activation | {named[v.hidden]} |",
        f"| output activation | {named[v.out]} |",
        f"| error E | {'½ · ' if v.half else ''}Σ (out − target)² |",
    ]
    lines = [
        "# Backprop worksheet, filled in",
        "",
        *rows,
        "",
        "| # | Quantity | Calculation | Result |",
        "| ---: | :--- | :--- | ---: |",
    ]
    count = 0

    def add(name, step, words=""):
        nonlocal count
        count += 1
        work = times(tidy(step.work), " × ") if v.tells(step) else words
        lines.append(
            f"| {count} | {name} | {work} | {step.shown} |".replace("^2", "²")
            .replace(" -", " −")
            .replace("(-", "(−")
        )

    for k, size in v.layers():
        for i in range(size):
            t = f"{unit[k]}{i + 1}"
            call = {"sigmoid": f"σ(net {t})", "tanh": f"tanh(net {t})", "identity": f"net {t}"}[
                v.p.acts[k - 1]
            ]
            add(f"net {t}", v.at("z", k, i))
            add(f"out {t}", v.at("a", k, i), call)
    add("E", v.at("C"))
    for k, size in ((2, v.o), (1, v.m)):
        for i in range(size):
            t = f"{unit[k]}{i + 1}"
            add(f"∂E/∂out {t}", v.at("∂C/∂a", k, i))
            if v.at("σ'", k, i):
                add(f"∂out/∂net {t}", v.at("σ'", k, i))
            add(f"∂E/∂net {t}", v.at("δ", k, i), f"∂E/∂out {t}")
    for k, size in ((2, v.o), (1, v.m)):
        for i in range(size):
            for j in range(v.p.sizes[k - 1]):
                add(f"∂E/∂{edge(k, i, j)}", v.at("∂C/∂W", k, i, j))
                add(f"new {edge(k, i, j)}", v.at("W_new", k, i, j))
            t = f"{unit[k]}{i + 1}"
            add(f"∂E/∂b[{t}]", v.at("∂C/∂b", k, i), f"∂E/∂net {t}")
            add(f"new b[{t}]", v.at("b_new", k, i))
    return "\n".join(lines), ".md"


def web_tutorial(page, r):
    """A web tutorial with entities, sub, lists and bold results; weights numbered, neurons H and O."""
    v = View(page, r)
    tag = {1: "H", 2: "O"}
    names, number = {}, 0
    for k, size in v.layers():
        for i in range(size):
            for j in range(v.p.sizes[k - 1]):
                number += 1
                names[k, i, j] = f"w<sub>{number}</sub>"
            names[k, i] = f"b<sub>{tag[k]}{i + 1}</sub>"

    def work(step, chance=1.0):
        text = tidy(step.work).replace("*", " &times; ").replace("^2", "<sup>2</sup>")
        return f"{text} = <b>{step.shown}</b>" if v.tells(step, chance) else f"<b>{step.shown}</b>"

    def d(top, below):
        return f"&part;{top}/&part;{below}"

    kinds = {
        "sigmoid": "the sigmoid function &sigma;(x) = 1/(1 + e<sup>-x</sup>)",
        "tanh": "tanh(x)",
        "identity": "no activation (identity)",
    }
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8"><title>Backpropagation by hand</title>',
        "<style>td { padding: 4px 12px; } .eq { margin-left: 2em; }</style></head>",
        "<body>",
        "<h1>Backpropagation by hand</h1>",
        f"<p>Hidden neurons use {kinds[v.hidden]}. Output neurons use {kinds[v.out]}.<br>",
        f"Error: E = {'&frac12;' if v.half else ''}&sum;(t &minus; out)<sup>2</sup>. Learning rate: &eta;&nbsp;=&nbsp;{g(v.p.rate)}.</p>",
        "<h2>Starting values</h2>",
        "<ul>",
        "<li>Inputs: "
        + ", ".join(f"x<sub>{j + 1}</sub> = {g(x)}" for j, x in enumerate(v.p.x))
        + "</li>",
        "<li>Targets: "
        + ", ".join(f"t<sub>O{i + 1}</sub> = {g(t)}" for i, t in enumerate(v.p.y))
        + "</li>",
    ]
    for k, size in v.layers():
        for i in range(size):
            row = ", ".join(f"{names[k, i, j]} = {g(w)}" for j, w in enumerate(v.p.W[k - 1][i]))
            lines.append(f"<li>To {tag[k]}{i + 1}: {row}, {names[k, i]} = {v.bias(k, i)}</li>")
    lines += ["</ul>", "<h2>Step 1. Forward</h2>"]
    for k, size in v.layers():
        for i in range(size):
            t = f"{tag[k]}{i + 1}"
            into = [
                f"x<sub>{j + 1}</sub>" if k == 1 else f"out<sub>H{j + 1}</sub>"
                for j in range(v.p.sizes[k - 1])
            ]
            letters = " + ".join(f"{names[k, i, j]}{s}" for j, s in enumerate(into))
            call = {"sigmoid": "&sigma;({})", "tanh": "tanh({})", "identity": "{}"}[v.p.acts[k - 1]]
            lines += [
                f'<p class="eq">net<sub>{t}</sub> = {letters} + {names[k, i]} = {work(v.at("z", k, i))}<br>',
                f"out<sub>{t}</sub> = {call.format(f'net<sub>{t}</sub>')} = <b>{v.shown('a', k, i)}</b></p>",
            ]
    lines += [f"<p>The error is E = {work(v.at('C'))}.</p>", "<h2>Step 2. Backward</h2>"]
    for k, size in ((2, v.o), (1, v.m)):
        lines.append(f"<h3>{'Output' if k == 2 else 'Hidden'} layer</h3>")
        for i in range(size):
            t = f"{tag[k]}{i + 1}"
            net, out = f"net<sub>{t}</sub>", f"out<sub>{t}</sub>"
            lines += ["<ol>", f"<li>{d('E', out)} = {work(v.at('∂C/∂a', k, i))}</li>"]
            if v.at("σ'", k, i):
                lines.append(f"<li>{d(out, net)} = {work(v.at(chr(963) + chr(39), k, i))}</li>")
            lines.append(
                f"<li>&delta;<sub>{t}</sub> = {d('E', net)} = {work(v.at('δ', k, i))}</li>"
            )
            into = [
                f"x<sub>{j + 1}</sub>" if k == 1 else f"out<sub>H{j + 1}</sub>"
                for j in range(v.p.sizes[k - 1])
            ]
            lines += [
                f"<li>{d('E', names[k, i, j])} = &delta;<sub>{t}</sub> &times; {into[j]} = {work(v.at('∂C/∂W', k, i, j))}</li>"
                for j in range(v.p.sizes[k - 1])
            ]
            lines += [
                f"<li>{d('E', names[k, i])} = &delta;<sub>{t}</sub> = {work(v.at('∂C/∂b', k, i))}</li>",
                "</ol>",
            ]
    lines += [
        "<h2>Step 3. Update</h2>",
        "<table><tr><th>&nbsp;</th><th>old</th><th>&nbsp;</th><th>new</th></tr>",
    ]
    for k, size in v.layers():
        for i in range(size):
            olds = [
                (names[k, i, j], g(w), v.at("W_new", k, i, j))
                for j, w in enumerate(v.p.W[k - 1][i])
            ]
            for name, old, step in [*olds, (names[k, i], v.bias(k, i), v.at("b_new", k, i))]:
                text = step.work.replace("*", " &times; ") if v.tells(step) else ""
                lines.append(
                    f"<tr><td>{name}</td><td>{old}</td><td>{text}</td><td><b>{step.shown}</b></td></tr>"
                )
    return "\n".join([*lines, "</table>", "</body></html>"]), ".html"


def email(page, r):
    """A plain-text message: neurons A, B, C and P, Q, terse lines per neuron and per edge, old -> new."""
    v = View(page, r)
    unit = {1: "ABC", 2: "PQ"}
    named = {"sigmoid": "sigmoid", "tanh": "tanh", "identity": "plain linear, no squashing"}

    def source(k, j):
        return f"x{j + 1}" if k == 1 else unit[1][j]

    outs = " and ".join(unit[2][: v.o])
    lines = [
        "Hi,",
        "",
        "here is the step you asked about, done with a pocket calculator.",
        "",
        f"hidden neurons {', '.join(unit[1][: v.m])}: {named[v.hidden]}",
        f"output neuron{'s' if v.o > 1 else ''} {outs}: {named[v.out]}",
        f"error E = {'1/2 * ' if v.half else ''}(out - want)^2{', added up over ' + outs if v.o > 1 else ''}",
        f"step size {g(v.p.rate)}",
        "",
        "  ".join(f"x{j + 1} = {g(x)}" for j, x in enumerate(v.p.x)),
        "  ".join(f"want_{unit[2][i]} = {g(t)}" for i, t in enumerate(v.p.y)),
        "",
    ]
    for k, size in v.layers():
        for i in range(size):
            me = unit[k][i]
            lines.append(
                "  ".join(
                    [
                        *(
                            f"w({source(k, j)},{me}) = {g(w)}"
                            for j, w in enumerate(v.p.W[k - 1][i])
                        ),
                        f"bias({me}) = {v.bias(k, i)}",
                    ]
                )
            )
    lines += ["", "> forward", ""]
    for k, size in v.layers():
        for i in range(size):
            lines.append(
                f"{unit[k][i]}:  sum = {v.worked(v.at('z', k, i))}   out = {v.shown('a', k, i)}"
            )
    lines += ["", f"E = {v.worked(v.at('C'))}", "", "> backward", ""]
    for k, size in ((2, v.o), (1, v.m)):
        for i in range(size):
            steep = v.at("σ'", k, i)
            lines.append(
                f"{unit[k][i]}:  dE/dout = {v.worked(v.at('∂C/∂a', k, i))}"
                + (f"   dout/dsum = {v.worked(steep)}" if steep else "")
                + f"   dE/dsum = {v.worked(v.at('δ', k, i))}"
            )
    lines += ["", "> gradients and new weights", ""]
    for k, size in ((2, v.o), (1, v.m)):
        for i in range(size):
            me = unit[k][i]
            lines += [
                f"w({source(k, j)},{me}):  dE/dw = {v.worked(v.at('∂C/∂W', k, i, j))}   {g(w)} -> {v.shown('W_new', k, i, j)}"
                + (
                    f"   ({v.worked(v.at('W_new', k, i, j))})"
                    if v.tells(v.at("W_new", k, i, j), 0.3)
                    else ""
                )
                for j, w in enumerate(v.p.W[k - 1][i])
            ]
            step = v.at("b_new", k, i)
            lines.append(
                f"bias({me}):  dE/dbias = {v.shown('∂C/∂b', k, i)}   {v.bias(k, i)} -> {step.shown}"
                + (f"   ({v.worked(step)})" if v.tells(step, 0.3) else "")
            )
    return "\n".join([*lines, "", "Hope that helps!", "", "-- ", "R."]), ".txt"


def tex_homework(page, r):
    """A student's LaTeX document with a macro of its own; U and V for weights, powers of ten."""
    v = View(page, r)

    def num(text):
        found = scientific(text, 0.01)
        return rf"{found[0]} \times 10^{{{found[1]}}}" if found else text

    def work(step, chance=1.0):
        if not v.tells(step, chance) or step.work.strip("()") == step.shown:
            return num(step.shown)
        return f"{times(tidy(step.work), DOT)} = {num(step.shown)}"

    def pm(rows):
        return r"\begin{pmatrix}" + r" \\ ".join(" & ".join(row) for row in rows) + r"\end{pmatrix}"

    kinds = {"sigmoid": r"\sigma", "tanh": r"\tanh", "identity": ""}
    weight, bias, pre, post = {1: "U", 2: "V"}, {1: "b", 2: "c"}, {1: "p", 2: "q"}, {1: "h", 2: "o"}
    half = r"\frac{1}{2}" if v.half else ""
    sigma = r" where $\sigma(z) = \frac{1}{1 + e^{-z}}$" if "sigmoid" in v.p.acts else ""
    last = r"o = \sigma(q)" if v.out == "sigmoid" else "o = q"
    lines = [
        r"\documentclass[11pt]{article}",
        r"\usepackage{amsmath,enumitem}",
        r"\newcommand{\pd}[2]{\frac{\partial #1}{\partial #2}}",
        r"\newcommand{\R}{\mathbb{R}}",
        r"\title{Homework 4}",
        r"\author{}",
        r"\begin{document}",
        r"\maketitle",
        r"\section*{Problem 1}",
        rf"The network is $p = Ux + b$, $h = {kinds[v.hidden]}(p)$, $q = Vh + c$, ${last}${sigma}, with $x \in \R^{v.n}$ and $h \in \R^{v.m}$.",
        rf"The loss is $\ell = {half}\sum_i (o_i - t_i)^2$ and the learning rate is $\alpha = {g(v.p.rate)}$.",
        r"\[",
        rf"  U = {pm([list(map(g, row)) for row in v.p.W[0]])}, \quad b = {pm([[g(x)] for x in v.p.b[0]])}, \quad",
        rf"  V = {pm([list(map(g, row)) for row in v.p.W[1]])}, \quad c = {pm([[g(x)] for x in v.p.b[1]])}",
        r"\]",
        rf"The training example is $x = {pm([[g(x)] for x in v.p.x])}$, $t = {pm([[g(t)] for t in v.p.y])}$.",
        "",
        r"\begin{enumerate}[label=(\alph*)]",
        r"\item \textbf{Forward pass.}",
        r"  \begin{align*}",
    ]
    for k, size in v.layers():
        for i in range(size):
            lines += [
                rf"    {pre[k]}_{i + 1} &= {work(v.at('z', k, i))}, & {post[k]}_{i + 1} &= {num(v.shown('a', k, i))} \\"
            ]
    lines += [r"  \end{align*}", f"  The loss is $\\ell = {work(v.at('C'))}$."]
    for k, size in ((2, v.o), (1, v.m)):
        into = "h" if k == 2 else "x"
        lines += [
            rf"\item \textbf{{Gradients of the {'output' if k == 2 else 'hidden'} layer.}}",
            r"  \begin{align*}",
        ]
        for i in range(size):
            lines.append(rf"    \pd{{\ell}}{{{post[k]}_{i + 1}}} &= {work(v.at('∂C/∂a', k, i))} \\")
            if v.at("σ'", k, i):
                lines.append(
                    rf"    \pd{{{post[k]}_{i + 1}}}{{{pre[k]}_{i + 1}}} &= {work(v.at(chr(963) + chr(39), k, i))} \\"
                )
            lines.append(rf"    \pd{{\ell}}{{{pre[k]}_{i + 1}}} &= {work(v.at('δ', k, i))} \\")
        for i in range(size):
            lines += [
                rf"    \pd{{\ell}}{{{weight[k]}_{{{i + 1}{j + 1}}}}} &= \pd{{\ell}}{{{pre[k]}_{i + 1}}} {into}_{j + 1} = {work(v.at('∂C/∂W', k, i, j))} \\"
                for j in range(v.p.sizes[k - 1])
            ]
            lines.append(
                rf"    \pd{{\ell}}{{{bias[k]}_{i + 1}}} &= {num(v.shown('∂C/∂b', k, i))} \\"
            )
        lines.append(r"  \end{align*}")
    lines += [r"\item \textbf{One step of gradient descent.} For example,"]
    steps = [s for s in page.steps if s.key[0].endswith("_new")]
    told = [s for s in steps if s.key == page.planted] or [r.choice(steps)]
    for s in told:
        k, index = s.key[1], s.key[2]
        name = f"{(weight if s.key[0][0] == 'W' else bias)[k]}_{{{''.join(str(i + 1) for i in index)}}}"
        lines.append(
            rf"  ${name} \gets {times(s.work, DOT) + ' = ' if s.work else ''}{num(s.shown)}$."
        )
    lines += ["  All together", r"  \begin{align*}"]
    for k, size in v.layers():
        rows = [
            [num(v.shown("W_new", k, i, j)) for j in range(v.p.sizes[k - 1])] for i in range(size)
        ]
        lines += [
            rf"    {weight[k]} &\gets {pm(rows)}, & {bias[k]} &\gets {pm([[num(v.shown('b_new', k, i))] for i in range(size)])} \\"
        ]
    return "\n".join([*lines, r"  \end{align*}", r"\end{enumerate}", r"\end{document}"]), ".tex"


def dialogue(page, r):
    """A tutor and a student talking: ordinals in words, unicode maths, values in passing."""
    v = View(page, r)
    layer = {0: "input", 1: "hidden neuron", 2: "output neuron"}
    named = {
        "sigmoid": "the sigmoid",
        "tanh": "tanh",
        "identity": "no activation, so they are linear",
    }
    who = ["**Student:**", "**Tutor:**"]

    def one(k, i):
        return f"the {ORDINAL[i]} {layer[k]}" if v.p.sizes[k] > 1 else f"the {layer[k]}"

    def work(step, chance=1.0):
        text = v.worked(step, " × ", " ≈ ", chance)
        return text.replace("^2", "²").replace("-", "−")

    def num(text):
        return text.replace("-", "−")

    lines = [
        "# Office hours: backprop on a tiny network",
        "",
        f"{who[1]} Let's take {v.n} inputs, {v.m} hidden neurons and {v.o} output neuron{'s' if v.o > 1 else ''}. The hidden neurons use {named[v.hidden]}; "
        f"the output neurons use {named[v.out]}. The inputs are "
        + " and ".join(f"x{low(j + 1)} = {num(g(x))}" for j, x in enumerate(v.p.x))
        + ", and we want "
        + " and ".join(f"t{low(i + 1)} = {num(g(t))}" for i, t in enumerate(v.p.y))
        + ".",
        "",
        f"{who[0]} And the weights?",
        "",
    ]
    for k, size in v.layers():
        for i in range(size):
            row = ", ".join(
                f"{num(g(w))} from {one(k - 1, j)}" for j, w in enumerate(v.p.W[k - 1][i])
            )
            lines += [
                f"{who[1]} {one(k, i).capitalize()} has the weights {row}, and a bias of {num(v.bias(k, i))}.",
                "",
            ]
    lines += [
        f"{who[0]} What about the loss and the learning rate?",
        "",
        f"{who[1]} Loss L = {'½' if v.half else ''}Σ(output − target)², learning rate η = {g(v.p.rate)}. Start with the forward pass, please.",
        "",
    ]
    for k, size in v.layers():
        for i in range(size):
            opening = r.choice(["So for", "Then for", "And for", "Next, for"])
            lines += [
                f"{who[0]} {opening} {one(k, i)} the net input is {work(v.at('z', k, i))}, and its output is {num(v.shown('a', k, i))}.",
                "",
            ]
    lines += [
        f"{who[1]} Good. And the loss?",
        "",
        f"{who[0]} L = {work(v.at('C'))}.",
        "",
        f"{who[1]} Now backwards, from the output.",
        "",
    ]
    for k, size in ((2, v.o), (1, v.m)):
        for i in range(size):
            text = f"{who[0]} For {one(k, i)}, ∂L/∂output = {work(v.at('∂C/∂a', k, i))}."
            if v.at("σ'", k, i):
                text += (
                    f" The derivative of its activation is {work(v.at(chr(963) + chr(39), k, i))}."
                )
            lines += [f"{text} So its δ is {work(v.at('δ', k, i))}.", ""]
            if r.random() < 0.3:
                lines += [
                    f"{who[1]} {r.choice(['Fine, go on.', 'Yes.', 'And what follows from that?', 'Mm-hm.'])}",
                    "",
                ]
    lines += [f"{who[1]} Then the gradients, and the new parameters.", ""]
    for k, size in ((2, v.o), (1, v.m)):
        for i in range(size):
            for j in range(v.p.sizes[k - 1]):
                lines.append(
                    f"- Weight from {one(k - 1, j)} to {one(k, i)}: gradient {work(v.at('∂C/∂W', k, i, j), 0.6)}; new weight {work(v.at('W_new', k, i, j), 0.6)}."
                )
            lines.append(
                f"- Bias of {one(k, i)}: gradient {work(v.at('∂C/∂b', k, i))}; new bias {work(v.at('b_new', k, i), 0.6)}."
            )
    return "\n".join(lines), ".md"


WILD_TWO = {
    f.__name__: f
    for f in (
        data_mining,
        deep_book,
        torch_session,
        spreadsheet,
        web_tutorial,
        email,
        tex_homework,
        dialogue,
    )
}
