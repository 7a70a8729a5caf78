"""Random worked pages, clean or with one planted mistake, from a computation of their own.

Nothing here uses Miya's engine: forward, backward and update are written out again, so that a
fault there cannot hide itself.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

ACTIVATIONS = {
    "sigmoid": (lambda z: 1 / (1 + math.exp(-z)), lambda a, z: a * (1 - a)),
    "tanh": (math.tanh, lambda a, z: 1 - a * a),
    "relu": (lambda z: max(z, 0.0), lambda a, z: 1.0 if z > 0 else 0.0),
    "identity": (lambda z: z, lambda a, z: 1.0),
}
SIZES = [(2, 2, 1), (2, 3, 1), (3, 2, 1), (3, 2, 2), (2, 2, 2), (3, 3, 2), (2, 3, 2)]
KINDS = [
    "bias_left_out", "term_sign", "term_left_out", "wrong_index", "transposed",
    "activation_left_out", "other_activation", "slope_of_a", "slope_left_out", "slope_part",
    "factor_2", "factor_half", "target_output_swapped", "square_left_out", "updated_weights",
    "rate_left_out", "update_sign", "bias_not_updated", "line", "digits_swapped",
]  # fmt: skip


@dataclass
class Problem:
    sizes: tuple
    W: list
    b: list
    x: list
    y: list
    rate: float
    acts: list
    loss: str
    digits: int
    carry: bool

    @property
    def layers(self):
        return len(self.sizes) - 1

    @property
    def factor(self):
        return {"squared": 2.0, "half": 1.0}[self.loss]


def problem(r: random.Random) -> Problem:
    sizes = r.choice(SIZES)

    def number(low=-0.9, high=0.9, digits=1):
        value = 0.0
        while abs(value) < 0.05:
            value = round(r.uniform(low, high), r.choice([digits, 2]))
        return value

    acts = [r.choice(["sigmoid", "sigmoid", "tanh"]), "sigmoid" if r.random() < 0.7 else "identity"]
    return Problem(
        sizes,
        [[[number() for _ in range(i)] for _ in range(o)] for i, o in zip(sizes, sizes[1:])],
        [[number() for _ in range(o)] for o in sizes[1:]],
        [number() for _ in range(sizes[0])],
        [r.choice([0.0, 1.0, 0.01, 0.99, 0.5]) for _ in range(sizes[-1])],
        r.choice([0.1, 0.5, 0.3, 0.05]),
        acts,
        r.choice(["squared", "half"]),
        r.choice([4, 5, 6]),
        r.random() < 0.7,
    )


@dataclass
class Step:
    """One stated number. key: (head, layer, index). terms: its work as (text pieces)."""

    key: tuple
    value: float
    work: str
    shown: str = ""


@dataclass
class Page:
    problem: Problem
    steps: list = field(default_factory=list)
    planted: tuple | None = None  # key
    kind: str = ""
    text: str = ""


class Writer:
    """Works a problem through, planting `kind` at the first place where it shows."""

    def __init__(self, p: Problem, r: random.Random, kind: str = ""):
        self.p, self.r, self.kind = p, r, kind
        self.full: dict = {}
        self.page = Page(p, kind=kind)
        self.skip = r.randint(0, 3)

    def fmt(self, value: float) -> str:
        text = f"{value:.{self.p.digits}f}"
        return text[1:] if float(text) == 0 and text.startswith("-") else text

    def get(self, *key):
        return self.full[key]

    def given(self, value: float) -> str:
        return f"{value:g}"

    def state(self, key, value, work="", wrong=()):
        """State a number. wrong: (kind, value, work) that a mistake would give."""
        page = self.page
        shown = self.fmt(value)
        if self.kind and page.planted is None:
            for kind, bad, other in (*wrong, *self.generic(value, shown, work)):
                if kind != self.kind or not self.visible(value, bad):
                    continue
                if self.skip:
                    self.skip -= 1
                    break
                value, work, page.planted = bad, other, key
                shown = self.fmt(value)
                break
        page.steps.append(Step(key, value, work, shown))
        self.full[key] = float(shown) if self.p.carry or page.planted == key else value

    def visible(self, good: float, bad: float) -> bool:
        if not math.isfinite(bad):
            return False
        unit = 10.0**-self.p.digits
        return (
            abs(good - bad) > 3 * unit
            and abs(good - bad) > 0.02 * abs(good)
            and abs(bad) > 3 * unit
        )

    def generic(self, value, shown, work):
        found = []
        if self.kind == "digits_swapped":
            body = shown.lstrip("-")
            places = [k for k in range(2, len(body) - 1) if body[k] != body[k + 1]]
            if places:
                k = places[0]
                swapped = body[:k] + body[k + 1] + body[k] + body[k + 2 :]
                found.append((self.kind, float(("-" if value < 0 else "") + swapped), work))
        if self.kind == "line" and work and any(s in work for s in "*+"):
            slip = self.r.choice([0.05, -0.03, 0.02, 0.1]) * (1 + abs(value))
            found.append((self.kind, value + slip, work))
        return found

    def terms(self, pairs, last=None):
        made = " + ".join(f"{self.sign(a)}*{self.sign(b)}" for a, b in pairs)
        return made + (f" + {self.sign(last)}" if last is not None else "")

    @staticmethod
    def sign(text):
        return f"({text})" if text.startswith("-") else text

    # the three passes

    def run(self) -> Page:
        p = self.p
        for k in range(1, p.layers + 1):
            self.forward(k)
        self.loss()
        for k in range(p.layers, 0, -1):
            self.backward(k)
        for k in range(1, p.layers + 1):
            self.update(k)
        return self.page

    def into(self, k):
        if k == 1:
            return list(self.p.x), [self.given(v) for v in self.p.x]
        values = [self.get("a", k - 1, (j,)) for j in range(self.p.sizes[k - 1])]
        return values, [self.fmt(v) for v in values]

    def forward(self, k):
        p = self.p
        act, _ = ACTIVATIONS[p.acts[k - 1]]
        into, texts = self.into(k)
        for i in range(p.sizes[k]):
            row, bias = p.W[k - 1][i], p.b[k - 1][i]
            z = sum(w * v for w, v in zip(row, into)) + bias
            names = [self.given(w) for w in row]
            work = self.terms(zip(names, texts), self.given(bias))
            wrong = [
                ("bias_left_out", z - bias, self.terms(zip(names, texts))),
                ("term_sign", z - 2 * row[0] * into[0],
                 self.terms([(self.given(-row[0]), texts[0]), *list(zip(names, texts))[1:]], self.given(bias))),
                ("term_left_out", z - row[-1] * into[-1],
                 self.terms(list(zip(names, texts))[:-1], self.given(bias))),
            ]  # fmt: skip
            if p.sizes[k] == p.sizes[k - 1]:
                column = [p.W[k - 1][j][i] for j in range(len(into))]
                wrong.append(("transposed", sum(w * v for w, v in zip(column, into)) + bias,
                              self.terms(zip(map(self.given, column), texts), self.given(bias))))  # fmt: skip
            if k > 1:
                pre = [self.get("z", k - 1, (j,)) for j in range(len(into))]
                wrong.append(("activation_left_out", sum(w * v for w, v in zip(row, pre)) + bias,
                              self.terms(zip(names, map(self.fmt, pre)), self.given(bias))))  # fmt: skip
            if len(into) > 1:
                turned = [into[1], into[0], *into[2:]]
                wrong.append(("wrong_index", sum(w * v for w, v in zip(row, turned)) + bias,
                              self.terms(zip(names, [texts[1], texts[0], *texts[2:]]), self.given(bias))))  # fmt: skip
            self.state(("z", k, (i,)), z, work, wrong)
        for i in range(p.sizes[k]):
            z = self.get("z", k, (i,))
            other = math.tanh(z) if p.acts[k - 1] != "tanh" else 1 / (1 + math.exp(-z))
            self.state(("a", k, (i,)), act(z), "", [("other_activation", other, "")])

    def loss(self):
        p = self.p
        errors = [self.get("a", p.layers, (i,)) - y for i, y in enumerate(p.y)]
        scale = p.factor / 2
        value = scale * sum(e * e for e in errors)
        outs = [self.fmt(self.get("a", p.layers, (i,))) for i in range(len(p.y))]
        squares = " + ".join(f"({a} - {self.given(y)})^2" for a, y in zip(outs, p.y))
        work = squares if scale == 1 else f"0.5*({squares})"
        bare = squares.replace("^2", "")
        self.state(("C", None, ()), value, work, [
            ("square_left_out", scale * sum(errors), bare if scale == 1 else f"0.5*({bare})"),
            ("factor_2", 2 * value, f"2*({squares})" if scale == 1 else squares),
            ("factor_half", value / 2, f"0.5*({squares})" if scale == 1 else f"0.25*({squares})"),
        ])  # fmt: skip

    def backward(self, k):
        p = self.p
        _, slope = ACTIVATIONS[p.acts[k - 1]]
        for i in range(p.sizes[k]):
            self.gradient(k, i)
        for i in range(p.sizes[k]):
            a, z = self.get("a", k, (i,)), self.get("z", k, (i,))
            if p.acts[k - 1] == "identity":
                self.full["σ'", k, (i,)] = 1.0
                continue
            at, _ = ACTIVATIONS[p.acts[k - 1]]
            of_a = slope(at(a), a)
            text = self.fmt(a)
            work = (
                f"{text}*(1 - {text})"
                if p.acts[k - 1] == "sigmoid"
                else f"1 - {text}^2"
                if a >= 0
                else f"1 - ({text})^2"
            )
            self.state(("σ'", k, (i,)), slope(a, z), work,
                       [("slope_of_a", of_a, ""), ("slope_part", 1 - a, f"1 - {self.sign(text)}")])  # fmt: skip
        for i in range(p.sizes[k]):
            g, s = self.get("∂C/∂a", k, (i,)), self.get("σ'", k, (i,))
            work = f"{self.sign(self.fmt(g))}*{self.fmt(s)}"
            if p.acts[k - 1] == "identity":
                work = ""
            self.state(("δ", k, (i,)), g * s, work, [("slope_left_out", g, self.fmt(g))])
        into, texts = self.into(k)
        for i in range(p.sizes[k]):
            d = self.get("δ", k, (i,))
            for j in range(p.sizes[k - 1]):
                work = f"{self.sign(self.fmt(d))}*{self.sign(texts[j])}"
                other = (j + 1) % len(into)
                wrong = [
                    (
                        "wrong_index",
                        d * into[other],
                        f"{self.sign(self.fmt(d))}*{self.sign(texts[other])}",
                    )
                ]
                if k > 1:
                    pre = self.get("z", k - 1, (j,))
                    wrong.append(
                        (
                            "activation_left_out",
                            d * pre,
                            f"{self.sign(self.fmt(d))}*{self.sign(self.fmt(pre))}",
                        )
                    )
                self.state(("∂C/∂W", k, (i, j)), d * into[j], work, wrong)
        for i in range(p.sizes[k]):
            d = self.get("δ", k, (i,))
            self.state(("∂C/∂b", k, (i,)), d, "", [])

    def gradient(self, k, i):
        p = self.p
        if k == p.layers:
            a, y = self.get("a", k, (i,)), p.y[i]
            f = p.factor
            head = "2*" if f == 2 else ""
            self.state(("∂C/∂a", k, (i,)), f * (a - y), f"{head}({self.fmt(a)} - {self.given(y)})", [
                ("factor_2", 2 * f * (a - y), f"{'4' if f == 2 else '2'}*({self.fmt(a)} - {self.given(y)})"),
                ("factor_half", f * (a - y) / 2, f"{'' if f == 2 else '0.5*'}({self.fmt(a)} - {self.given(y)})"),
                ("target_output_swapped", f * (y - a), f"{head}({self.given(y)} - {self.fmt(a)})"),
            ])  # fmt: skip
            return
        rows = range(p.sizes[k + 1])
        deltas = [self.get("δ", k + 1, (r,)) for r in rows]
        weights = [p.W[k][r][i] for r in rows]
        texts = [self.fmt(d) for d in deltas]
        value = sum(w * d for w, d in zip(weights, deltas))
        new = [w - p.rate * self.get("∂C/∂W", k + 1, (r, i)) for r, w in enumerate(weights)]
        wrong = [("updated_weights", sum(w * d for w, d in zip(new, deltas)),
                  self.terms(zip(map(self.fmt, new), texts)))]  # fmt: skip
        if len(rows) == p.sizes[k]:
            turned = [p.W[k][i][r] for r in rows]
            wrong.append(("transposed", sum(w * d for w, d in zip(turned, deltas)),
                          self.terms(zip(map(self.given, turned), texts))))  # fmt: skip
        if len(rows) > 1:
            wrong.append(("term_left_out", weights[0] * deltas[0],
                          self.terms([(self.given(weights[0]), texts[0])])))  # fmt: skip
        self.state(
            ("∂C/∂a", k, (i,)), value, self.terms(zip(map(self.given, weights), texts)), wrong
        )

    def update(self, k):
        p = self.p
        for head, keys in (("W", [(i, j) for i in range(p.sizes[k]) for j in range(p.sizes[k - 1])]),
                           ("b", [(i,) for i in range(p.sizes[k])])):  # fmt: skip
            for index in keys:
                old = p.W[k - 1][index[0]][index[1]] if head == "W" else p.b[k - 1][index[0]]
                g = self.get(f"∂C/∂{head}", k, index)
                text, was, rate = self.sign(self.fmt(g)), self.given(old), self.given(p.rate)
                wrong = [
                    ("rate_left_out", old - g, f"{was} - {text}"),
                    ("update_sign", old + p.rate * g, f"{was} + {rate}*{text}"),
                ]
                if head == "b":
                    wrong.append(("bias_not_updated", old, ""))
                self.state(
                    (f"{head}_new", k, index), old - p.rate * g, f"{was} - {rate}*{text}", wrong
                )


def worked(seed: int, kind: str = "", tries: int = 60) -> tuple[Page, random.Random]:
    """A page worked through, with `kind` planted where one is named."""
    r = random.Random(seed)
    for _ in range(tries):
        page = Writer(problem(r), r, kind).run()
        if not kind or page.planted is not None:
            return page, r
    raise LookupError(kind)
