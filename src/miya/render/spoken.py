"""Calculations, matrices and formulas as plain sentences, for those who listen to a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..story.blocks import Blank, Calculation, Matrix
from ..story.closing import Closed
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
    plain,
)
from ..story.quantity import Symbol
from .notation import Formulas, formulas

Words = Mapping[str, str]
SIGNS = {
    "+": "plus",
    "-": "minus",
    "*": "times",
    "/": "over",
    "**": "power",
    "@": "times",
    "⊙": "each_times",
    ",": "comma",
    ">": "greater",
    ">=": "at_least",
    "<": "less",
    "<=": "at_most",
    "==": "same",
    "!=": "other_than",
    "if": "if",
    "else": "otherwise",
}
LEVEL = {**BINDING, "@": 2, "⊙": 2, "if": -1, "else": -2}
GREEK = {"δ": "delta", "σ": "sigma", "θ": "theta", "ℓ": "loss", "l": "loss", "η": "rate"}
NAMED = {**GREEK, "lr": "rate", "σ'": "slope", "slope": "slope", "pi": "pi", "Σ": "sum_of"}
FUNCTIONS = {
    "exp": "exp",
    "log": "log",
    "abs": "size",
    "sum": "sum",
    "max": "largest",
    "maximum": "largest",
    "normal_cdf": "normal",
}


@dataclass(frozen=True)
class Speaker:
    """Speaks in the words of one language (its `[spoken]` section)."""

    words: Words

    def say(self, key: str, **values: object) -> str:
        return self.words[key].format(**values)

    def calculation(self, item: Calculation) -> tuple[str, str]:
        """The sentence up to its result, and the result's end of it."""
        closed, head = item.closed, self.symbol(item.symbol)
        end = self.number(closed.result)
        if plain(closed.tree, closed.write) == closed.result:
            return self.say("is", symbol=head), self.say("value", result=end)
        relation = {"=": "which_is", "≈": "which_is_about"}[closed.relation]
        return self._asked(head, closed), self.say(relation, result=end)

    def blank(self, item: Blank) -> str:
        """What is asked for; of a blank that gives its expression, that too."""
        head = self.symbol(item.symbol)
        if item.tree is None:
            return head
        return self.say("equals", symbol=head, expression=self.tree(item.tree, item.write))

    def _asked(self, head: str, closed: Closed) -> str:
        return self.say("equals", symbol=head, expression=self.tree(closed.tree, closed.write))

    def matrix(self, block: Matrix) -> str:
        key = "matrix" if len(block.rows[0]) > 1 else "vector"
        gap = self.words["row_gap"] if key == "matrix" else self.words["gap"]
        rows = (self.words["gap"].join(map(self.number, row)) for row in block.rows)
        return self.say(key, symbol=self.symbol(block.symbol), values=gap.join(rows))

    def formula(self, notation: str) -> str:
        return self.words["row_gap"].join(self._formulas(formulas(notation)))

    def _formulas(self, found: Formulas) -> list[str]:
        def write(value: float) -> str:
            return f"{value:g}"

        return [
            self.say(
                "equals", symbol=self.tree(f.left, write), expression=self.tree(f.right, write)
            )
            for f in found
        ]

    def symbol(self, value: Symbol) -> str:
        layer = "" if value.layer is None else f" {value.layer}"
        head, mark = value.head, f" {value.mark}" if value.mark else ""
        if value.own:
            return self._own(value) + mark
        if head.startswith("∂C/∂"):
            said = self.say("slope_by", symbol=f"{self.name(head[4:])}{layer}{mark}")
        else:
            said = f"{self.name(head)}{layer}{mark}"
        return said + self._index(value)

    def _own(self, value: Symbol) -> str:
        name = value.head.removeprefix("∂C/∂")
        name += f" [{', '.join(map(str, value.index))}]" if value.index else ""
        slope = value.head.startswith("∂C/∂")
        return self.say("slope_by", symbol=name) if slope else name

    def _index(self, value: Symbol) -> str:
        if not value.index:
            return ""
        of_weight = value.head.endswith("W") or value.mark.startswith("W")
        if of_weight and len(value.index) == 2:
            return self.say("at_weight", row=value.index[0], column=value.index[1])
        if len(value.index) == 2:
            return self.say("at_example", example=value.index[0], neuron=value.index[1])
        return self.say("at", index=value.index[0])

    def name(self, text: str) -> str:
        if text.startswith("∂C/∂"):
            return self.say("slope_by", symbol=self.name(text[4:]))
        if text.endswith("ᵀ"):
            return self.say("transposed", symbol=self.name(text[:-1]))
        if text.startswith("Δ") and len(text) > 1:
            return self.say("change_of", symbol=self.name(text[1:]))
        if text.endswith("_before"):
            return self.say("old", symbol=self.name(text.removesuffix("_before")))
        letters = text.rstrip("0123456789")
        digits = text[len(letters) :]
        said = self.words.get(NAMED.get(letters, ""), letters.replace("_", " "))
        return f"{said} {digits}" if digits and letters else said

    def number(self, text: str) -> str:
        digits = text.removeprefix("-")
        head, _, exponent = digits.partition("e")
        said = self.say("ten", a=head, b=self.number(exponent)) if exponent else head
        return said if digits == text else self.say("negative", a=said)

    def tree(self, part: Expression, write: Write, binding: int = -2) -> str:
        match part:
            case Number(value):
                return self.number(write(value))
            case Name(text):
                return self.name(text)
            case Named(of):
                return self.symbol(of)
            case Negative(of):
                return self.say("negative", a=self.tree(of, write, BINDING["*"]))
            case Call(function, of):
                inside = self.tree(of, write)
                if function in FUNCTIONS:
                    return self.say(FUNCTIONS[function], a=inside)
                return self.say("of", symbol=self.name(function), a=inside)
            case Binary():
                return self._binary(part, write, binding)
        raise TypeError(part)

    def _binary(self, part: Binary, write: Write, binding: int) -> str:
        sign, left, right = part.sign, part.left, part.right
        if left == Name("Σ"):
            return self.say("sum", a=self.tree(right, write, BINDING["*"]))
        if sign == "**" and right == Number(0.5):
            return self.say("root", a=self.tree(left, write))
        level = LEVEL.get(sign, 0)
        a = self.tree(left, write, level + (sign == "**"))
        if sign == "**" and right == Number(2.0):
            said = self.say("squared", a=a)
        else:
            b = self.tree(right, write, level + (sign in ("-", "/")))
            said = self.say(SIGNS[sign], a=a, b=b)
        return said if level >= binding else self.say("group", a=said)
