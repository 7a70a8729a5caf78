"""Notations kept out of the tuning: the figures in docs/checking.md are measured on these."""

from __future__ import annotations

import json

from notations import DOT, acts, g, grouped, matrix_of, times, vector

LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
HIGH = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def low(text):
    return str(text).translate(LOW)


def high(text):
    return "⁽" + str(text).translate(HIGH) + "⁾"


def unicode_text(page, r):
    """Plain text with raised layers and lowered neurons: z₂⁽¹⁾ = 0.1×0.5 + … ≈ 0.21."""
    p = page.problem
    lines = [
        f"Activation of the hidden layer is {acts(p)[0]}; activation of the output layer is {acts(p)[1]}."
    ]
    lines.append(f"L = {'½' if p.loss == 'half' else ''} Σ (aᵢ − yᵢ)²")
    lines.append("learning rate η = " + g(p.rate))
    lines.append("   ".join(f"x{low(j + 1)} = {g(v)}" for j, v in enumerate(p.x)).replace("-", "−"))
    lines.append("   ".join(f"y{low(j + 1)} = {g(v)}" for j, v in enumerate(p.y)))
    for k in range(1, p.layers + 1):
        for i, row in enumerate(p.W[k - 1]):
            lines.append(
                "; ".join(
                    f"w{low(i + 1)}{low(j + 1)}{high(k)} = {g(w)}" for j, w in enumerate(row)
                ).replace("-", "−")
            )
            lines.append(f"b{low(i + 1)}{high(k)} = {g(p.b[k - 1][i])}".replace("-", "−"))
    for s in page.steps:
        head, k, index = s.key
        below = "".join(low(i + 1) for i in index)
        place = f"{below}{high(k)}" if k else ""
        name = {
            "z": f"z{place}", "a": f"a{place}", "C": "L", "δ": f"δ{place}", "∂C/∂a": f"∂L/∂a{place}",
            "σ'": f"σ′(z{place})", "∂C/∂W": f"∂L/∂w{place}", "∂C/∂b": f"∂L/∂b{place}",
            "W_new": f"new w{place}", "b_new": f"new b{place}",
        }[head]  # fmt: skip
        work = f" = {times(s.work, '×')}" if s.work else ""
        lines.append(f"{name}{work} ≈ {s.shown}".replace("-", "−"))
    return "\n\n".join(lines), ".txt"


def stack(values):
    return r" \\ ".join(values)


def brackets(page, r):
    """A course's style: Z^{[1]}, dW^{[1]}, aligned equations, the answer in a box."""
    p = page.problem
    hidden, out = acts(p)
    lines = [
        f"We use $g^{{[1]}} = $ {hidden} for the hidden layer.",
        "",
        f"For the output layer we use {out}.",
        "",
    ]
    square, half = r"(a^{[2]} - y)^2", r"\tfrac12 " if p.loss == "half" else ""
    lines += [rf"\[ J = {half}\sum {square} \]", ""]
    lines += [rf"\[ x = \begin{{pmatrix}} {stack(map(g, p.x))} \end{{pmatrix}} \]", ""]
    target = (
        g(p.y[0]) if len(p.y) == 1 else r"\begin{pmatrix} " + stack(map(g, p.y)) + r" \end{pmatrix}"
    )
    lines += [rf"The target is \( y = {target} \)", ""]
    lines += [rf"and \( \alpha = {g(p.rate)} \) is the learning rate.", ""]
    for k in range(1, p.layers + 1):
        rows = r" \\ ".join(" & ".join(map(g, row)) for row in p.W[k - 1])
        lines += [
            rf"\[ W^{{[{k}]}} = \begin{{pmatrix}} {rows} \end{{pmatrix}}, \qquad b^{{[{k}]}} = \begin{{pmatrix}} {stack(map(g, p.b[k - 1]))} \end{{pmatrix}} \]",
            "",
        ]
    names = {"z": "z^{[k]}", "a": "a^{[k]}", "C": "J", "∂C/∂a": "da^{[k]}", "σ'": "g'(z^{[k]})",
             "δ": "dz^{[k]}", "∂C/∂W": "dW^{[k]}", "∂C/∂b": "db^{[k]}", "W_new": "W^{[k]}_{new}", "b_new": "b^{[k]}_{new}"}  # fmt: skip
    for head, layer, steps in grouped(page):
        name = names[head].replace("k", str(layer))
        rows = matrix_of(head, page, layer, steps)
        if rows:
            cells = r" \\ ".join(" & ".join(row) for row in rows)
            lines += [rf"\[ {name} = \begin{{pmatrix}} {cells} \end{{pmatrix}} \]", ""]
            continue
        if len(steps) == 1 and steps[0].work:
            lines += [
                "$$",
                r"\begin{aligned}",
                f"{name} &= {times(steps[0].work, DOT)} \\\\",
                rf"&\approx \boxed{{{steps[0].shown}}}",
                r"\end{aligned}",
                "$$",
                "",
            ]
            continue
        cells = [f"{times(s.work, DOT)} = {s.shown}" if s.work else s.shown for s in steps]
        lines += [
            rf"\[ {name} = \begin{{pmatrix}} {stack(cells)} \end{{pmatrix}} \]"
            if len(cells) > 1
            else rf"\[ {name} \approx {cells[0]} \]",
            "",
        ]
    return "\n".join(lines), ".md"


def notebook(page, r):
    """A notebook that prints, with the text of the task in a cell above."""
    p = page.problem
    half = "half the " if p.loss == "half" else ""
    intro = [f"The hidden layer is {acts(p)[0]}, the output layer is {acts(p)[1]}.\n", "\n",
             f"The loss is {half}squared error, E = {'0.5 * ' if half else ''}sum((out - target)**2).\n"]  # fmt: skip
    setup = [
        f"x = np.array({vector(map(g, p.x))})\n",
        f"target = np.array({vector(map(g, p.y))})\n",
    ]
    for k in range(1, p.layers + 1):
        rows = ", ".join(vector(map(g, row)) for row in p.W[k - 1])
        setup += [
            f"W{k} = np.array([{rows}])\n",
            f"b{k} = np.array({vector(map(g, p.b[k - 1]))})\n",
        ]
    setup.append(f"eta = {g(p.rate)}\n")
    cells = [{"cell_type": "markdown", "metadata": {}, "source": intro},
             {"cell_type": "code", "metadata": {}, "execution_count": 1, "outputs": [], "source": setup}]  # fmt: skip
    names = {"z": "z{k}", "a": "a{k}", "C": "E", "∂C/∂a": "grad_a{k}", "σ'": "", "δ": "delta{k}",
             "∂C/∂W": "grad_W{k}", "∂C/∂b": "grad_b{k}", "W_new": "W{k}_new", "b_new": "b{k}_new"}  # fmt: skip
    for head, layer, steps in grouped(page):
        rows = matrix_of(head, page, layer, steps)
        values = [s.shown for s in steps]
        if head == "σ'":
            text = f"$\\sigma'(z_{layer}) = [{', '.join(values)}]$"
            cells.append({"cell_type": "markdown", "metadata": {}, "source": [text]})
            continue
        name = names[head].replace("{k}", str(layer))
        shown = (
            "[" + "\n ".join("[" + " ".join(row) + "]" for row in rows) + "]"
            if rows
            else "[" + " ".join(values) + "]"
            if head != "C"
            else values[0]
        )
        cells.append({"cell_type": "code", "metadata": {}, "execution_count": 2, "source": [f"print({name})"],
                      "outputs": [{"output_type": "stream", "name": "stdout", "text": [t + "\n" for t in shown.split("\n")]}]})  # fmt: skip
    return json.dumps(
        {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1
    ), ".ipynb"


def decimal_comma(page, r):
    """Homework from where decimals have a comma, neurons by name."""
    p = page.problem
    lines = [f"Verdeckte Schicht (hidden): {acts(p)[0]}", f"Ausgabe (output): {acts(p)[1]}",
             f"E = {'1/2 ' if p.loss == 'half' else ''}(t - o)^2", f"eta = {g(p.rate)}"]  # fmt: skip
    lines.append(" ; ".join(f"x_{j + 1} = {g(v)}" for j, v in enumerate(p.x)))
    lines.append(" ; ".join(f"t_{j + 1} = {g(v)}" for j, v in enumerate(p.y)))
    for k in range(1, p.layers + 1):
        for i, row in enumerate(p.W[k - 1]):
            lines.append(" ; ".join(f"w^({k})_{i + 1}{j + 1} = {g(w)}" for j, w in enumerate(row)))
            lines.append(f"b^({k})_{i + 1} = {g(p.b[k - 1][i])}")
    for s in page.steps:
        head, k, index = s.key
        neuron = f"{'h' if k == 1 else 'o'}{index[0] + 1}" if index and k else ""
        place = f"^({k})_{''.join(str(i + 1) for i in index)}"
        name = {
            "z": f"net_{neuron}", "a": f"out_{neuron}", "C": "E", "δ": f"δ_{neuron}", "∂C/∂a": f"dE/dout_{neuron}",
            "σ'": f"dout_{neuron}/dnet_{neuron}", "∂C/∂W": f"dE/dw{place}", "∂C/∂b": f"dE/db{place}",
            "W_new": f"w{place}'", "b_new": f"b{place}'",
        }[head]  # fmt: skip
        lines.append(f"{name} = {s.work} = {s.shown}" if s.work else f"{name} = {s.shown}")
    return "\n\n".join(lines).replace(".", ","), ".txt"


HELDOUT = {f.__name__: f for f in (unicode_text, brackets, notebook, decimal_comma)}
