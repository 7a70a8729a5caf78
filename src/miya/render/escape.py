"""Labels are text in every output: nothing in one is a command, a link or a control code."""

from __future__ import annotations

import re
import unicodedata

MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#$~!])")
LINK = re.compile(r"(?i)\b(https?|ftp|www)([:.])")  # GitHub links these by itself
MINUS = re.compile(r"(?<![\w.}])-(?=\d)")  # of a number, not a hyphen
LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "`": r"\textasciigrave{}",
}
LATEX_MATHS = {
    "δ": r"\delta",
    "Δ": r"\Delta",
    "∂": r"\partial",
    "Σ": r"\Sigma",
    "σ": r"\sigma",
    "θ": r"\theta",
    "ℓ": r"\ell",
    "≈": r"\approx",
    "·": r"\cdot",
    "→": r"\to",
    "⊙": r"\odot",
    "Φ": r"\Phi",
    "ᵀ": r"^{\top}",
    "α": r"\alpha",
    "β": r"\beta",
    "γ": r"\gamma",
    "ε": r"\varepsilon",
    "η": r"\eta",
    "λ": r"\lambda",
    "μ": r"\mu",
    "π": r"\pi",
    "τ": r"\tau",
    "φ": r"\varphi",
    "√": r"\surd",
    "‖": r"\Vert",
    "≤": r"\le",
    "≥": r"\ge",
    "≠": r"\ne",
    "±": r"\pm",
    "−": "-",
    "∞": r"\infty",
}
HAT = "\u0302"  # on the letter before it


def printable(text: str) -> str:
    """Control, bidirectional and other invisible characters shown by their code."""
    return text if text.isprintable() else "".join(_shown(c) for c in text)


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Cf", "Co", "Cs", "Zl", "Zp"):
        return f"U+{ord(character):04X}"
    return f"\\x{ord(character):02x}" if category == "Cc" else character


def markdown(text: str) -> str:
    # spaces in front of a text would make code of it
    escaped = MARKDOWN.sub(r"\\\1", printable(text).lstrip().replace("&", "&amp;"))
    escaped = LINK.sub(r"\1\\\2", escaped)
    escaped = re.sub(r"^(\d+)([.)])", r"\1\\\2", escaped)
    return re.sub(r"^([-+=])", r"\\\1", escaped)


def latex(text: str) -> str:
    found: list[str] = []
    for character in printable(text):
        if character == HAT and found:
            found[-1] = rf"\ensuremath{{\hat{{{found[-1]}}}}}"
        elif character in LATEX_MATHS:
            found.append(rf"\ensuremath{{{LATEX_MATHS[character]}}}")
        else:
            found.append(LATEX.get(character, character))
    if found and found[0] in ("[", "*"):  # would be an option of the command before it
        found[0] = f"{{{found[0]}}}"
    return MINUS.sub(r"\\ensuremath{-}", "".join(found))
