"""More notations, written after the tuning and measured once: see docs/checking.md."""

from __future__ import annotations

from notations import DOT, acts, g, grouped, matrix_of, times, vector


def commas(page, r):
    """Layer and neuron below, with a comma: z_{1,2}, w_{1,2,1}, in align environments."""
    p = page.problem
    lines = [
        f"Layer 1 (hidden) has the activation {acts(p)[0]}, layer 2 (output) has {acts(p)[1]}.",
        "",
    ]
    lines += [
        rf"With $J = {'0.5 ' if p.loss == 'half' else ''}\sum_k (a_{{2,k}} - y_k)^2$ and step size $\eta = {g(p.rate)}$.",
        "",
    ]
    lines += [r"\begin{align}"]
    lines += [rf"x_{j + 1} &= {g(v)} \\" for j, v in enumerate(p.x)]
    lines += [rf"y_{j + 1} &= {g(v)} \\" for j, v in enumerate(p.y)]
    for k in range(1, p.layers + 1):
        for i, row in enumerate(p.W[k - 1]):
            lines += [rf"w_{{{k},{i + 1},{j + 1}}} &= {g(w)} \\" for j, w in enumerate(row)]
            lines += [rf"b_{{{k},{i + 1}}} &= {g(p.b[k - 1][i])} \\"]
    lines += [r"\end{align}", ""]
    for head, layer, steps in grouped(page):
        lines.append(r"\begin{align}")
        for s in steps:
            place = ",".join(map(str, [layer, *(i + 1 for i in s.key[2])])) if layer else ""
            name = {
                "z": f"z_{{{place}}}", "a": f"a_{{{place}}}", "C": "J", "δ": rf"\delta_{{{place}}}",
                "∂C/∂a": rf"\partial J / \partial a_{{{place}}}", "σ'": rf"\sigma'(z_{{{place}}})",
                "∂C/∂W": rf"\partial J / \partial w_{{{place}}}", "∂C/∂b": rf"\partial J / \partial b_{{{place}}}",
                "W_new": rf"w_{{{place}}}^{{+}}", "b_new": rf"b_{{{place}}}^{{+}}",
            }[head]  # fmt: skip
            work = f" = {times(s.work, DOT)}" if s.work else ""
            lines.append(
                rf"{name} &{work.lstrip() if work else ''}{' ' if work else ''}\approx {s.shown} \\"
            )
        lines += [r"\end{align}", ""]
    return "\n".join(lines), ".tex"


def bullets(page, r):
    """Bullets with inline code; hidden and output by name."""
    p = page.problem
    lines = [f"- hidden layer: {acts(p)[0]}", f"- output layer: {acts(p)[1]}",
             f"- loss: `C = {'0.5*' if p.loss == 'half' else ''}(out - y)**2` summed over outputs", f"- learning rate: {g(p.rate)}",
             f"- input: `x = {vector(map(g, p.x))}`", f"- target: `y = {vector(map(g, p.y))}`"]  # fmt: skip
    tags = {1: "h", 2: "o"}
    for k in (1, 2):
        rows = ", ".join(vector(map(g, row)) for row in p.W[k - 1])
        lines += [f"- `W_{tags[k]} = [{rows}]`", f"- `b_{tags[k]} = {vector(map(g, p.b[k - 1]))}`"]
    lines.append("")
    for s in page.steps:
        head, k, index = s.key
        tag = tags.get(k, "")
        place = "".join(f"[{i}]" for i in index)
        name = {
            "z": f"z_{tag}{place}", "a": f"a_{tag}{place}", "C": "C", "δ": f"delta_{tag}{place}", "∂C/∂a": f"dC/da_{tag}{place}",
            "σ'": f"σ'(z_{tag}{place})", "∂C/∂W": f"dC/dW_{tag}{place}", "∂C/∂b": f"dC/db_{tag}{place}",
            "W_new": f"W_{tag}_new{place}", "b_new": f"b_{tag}_new{place}",
        }[head]  # fmt: skip
        lines.append(f"* `{name} = {s.work} ≈ {s.shown}`" if s.work else f"* `{name} = {s.shown}`")
    return "\n".join(lines), ".md"


def rows_times_columns(page, r):
    """Matrices as (in, out): z = x W + b, in LaTeX arrays."""
    p = page.problem
    half = "\\frac12 " if p.loss == "half" else ""
    lines = [
        "We multiply rows by columns, $z_1 = x W_1 + b_1$.",
        "",
        f"Activations: hidden {acts(p)[0]}, output {acts(p)[1]}.",
        "",
    ]
    lines += [
        f"$$L = {half}(a_2 - y)^2$$",
        "",
        f"$\\eta = {g(p.rate)}$, $x = {vector(map(g, p.x))}$, $y = {vector(map(g, p.y))}$",
        "",
    ]
    for k in range(1, p.layers + 1):
        turned = [list(c) for c in zip(*p.W[k - 1])]
        body = r" \\ ".join(" & ".join(map(g, row)) for row in turned)
        lines += [
            rf"$$W_{k} = \left[\begin{{array}}{{{'c' * len(turned[0])}}} {body} \end{{array}}\right], \; b_{k} = {vector(map(g, p.b[k - 1]))}$$",
            "",
        ]
    names = {"z": "z_k", "a": "a_k", "C": "L", "∂C/∂a": r"\dfrac{\partial L}{\partial a_k}", "σ'": r"\sigma'(z_k)", "δ": r"\delta_k",
             "∂C/∂W": r"\nabla_{W_k} L", "∂C/∂b": r"\nabla_{b_k} L", "W_new": "W_k^{new}", "b_new": "b_k^{new}"}  # fmt: skip
    for head, layer, steps in grouped(page):
        name = names[head].replace("_k", f"_{layer}")
        rows = matrix_of(head, page, layer, steps)
        if rows:
            turned = [list(c) for c in zip(*rows)]
            body = r" \\ ".join(" & ".join(row) for row in turned)
            lines += [
                rf"$${name} = \left[\begin{{array}}{{{'c' * len(turned[0])}}} {body} \end{{array}}\right]$$",
                "",
            ]
        else:
            values = [s.shown for s in steps]
            work = f" = {times(steps[0].work, DOT)}" if len(steps) == 1 and steps[0].work else ""
            lines += [f"$${name}{work} = {vector(values) if len(values) > 1 else values[0]}$$", ""]
    return "\n".join(lines), ".md"


UNSEEN = {f.__name__: f for f in (commas, bullets, rows_times_columns)}
