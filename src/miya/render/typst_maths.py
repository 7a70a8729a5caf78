"""Miya's LaTeX maths and expression trees in Typst's own notation.

Every bracket and comma is escaped, so that Typst reads none of them as a call or a separator.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from ..story.expression import (
    BINDING,
    Binary,
    Call,
    Expression,
    Name,
    Named,
    Negative,
    Number,
    Write,
)
from ..story.expression import plain as plain_expression
from ..story.quantity import Symbol
from ..story.symbols import latex_symbol

TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|[A-Za-z]+|\s+|.", re.DOTALL)
SIGNS = {
    "delta": "δ",
    "Delta": "Δ",
    "partial": "∂",
    "sigma": "σ",
    "theta": "θ",
    "eta": "η",
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "lambda": "λ",
    "mu": "μ",
    "tau": "τ",
    "pi": "π",
    "varepsilon": "ε",
    "varphi": "φ",
    "Phi": "Φ",
    "ell": "ℓ",
    "odot": "⊙",
    "top": "⊤",
    "uparrow": "↑",
    "sum": "∑",
    "approx": "≈",
    "le": "≤",
    "ge": "≥",
    "to": "→",
    "cdot": "times",
    "max": "max",
    "ln": "ln",
    ",": "thin",
    "qquad": "wide",
}
PLAIN = {c: c for c in "+-=<>&"} | {c: "\\" + c for c in "()[],;/|.!:"} | {"*": "times"}
SLOPE = "∂C/∂"
CLOSING = {"(": ")", "|": "|", "[": "]"}
FEW_LEVELS, FRACTION_COLUMNS = 2, 36  # deeper or wider fractions are written on the line


def quoted(text: str) -> str:
    """A Typst string; nothing inside one is markup or code."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


@lru_cache(maxsize=4096)
def maths(latex: str) -> str:
    """The inside of a Typst equation. Raises KeyError for a command that Miya does not write."""
    found, rest = _sequence(TOKEN.findall(latex), None)
    assert not rest, latex
    return found


def _sequence(tokens: list[str], end: str | None) -> tuple[str, list[str]]:
    """Everything up to the token `end`, and what is left after it."""
    parts: list[str] = []
    while tokens:
        token, *tokens = tokens
        if token == end:
            return " ".join(parts), tokens
        if token in "_^":
            script, tokens = _argument(tokens)
            parts.append(f"{token}({script})")
        elif token == "'":
            parts[-1] += "'"
        elif not token.isspace():
            part, tokens = _atom(token, tokens)
            parts.append(part)
    assert end is None, end
    return " ".join(parts), []


def _argument(tokens: list[str]) -> tuple[str, list[str]]:
    token, *rest = tokens
    while token.isspace():
        token, *rest = rest
    return _sequence(rest, "}") if token == "{" else _atom(token, rest)


def _atom(token: str, rest: list[str]) -> tuple[str, list[str]]:
    if token == "{":
        inside, rest = _sequence(rest, "}")
        return f"group({inside})", rest
    if token.startswith("\\"):
        return _command(token[1:], rest)
    if token in PLAIN:
        return PLAIN[token], rest
    if token[0].isdigit() or len(token) == 1:
        return token, rest
    return quoted(token), rest  # a name of several letters


def _command(name: str, rest: list[str]) -> tuple[str, list[str]]:
    if name in SIGNS:
        return SIGNS[name], rest
    if name in ("text", "mathrm"):
        end = rest.index("}")
        return quoted("".join(rest[1:end])), rest[end + 1 :]
    if name == "left":
        opening, *rest = rest
        inside, (_, *rest) = _sequence(rest, "\\right")
        return f"lr(\\{opening} {inside} \\{CLOSING[opening]})", rest
    if name == "frac":
        over, rest = _argument(rest)
        under, rest = _argument(rest)
        return f"frac({over}, {under})", rest
    if name in ("sqrt", "hat"):
        inside, rest = _argument(rest)
        return f"{name}({inside})", rest
    if name == "begin":
        return _cases(rest)
    raise KeyError(name)


def _cases(tokens: list[str]) -> tuple[str, list[str]]:
    environment = "".join(tokens[: tokens.index("}") + 1])
    if environment != "{cases}":
        raise KeyError(environment)
    rest, rows = tokens[tokens.index("}") + 1 :], []
    while True:
        stop = next(k for k, token in enumerate(rest) if token in ("\\\\", "\\end"))
        row, _ = _sequence(rest[:stop], None)
        rows.append(row)
        last, rest = rest[stop] == "\\end", rest[stop + 1 :]
        if last:
            return f"cases({', '.join(rows)})", rest[rest.index("}") + 1 :]


def symbol(found: Symbol) -> str:
    """A symbol; a derivative stays on the line: ∂C/∂W."""
    if found.own:
        return _own(found)
    if found.head.startswith(SLOPE):
        of = latex_symbol(replace(found, head=found.head.removeprefix(SLOPE)))
        return f"∂ C over ∂ {maths(of)}"
    return maths(latex_symbol(found))


def _own(found: Symbol) -> str:
    """A name of the reader's own model, as it is written there."""
    index = f"[{','.join(map(str, found.index))}]" if found.index else ""
    name = quoted(found.head.removeprefix(SLOPE) + index)
    name += f"^({quoted(found.mark)})" if found.mark else ""
    return f"∂ C over ∂ {name}" if found.head.startswith(SLOPE) else name


def figure(text: str) -> str:
    """A written number."""
    head, _, exponent = text.partition("e")
    return f"{head} times 10^({exponent})" if exponent else head


def expression(tree: Expression, write: Write) -> str:
    """An expression with its numbers; a sum can break over lines at each + and −."""
    return _write(tree, write, 0, first=True, level=0)


def _write(tree: Expression, write: Write, binding: int, *, first: bool, level: int) -> str:
    def go(part: Expression, inner: int = 0, *, first: bool = True, down: int = 0) -> str:
        return _write(part, write, inner, first=first, level=level + down)

    match tree:
        case Number(value):
            text = write(value)
            bare = first and binding <= BINDING["*"] if text.startswith("-") else True
            bare = bare and not ("e" in text and binding > BINDING["*"])
            return figure(text) if bare else _bracket(figure(text))
        case Name(name):
            return quoted(name)
        case Named(of):
            return symbol(of) if binding <= BINDING["*"] else _bracket(symbol(of))
        case Call("exp", of):
            return f"e^({go(of)})"
        case Call(function, of):
            return f"{FUNCTIONS[function]} {_bracket(go(of))}"
        case Negative(of):
            text = "-" + go(of, BINDING["*"], first=False)
            return text if first and binding <= BINDING["*"] else _bracket(text)
        case Binary("/", left, right) if level < FEW_LEVELS and _narrow(left, right, write):
            return f"frac({go(left, down=1)}, {go(right, down=1)})"
        case Binary("**", left, right):
            return f"{go(left, BINDING['**'] + 1, first=False)}^({go(right)})"
        case Binary(sign, left, right):
            own = BINDING[sign]
            lead = go(left, own, first=first)
            tail = go(right, own + (sign in "-/"), first=False)
            text = f"{lead} {MARKS.get(sign, sign)} {tail}"
            return text if own >= binding else _bracket(text)
    raise TypeError(tree)


MARKS = {"*": "times", "/": "over"}
FUNCTIONS = {"log": "ln", "normal_cdf": "Φ"}


def _narrow(left: Expression, right: Expression, write: Write) -> bool:
    return all(len(plain_expression(part, write)) <= FRACTION_COLUMNS for part in (left, right))


def _bracket(text: str) -> str:
    return f"\\({text}\\)"
