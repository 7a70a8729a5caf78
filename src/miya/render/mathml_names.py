"""Elements, numbers and names as presentation MathML (MathML Core)."""

from __future__ import annotations

from html import escape

from ..story.quantity import Symbol

MARKS = {"*": "·", "-": "−", "<=": "≤", ">=": "≥", "@": "", "==": "=", "!=": "≠"}
NAMES = {
    "slope": "σ′",
    "σ'": "σ′",
    "theta": "θ",
    "lr": "η",
    "alpha": "α",
    "negative_slope": "α",
    "momentum": "μ",
    "weight_decay": "λ",
    "dampening": "τ",
    "lr_decay": "γ",
    "eps": "ε",
    "pi": "π",
    "l": "ℓ",
    "log_sum": "L",
    "change": "Δθ",
}
LOWERED = {
    "delta": ("δ", "H"),
    "beta1": ("β", "1"),
    "beta2": ("β", "2"),
    "g_up": ("g", "↑"),
    "v_max": ("v", "max"),
    "initial_accumulator_value": ("s", "0"),
}
ARGUMENT = {"cdf": "Φ", "pdf": "φ"}


def element(tag: str, *inside: str, **attributes: str) -> str:
    given = "".join(
        f' {name.strip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
        if value
    )
    return f"<{tag}{given}>{''.join(inside)}</{tag}>"


def operator(sign: str, form: str = "") -> str:
    return element("mo", escape(MARKS.get(sign, sign)), form=form)


def math(body: str, label: str, *, display: bool = False) -> str:
    """A whole <math>, read out as `label`."""
    block = "block" if display else ""
    style = "" if display else "true"
    return element("math", body, aria_label=label, alttext=label, display=block, displaystyle=style)


def number(text: str, ref: str = "") -> str:
    """A number as printed; 7.9e-6 is written 7.9 · 10⁻⁶."""
    digits = text.removeprefix("-")
    head, _, exponent = digits.partition("e")
    parts = (
        [element("mn", head)]
        if head == digits
        else [
            element("mn", head),
            operator("*"),
            element("msup", element("mn", "10"), number(exponent)),
        ]
    )
    if digits != text:
        parts.insert(0, operator("-"))
    if len(parts) == 1:
        return element("mn", head, data_ref=ref)
    return element("mrow", *parts, data_ref=ref)


def symbol(value: Symbol) -> str:
    lower = "" if value.layer is None else str(value.layer)
    index = f"[{','.join(map(str, value.index))}]" if value.index else ""
    if value.own:
        return _own(value, index)
    if " / " in value.head:
        return element(
            "mfrac", *(symbol(Symbol(*_marked(part))) for part in value.head.split(" / "))
        )
    if value.head.startswith("∂C/∂"):
        below = _quantity(value.head[4:], lower, value.mark, index)
        return _slope_of(below)
    return _quantity(value.head, lower, value.mark, index)


def _own(value: Symbol, index: str) -> str:
    """A name of the reader's own model, as it is written there."""
    name = element("mtext", escape(value.head.removeprefix("∂C/∂") + index))
    if value.mark:
        name = element("msup", name, element("mtext", escape(value.mark)))
    return _slope_of(name) if value.head.startswith("∂C/∂") else name


def _marked(text: str) -> tuple[str, None, tuple[int, ...], str]:
    head, _, mark = text.partition("_")
    return head, None, (), mark


def _slope_of(below: str) -> str:
    top = element("mrow", operator("∂"), element("mi", "C"))
    return element("mfrac", top, element("mrow", operator("∂"), below))


def _quantity(head: str, lower: str, upper: str, index: str) -> str:
    words, _, head = head.rpartition(" ")
    change = head.startswith("Δ") and len(head) > 1
    base = name(head[1:] if change else head)
    if lower and upper:
        base = element("msubsup", base, element("mn", lower), element("mtext", escape(upper)))
    elif lower:
        base = element("msub", base, element("mn", lower))
    elif upper:
        base = element("msup", base, element("mtext", escape(upper)))
    parts = [element("mtext", escape(f"{words} "))] if words else []
    parts += [element("mi", "Δ")] if change else []
    parts += [base, element("mtext", index)] if index else [base]
    return parts[0] if len(parts) == 1 else element("mrow", *parts)


def name(text: str) -> str:
    """A name of a formula: Greek, subscripts, hats and "old" as they are read."""
    if text.endswith("_before"):
        return element("msup", name(text.removesuffix("_before")), element("mtext", "old"))
    if text.startswith("∂C/∂"):
        return _slope_of(name(text[4:]))
    if text.endswith("ᵀ"):
        letters = text[:-1].rstrip("0123456789")
        lower = text[len(letters) : -1]
        parts = [name(letters), *([element("mn", lower)] if lower else []), element("mi", "⊤")]
        return element("msubsup" if lower else "msup", *parts)
    if text == "Σ":
        return operator("∑")
    if text in ARGUMENT:
        of = element("mrow", operator("("), element("mi", "z"), operator(")"))
        return element("mrow", element("mi", ARGUMENT[text]), of)
    if text in LOWERED:
        return element("msub", *(element("mi", escape(part)) for part in LOWERED[text]))
    if text.endswith("_hat"):
        return element("mover", element("mi", escape(text[0])), operator("^"))
    letters = text.rstrip("0123456789")
    if letters != text and letters:
        return element("msub", name(letters), element("mn", text[len(letters) :]))
    return element("mi", escape(NAMES.get(text, text)))
