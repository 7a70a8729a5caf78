"""Tokens to chains: "name = expression = expression ≈ number"."""

from __future__ import annotations

from dataclasses import replace

from ...core.written import Binary, Chain, Name, Negative, Number, Ref, Transposed, Tree, Vector
from .brackets import Brackets
from .expressions import BREAKS, CLOSE, DEEPEST, LEVEL, STARTS, TooMuch
from .sayings import stated
from .spoken import spoken
from .tokens import PHRASES, Token

__all__ = ["Parser", "TooMuch", "phrases"]

SUMS = ("sum", "Sum", "SUM", "Σ", "∑", "sum_k", "SUM_k", "sum_i", "Sum_k", "sum_j", "summed")
NORMS = ("‖", "∥", "|", "||")
REMARKS = (
    "now", "about", "then", "therefore", "thus", "roughly", "approximately", "equal", "to",
    "simply",
    "just", "also", "exactly", "the", "value", "again", "only", "hence", "around", "at",
)  # fmt: skip


class Parser(Brackets):
    def hopeless(self) -> bool:
        """Whether more brackets open here than an expression may have."""
        return all(self.kind(k) in CLOSE for k in range(DEEPEST))

    def chains(self) -> list[Chain]:
        """Every chain in the tokens, in order; tokens between them are passed over."""
        found = []
        while self.at < len(self.tokens):
            start = self.at
            tree = self.chain()
            if isinstance(tree, Chain):
                found.append(tree)
            elif self.at <= start:
                self.at = start
                self.take()
        return found

    def chain(self) -> Tree | None:
        """A chain, or a single side; None where neither starts here."""
        first = self.peek()
        if first is None:
            return None
        side = self.expression()
        if side is None:
            return None
        sides, signs, lines = [side], [], [first.line]
        while True:
            mark = self.at
            sign = self.relation(len(sides) == 1) or self.arrow(sides)
            if sign is None:
                self.at = mark
                break
            while self.kind() in (*BREAKS, "&"):
                self.take()
            at = self.peek()
            side = self.expression()
            if sign != ":" and (side is None or self.torn()) and self.passed_over():
                continue
            if side is None or at is None or (sign == ":" and not _plain(side)):
                self.at = mark
                break
            if self.torn():
                break
            sides.append(side)
            signs.append(sign)
            lines.append(at.line)
        if len(sides) == 1:
            return sides[0]
        return Chain(tuple(sides), tuple(signs), tuple(lines))

    def passed_over(self) -> bool:
        """Go to the next sign of a formula over a side that cannot be read, such as a sum."""
        mark = self.at
        for _ in range(40):
            token = self.peek()
            if token is None or token.kind in (*BREAKS, ",", ".", ";", ":", "is"):
                break
            if not token.maths and token.text not in SUMS:
                break
            if token.kind == "rel":
                return True
            if token.kind == "word" and token.text not in SUMS:
                break
            self.take()
        self.at = mark
        return False

    def arrow(self, sides: list[Tree]) -> str | None:
        """The arrow from a weight to its new value."""
        token, side = self.peek(), sides[0]
        if len(sides) > 1 or token is None or token.text != "→" or not isinstance(side, Ref):
            return None
        if side.name.base not in ("W", "w", "b", "v", "V", "θ", "B", "U", "u") or side.wrt:
            return None
        self.take()
        return "→"

    def torn(self) -> bool:
        """Whether a side goes on in a way that was not understood: 1/2 Σ (a - y)^2."""
        token, after = self.peek(), self.peek(1)
        if token is None:
            return False
        if token.kind == "op" and token.text in LEVEL and after is not None:
            dash = token.text == "-" and not token.maths
            return not dash and (after.kind in STARTS or after.text in (*SUMS, *NORMS))
        if token.kind == "(":
            behind = self.tokens[self.at + 1 : self.at + 14]
            inside = [t.kind for t in behind[:3]]
            end = next((k for k, t in enumerate(behind) if t.kind == ")"), len(behind))
            if token.space and any(t.text == "→" for t in behind[:end]):  # w1 = 0.5 (x1 -> h1)
                return False
            if inside[1:2] == [")"] and token.space:  # b2 = 0.6 (output)
                return False
            return "word" not in inside and ("name" in inside or "op" in inside[1:])
        if token.kind == "|":  # the norm of ½ ‖a - y‖²
            return token.maths or (after is not None and after.kind == "|")
        summed = token.text in SUMS or token.text[:1] in ("Σ", "∑")
        return summed or (token.maths and token.kind in ("name", "frac"))

    def relation(self, first: bool) -> str | None:
        mark = self.at
        self.skip_remark()
        if self.kind() == "op" and self.kind(1) in ("rel", "is", ":"):
            self.take()  # *z* = 0.5
        while self.kind() in ("break", "&") or (self.kind() == "end" and self.peek().text == "\n"):  # type: ignore[union-attr]
            self.take()
        token = self.peek()
        if token is None:
            return None
        if token.kind == "rel":
            self.take()
            if self.kind() == "rel":  # ≈ = in a row
                self.take()
            return token.text
        if first and token.kind in ("is", ":") and mark + 1 >= self.at:
            self.take()
            while self.kind() == "word" and self.tokens[self.at].text in REMARKS:
                self.take()
            return ":" if token.kind == ":" else "is"
        return None

    def skip_remark(self) -> None:
        """Pass over words in brackets between a name and its sign."""
        if self.kind() != "(" or not any(self.kind(k) == "word" for k in (1, 2)):
            return
        mark = self.at
        for _ in range(12):
            if self.kind() == ")":
                self.take()
                return
            if self.peek() is None or self.kind() in BREAKS:
                break
            self.take()
        self.at = mark


def _plain(tree: Tree) -> bool:
    """Whether a side is a number or a list of them."""
    match tree:
        case Number():
            return True
        case Negative(of) | Transposed(of):
            return _plain(of)
        case Vector(items):
            return all(_plain(i) for i in items)
        case Binary("*" | "^" | "/", left, right):
            return _plain(left) and _plain(right)
    return False


def _new_behind(tokens: list[Token]) -> bool:
    """Whether a parameter's name has "new" behind it: w7 new = 0.3."""
    if len(tokens) < 3 or tokens[0].kind != "name" or tokens[1].kind not in ("word", "name"):
        return False
    stated = tokens[2].kind in ("rel", "is", ":")
    named = tokens[0].extra.base in ("W", "w", "b", "θ", "v", "V", "U")
    return named and stated and tokens[1].text.lower() in ("new", "updated")


def phrases(tokens: list[Token]) -> list[Token]:
    """Words that together name a quantity as one name: "learning rate" is η."""
    tokens = spoken(tokens)
    found: list[Token] = []
    k = 0
    while k < len(tokens):
        pair = " ".join(t.text.lower() for t in tokens[k : k + 2])
        if pair in PHRASES and not tokens[k].maths:
            base = PHRASES[pair]
            found.append(replace(tokens[k], kind="name", text=pair, extra=Name(base)))
            k += 2
            kinds = [t.kind for t in tokens[k : k + 2]]
            letter = kinds[:1] == ["name"] and kinds[1:] in (["rel"], ["break"], ["end"], [])
            if base == "η" and letter and len(tokens[k].text) == 1:
                k += 1  # learning rate l = 0.1, or a cell of its own
            if base == "η":
                found += stated(tokens, k)
            continue
        if tokens[k].text.lower() in ("new", "updated") and k + 1 < len(tokens):
            after = tokens[k + 1]
            if after.kind == "name" and after.extra.base in ("W", "w", "b", "θ"):
                name = replace(after.extra, low=(*after.extra.low, "new"))
                found.append(replace(after, extra=name))
                k += 2
                continue
        if _new_behind(tokens[k : k + 3]):
            name = tokens[k].extra
            found.append(replace(tokens[k], extra=replace(name, low=(*name.low, "new"))))
            k += 2
            continue
        found.append(tokens[k])
        k += 1
    return found
