"""Products by the labels of an equation: torch.einsum."""

from __future__ import annotations

from collections.abc import Sequence

from ..calls import Call
from .contraction import Contraction, Labels, batch
from .products import product


def einsum_of(call: Call) -> Contraction | None:
    """The labels that an equation of torch.einsum gives to each operand."""
    equation = call.option("equation", "")
    if not isinstance(equation, str):
        return _einsum_of_lists(call)
    given, arrow, out = equation.replace(" ", "").partition("->")
    roles, texts = list(call.operands), given.split(",")
    if len(roles) != len(texts):
        return None
    operands = {
        role: _labels(text, len(call.operands[role].shape))
        for role, text in zip(roles, texts, strict=True)
    }
    out = out if arrow else _implied(texts)
    return Contraction(operands, _labels(out, len(call.results[0].shape)))


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def _einsum_of_lists(call: Call) -> Contraction | None:
    """The same, where each operand is followed by the list of its labels, from 0 to 51, and the
    last list, if there is one more, is the result's."""
    texts = [
        "".join("..." if k is Ellipsis else LETTERS[k] for k in found)
        for found in call.arguments.values()
        if isinstance(found, tuple)
    ]
    count = len(call.operands)
    operands = {
        role: _labels(text, len(call.operands[role].shape))
        for role, text in zip(call.operands, texts, strict=False)
    }
    out = texts[count] if len(texts) > count else _implied(texts)
    return Contraction(operands, _labels(out, len(call.results[0].shape)))


def _implied(texts: Sequence[str]) -> str:
    """The labels of a result that are not said: those that stand once, in their order."""
    letters = "".join(texts).replace(".", "")
    once = sorted(k for k in set(letters) if letters.count(k) == 1)
    return "..." * any("..." in text for text in texts) + "".join(once)


def _labels(text: str, rank: int) -> Labels:
    head, dots, tail = text.partition("...")
    hidden = batch(rank - len(head) - len(tail)) if dots else ()
    return (*head, *hidden, *tail)


product(
    "einsum",
    einsum_of,
    "Y = Σ A B …",
    dict.fromkeys((f"operand{k}" for k in range(1, 53)), "∂C/∂A = Σ δ B …"),
    "*",
)
