"""Ways to write a worked page down, as books, blogs, homework and chatbots do."""

from __future__ import annotations

from itertools import groupby

LOSS = {"squared": r"\sum_i (a_i - y_i)^2", "half": r"\frac{1}{2} \sum_i (a_i - y_i)^2"}
PLAIN_LOSS = {"squared": "(out - target)^2", "half": "1/2 (out - target)^2"}


DOT, CROSS = r" \cdot ", r" \times "


def times(work, sign):
    return work.replace("*", sign)


def vector(values):
    return "[" + ", ".join(values) + "]"


def column(values):
    return r"\begin{bmatrix} " + r" \\ ".join(values) + r" \end{bmatrix}"


def matrix(rows):
    return r"\begin{bmatrix} " + r" \\ ".join(" & ".join(r) for r in rows) + r" \end{bmatrix}"


def g(value):
    return f"{value:g}"


def grouped(page):
    """Steps of one quantity and layer together."""
    for (head, layer), steps in groupby(page.steps, key=lambda s: (s.key[0], s.key[1])):
        yield head, layer, list(steps)


def matrix_of(head, page, layer, steps):
    if "W" not in head:
        return None
    columns = page.problem.sizes[layer - 1]
    texts = [s.shown for s in steps]
    return [texts[k : k + columns] for k in range(0, len(texts), columns)]


def acts(p):
    names = {"identity": "linear"}
    hidden, out = (names.get(a, a) for a in p.acts)
    return hidden, out


def latex_layers(page, r):
    """Vectors by layer in display maths: the style of chatbots."""
    p = page.problem
    hidden, out = acts(p)
    lines = [
        "# A small network, step by step",
        "",
        f"Hidden layer: {hidden}. Output layer: {out}.",
        "",
    ]
    lines += [f"$$x = {column(map(g, p.x))}$$", ""]
    for k in range(1, p.layers + 1):
        rows = [[g(w) for w in row] for row in p.W[k - 1]]
        lines += [f"$$W_{k} = {matrix(rows)}, \\quad b_{k} = {column(map(g, p.b[k - 1]))}$$", ""]
    lines += [
        f"Target: $y = {column(map(g, p.y)) if len(p.y) > 1 else g(p.y[0])}$, $\\eta = {g(p.rate)}$",
        "",
    ]
    lines += [f"Loss: $C = {LOSS[p.loss]}$", ""]
    names = {"z": "z_{k}", "a": "a_{k}", "C": "C", "∂C/∂a": r"\frac{\partial C}{\partial a_{k}}",
             "σ'": r"\sigma'(z_{k})", "δ": r"\delta_{k}", "∂C/∂W": r"\frac{\partial C}{\partial W_{k}}",
             "∂C/∂b": r"\frac{\partial C}{\partial b_{k}}", "W_new": r"W_{k}^{\text{new}}", "b_new": r"b_{k}^{\text{new}}"}  # fmt: skip
    for head, layer, steps in grouped(page):
        name = names[head].replace("{k}", f"{{{layer}}}")
        rows = matrix_of(head, page, layer, steps)
        if rows:
            lines += [f"$$\n{name} \\approx {matrix(rows)}\n$$", ""]
            continue
        cells = [
            f"{times(s.work, DOT)} = {s.shown}" if s.work and r.random() < 0.7 else s.shown
            for s in steps
        ]
        value = column(cells) if len(cells) > 1 else cells[0]
        lines += [f"$$\n{name} = {value}\n$$", ""]
    return "\n".join(lines), ".md"


def superscripts(page, r):
    """Scalars with the layer above: z^{(1)}_2, w^{(1)}_{12}."""
    p = page.problem
    hidden, out = acts(p)
    lines = [f"The hidden units use {hidden}, the output uses {out}.", "",
             f"The cost is $E = {LOSS[p.loss].replace('C', 'E')}$ and $\\eta = {g(p.rate)}$.", ""]  # fmt: skip
    lines += [", ".join(f"$x_{j + 1} = {g(v)}$" for j, v in enumerate(p.x)), ""]
    lines += [", ".join(f"$y_{j + 1} = {g(v)}$" for j, v in enumerate(p.y)), ""]
    for k in range(1, p.layers + 1):
        for i, row in enumerate(p.W[k - 1]):
            lines.append(", ".join(f"$w^{{({k})}}_{{{i + 1}{j + 1}}} = {g(w)}$" for j, w in enumerate(row))
                         + f", $b^{{({k})}}_{{{i + 1}}} = {g(p.b[k - 1][i])}$")  # fmt: skip
            lines.append("")
    for s in page.steps:
        head, k, index = s.key
        low = "".join(str(i + 1) for i in index)
        place = f"^{{({k})}}_{{{low}}}"
        name = {
            "z": f"z{place}", "a": f"a{place}", "C": "E", "δ": rf"\delta{place}",
            "∂C/∂a": rf"\frac{{\partial E}}{{\partial a{place}}}", "σ'": rf"\sigma'(z{place})",
            "∂C/∂W": rf"\frac{{\partial E}}{{\partial w{place}}}",
            "∂C/∂b": rf"\frac{{\partial E}}{{\partial b{place}}}",
            "W_new": rf"w^{{({k}),\text{{new}}}}_{{{low}}}", "b_new": rf"b^{{({k}),\text{{new}}}}_{{{low}}}",
        }[head]  # fmt: skip
        if head.endswith("_new"):
            name = rf"{head[0].lower()}{place}^{{new}}".replace("}_{", "}_{")
            name = rf"\text{{new }} {head[0].lower()}{place}" if r.random() < 0 else name
            name = f"{head[0].lower()}^{{({k})}}_{{{low},new}}"
        work = f" = {times(s.work, CROSS)}" if s.work else ""
        lines += [f"$${name}{work} \\approx {s.shown}$$", ""]
    return "\n".join(lines), ".md"


def flat(page, r):
    """w1 to w8, net_h1, out_o1: the style of a well-known blog post."""
    p = page.problem
    hidden, out = acts(p)
    lines = [f"We use the {hidden} function in the hidden layer and {out} in the output layer.", ""]
    lines += ["Inputs: " + ", ".join(f"i{j + 1} = {g(v)}" for j, v in enumerate(p.x)), ""]
    lines += [", ".join(f"target_o{j + 1} = {g(v)}" for j, v in enumerate(p.y)), ""]
    number, names = 0, {}
    for k in range(1, p.layers + 1):
        for i, row in enumerate(p.W[k - 1]):
            for j, w in enumerate(row):
                number += 1
                names[k, i, j] = f"w{number}"
                lines.append(f"w{number} = {g(w)}")
    number = 0
    for k in range(1, p.layers + 1):
        for i, b in enumerate(p.b[k - 1]):
            number += 1
            names[k, i] = f"b{number}"
            lines.append(f"b{number} = {g(b)}")
    lines += [
        "",
        f"E_total = sum of {PLAIN_LOSS[p.loss]}",
        f"The learning rate is {g(p.rate)}.",
        "",
    ]
    for s in page.steps:
        head, k, index = s.key
        neuron = f"{'h' if k == 1 else 'o'}{index[0] + 1}" if index and k else ""
        name = {
            "z": f"net_{neuron}", "a": f"out_{neuron}", "C": "E_total", "δ": f"∂E_total/∂net_{neuron}",
            "∂C/∂a": f"∂E_total/∂out_{neuron}", "σ'": f"∂out_{neuron}/∂net_{neuron}",
        }.get(head) or (f"∂E_total/∂{names[(k, *index)]}" if "∂" in head else f"{names[(k, *index)]}_new")  # fmt: skip
        work = s.work
        if head == "z" and index == (0,) and r.random() < 0.5 and work:
            into = [f"i{j + 1}" if k == 1 else f"out_h{j + 1}" for j in range(p.sizes[k - 1])]
            lines.append(
                f"{name} = "
                + " + ".join(f"{names[k, 0, j]} * {v}" for j, v in enumerate(into))
                + f" + {names[k, 0]}"
            )
        lines += [f"{name} = {work} = {s.shown}" if work else f"{name} = {s.shown}", ""]
    return "\n".join(lines), ".txt"


def indexed(page, r):
    """Plain text with brackets counting from 0."""
    p = page.problem
    lines = [
        f"hidden activation: {acts(p)[0]}",
        f"output activation: {acts(p)[1]}",
        f"x = {vector(map(g, p.x))}",
        f"y = {vector(map(g, p.y))}",
    ]
    for k in range(1, p.layers + 1):
        rows = ", ".join(vector(map(g, row)) for row in p.W[k - 1])
        lines += [f"W{k} = [{rows}]", f"b{k} = {vector(map(g, p.b[k - 1]))}"]
    lines += [
        f"learning rate = {g(p.rate)}",
        f"loss = {PLAIN_LOSS[p.loss].replace('out', 'a').replace('target', 'y')}",
        "",
    ]
    names = {"∂C/∂a": "dC/da", "∂C/∂W": "dC/dW", "∂C/∂b": "dC/db", "δ": "delta", "σ'": "sigma'"}
    for s in page.steps:
        head, k, index = s.key
        place = "".join(f"[{i}]" for i in index)
        name = names.get(head, head)
        if head.endswith("_new"):
            full = f"{head[0]}{k}_new{place}"
        elif head == "σ'":
            full = f"sigma'(z{k}{place})"
        else:
            full = f"{name}{k or ''}{place}"
        lines.append(f"{full} = {s.work} = {s.shown}" if s.work else f"{full} = {s.shown}")
    return "\n\n".join(lines), ".txt"


def code(page, r):
    """Code that prints, its results in comments."""
    p = page.problem
    lines = [
        f"Hidden: {acts(p)[0]}, output: {acts(p)[1]}.",
        "",
        f"The loss is L = {PLAIN_LOSS[p.loss]}.",
        "",
        "```python",
    ]
    lines += [
        f"x = np.array({vector(map(g, p.x))})",
        f"y = np.array({vector(map(g, p.y))})",
        f"lr = {g(p.rate)}",
    ]
    for k in range(1, p.layers + 1):
        rows = ", ".join(vector(map(g, row)) for row in p.W[k - 1])
        lines += [f"W{k} = np.array([{rows}])", f"b{k} = np.array({vector(map(g, p.b[k - 1]))})"]
    names = {"z": "z{k}", "a": "a{k}", "C": "L", "∂C/∂a": "da{k}", "σ'": "sigma_prime{k}", "δ": "delta{k}",
             "∂C/∂W": "dW{k}", "∂C/∂b": "db{k}", "W_new": "W{k}_new", "b_new": "b{k}_new"}  # fmt: skip
    for head, layer, steps in grouped(page):
        name = names[head].replace("{k}", str(layer))
        rows = matrix_of(head, page, layer, steps)
        values = [s.shown for s in steps]
        shown = (
            "[" + ", ".join(vector(row) for row in rows) + "]"
            if rows
            else vector(values)
            if head != "C"
            else values[0]
        )
        if head == "σ'":
            name = f"dσ{layer}"
            lines.append(f"# σ'(z{layer}) = {shown}")
            continue
        lines.append(f"print({name})  # {shown}")
    return "\n".join([*lines, "```"]), ".md"


def html(page, r):
    """A web page with sub and sup."""
    p = page.problem
    lines = ["<!doctype html><html><body>", f"<p>Hidden activation: {acts(p)[0]}; output activation: {acts(p)[1]}.</p>",
             f"<p>Loss: C = {'½ ' if p.loss == 'half' else ''}(a − y)<sup>2</sup>, summed; η = {g(p.rate)}</p>",
             f"<p>x = {vector(map(g, p.x))}</p><p>y = {vector(map(g, p.y))}</p>"]  # fmt: skip
    for k in range(1, p.layers + 1):
        rows = ", ".join(vector(map(g, row)) for row in p.W[k - 1])
        lines.append(
            f"<p>W<sup>({k})</sup> = [{rows}]</p><p>b<sup>({k})</sup> = {vector(map(g, p.b[k - 1]))}</p>"
        )
    names = {"z": "z{k}", "a": "a{k}", "C": "C", "∂C/∂a": "∂C/∂a{k}", "σ'": "σ′(z{k})", "δ": "δ{k}",
             "∂C/∂W": "∂C/∂W{k}", "∂C/∂b": "∂C/∂b{k}", "W_new": "W{n}", "b_new": "b{n}"}  # fmt: skip
    for head, layer, steps in grouped(page):
        name = (
            names[head]
            .replace("{k}", f"<sup>({layer})</sup>")
            .replace("{n}", f"<sup>({layer})</sup><sub>new</sub>")
        )
        rows = matrix_of(head, page, layer, steps)
        if rows or len(steps) == 1 or not steps[0].work:
            values = [s.shown for s in steps]
            shown = (
                "[" + ", ".join(vector(row) for row in rows) + "]"
                if rows
                else vector(values)
                if head != "C"
                else values[0]
            )
            if len(steps) == 1 and steps[0].work and not rows:
                shown = f"{steps[0].work.replace('*', '×')} ≈ {steps[0].shown}"
            lines.append(f"<p>{name} = {shown.replace('-', '−')}</p>")
        else:
            for s in steps:
                low = s.key[2][0] + 1
                one = name.replace("</sup>", f"</sup><sub>{low}</sub>", 1)
                lines.append(f"<p>{one} = {times(s.work, '×')} ≈ {s.shown}</p>".replace("-", "−"))
    return "\n".join([*lines, "</body></html>"]), ".html"


def tables(page, r):
    """Short sections with tables for the update."""
    text, _ = latex_layers(page, r)
    p = page.problem
    head = text[: text.index("$$\nW_{1}^") if "$$\nW_{1}^" in text else len(text)]
    rows = ["| parameter | old | new |", "| --- | --- | --- |"]
    for s in page.steps:
        if s.key[0].endswith("_new"):
            letter, k, index = s.key[0][0], s.key[1], s.key[2]
            old = p.W[k - 1][index[0]][index[1]] if letter == "W" else p.b[k - 1][index[0]]
            place = "".join(f"[{i}]" for i in index)
            rows.append(f"| {letter}{k}{place} | {g(old)} | {s.shown} |")
    return head + "\n## Update\n\n" + "\n".join(rows) + "\n", ".md"


NOTATIONS = {f.__name__: f for f in (latex_layers, superscripts, flat, indexed, code, html, tables)}
