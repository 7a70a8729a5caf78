"""The formulas of the records, written freely ("∂C/∂W[i, j] = Σ_n δ[n, i] x[n, j]"), as LaTeX."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from ...core.calls import Call
from ...core.records.normalisation import uses_batch
from ..blocks import Formula

TOKEN = re.compile(
    r"(?P<slope>∂[A-Za-zℓ]?/∂)|(?P<sum>[ΣΠ]_(?:\{[^{}]*\}|\w+)|[ΣΠ])|(?P<root>√)"
    r"|(?P<word>[^\W\d_][^\W_]*(?:_\w+)?[̂̄]?)|(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)"
    r"|(?P<space>\s+)|(?P<other>.)",
    re.DOTALL,
)
LETTERS = {
    "δ": r"\delta ", "Δ": r"\Delta ", "σ": r"\sigma ", "θ": r"\theta ", "η": r"\eta ",
    "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ", "λ": r"\lambda ", "μ": r"\mu ",
    "τ": r"\tau ", "π": r"\pi ", "ε": r"\varepsilon ", "φ": r"\varphi ", "Φ": r"\Phi ",
    "ℓ": r"\ell ",
}  # fmt: skip
OTHER = {
    "·": r"\cdot ", "*": r"\cdot ", "−": "-", "⊙": r"\odot ", "≤": r"\le ", "≥": r"\ge ",
    "→": r"\to ", "×": r"\cdot ", "²": "^{2}", "³": "^{3}", "½": r"\frac{1}{2}", "ᵀ": r"^{\top}",
    "∂": r"\partial ", "≈": r"\approx ", "'": "'", "^": "^", "∞": r"\mathrm{inf}",
}  # fmt: skip
PLAIN = set("+-=<>()[],;/|.!:")


def written(text: str, call: Call) -> str:
    """A record's formula as this call has it: without a bias that it does not have."""
    return text if "bias" in call.operands else re.sub(r" \+ b\[\w+\]", "", text)


def slope_written(text: str, call: Call) -> str:
    """The formula of a gradient as this call has it: without brackets around one name, without a
    factor of 1, and of a normalisation by the statistics that it takes."""
    own, other, running = text.partition("; with running statistics ")
    if other and not uses_batch(call):
        text = f"{own.partition(' = ')[0]} = {running}"
    elif other:
        text = own
    return re.sub(r"δ · \(([^\W\d]\w*)\)", r"δ · \1", re.sub(r"δ · \(1\)$", "δ", text))


def formula(text: str) -> Formula:
    return Formula(text, latex(text))


def in_words(text: str, words: Mapping[str, str]) -> str:
    """The words of a record's formula in the story's language, by what stands in the records.

    The signs of the notation itself (`a if b else c`, and, or) stay: they are read from it.
    """
    for own, told in words.items():
        if own in text and own != told:
            text = re.sub(rf"(?<!\w){re.escape(own)}(?!\w)", told, text)
    return text


@lru_cache(maxsize=1024)
def latex(text: str) -> str:
    return "".join(_token(m) for m in TOKEN.finditer(text.replace("**", "^"))).strip()


def _token(match: re.Match[str]) -> str:
    text = match[0]
    if match["slope"]:
        over = text[1:].partition("/")[0]
        return rf"\partial {LETTERS.get(over, over)}/\partial "
    if match["sum"]:
        below = text[2:].strip("{}")
        sign = r"\sum " if text[0] == "Σ" else r"\mathrm{prod} "
        return f"{sign.rstrip()}_{{{latex(below)}}} " if below else sign
    if match["root"]:
        return r"\mathrm{sqrt}"
    if match["word"]:
        return _word(text)
    if match["number"] or text in PLAIN:
        return text
    if match["space"]:
        return " "
    return OTHER.get(text, r"\mathrm{?}" if not text.isprintable() else _upright(text))


def _word(text: str) -> str:
    hat = {"̂": r"\hat", "̄": r"\hat"}.get(text[-1])
    if hat:
        return rf"{hat}{{{_word(text[:-1])}}}"
    head, _, below = text.partition("_")
    if below:
        return f"{_word(head)}_{{{_word(below)}}}"
    if text in LETTERS:
        return LETTERS[text]
    return text if len(text) == 1 and text.isascii() else _upright(text)


def _upright(text: str) -> str:
    """Letters only: what LaTeX would read as a command is left out."""
    safe = re.sub(r"[\\_^#$%&{}~]", " ", text)
    return rf"\mathrm{{{safe}}}" if safe.strip() else " "
