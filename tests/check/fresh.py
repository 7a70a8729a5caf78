"""Two notations that were measured as they were first written: the figures in docs/checking.md."""

from __future__ import annotations

from notations import CROSS, acts, g, grouped, matrix_of, times


def all_tables(page, r):
    """Everything in tables: neurons by name, parameters with old, gradient and new."""
    p = page.problem
    shown = {s.key: s.shown for s in page.steps}
    lines = [
        f"The hidden layer uses {acts(p)[0]}, the output layer {acts(p)[1]}. Learning rate: {g(p.rate)}",
        "",
    ]
    lines += [f"Loss: C = {'½ ' if p.loss == 'half' else ''}(a − y)², summed over the outputs", ""]
    lines += [
        ", ".join(f"x{j + 1} = {g(v)}" for j, v in enumerate(p.x)),
        "",
        ", ".join(f"y{j + 1} = {g(v)}" for j, v in enumerate(p.y)),
        "",
    ]
    for k in range(1, p.layers + 1):
        rows = ", ".join("[" + ", ".join(map(g, row)) + "]" for row in p.W[k - 1])
        lines += [f"W{k} = [{rows}] and b{k} = [{', '.join(map(g, p.b[k - 1]))}]", ""]
    lines += ["| neuron | z | a |", "|:--|--:|--:|"]
    neurons = [
        (k, i, f"{'h' if k == 1 else 'o'}{i + 1}") for k in (1, 2) for i in range(p.sizes[k])
    ]
    lines += [
        f"| {name} | {shown['z', k, (i,)]} | {shown['a', k, (i,)]} |" for k, i, name in neurons
    ]
    lines += [
        "",
        f"The loss is {shown['C', None, ()]}.",
        "",
        "| neuron | ∂C/∂a | σ'(z) | δ |",
        "|---|---|---|---|",
    ]
    for k, i, name in reversed(neurons):
        lines.append(
            f"| {name} | {shown['∂C/∂a', k, (i,)]} | {shown.get(('σ' + chr(39), k, (i,)), '')} | {shown['δ', k, (i,)]} |"
        )
    lines += ["", "| parameter | old | gradient | new |", "|---|---|---|---|"]
    for s in page.steps:
        head, k, index = s.key
        if head in ("∂C/∂W", "∂C/∂b"):
            letter = head[-1]
            old = p.W[k - 1][index[0]][index[1]] if letter == "W" else p.b[k - 1][index[0]]
            place = "".join(f"[{i}]" for i in index)
            lines.append(
                f"| {letter}{k}{place} | {g(old)} | {s.shown} | {shown[letter + '_new', k, index]} |"
            )
    return "\n".join(lines), ".md"


def bold(page, r):
    """Bold vectors with transposes: \\mathbf{z}^{(1)} = (0.1, 0.2)^T."""
    p = page.problem

    def vector(values):
        values = list(values)
        return rf"\left( {', '.join(values)} \right)^\top" if len(values) > 1 else values[0]

    lines = [f"Hidden units: {acts(p)[0]}; output units: {acts(p)[1]}.", ""]
    half = r"\tfrac{1}{2} " if p.loss == "half" else ""
    lines += [
        r"\[ \mathcal{L} = "
        + half
        + r"\sum_i (\hat{y}_i - y_i)^2, \qquad \eta = "
        + g(p.rate)
        + r" \]",
        "",
    ]
    lines += [
        rf"\[ \mathbf{{x}} = {vector(map(g, p.x))}, \quad \mathbf{{y}} = {vector(map(g, p.y))} \]",
        "",
    ]
    for k in range(1, p.layers + 1):
        rows = r" \\ ".join(" & ".join(map(g, row)) for row in p.W[k - 1])
        lines += [
            rf"\[ \mathbf{{W}}^{{({k})}} = \begin{{bmatrix}} {rows} \end{{bmatrix}}, \quad \mathbf{{b}}^{{({k})}} = {vector(map(g, p.b[k - 1]))} \]",
            "",
        ]
    names = {"z": r"\mathbf{z}", "a": r"\mathbf{a}", "δ": r"\boldsymbol{\delta}"}
    for head, layer, steps in grouped(page):
        up = f"^{{({layer})}}"
        name = {
            **{h: f"{n}{up}" for h, n in names.items()}, "C": r"\mathcal{L}", "σ'": rf"\sigma'(\mathbf{{z}}{up})",
            "∂C/∂a": rf"\frac{{\partial \mathcal{{L}}}}{{\partial \mathbf{{a}}{up}}}",
            "∂C/∂W": rf"\frac{{\partial \mathcal{{L}}}}{{\partial \mathbf{{W}}{up}}}",
            "∂C/∂b": rf"\frac{{\partial \mathcal{{L}}}}{{\partial \mathbf{{b}}{up}}}",
            "W_new": rf"\mathbf{{W}}{up}_{{\text{{new}}}}", "b_new": rf"\mathbf{{b}}{up}_{{\text{{new}}}}",
        }[head]  # fmt: skip
        rows = matrix_of(head, page, layer, steps)
        if rows:
            cells = r" \\ ".join(" & ".join(row) for row in rows)
            value = rf"\begin{{bmatrix}} {cells} \end{{bmatrix}}"
        elif len(steps) == 1 and steps[0].work:
            value = f"{times(steps[0].work, CROSS)} = {steps[0].shown}"
        else:
            value = vector(s.shown for s in steps)
        lines += [rf"\[ {name} = {value} \]", ""]
    return "\n".join(lines), ".md"


FRESH = {f.__name__: f for f in (all_tables, bold)}


def lecture(page, r):
    """Lecture notes: a_j^{(l)} with the neuron first, aligned work, vectors for the update."""
    p = page.problem
    lines = [
        "## Worked example",
        "",
        f"*Hidden layer*: {acts(p)[0]} activation. *Output layer*: {acts(p)[1]} activation.",
        "",
    ]
    lines += [
        f"Learning rate $\\eta={g(p.rate)}$ and cost $C={'0.5' if p.loss == 'half' else ''}\\sum_j (a_j^{{(2)}}-y_j)^2$.",
        "",
    ]
    lines += ["$$" + ",\\ ".join(f"x_{j + 1}={g(v)}" for j, v in enumerate(p.x)) + "$$", ""]
    lines += ["$$" + ",\\ ".join(f"y_{j + 1}={g(v)}" for j, v in enumerate(p.y)) + "$$", ""]
    for k in range(1, p.layers + 1):
        for i, row in enumerate(p.W[k - 1]):
            cells = [f"w_{{{i + 1}{j + 1}}}^{{({k})}}={g(w)}" for j, w in enumerate(row)] + [
                f"b_{{{i + 1}}}^{{({k})}}={g(p.b[k - 1][i])}"
            ]
            lines += ["$$" + ",\\ ".join(cells) + "$$", ""]
    for head, layer, steps in grouped(page):
        rows = [r"\begin{aligned}"]
        for s in steps:
            low = "".join(str(i + 1) for i in s.key[2])
            place = f"_{{{low}}}^{{({layer})}}" if layer else ""
            name = {
                "z": f"z{place}", "a": f"a{place}", "C": "C", "δ": rf"\delta{place}", "σ'": rf"\sigma'\left(z{place}\right)",
                "∂C/∂a": rf"\frac{{\partial C}}{{\partial a{place}}}", "∂C/∂W": rf"\frac{{\partial C}}{{\partial w{place}}}",
                "∂C/∂b": rf"\frac{{\partial C}}{{\partial b{place}}}", "W_new": rf"w_{{{low}}}^{{({layer}),new}}",
                "b_new": rf"b_{{{low}}}^{{({layer}),new}}",
            }[head]  # fmt: skip
            if s.work:
                rows += [rf"{name} &= {times(s.work, CROSS)} \\", rf"&= {s.shown} \\[4pt]"]
            else:
                rows.append(rf"{name} &\approx {s.shown} \\[4pt]")
        lines += ["$$", *rows, r"\end{aligned}", "$$", ""]
    return "\n".join(lines), ".md"


def answer(page, r):
    """A chatbot's answer: bold labels, code spans for lists, arrows before results."""
    p = page.problem
    half = "½·" if p.loss == "half" else ""
    lines = [
        "Great question! Here's one full step. 🚀",
        "",
        f"**Network:** {p.sizes[0]} inputs, {p.sizes[1]} hidden units ({acts(p)[0]}), {p.sizes[2]} outputs (output activation: {acts(p)[1]})",
        "",
    ]
    lines += [f"**Loss:** L = {half}Σ(ŷ − y)²", "", f"**Learning rate:** η = {g(p.rate)}", ""]
    lines += [
        f"- **Input:** x = [{', '.join(map(g, p.x))}]",
        f"- **Target:** y = [{', '.join(map(g, p.y))}]",
    ]
    for k in range(1, p.layers + 1):
        rows = ", ".join("[" + ", ".join(map(g, row)) + "]" for row in p.W[k - 1])
        lines += [
            f"- **W{'₁₂'[k - 1]}** = [{rows}]",
            f"- **b{'₁₂'[k - 1]}** = [{', '.join(map(g, p.b[k - 1]))}]",
        ]
    lines.append("")
    names = {"z": "z{k}", "a": "a{k}", "C": "L", "∂C/∂a": "∂L/∂a{k}", "σ'": "σ′(z{k})", "δ": "δ{k}", "∂C/∂W": "∂L/∂W{k}",
             "∂C/∂b": "∂L/∂b{k}", "W_new": "W{k} (new)", "b_new": "b{k} (new)"}  # fmt: skip
    for head, layer, steps in grouped(page):
        name = names[head].replace("{k}", "₁₂"[layer - 1] if layer else "")
        rows = matrix_of(head, page, layer, steps)
        values = "[" + ", ".join(s.shown for s in steps) + "]" if head != "C" else steps[0].shown
        if rows:
            values = "[" + ", ".join("[" + ", ".join(row) + "]" for row in rows) + "]"
        elif len(steps) == 1 and steps[0].work:
            values = f"{times(steps[0].work, '·')} ≈ **{steps[0].shown}**"
        lines += [f"- **{name}** = {values}"]
    lines += ["", "Let me know if you'd like another step! ✨"]
    return "\n".join(lines), ".md"


FINAL = {f.__name__: f for f in (lecture, answer)}


def slides(page, r):
    """Slides: the layer above without brackets, z^1_2, and slanted derivatives."""
    p = page.problem
    lines = ["# Backprop on one slide", "", f"hidden: {acts(p)[0]}, output: {acts(p)[1]}", ""]
    half = r"\frac12" if p.loss == "half" else ""
    lines += [rf"$$E = {half}\sum_k (a^2_k - y_k)^2 \qquad \eta = {g(p.rate)}$$", ""]
    lines += ["$$" + r" \quad ".join(f"x_{j + 1} = {g(v)}" for j, v in enumerate(p.x)) + "$$", ""]
    lines += ["$$" + r" \quad ".join(f"y_{j + 1} = {g(v)}" for j, v in enumerate(p.y)) + "$$", ""]
    for k in range(1, p.layers + 1):
        for i, row in enumerate(p.W[k - 1]):
            cells = [f"w^{k}_{{{i + 1}{j + 1}}} = {g(w)}" for j, w in enumerate(row)] + [
                f"b^{k}_{i + 1} = {g(p.b[k - 1][i])}"
            ]
            lines += ["$$" + r" \quad ".join(cells) + "$$", ""]
    for s in page.steps:
        head, k, index = s.key
        low = "".join(str(i + 1) for i in index)
        place = f"^{k}_{{{low}}}"
        name = {
            "z": f"z{place}", "a": f"a{place}", "C": "E", "δ": rf"\delta{place}", "σ'": rf"\sigma'(z{place})",
            "∂C/∂a": rf"\partial E/\partial a{place}", "∂C/∂W": rf"\partial E/\partial w{place}", "∂C/∂b": rf"\partial E/\partial b{place}",
            "W_new": rf"\text{{new }} w{place}", "b_new": rf"\text{{new }} b{place}",
        }[head]  # fmt: skip
        work = f" = {times(s.work, CROSS)}" if s.work else ""
        lines += [f"$${name}{work} = {s.shown}$$", ""]
    return "\n".join(lines), ".md"


def calculator(page, r):
    """A code block used as a calculator: the result of each line in a comment behind it."""
    p = page.problem
    half = "0.5 * " if p.loss == "half" else ""
    lines = [
        f"Hidden layer: {acts(p)[0]}. Output layer: {acts(p)[1]}. Loss: L = {half}(a - y)^2, summed.",
        "",
        "```",
    ]
    lines += [
        f"x = [{', '.join(map(g, p.x))}]",
        f"y = [{', '.join(map(g, p.y))}]",
        f"lr = {g(p.rate)}",
    ]
    for k in range(1, p.layers + 1):
        rows = ", ".join("[" + ", ".join(map(g, row)) + "]" for row in p.W[k - 1])
        lines += [f"W{k} = [{rows}]", f"b{k} = [{', '.join(map(g, p.b[k - 1]))}]"]
    names = {
        "∂C/∂a": "dL_da",
        "∂C/∂W": "dL_dW",
        "∂C/∂b": "dL_db",
        "δ": "delta",
        "C": "L",
        "σ'": "sigma_prime",
    }
    for s in page.steps:
        head, k, index = s.key
        name = f"{head[0]}{k}_new" if head.endswith("_new") else f"{names.get(head, head)}{k or ''}"
        full = name + "".join(f"[{i}]" for i in index)
        lines.append(
            f"{full} = {s.work.replace('^', '**')}  # = {s.shown}"
            if s.work
            else f"{full} = {s.shown}"
        )
    return "\n".join([*lines, "```"]), ".md"


LAST = {f.__name__: f for f in (slides, calculator)}
