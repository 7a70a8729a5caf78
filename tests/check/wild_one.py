"""Pages as they are met in the world, written without knowledge of the reader."""

from __future__ import annotations

import json
import re

from notations import CROSS, DOT, g, grouped, matrix_of, times, vector

ABOUT = r" \approx "
NAMES = {"sigmoid": "sigmoid", "tanh": "tanh", "identity": "linear"}


class View:
    """The steps of a page by key, so that a writer can state them in an order of its own."""

    def __init__(self, page, r):
        self.page, self.p, self.r = page, page.problem, r
        self.steps = {s.key: s for s in page.steps}
        self.n, self.m, self.o = self.p.sizes
        self.hidden, self.out = self.p.acts
        self.half = self.p.loss == "half"

    def at(self, head, k=None, *index):
        return self.steps.get((head, k, index))

    def shown(self, head, k=None, *index):
        return self.steps[head, k, index].shown

    def tells(self, step, chance=1.0):
        """Whether the work behind a step is written out: always where the line itself slips."""
        slips = self.page.kind == "line" and step.key == self.page.planted
        return bool(step.work) and (slips or self.r.random() < chance)

    def worked(self, step, sign="*", equals=" = ", chance=1.0):
        if not self.tells(step, chance) or step.work.strip("()") == step.shown:
            return step.shown
        return f"{times(tidy(step.work), sign)}{equals}{step.shown}"

    def chain(self, k, i, j):
        """The work of one weight's gradient with the δ's own work put in for the δ."""
        delta, grad = self.at("δ", k, i), self.at("∂C/∂W", k, i, j)
        head = f"({delta.shown})" if delta.shown.startswith("-") else delta.shown
        if not delta.work or delta.work == delta.shown or not grad.work.startswith(head):
            return grad.work
        return f"{delta.work}{grad.work[len(head) :]} = {grad.work}"

    def bias(self, k, i):
        return g(self.p.b[k - 1][i])

    def layers(self):
        return ((k, self.p.sizes[k]) for k in (1, 2))


def tidy(work):
    """Without the brackets that nobody would write."""
    work = re.sub(r"\*\((\([^()]*\)(\^2)?)\)$", r"*\1", work)
    return re.sub(r"^\(([^()]+)\)$", r"\1", work)


def flipped(text):
    """A number with its sign turned."""
    if float(text) == 0:
        return text
    return text[1:] if text.startswith("-") else f"-{text}"


def scientific(text, small=0.01):
    """The same digits with a power of ten, for small numbers: 0.0012 to ('1.2', -3)."""
    bare = text.lstrip("-")
    if float(bare) == 0 or float(bare) >= small:
        return None
    digits = bare.replace(".", "").lstrip("0")
    power = len(digits) - 1 - len(bare.partition(".")[2])
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return ("-" if text.startswith("-") else "") + mantissa, power


def e_notation(text, small=0.01):
    found = scientific(text, small)
    return f"{found[0]}e{found[1]:+03d}" if found else text


def bishop(page, r):
    """A textbook's letters: a_j before and z_j after the activation, biases as w_{j0}."""
    v = View(page, r)
    shape = {
        "sigmoid": r"\sigma(a) = 1/(1+e^{-a})", "tanh": r"\tanh(a)", "identity": "a",
    }  # fmt: skip
    out = {"sigmoid": r"y_k = \sigma(a_k^{(2)})", "identity": r"y_k = a_k^{(2)}"}[v.out]
    kind = {"sigmoid": "logistic sigmoid output units", "identity": "linear output units"}[v.out]
    half = r"\frac{1}{2} " if v.half else ""
    lines = [
        r"\section*{Error backpropagation: a numerical example}", "",
        f"Consider a two-layer network with {v.n} inputs, {v.m} hidden units having activation",
        f"function $h(a) = {shape[v.hidden]}$, and {kind}, so that", "",
        r"\begin{equation}", r"a_j^{(1)} = \sum_{i} w_{ji}^{(1)} x_i + w_{j0}^{(1)}, \qquad z_j = h(a_j^{(1)})", r"\end{equation}",
        "and", r"\begin{equation}", rf"a_k^{{(2)}} = \sum_{{j}} w_{{kj}}^{{(2)}} z_j + w_{{k0}}^{{(2)}}, \qquad {out}.", r"\end{equation}", "",
        r"The biases are $w_{j0}^{(1)}$ and $w_{k0}^{(2)}$. The error for one pattern is",
        rf"$E = {half}\sum_k (y_k - t_k)^2$, and gradient descent uses the learning rate $\eta = {g(v.p.rate)}$.", "",
        "The input is " + ", ".join(f"$x_{j + 1} = {g(x)}$" for j, x in enumerate(v.p.x)) + " with target "
        + ", ".join(f"$t_{i + 1} = {g(t)}$" for i, t in enumerate(v.p.y)) + ". The weights are initially", "",
        r"\begin{align*}",
    ]  # fmt: skip
    for k, size in v.layers():
        for i in range(size):
            row = [f"w_{{{i + 1}0}}^{{({k})}} &= {v.bias(k, i)}"]
            row += [
                f"w_{{{i + 1}{j + 1}}}^{{({k})}} &= {g(w)}" for j, w in enumerate(v.p.W[k - 1][i])
            ]
            lines.append(", & ".join(row) + r" \\")
    lines += [r"\end{align*}", "", r"\paragraph{Forward propagation.}", r"\begin{align*}"]
    for k, size in v.layers():
        for i in range(size):
            after, what = (f"z_{i + 1}", "h") if k == 1 else (f"y_{i + 1}", r"\sigma")
            call = (
                f"{what}(a_{i + 1}^{{({k})}})"
                if v.p.acts[k - 1] != "identity"
                else f"a_{i + 1}^{{({k})}}"
            )
            lines += [
                rf"a_{i + 1}^{{({k})}} &= {v.worked(v.at('z', k, i), CROSS)} \\",
                rf"{after} &= {call} = {v.shown('a', k, i)} \\",
            ]  # fmt: skip
    lines += [r"\end{align*}", f"The error is $E = {v.worked(v.at('C'), CROSS)}$.", ""]
    lines += [r"\paragraph{Backward propagation.}"]
    for k, size in ((2, v.o), (1, v.m)):
        lines += [
            "For the output units" if k == 2 else "and for the hidden units",
            r"\begin{align*}",
        ]
        for i in range(size):
            slope = v.at("σ'", k, i)
            unit = f"y_{i + 1}" if k == 2 else f"z_{i + 1}"
            via = "" if k == 2 else rf"\sum_k w_{{k{i + 1}}}^{{(2)}} \delta_k^{{(2)}} = "
            lines.append(
                rf"\frac{{\partial E}}{{\partial {unit}}} &= {via}{v.worked(v.at('∂C/∂a', k, i), CROSS)} \\"
            )
            mark = r"\sigma'" if k == 2 else "h'"
            if slope:
                lines.append(rf"{mark}(a_{i + 1}^{{({k})}}) &= {v.worked(slope, CROSS)} \\")
            lines.append(rf"\delta_{i + 1}^{{({k})}} &= {v.worked(v.at('δ', k, i), CROSS)} \\")
        lines.append(r"\end{align*}")
    lines += ["", "The derivatives with respect to the first-layer and second-layer weights are", r"\begin{align*}"]  # fmt: skip
    for k, size in v.layers():
        source = "x" if k == 1 else "z"
        for i in range(size):
            lines.append(
                rf"\frac{{\partial E}}{{\partial w_{{{i + 1}0}}^{{({k})}}}} &= \delta_{i + 1}^{{({k})}} = {v.shown('∂C/∂b', k, i)} \\"
            )
            lines += [
                rf"\frac{{\partial E}}{{\partial w_{{{i + 1}{j + 1}}}^{{({k})}}}} &= \delta_{i + 1}^{{({k})}} {source}_{j + 1} = {v.worked(v.at('∂C/∂W', k, i, j), CROSS)} \\"
                for j in range(v.p.sizes[k - 1])
            ]
    lines += [r"\end{align*}", r"Gradient descent, $w \leftarrow w - \eta \, \partial E / \partial w$, gives", r"\begin{align*}"]  # fmt: skip
    for k, size in v.layers():
        for i in range(size):
            lines.append(
                rf"w_{{{i + 1}0}}^{{({k})}} &\leftarrow {v.worked(v.at('b_new', k, i), CROSS)} \\"
            )
            lines += [
                rf"w_{{{i + 1}{j + 1}}}^{{({k})}} &\leftarrow {v.worked(v.at('W_new', k, i, j), CROSS)} \\"
                for j in range(v.p.sizes[k - 1])
            ]
    return "\n".join([*lines, r"\end{align*}"]), ".tex"


def mitchell(page, r):
    """An exercise with net_j, o_j and t_k, where δ is minus the derivative by net."""
    v = View(page, r)
    unit = {1: "h", 2: "k"}
    slopes = {"sigmoid": " o (1 - o)", "tanh": " (1 - o^2)", "identity": ""}
    two = "" if v.half else "2 "
    lines = [
        "EXERCISE 4.2 - one iteration of stochastic gradient descent", "",
        f"Input units x1..x{v.n}, hidden units h1..h{v.m}, output unit{'s k1..k' + str(v.o) if v.o > 1 else ' k1'}. w_ji is the weight",
        "from unit i into unit j, w_j0 is the threshold weight (its input x0 is always 1).",
        f"Hidden units are {NAMES[v.hidden]} units, output units are {NAMES[v.out]} units.", "",
        f"Error:  E = {'1/2 ' if v.half else ''}SUM_k (t_k - o_k)^2      learning rate eta = {g(v.p.rate)}", "",
        "Training example:  <" + ", ".join(f"x{j + 1} = {g(x)}" for j, x in enumerate(v.p.x)) + ">,  "
        + ", ".join(f"t_k{i + 1} = {g(t)}" for i, t in enumerate(v.p.y)), "",
        "Initial weights:",
    ]  # fmt: skip

    def source(k, j):
        return f"x{j + 1}" if k == 1 else f"h{j + 1}"

    for k, size in v.layers():
        for i in range(size):
            name = f"{unit[k]}{i + 1}"
            row = [f"w_{name},{source(k, j)} = {g(w)}" for j, w in enumerate(v.p.W[k - 1][i])]
            lines.append("   " + "   ".join([*row, f"w_{name},0 = {v.bias(k, i)}"]))
    lines += ["", "1. Propagate the input forward", ""]
    for k, size in v.layers():
        for i in range(size):
            name = f"{unit[k]}{i + 1}"
            call = {"sigmoid": f"sigmoid(net_{name})", "tanh": f"tanh(net_{name})", "identity": f"net_{name}"}  # fmt: skip
            lines += [
                f"   net_{name} = {v.worked(v.at('z', k, i))}",
                f"   o_{name} = {call[v.p.acts[k - 1]]} = {v.shown('a', k, i)}",
            ]
    lines += ["", f"   E = {v.worked(v.at('C'))}", "", "2. Propagate the errors backward", "",
              "   Error terms: delta_j = -dE/dnet_j. For an output unit this is",
              f"   delta_k = {two}(t_k - o_k){slopes[v.out]}, for a hidden unit",
              f"   delta_h ={slopes[v.hidden]} SUM_k w_kh delta_k.", ""]  # fmt: skip
    for k, size in ((2, v.o), (1, v.m)):
        for i in range(size):
            name = f"{unit[k]}{i + 1}"
            grad, slope, delta = v.at("∂C/∂a", k, i), v.at("σ'", k, i), v.at("δ", k, i)
            work = re.sub(r"\((\S+) - (\S+)\)", lambda m: f"({m[2]} - {_signed(m[1])})", grad.work) if k == 2 else re.sub(
                r"\*(\(-[\d.]+\)|[\d.]+)", lambda m: f"*{_signed(flipped(m[1].strip('()')))}", grad.work)  # fmt: skip
            lines.append(f"   -dE/do_{name} = {work} = {flipped(grad.shown)}")
            if slope:
                lines.append(f"   do_{name}/dnet_{name} = {v.worked(slope)}")
            turned = flipped(delta.shown)
            product = (
                f"{flipped(grad.shown)}*{slope.shown} = " if slope and "*" in delta.work else ""
            )
            lines += [f"   delta_{name} = {product}{turned}", ""]  # fmt: skip
    lines += ["3. Gradients and update, dE/dw_ji = -delta_j x_ji and w_ji <- w_ji - eta dE/dw_ji", ""]  # fmt: skip
    for k, size in ((2, v.o), (1, v.m)):
        for i in range(size):
            name = f"{unit[k]}{i + 1}"
            turned = flipped(v.shown("δ", k, i))
            for j in range(v.p.sizes[k - 1]):
                grad = v.at("∂C/∂W", k, i, j)
                rest = grad.work.partition("*")[2]
                edge = f"w_{name},{source(k, j)}"
                lines += [f"   dE/d{edge} = -{_signed(turned)}*{rest} = {grad.shown}",
                          f"   {edge} <- {v.worked(v.at('W_new', k, i, j))}"]  # fmt: skip
            lines += [f"   dE/dw_{name},0 = -delta_{name} = {v.shown('∂C/∂b', k, i)}",
                      f"   w_{name},0 <- {v.worked(v.at('b_new', k, i))}", ""]  # fmt: skip
    return "\n".join(lines), ".txt"


def _signed(text):
    return f"({text})" if text.startswith("-") else text


def chained(page, r):
    """A blog post that goes through the chain rule weight by weight, updating as it goes."""
    v = View(page, r)
    number, names = 0, {}
    for k, size in v.layers():
        for i in range(size):
            for j in range(v.p.sizes[k - 1]):
                number += 1
                names[k, i, j] = f"w_{{{number}}}" if number > 9 else f"w_{number}"
    number = 0
    for k, size in v.layers():
        for i in range(size):
            number += 1
            names[k, i] = f"b_{number}"
    tag = {1: "h", 2: "o"}
    words = {"sigmoid": "the logistic (sigmoid) function", "tanh": "tanh", "identity": "no squashing at all (a linear output)"}  # fmt: skip
    half = r"\frac{1}{2}" if v.half else ""
    lines = [
        "# Backpropagation, one weight at a time", "",
        f"Our network has {v.n} inputs, {v.m} hidden neurons and {v.o} output neuron{'s' if v.o > 1 else ''}. "
        f"The hidden neurons squash their net input with {words[v.hidden]}; the output layer uses {words[v.out]}.", "",
        "Here are the numbers to start from:", "",
        "* inputs: " + ", ".join(f"$i_{j + 1} = {g(x)}$" for j, x in enumerate(v.p.x)),
        "* targets: " + ", ".join(f"$target_{{o{i + 1}}} = {g(t)}$" for i, t in enumerate(v.p.y)),
    ]  # fmt: skip
    for k, size in v.layers():
        for i in range(size):
            row = ", ".join(f"${names[k, i, j]} = {g(w)}$" for j, w in enumerate(v.p.W[k - 1][i]))
            lines.append(
                f"* into ${tag[k]}_{i + 1}$: {row} and the bias ${names[k, i]} = {v.bias(k, i)}$"
            )
    lines += [f"* learning rate: $\\eta = {g(v.p.rate)}$", "",
              rf"The total error is $E_{{total}} = \sum {half}(target - output)^2$.", "", "## The forward pass", ""]  # fmt: skip
    for k, size in v.layers():
        for i in range(size):
            t = f"{tag[k]}{i + 1}"
            into = [
                f"i_{j + 1}" if k == 1 else f"out_{{h{j + 1}}}" for j in range(v.p.sizes[k - 1])
            ]
            symbols = " + ".join(f"{names[k, i, j]} * {s}" for j, s in enumerate(into))
            lines += [
                f"$net_{{{t}}} = {symbols} + {names[k, i]} * 1$", "",
                f"$net_{{{t}}} = {v.worked(v.at('z', k, i), ' * ')}$", "",
                f"which gives an output of $out_{{{t}}} = {v.shown('a', k, i)}$.", "",
            ]  # fmt: skip
    lines += [f"$E_{{total}} = {v.worked(v.at('C'), ' * ')}$", "", "## The backwards pass", ""]
    for k, size in ((2, v.o), (1, v.m)):
        lines += [f"### {'Output' if k == 2 else 'Hidden'} layer", ""]
        for i in range(size):
            t = f"{tag[k]}{i + 1}"
            total = r"\partial E_{total}"
            grad, slope, delta = v.at("∂C/∂a", k, i), v.at("σ'", k, i), v.at("δ", k, i)
            lines += [
                f"How much does the total error change with the output of ${tag[k]}_{i + 1}$?", "",
                rf"$\frac{{{total}}}{{\partial out_{{{t}}}}} = {v.worked(grad, ' * ')}$", "",
            ]  # fmt: skip
            if slope:
                lines += [
                    "And how much does that output change with its net input?", "",
                    rf"$\frac{{\partial out_{{{t}}}}}{{\partial net_{{{t}}}}} = {v.worked(slope, ' * ')}$", "",
                ]  # fmt: skip
            lines += [
                "Together:", "",
                rf"$\delta_{{{t}}} = \frac{{{total}}}{{\partial net_{{{t}}}}} = {v.worked(delta, ' * ')}$", "",
            ]  # fmt: skip
            for j in range(v.p.sizes[k - 1]):
                w = names[k, i, j]
                split = rf"\frac{{{total}}}{{\partial out_{{{t}}}}} * \frac{{\partial out_{{{t}}}}}{{\partial net_{{{t}}}}} * \frac{{\partial net_{{{t}}}}}{{\partial {w}}}"
                lines += [
                    rf"$\frac{{{total}}}{{\partial {w}}} = {split} = {times(v.chain(k, i, j), ' * ')} = {v.shown('∂C/∂W', k, i, j)}$", "",
                    f"so ${w}^{{+}} = {w} - \\eta * \\frac{{{total}}}{{\\partial {w}}} = {v.worked(v.at('W_new', k, i, j), ' * ')}$", "",
                ]  # fmt: skip
            b = names[k, i]
            lines += [
                rf"For the bias, $\frac{{{total}}}{{\partial {b}}} = \delta_{{{t}}} = {v.shown('∂C/∂b', k, i)}$ and ${b}^{{+}} = {v.worked(v.at('b_new', k, i), ' * ')}$.", "",
            ]  # fmt: skip
        if k == 2:
            lines += ["(We keep using the *original* weights below, not the updated ones.)", ""]
    return "\n".join(lines), ".md"


def nielsen(page, r):
    """An online book's letters, with the input counted as layer 1: w^2_{jk}, z^2_j, \\delta^3_j."""
    v = View(page, r)
    kinds = {"sigmoid": "sigmoid neuron(s)", "tanh": "tanh neuron(s)", "identity": "linear neuron(s), $a^3_j = z^3_j$"}  # fmt: skip
    half = r"\frac{1}{2}" if v.half else ""

    def pmatrix(rows):
        return r"\begin{pmatrix} " + r" \\ ".join(" & ".join(x) for x in rows) + r" \end{pmatrix}"

    lines = [
        "## The four equations, with numbers", "",
        f"Layer $l = 1$ is the input layer, so $a^1 = x$. Layer 2 (hidden) has {v.m} {kinds[v.hidden]}, "
        f"layer $L = 3$ (output) has {v.o} {kinds[v.out]}. As usual $w^l_{{jk}}$ goes from neuron $k$ in layer $l-1$ to neuron $j$ in layer $l$.", "",
    ]  # fmt: skip
    for k in (1, 2):
        rows = [list(map(g, row)) for row in v.p.W[k - 1]]
        lines += [
            rf"$$w^{k + 1} = {pmatrix(rows)}, \qquad b^{k + 1} = {pmatrix([[g(b)] for b in v.p.b[k - 1]])}$$", "",
        ]  # fmt: skip
    lines += [
        rf"$$a^1 = x = {pmatrix([[g(x)] for x in v.p.x])}, \qquad y = {pmatrix([[g(t)] for t in v.p.y]) if v.o > 1 else g(v.p.y[0])}$$", "",
        rf"The cost is $C = {half} \|y - a^L\|^2$, the learning rate $\eta = {g(v.p.rate)}$.", "",
        "**Feedforward.** The weighted inputs and activations are", "", "$$", r"\begin{eqnarray}",
    ]  # fmt: skip
    for k, size in v.layers():
        lines += [rf"  z^{k + 1}_{i + 1} & = & {v.worked(v.at('z', k, i), DOT)} \\" for i in range(size)]  # fmt: skip
        lines += [rf"  a^{k + 1}_{i + 1} & = & {v.shown('a', k, i)} \\" for i in range(size)]
    lines += [r"\end{eqnarray}", "$$", "", f"so the cost is $C = {v.worked(v.at('C'), DOT)}$.", ""]
    for k, size, title in ((2, v.o, "Output error (BP1)"), (1, v.m, "Backpropagate (BP2)")):
        l = k + 1  # noqa: E741
        lines += [f"**{title}.**", ""]
        for i in range(size):
            slope = v.at("σ'", k, i)
            parts = [
                rf"$\frac{{\partial C}}{{\partial a^{l}_{i + 1}}} = {v.worked(v.at('∂C/∂a', k, i), DOT)}$"
            ]
            if slope:
                mark = r"\sigma'" if v.p.acts[k - 1] == "sigmoid" else r"\tanh'"
                parts.append(f"${mark}(z^{l}_{i + 1}) = {v.worked(slope, DOT)}$")
            parts.append(rf"$\delta^{l}_{i + 1} = {v.worked(v.at('δ', k, i), DOT)}$")
            lines += [f"Neuron {i + 1}: " + ", ".join(parts[:-1]) + f", hence {parts[-1]}.", ""]
    lines += [r"**Gradient (BP3, BP4).** With $\partial C / \partial b^l_j = \delta^l_j$ and $\partial C / \partial w^l_{jk} = a^{l-1}_k \delta^l_j$:", ""]  # fmt: skip
    for k, size in ((2, v.o), (1, v.m)):
        l = k + 1  # noqa: E741
        for i in range(size):
            lines += [
                rf"- $\partial C / \partial w^{l}_{{{i + 1}{j + 1}}} = {v.worked(v.at('∂C/∂W', k, i, j), DOT, chance=0.7)}$"
                for j in range(v.p.sizes[k - 1])
            ]
            lines.append(rf"- $\partial C / \partial b^{l}_{i + 1} = {v.shown('∂C/∂b', k, i)}$")
    lines += ["", r"**Step.** $w \rightarrow w' = w - \eta \, \partial C / \partial w$ and the same for $b$:", ""]  # fmt: skip
    for k, size in v.layers():
        l = k + 1  # noqa: E741
        for i in range(size):
            lines += [
                rf"- $w^{l}_{{{i + 1}{j + 1}}} \rightarrow {v.worked(v.at('W_new', k, i, j), DOT)}$"
                for j in range(v.p.sizes[k - 1])
            ]
            lines.append(rf"- $b^{l}_{i + 1} \rightarrow {v.worked(v.at('b_new', k, i), DOT)}$")
    return "\n".join(lines), ".md"


def exchange(page, r):
    """A question on a forum: prose with inline maths, hidden weights w and output weights v."""
    v = View(page, r)
    names = {"sigmoid": r"a sigmoid $\sigma$", "tanh": r"$\tanh$", "identity": "the identity"}
    pre, post, weight, bias = {1: "u", 2: "s"}, {1: "h", 2: "o"}, {1: "w", 2: "v"}, {1: "b", 2: "c"}
    half = r"\frac12 " if v.half else ""
    lines = [
        "# Is my hand calculation of backpropagation correct?", "",
        "I'm preparing for an exam and want to be sure that I understand backprop, so I did one step with pencil and paper. "
        f"The network has inputs $x_i$, hidden units $h_j$ and outputs $o_k$; the hidden layer uses {names[v.hidden]} and the output layer uses {names[v.out]}:", "",
        r"$$u_j = \sum_i w_{ji} x_i + b_j, \quad h_j = f(u_j), \quad s_k = \sum_j v_{kj} h_j + c_k, \quad o_k = g(s_k)$$", "",
        f"The error is $E = {half}\\sum_k (o_k - t_k)^2$ and I use $\\eta = {g(v.p.rate)}$.", "",
        "**Given:** " + ", ".join(f"$x_{j + 1} = {g(x)}$" for j, x in enumerate(v.p.x)) + "; "
        + ", ".join(f"$t_{i + 1} = {g(t)}$" for i, t in enumerate(v.p.y)) + "; "
        + "; ".join(
            ", ".join([*(f"${weight[k]}_{{{i + 1}{j + 1}}} = {g(w)}$" for j, w in enumerate(row)), f"${bias[k]}_{i + 1} = {v.bias(k, i)}$"])
            for k in (1, 2) for i, row in enumerate(v.p.W[k - 1])
        ) + ".", "", "**What I did:** First the forward pass.", "",
    ]  # fmt: skip
    for k, size in v.layers():
        for i in range(size):
            start = r.choice(["I get", "Then", "Here", "This gives"])
            lines += [
                f"{start} ${pre[k]}_{i + 1} = {v.worked(v.at('z', k, i), DOT)}$, so ${post[k]}_{i + 1} = {v.shown('a', k, i)}$.", "",
            ]  # fmt: skip
    lines += [f"The error is then $E = {v.worked(v.at('C'), DOT)}$.", "", "Now backwards, starting at the output.", ""]  # fmt: skip
    for k, size in ((2, v.o), (1, v.m)):
        if k == 1:
            lines += ["For the hidden layer I have to sum over the outputs:", ""]
        for i in range(size):
            unit, inner = f"{post[k]}_{i + 1}", f"{pre[k]}_{i + 1}"
            slope = v.at("σ'", k, i)
            text = rf"$\partial E/\partial {unit} = {v.worked(v.at('∂C/∂a', k, i), DOT)}$"
            if slope:
                text += rf" and $\partial {unit}/\partial {inner} = {v.worked(slope, DOT)}$"
            text += (
                rf", therefore $\partial E/\partial {inner} = {v.worked(v.at('δ', k, i), DOT)}$."
            )
            lines += [text, ""]
        for i in range(size):
            grads = [
                rf"$\partial E/\partial {weight[k]}_{{{i + 1}{j + 1}}} = {v.worked(v.at('∂C/∂W', k, i, j), DOT, chance=0.6)}$"
                for j in range(v.p.sizes[k - 1])
            ]
            grads.append(rf"$\partial E/\partial {bias[k]}_{i + 1} = {v.shown('∂C/∂b', k, i)}$")
            lines += ["The gradients are " + ", ".join(grads[:-1]) + f" and {grads[-1]}.", ""]
    lines += ["Finally the new values:", ""]
    for k, size in ((2, v.o), (1, v.m)):
        for i in range(size):
            lines += [
                rf"${weight[k]}_{{{i + 1}{j + 1}}}^{{new}} = {v.worked(v.at('W_new', k, i, j), DOT, chance=0.6)}$"
                for j in range(v.p.sizes[k - 1])
            ]
            lines += [f"${bias[k]}_{i + 1}^{{new}} = {v.worked(v.at('b_new', k, i), DOT, chance=0.6)}$", ""]  # fmt: skip
    lines.append("Did I make a mistake anywhere? My book only prints the final weights.")
    return "\n".join(lines), ".md"


def assistant(page, r):
    """A chatbot's answer: headings, display maths with matrices, outer products, boxes, a summary."""
    v = View(page, r)

    def pm(rows, kind="pmatrix"):
        body = r" \\ ".join(" & ".join(x) for x in rows)
        return rf"\begin{{{kind}}} {body} \end{{{kind}}}"

    def col(values):
        return pm([[x] for x in values])

    tag = {1: "h", 2: "o"}
    after = {1: "h", 2: r"\hat{y}"}
    names = {"sigmoid": r"\sigma", "tanh": r"\tanh", "identity": r"\mathrm{id}"}
    half = r"\frac{1}{2} " if v.half else ""
    linear = " (linear output, so $\\hat{y} = z_o$)" if v.out == "identity" else ""
    lines = [
        "Sure! Let's walk through **one full step of backpropagation** by hand.", "", "---", "", "## Setup", "",
        f"We use a network with {v.n} inputs, {v.m} hidden neurons and {v.o} output(s):", "",
        rf"\[ h = {names[v.hidden]}(W_h x + b_h), \qquad \hat{{y}} = {names[v.out]}(W_o h + b_o) \]{linear}", "",
        rf"- Input: \( x = {col(map(g, v.p.x))} \)", rf"- Target: \( y = {col(map(g, v.p.y)) if v.o > 1 else g(v.p.y[0])} \)",
        rf"- Loss: \( L = {half}\sum_i (\hat{{y}}_i - y_i)^2 \)", rf"- Learning rate: \( \eta = {g(v.p.rate)} \)", "",
    ]  # fmt: skip
    for k in (1, 2):
        lines += [
            rf"\[ W_{tag[k]} = {pm([list(map(g, row)) for row in v.p.W[k - 1]], 'bmatrix')}, \quad b_{tag[k]} = {pm([[g(b)] for b in v.p.b[k - 1]], 'bmatrix')} \]", "",
        ]  # fmt: skip
    title = {"z": "Pre-activation", "a": "Activation", "∂C/∂a": "Error signal", "σ'": "Local slope", "δ": "Delta",
             "∂C/∂W": "Weight gradient", "∂C/∂b": "Bias gradient", "W_new": "Updated weights", "b_new": "Updated biases"}  # fmt: skip
    section = None
    for head, layer, steps in grouped(page):
        part = "Forward pass" if head in "za" else "Loss" if head == "C" else "Update" if "_new" in head else "Backward pass"  # fmt: skip
        if part != section:
            section = part
            number = ["Forward pass", "Loss", "Backward pass", "Update"].index(part) + 1
            lines += [f"## Step {number}: {part}", ""]
        if head == "C":
            lines += [rf"\[ L = {v.worked(steps[0], DOT, ABOUT)} \]", ""]
            continue
        t = tag[layer]
        name = {
            "z": f"z_{t}", "a": after[layer], "∂C/∂a": rf"\frac{{\partial L}}{{\partial {after[layer]}}}", "σ'": rf"{names[v.p.acts[layer - 1]]}'(z_{t})",
            "δ": rf"\delta_{t}", "∂C/∂W": rf"\nabla_{{W_{t}}} L", "∂C/∂b": rf"\nabla_{{b_{t}}} L",
            "W_new": rf"W_{t}^{{\text{{new}}}}", "b_new": rf"b_{t}^{{\text{{new}}}}",
        }[head]  # fmt: skip
        lines += [f"**{title[head]} ({'hidden' if layer == 1 else 'output'} layer)**", ""]
        rows = matrix_of(head, page, layer, steps)
        planted = [s for s in steps if page.kind == "line" and s.key == page.planted]
        if head == "∂C/∂W":
            into = list(map(g, v.p.x)) if layer == 1 else [v.shown("a", 1, j) for j in range(v.m)]
            symbol = rf"\delta_{t} {'x' if layer == 1 else 'h'}^\top"
            deltas = [v.shown("δ", layer, i) for i in range(v.p.sizes[layer])]
            lines += [rf"\[ {name} = {symbol} = {col(deltas)} {pm([into])} \approx {pm(rows, 'bmatrix')} \]", ""]  # fmt: skip
        elif head == "W_new":
            lines += [rf"\[ \boxed{{{name} = W_{t} - \eta \nabla_{{W_{t}}} L \approx {pm(rows, 'bmatrix')}}} \]", ""]  # fmt: skip
        elif len(steps) > 1:
            cells = [times(s.work, DOT) or s.shown for s in steps]
            whole = head in ("z", "∂C/∂a", "δ", "b_new") and all(s.work for s in steps)
            middle = f"{col(cells)} = " if whole else ""
            lines += [rf"\[ {name} = {middle}{col([s.shown for s in steps])} \]", ""]
            planted = [] if whole else planted
        else:
            lines += [rf"\[ {name} = {v.worked(steps[0], DOT, ABOUT)} \]", ""]
            planted = []
        for s in planted:
            where = ", ".join(str(i + 1) for i in s.key[2])
            lines += [rf"For example, entry \(({where})\) is \( {times(s.work, DOT)} \approx {s.shown} \).", ""]  # fmt: skip
    lines += ["## ✅ Summary", "", "| Quantity | Value |", "|---|---|"]
    lines += [
        rf"| Prediction \( \hat{{y}}_{{{i + 1}}} \) | {v.shown('a', 2, i)} |" for i in range(v.o)
    ]
    lines += [rf"| Loss \( L \) | **{v.shown('C')}** |"]
    for i in range(v.o):
        lines.append(rf"| New output bias \( b_{{o,{i + 1}}} \) | {v.shown('b_new', 2, i)} |")
    lines += ["", "Would you like me to do a second iteration, or show the NumPy code?"]
    return "\n".join(lines), ".md"


def in_words(page, r):
    """Homework in whole sentences: the quantities are named in words only."""
    v = View(page, r)
    unit = {0: "input", 1: "hidden unit", 2: "output unit"}
    kinds = {"sigmoid": "a sigmoid", "tanh": "tanh", "identity": "no activation function (linear)"}
    lines = [
        "Homework 3, problem 2: train the network for one step", "",
        f"There are {v.n} inputs, {v.m} hidden units and {v.o} output unit{'s' if v.o > 1 else ''}. "
        f"The hidden units use {kinds[v.hidden]}; the output units use {kinds[v.out]}.",
        f"The loss is {'half ' if v.half else ''}the squared error, {'½' if v.half else ''}(output − target)²{', summed over the outputs' if v.o > 1 else ''}. The learning rate is {g(v.p.rate)}.", "",
    ]  # fmt: skip
    lines += [" ".join(f"Input {j + 1} is {g(x)}." for j, x in enumerate(v.p.x))]
    lines += [
        " ".join(f"The target of output unit {i + 1} is {g(t)}." for i, t in enumerate(v.p.y)), ""
    ]  # fmt: skip
    for k, size in v.layers():
        for i in range(size):
            row = v.p.W[k - 1][i]
            ways = ", ".join(f"{g(w)} from {unit[k - 1]} {j + 1}" for j, w in enumerate(row))
            lines.append(f"The weights into {unit[k]} {i + 1} are {ways}; its bias is {v.bias(k, i)}.")  # fmt: skip
    lines += ["", "Forward", ""]
    for k, size in v.layers():
        for i in range(size):
            me = f"{unit[k]} {i + 1}"
            lines += [
                f"The net input of {me} is {v.worked(v.at('z', k, i), '·')}, so the output of {me} is {v.shown('a', k, i)}."
            ]
    lines += ["", f"So the loss is {v.worked(v.at('C'), '·')}.".replace("^2", "²"), "", "Backward", ""]  # fmt: skip
    for k, size in ((2, v.o), (1, v.m)):
        for i in range(size):
            me = f"{unit[k]} {i + 1}"
            slope = v.at("σ'", k, i)
            lines.append(
                f"The derivative of the loss with respect to the output of {me} is {v.worked(v.at('∂C/∂a', k, i), '·')}."
            )
            if slope:
                lines.append(
                    f"The slope of the activation function at {me} is {v.worked(slope, '·')}."
                    .replace("^2", "²")
                )  # fmt: skip
            lines.append(f"The delta of {me} is therefore {v.worked(v.at('δ', k, i), '·')}.")
            for j in range(v.p.sizes[k - 1]):
                edge = f"the weight from {unit[k - 1]} {j + 1} to {me}"
                lines.append(
                    f"The gradient of {edge} is {v.worked(v.at('∂C/∂W', k, i, j), '·')}, and the new value of {edge} is {v.worked(v.at('W_new', k, i, j), '·')}."
                )
            lines += [
                f"The gradient of the bias of {me} is {v.shown('∂C/∂b', k, i)}, and the new bias of {me} is {v.worked(v.at('b_new', k, i), '·')}.", "",
            ]  # fmt: skip
    lines.append(f"In short, the loss before the step was {v.shown('C')}.")
    return "\n".join(lines).replace(" -", " −").replace("(-", "(−"), ".txt"


def lab(page, r):
    """A lab notebook: cells of code, labelled prints, values echoed, small numbers as 1.2e-03."""
    v = View(page, r)
    kinds = {"sigmoid": "sigmoid", "tanh": "np.tanh", "identity": ""}
    tag = {1: "hidden", 2: "out"}
    half = "0.5 * " if v.half else ""
    cells, count = [], 0

    def note(text):
        cells.append({"cell_type": "markdown", "metadata": {}, "source": text.splitlines(True)})

    def code(source, printed="", echoed=""):
        nonlocal count
        count += 1
        outputs = []
        if printed:
            outputs.append(
                {"name": "stdout", "output_type": "stream", "text": printed.splitlines(True)}
            )
        if echoed:
            outputs.append({"data": {"text/plain": echoed.splitlines(True)}, "execution_count": count,
                            "metadata": {}, "output_type": "execute_result"})  # fmt: skip
        cells.append({"cell_type": "code", "execution_count": count, "metadata": {}, "outputs": outputs,
                      "source": source.splitlines(True)})  # fmt: skip

    def call(k, text):
        return f"{kinds[v.p.acts[k - 1]]}({text})" if kinds[v.p.acts[k - 1]] else text

    def line(values):
        return "[" + " ".join(values) + "]"

    def numpy_like(rows):
        """All with a power of ten where one is tiny, as NumPy prints arrays."""
        tiny = any(0 < abs(float(text)) < 1e-3 for row in rows for text in row)
        return [[e_notation(text, 1e9 if tiny else 0) for text in row] for row in rows]

    def block(values, first=" "):
        return "[" + f"\n{first}".join(line(row) for row in values) + "]"

    def by_hand(name, steps):
        found = [s for s in steps if v.tells(s, 0.25)]
        if found:
            note("Check by hand:\n\n" + "\n".join(
                f"- `{name}{''.join(f'[{i}]' for i in s.key[2])} = {times(s.work, ' * ').replace('^', '**')} = {s.shown}`" for s in found))  # fmt: skip

    note(
        f"# Lab 5: backprop from scratch\n\nOne hidden layer ({NAMES[v.hidden]}), output layer {NAMES[v.out]}. "
        f"Loss: $L = {half.replace(' * ', '')} \\sum (\\hat y - y)^2$."
    )
    rows = {k: ", ".join(vector(map(g, row)) for row in v.p.W[k - 1]) for k in (1, 2)}
    code(
        "import numpy as np\n\ndef sigmoid(z):\n    return 1 / (1 + np.exp(-z))\n\n"
        f"x = np.array({vector(map(g, v.p.x))})\ny = np.array({vector(map(g, v.p.y))})\nlr = {g(v.p.rate)}\n\n"
        f"W_hidden = np.array([{rows[1]}])  # one row per hidden unit\nb_hidden = np.array({vector(map(g, v.p.b[0]))})\n"
        f"W_out = np.array([{rows[2]}])\nb_out = np.array({vector(map(g, v.p.b[1]))})"
    )
    note("## Forward pass")
    for k, size in v.layers():
        into, name = ("x", "h") if k == 1 else ("h", "y_hat")
        t = tag[k]
        zs, acts = [v.at("z", k, i) for i in range(size)], [v.at("a", k, i) for i in range(size)]
        code(
            f'z_{t} = W_{t} @ {into} + b_{t}\n{name} = {call(k, f"z_{t}")}\nprint("z_{t} =", z_{t})\nprint("{name} =", {name})',
            f"z_{t} = {line(s.shown for s in zs)}\n{name} = {line(s.shown for s in acts)}\n",
        )
        by_hand(f"z_{t}", zs)
    loss = v.at("C")
    code(f'loss = {half}np.sum((y_hat - y) ** 2)\nprint(f"loss: {{loss:.{v.p.digits}f}}")', f"loss: {loss.shown}\n")  # fmt: skip
    if v.tells(loss, 0.3):
        note(f"Check by hand: `loss = {loss.work.replace('^', '**')} = {loss.shown}`")
    note("## Backward pass\n\n`d_` means the derivative of the loss.")
    for k, size in ((2, v.o), (1, v.m)):
        t, name, into = tag[k], "h" if k == 1 else "y_hat", "x" if k == 1 else "h"
        grads, slopes, deltas, biases = (
            [v.at(head, k, i) for i in range(size)] for head in ("∂C/∂a", "σ'", "δ", "∂C/∂b")
        )
        source = f"{'' if v.half else '2 * '}(y_hat - y)" if k == 2 else "W_out.T @ d_z_out"
        code(f"d_{name} = {source}\nd_{name}", "", f"array([{', '.join(s.shown for s in grads)}])")
        by_hand(f"d_{name}", grads)
        slope = {"sigmoid": f"{name} * (1 - {name})", "tanh": f"1 - {name} ** 2"}.get(v.p.acts[k - 1])  # fmt: skip
        if slope:
            code(f'slope_{t} = {slope}\nprint("slope_{t} =", slope_{t})', f"slope_{t} = {line(s.shown for s in slopes)}\n")  # fmt: skip
            by_hand(f"slope_{t}", slopes)
        code(
            f'd_z_{t} = d_{name}{f" * slope_{t}" if slope else ""}\nprint("d_z_{t} =", d_z_{t})',
            f"d_z_{t} = {line(*numpy_like([[s.shown for s in deltas]]))}\n",
        )
        by_hand(f"d_z_{t}", deltas)
        steps = [v.at("∂C/∂W", k, i, j) for i in range(size) for j in range(v.p.sizes[k - 1])]
        matrix = [[v.shown("∂C/∂W", k, i, j) for j in range(v.p.sizes[k - 1])] for i in range(size)]  # fmt: skip
        code(
            f'd_W_{t} = np.outer(d_z_{t}, {into})\nd_b_{t} = d_z_{t}\nprint("d_W_{t} =\\n", d_W_{t})\nprint("d_b_{t} =", d_b_{t})',
            f"d_W_{t} =\n {block(numpy_like(matrix), '  ')}\nd_b_{t} = {line(*numpy_like([[s.shown for s in biases]]))}\n",
        )
        by_hand(f"d_W_{t}", steps)
    note("## Update")
    for k, size in v.layers():
        t = tag[k]
        steps = [v.at("W_new", k, i, j) for i in range(size) for j in range(v.p.sizes[k - 1])]
        matrix = [[v.shown("W_new", k, i, j) for j in range(v.p.sizes[k - 1])] for i in range(size)]
        echoed = "array([" + ",\n       ".join("[" + ", ".join(row) + "]" for row in matrix) + "])"
        code(f"W_{t}_new = W_{t} - lr * d_W_{t}\nW_{t}_new", "", echoed)
        by_hand(f"W_{t}_new", steps)
        biases = [v.at("b_new", k, i) for i in range(size)]
        code(f"b_{t}_new = b_{t} - lr * d_b_{t}\nb_{t}_new", "", f"array([{', '.join(s.shown for s in biases)}])")  # fmt: skip
        by_hand(f"b_{t}_new", biases)
    meta = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    made = {"cells": cells, "metadata": meta, "nbformat": 4, "nbformat_minor": 4}
    return json.dumps(made, indent=1, ensure_ascii=False), ".ipynb"


WILD_ONE = {
    f.__name__: f for f in (bishop, mitchell, chained, nielsen, exchange, assistant, in_words, lab)
}
