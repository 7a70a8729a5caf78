"""Plain text to tokens: numbers, names, signs and words, each with its line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from ...core.written import Name, Written

MOST = 54_000  # tokens of a page that are read
LONGEST_NUMBER = 60  # characters


@dataclass(slots=True)
class Token:
    """kind: number, name, op, rel, a bracket, "," ";" "_" "^" "'", frac, matrix, word, odd (a
    number that cannot be held), break (a new line), end (of a block). maths: from a formula,
    where letters side by side multiply.
    """

    kind: str
    text: str
    line: int
    space: bool = False
    maths: bool = False
    extra: Any = None


LETTERS = "A-Za-zΑ-Ωα-ωŷℓ"
IDENTIFIER = rf"[{LETTERS}][{LETTERS}0-9]*(?:_[{LETTERS}0-9]+)*"
PIECES = re.compile(
    rf"""(?P<number>(?>\d+\.\d+|(?<!\w)\.\d+|\d+\.(?=\s*[,\]])(?<=[\[\s,-]\d\.)|\d+)(?>[eE][-+]?\d+)?(?![\d.]*\.\d))
    |(?P<d>(?<![{LETTERS}0-9])[dD](?P<top>[A-Z]|loss|[{LETTERS}]+(?:_?[a-z0-9]+)?)(?:/|_)[dD](?={IDENTIFIER}))
    |(?P<name>{IDENTIFIER})
    |(?P<rel>:=|<-|←|==?|≈|~=|~)
    |(?P<arrow>->|=>|→|⇒|⟹|↦)
    |(?P<power>\*\*)
    |(?P<op>[-+*/@⊙∂∇])
    |(?P<bracket>[()\[\]{{}}])
    |(?P<sign>[,;|_^':&!?."“”$%<>])
    |(?P<space>[ \t]+)
    |(?P<line>\n)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)

# words that are names of quantities; longest first
PHRASES = {
    "learning rate": "η",
    "step size": "η",
    "target output": "y",
    "desired output": "y",
    "expected output": "y",
    "true output": "y",
    "predicted output": "ŷ",
    "current output": "ŷ",
    "network output": "ŷ",
    "final output": "ŷ",
    "total error": "C",
    "total loss": "C",
    "squared error": "C",
}
WORDS = {
    "eta": "η", "lr": "η", "alpha": "α", "delta": "δ", "sigma": "σ", "sigmoid": "σ",
    "target": "y", "label": "y", "output": "ŷ", "prediction": "ŷ", "yhat": "ŷ", "pred": "ŷ",
    "input": "x", "inputs": "x", "loss": "C", "cost": "C", "error": "C", "partial": "∂",
    "nabla": "∇", "weight": "w", "bias": "b", "targets": "y", "activation": "a",
    "θ": "θ", "Θ": "θ", "theta": "θ",
    "mse": "C", "bce": "C", "logit": "z", "logits": "z", "rate": "η",
}  # fmt: skip
KNOWN = {
    "W", "w", "b", "B", "x", "X", "y", "Y", "z", "Z", "a", "A", "h", "H", "o", "O", "i", "t", "C",
    "L", "E", "J", "η", "α", "δ", "Δ", "σ", "φ", "f", "g", "s", "u", "U", "v", "V", "m", "p", "net",
    "out", "ŷ", "θ", "ℓ", "c", "n", "in", "e", "q", "T", "d", "μ", "β", "ε", "l", "k", "j", "r",
    "P", "exp", "ln", "log", "tanh", "relu", "ReLU", "softmax", "sqrt", "max", "Var", "λ", "mom",
}  # fmt: skip
FUNCTIONS = {
    "exp", "ln", "log", "tanh", "relu", "softmax", "sqrt", "max", "σ", "f", "g", "φ", "sigmoid",
}  # fmt: skip
DIFFERENTIALS = {"d" + letter for letter in "WwbzaZABVvU"}  # dW1 in code is ∂C/∂W1
RATES = {"learning_rate", "learningrate", "step_size", "learn_rate"}
NUMBERED = ("I", "N", "Err", "S")  # names where something stands below
IS = {"is", "are", "equals", "gives", "becomes", "yields", "was"}
MARKS = {"new", "old", "total", "next", "updated", "before", "after", "prime", "hat", "target"}


def number(text: str) -> Written | None:
    """A number with its digits; None for one too long or outside what is computed with."""
    if len(text) > LONGEST_NUMBER:
        return None
    text = text.removesuffix(".")  # NumPy's 1. is whole
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or abs(value.adjusted()) > 300 or abs(exponent) > 400:
        return None
    whole = "." not in text and "e" not in text.lower()
    return Written(text, value, Decimal(0) if whole else Decimal(1).scaleb(exponent))


def identifier(text: str) -> Name | None:
    """The name that a word of plain text is: W2_new, net_h1, δ2, y_hat; None for prose."""
    parts = text.split("_")
    if text.lower() in RATES:
        return Name("η")
    if len(parts) > 1 and parts[-1] == "grad":
        inner = identifier("_".join(parts[:-1]))
        return inner and Name(f"grad {inner.base}", inner.low)
    if parts[0] in ("grad", "new", "old", "d", "target", "delta") and len(parts) > 1:
        inner = identifier("_".join(parts[1:]))
        if parts[0] in ("target", "delta"):
            base = "y" if parts[0] == "target" else "δ"
            return Name(base, tuple(p for p in parts[1:] if p))
        if inner and parts[0] in ("grad", "d"):
            return Name("grad " + inner.base, inner.low)
        return inner and Name(inner.base, (*inner.low, parts[0]))
    if len(parts) > 2 and parts[-1] in HELD:  # h1_z_data
        return identifier("_".join(parts[:-1]))
    head = re.match(rf"([{LETTERS}]+)([0-9]*)([A-Za-z0-9]*)$", parts[0])
    if head is None:
        return None
    letters, digits, rest = head.groups()
    plain = parts[-1] in ("z", "a", "w", "b") and letters not in ("h", "o")
    if digits and len(parts) > 1 and parts[-1] in SAID and not plain:
        told = from_words(text)  # h1_net
        if told is not None:
            return told
    if len(parts) > 1 and letters in ("hidden", "output", "out") and parts[-1] in ENDS:
        told = from_words(text)  # output_in is no output
        if told is not None:
            return told
    if letters == "y" and parts[1:2] == ["hat"]:
        letters, parts = "ŷ", [parts[0], *parts[2:]]
    low = tuple(p for p in (digits, rest, *parts[1:]) if p)
    if letters[0] == "δ" and letters[1:].isascii() and letters[1:].isalpha():  # δH1
        return Name("δ", (letters[1:] + digits, *(p for p in (rest, *parts[1:]) if p)))
    base = WORDS.get(letters.lower(), letters) if len(letters) > 1 else letters
    if letters in DIFFERENTIALS:
        return Name("grad " + letters[1:], low)
    if base in NUMBERED and low:
        return Name(base, low)
    if base not in KNOWN and base not in ("∂", "∇"):
        told = from_words(text)
        if told is not None:
            return told
        if len(letters) == 2 and letters[0] in "Δδ" and letters[1] in "wWb":
            return Name("Δ" + letters[1], low)
        return None
    if base == "σ" and any(p.startswith("prime") for p in low):
        rest_low = (p.removeprefix("prime") for p in low)
        return Name("σ", tuple(p for p in rest_low if p), prime=True)
    return Name(base, low)


# words of code for a quantity, and for where it is
SAID = {
    "slope": "σ", "net": "z", "out": "a", "act": "a", "activation": "a", "preact": "z", "pre": "z",
    "delta": "δ", "deltas": "δ", "z": "z", "a": "a", "bias": "b", "weight": "w", "weights": "w",
    "biases": "b", "deriv": "σ", "err": "err", "error": "err", "in": "z", "w": "W", "b": "b",
    "logit": "z",
    "output": "a", "sum": "z", "signal": "δ", "activations": "a", "slopes": "σ", "sigprime": "σ",
    "dsigma": "σ", "sens": "δ", "blame": "δ", "input": "z",
}  # fmt: skip
HELD = ("data", "val", "value", "item")
ENDS = (
    "in",
    "net",
    "input",
    "sum",
    "pre",
    "preact",
    "logit",
    "z",
    "delta",
    "err",
    "error",
    "slope",
)
SPOTS = re.compile(
    r"(?:fc|linear|lin|dense|hidden|hid|h|output|out|o|layer|l|neuron|unit|node|n)?_?\d*$",
    re.IGNORECASE,
)


def from_words(text: str) -> Name | None:
    """A name of code that says in words what it is and where: slope_hidden, h1_out, hidden_z."""
    rows = [p for p in re.sub(r"(?<=[a-z]{4})(?=\d+$)", "_", text).split("_") if p]
    marks = tuple(p for p in rows if p in ("new", "old", "updated", "after", "before"))
    rows = [p for p in rows if p not in marks]
    grad = bool(rows) and rows[0].lower() in (
        "d",
        "grad",
        "dl",
        "de",
        "dc",
        "dj",
        "dloss",
        "gradient",
    )
    rows = rows[1:] if grad else rows
    for k in (0, len(rows) - 1) if len(rows) > 1 else ():
        said, rest = rows[k].lower(), [*rows[:k], *rows[k + 1 :]]
        if said in SAID and all(SPOTS.match(p) for p in rest):
            base = SAID[said]
            low = tuple(
                re.sub(r"^(?:layer|linear|lin|dense|fc|l|neuron|unit|node|n)(?=\d)", "", p)
                for p in rest
            )
            low = tuple(p for p in low if p not in ("layer", "l", "neuron", "unit", "node", "n"))
            if base == "σ":
                return Name("σ", low, prime=True)
            return Name(f"grad {base}" if grad else base, (*low, *marks))
    return None


def plain_tokens(text: str, line: int = 1, *, maths: bool = False) -> list[Token]:
    """The tokens of plain text, up to MOST of them."""
    found: list[Token] = []
    space = False
    for piece in PIECES.finditer(text):
        kind = piece.lastgroup or ""
        value = piece[0]
        if kind == "space":
            space = True
            continue
        if kind == "line":
            found.append(Token("break", "\n", line))
            line += 1
            space = True
            continue
        _add(found, kind, value, line, space, maths, piece)
        if value == "_" and len(found) > 1 and found[-2].text in NUMBERED:
            before = found[-2]  # I_j, Err_j
            before.kind, before.extra = "name", Name(before.text)
        space = False
        if len(found) >= MOST:
            break
    return found


def _add(
    found: list[Token], kind: str, value: str, line: int, space: bool, maths: bool, piece: Any
) -> None:
    def put(kind: str, text: str = value, extra: Any = None) -> None:
        found.append(Token(kind, text, line, space, maths, extra))

    match kind:
        case "number":
            written = number(value)
            put("number" if written else "odd", value, written)
        case "d" | "top":
            put("op", "∂")
            put("name", piece["top"], identifier(piece["top"]) or Name(piece["top"]))
            put("op", "/")
            put("op", "∂")
        case "name":
            _name(put, value, maths)
        case "rel":
            put(
                "rel",
                "←"
                if value in ("<-", "←")
                else "="
                if value in (":=", "==")
                else "≈"
                if "~" in value
                else value,
            )
        case "arrow":
            put("end", "→")
        case "power":
            if _is_power(piece.string, piece.start(), piece.end()):
                put("^")
        case "op":
            put("op")
        case "bracket" | "sign":
            put(value)
        case _:
            put("word")


def _is_power(text: str, start: int, end: int) -> bool:
    """Whether ** stands between operands; else it makes text bold."""
    before, after = text[max(start - 1, 0) : start], text[end : end + 1]
    if before == after == " ":
        before, after = text[max(start - 2, 0) : start - 1], text[end + 1 : end + 2]
    return (
        bool(before)
        and (before.isalnum() or before in ")]}")
        and (after.isdigit() or after in ("(", "-") or (after.isalpha() and before == ")"))
    )


def _name(put: Any, value: str, maths: bool) -> None:
    if value.lower() in IS:
        put("is", value)
        return
    name = identifier(value)
    if name is None and maths and value.isalpha() and len(value) <= 4 and value not in MARKS:
        for letter in value:
            put("name", letter, Name(letter))
        return
    if name is None:
        put("word")
    elif name.base in ("∂", "∇"):
        put("op", name.base)
    else:
        put("name", value, name)
