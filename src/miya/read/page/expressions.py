"""Tokens to expressions: sums, products, fractions, derivatives, names with their indices."""

from __future__ import annotations

import re
from dataclasses import replace

from ...core.written import Binary, Call, Chain, Name, Negative, Number, Ref, Transposed, Tree
from .naming import FAMILIES
from .tokens import FUNCTIONS, Token

DEEPEST = 30
STEPS = 300_000  # what one page may cost
ADD, MULTIPLY, POWER = 1, 2, 3
LEVEL = {"+": ADD, "-": ADD, "*": MULTIPLY, "/": MULTIPLY, "@": MULTIPLY, "⊙": MULTIPLY}
# families of names that stand side by side as factors in plain text; b may be a unit's letter
FACTORS = {("W", "x"), ("W", "a"), ("W", "δ"), ("δ", "x"), ("δ", "a"), ("W", "b")}
LOSSES = ("C", "L", "E", "J", "ℓ")
BEHIND = ("new", "updated", "after")  # what stands in brackets behind a new weight's name
CLOSE = {"(": ")", "[": "]", "{": "}"}
BREAKS = ("break", "end")
STARTS = ("(", "number", "frac", "name", "matrix")  # what a factor starts with
ABOVE = re.compile(
    r"(?:[(\[]?\s*(?P<layer>\d+)\s*[)\]]?\s*,\s*)?[(\[]?\s*(?P<mark>[Ll]\s*-\s*\d|\d+|new|old|updated|next|t\s*\+\s*1|L|l|T|t|\+|'|\*|h|o)\s*[)\]]?$"
)


class TooMuch(Exception):
    """The page costs more steps than are spent on one."""


class Expressions:
    """A place in the tokens, and the expression that starts there. `spent` counts the steps."""

    def __init__(self, tokens: list[Token], spent: list[int] | None = None, deep: int = 0) -> None:
        self.tokens, self.spent, self.deep = tokens, spent or [0], deep
        self.at = 0
        self.shut: set[int] = set()  # places where brackets open that hold nothing readable

    def peek(self, ahead: int = 0) -> Token | None:
        place = self.at + ahead
        return self.tokens[place] if place < len(self.tokens) else None

    def kind(self, ahead: int = 0) -> str:
        token = self.peek(ahead)
        return token.kind if token else ""

    def take(self) -> Token:
        self.at += 1
        self.spent[0] += 1
        if self.spent[0] > STEPS:
            raise TooMuch
        return self.tokens[self.at - 1]

    def chain(self) -> Tree | None:
        """A chain, or a single expression; None where neither starts here."""
        raise NotImplementedError

    def brackets(self, opened: Token) -> Tree | None:
        """What stands in brackets."""
        raise NotImplementedError

    def matrix(self, token: Token) -> Tree | None:
        raise NotImplementedError

    def expression(self, level: int = ADD) -> Tree | None:
        if self.deep > DEEPEST:
            return None
        self.deep += 1
        try:
            return self._expression(level)
        finally:
            self.deep -= 1

    def _expression(self, level: int) -> Tree | None:
        left = self.unary()
        while left is not None:
            mark = self.at
            sign = self.operator(level)
            if sign is None:
                self.at = mark
                break
            right = self.expression(LEVEL[sign] + 1) if sign != "" else None
            if right is None:
                self.at = mark
                break
            left = Binary(sign, left, right)
        return left

    def operator(self, level: int) -> str | None:
        """The sign that goes on, "*" between things side by side; None where none does."""
        ahead = 0
        while self.kind(ahead) in ("break", "&"):
            ahead += 1
        token = self.peek(ahead)
        if token is None:
            return None
        if token.kind == "op" and token.text in LEVEL:
            if LEVEL[token.text] < level or (ahead and token.text == "-" and not token.maths):
                return None
            for _ in range(ahead + 1):
                self.take()
            return token.text
        if ahead or level > MULTIPLY or not self.beside(token):
            return None
        return "*"

    def beside(self, token: Token) -> bool:
        """Whether what follows is multiplied with what stands before it."""
        if token.kind == "op" and token.text in "∂∇":
            return token.maths and self.tokens[self.at - 1].maths
        if token.kind not in ("name", "(", "frac", "matrix", "number", "["):
            return False
        before = self.tokens[self.at - 1]
        if token.kind in ("(", "["):
            ahead = self.peek(1)
            wordy = ahead is not None and ahead.kind in ("word", "is")
            return not wordy and (token.maths or not token.space or self.factor_follows())
        if token.kind == "number":
            return False
        if token.space and not token.maths:
            return self.spelled_out(token)
        return (token.maths and before.maths) or (
            not token.space and before.kind in ("number", ")", "}") and token.kind == "name"
        )

    def factor_follows(self) -> bool:
        """Whether a sum in brackets behind a space is a factor of what a name is: a (1 - a)."""
        inside = 1
        while self.kind(inside) in ("name", "number", "op", "_", "^") and inside < 12:
            inside += 1
        kinds = [self.kind(k) for k in range(1, inside)]
        before = self.tokens[self.at - 1].text
        factor = "name" in kinds or self.kind(inside + 1) == "^" or before in ("0.5", "2")
        if self.kind(inside) != ")" or "op" not in kinds[1:] or not factor:
            return False
        back = self.at - 1
        while back > 0 and self.tokens[back].kind not in (*BREAKS, "rel", "word", ",", ";"):
            back -= 1
        return self.tokens[back].kind == "rel"

    def spelled_out(self, token: Token) -> bool:
        """Whether two names of plain text are factors: z1 = W1 x + b1, behind a sign."""
        place = self.at - 1
        while place > 0 and (self.tokens[place].kind in "^{}" or self.tokens[place].text == "T"):
            place -= 1
        before, sign = self.tokens[place], self.tokens[place - 1].kind if place else ""
        if token.kind != "name" or before.kind != "name" or sign not in ("rel", "op", "("):
            return False
        return (FAMILIES.get(before.extra.base), FAMILIES.get(token.extra.base)) in FACTORS

    def unary(self) -> Tree | None:
        token = self.peek()
        if token is None:
            return None
        if token.kind == "op" and token.text in "+-":
            self.take()
            inside = self.expression(MULTIPLY)
            return inside if inside is None or token.text == "+" else Negative(inside)
        return self.power()

    def power(self) -> Tree | None:
        base = self.atom()
        while base is not None and self.kind() == "^":
            mark = self.at
            sign = self.take()
            text, inside = self.script(sign)
            if text in ("T", "t", "\\top"):
                base = Transposed(base)
                continue
            exponent = type(self)(inside, self.spent, self.deep + 1).chain() if inside else None
            if exponent is None or isinstance(exponent, Chain):
                self.at = mark
                break
            if isinstance(base, Ref) and base.name == Name("e"):
                base = Call("exp", exponent)
            else:
                base = Binary("^", base, exponent)
        return base

    def script(self, sign: Token) -> tuple[str, list[Token]]:
        """What stands below or above: as text, and as tokens."""
        if isinstance(sign.extra, tuple):
            return sign.extra
        if isinstance(sign.extra, str):
            from .tokens import plain_tokens

            return sign.extra, plain_tokens(sign.extra, sign.line, maths=True)
        found: list[Token] = []
        opened = self.kind()
        if opened in CLOSE:
            deep = 0
            while self.peek() is not None and self.kind() not in BREAKS and len(found) < 40:
                token = self.take()
                deep += token.kind in CLOSE
                deep -= token.kind in CLOSE.values()
                found.append(token)
                if not deep:
                    break
            if opened == "{":
                found = found[1:-1]
        elif self.kind() in ("number", "name", "word") or self.kind() == "op":
            found.append(self.take())
            if found[0].kind == "op" and found[0].text == "-" and self.kind() == "number":
                found.append(self.take())
        return "".join(t.text for t in found), found

    def atom(self) -> Tree | None:
        token = self.peek()
        if token is None:
            return None
        match token.kind:
            case "number":
                self.take()
                if self.kind() == "%":
                    return None
                return Number(token.extra)
            case "name":
                return self.name()
            case "word" if self.kind(1) == "(" and self.applied():
                self.take()
                inside = self.brackets(self.tokens[self.at])
                return inside and Call(token.text.lower(), inside)
            case "frac":
                self.take()
                return self.fraction(token)
            case "matrix":
                self.take()
                return self.matrix(token)
            case "(" | "[" | "{":
                return self.element(self.brackets(token))
            case "op" if token.text in "∂∇":
                return self.derivative()
        return None

    def applied(self) -> bool:
        """Whether a word is a function of what stands right behind it: y3 = F(a3)."""
        before = self.tokens[self.at - 1] if self.at else None
        word, opened = self.tokens[self.at], self.tokens[self.at + 1]
        defined = before is not None and before.kind in ("rel", "op")
        return defined and word.text.isalpha() and not opened.space

    def element(self, inside: Tree | None) -> Tree | None:
        """One number of a product of names in brackets: (W^T δ)_1."""
        if not isinstance(inside, Binary) or self.kind() != "_":
            return inside
        mark = self.at
        text, _ = self.script(self.take())
        if text.isdigit() and len(text) < 4:
            return Call(f"[{text}]", inside)
        self.at = mark
        return inside

    def inner(self, tokens: list[Token]) -> Tree | None:
        """The tree of all of `tokens`; None where something is left over."""
        if self.deep > DEEPEST:
            return None
        parser = type(self)([t for t in tokens if t.kind != "break"], self.spent, self.deep + 1)
        tree = parser.chain()
        left = parser.tokens[parser.at :]
        return tree if all(t.kind in (",", ".", "end", ";") for t in left) else None

    def fraction(self, token: Token) -> Tree | None:
        top, bottom = token.extra
        if top and (top[0].text == "∂" or top[0].extra == Name("d")):
            above = type(self)(top, self.spent, self.deep + 1)
            below = type(self)(bottom, self.spent, self.deep + 1)
            a, b = above.differential(), below.differential()
            if a is not None and b is not None:
                return Ref(a, b)
        left, right = self.inner(top), self.inner(bottom)
        if left is None or right is None or isinstance(left, Chain) or isinstance(right, Chain):
            return None
        return Binary("/", left, right)

    def differential(self) -> Name | None:
        """∂ or d, and a name."""
        token = self.peek()
        if token is None:
            return None
        joined = token.kind == "name" and token.extra.base.startswith("grad ")
        if not joined:
            if not (token.text == "∂" or (token.kind == "name" and token.extra == Name("d"))):
                return None
            self.take()
        found = self.scripted()
        name = found.name if isinstance(found, Ref) else None
        return name and replace(name, base=name.base.removeprefix("grad "))

    def derivative(self) -> Tree | None:
        mark = self.at
        if self.tokens[mark].text == "∇":
            sign = self.take()
            if self.kind() == "_":
                _, inside = self.script(self.take())
                wrt = type(self)(inside, self.spent, self.deep + 1).scripted() if inside else None
                if isinstance(wrt, Ref):
                    if self.kind() == "name":
                        self.take()
                    return Ref(Name("C"), wrt.name)
            elif sign and self.kind() == "name":
                wrt = self.scripted()
                if isinstance(wrt, Ref):
                    return Ref(Name("C"), wrt.name)
            self.at = mark
            return None
        top = self.differential()
        if top is not None and self.kind() == "op" and self.tokens[self.at].text == "/":
            self.take()
            bottom = self.differential()
            if bottom is not None:
                return Ref(top, bottom)
        self.at = mark
        return None

    def name(self) -> Tree | None:
        found = self.scripted()
        if not isinstance(found, Ref) or self.kind() not in ("(", "["):
            return found
        base = found.name.base
        if base in LOSSES and self.arguments():
            return found
        slope = found.name.prime and base not in ("W", "w", "b", "x", "y") and self.kind() == "("
        if (base.lower() in FUNCTIONS or slope) and not self.tokens[self.at].space:
            inside = self.brackets(self.tokens[self.at])
            if inside is None:
                return found
            mark = "'" if found.name.prime else ""
            if mark and isinstance(inside, Ref) and self.kind() == "[":
                index = self.index()  # σ'(z1)[0] is σ'(z1[0])
                inside = replace(inside, name=replace(inside.name, index=index or ()))
            return Call(base.lower() + mark, inside)
        return found

    def arguments(self) -> bool:
        """Pass over what a loss is said to be a function of: J(W, b)."""
        for length in range(1, 8):
            if self.kind(length) == ")":
                for _ in range(length + 1 if length > 1 else 0):
                    self.take()
                return length > 1
            if self.kind(length) not in ("name", ",", ";"):
                return False
        return False

    def scripted(self) -> Tree | None:
        """A name with all that stands below, above and in brackets after it."""
        if self.kind() != "name":
            return None
        token = self.take()
        name: Name = token.extra
        transposed = False
        while True:
            kind, mark = self.kind(), self.at
            if kind == "'" and not self.tokens[mark].space:
                self.take()
                name = replace(name, prime=True)
            elif kind == "_":
                text, _ = self.script(self.take())
                name = replace(name, low=(*name.low, *pieces(text)))
            elif kind == "^":
                text = self.script(self.take())[0].strip(" ,;:!")  # of a space, as in ^{\,new}
                above = ABOVE.match(text.strip())
                if name.base == "e" or above is None or not self.marks(name, text):
                    self.at = mark
                    break
                if above["mark"] in ("T", "t"):
                    transposed = True
                    continue
                bare = text.strip().isdigit()
                mark_text = f"^{above['mark']}" if bare else above["mark"].replace(" ", "")
                both = (above["layer"], mark_text) if above["layer"] else (mark_text,)
                name = replace(name, up=(*name.up, *both))
            elif kind == "[" and (index := self.index()) is not None:
                name = replace(name, index=(*name.index, *index))
            elif (
                kind == "op"
                and self.tokens[mark].text == "+"
                and not self.tokens[mark].space
                and self.kind(1) == "rel"
            ):
                self.take()  # w5+ = 0.36
                name = replace(name, low=(*name.low, "new"))
            elif kind == "(" and (length := self.behind()):
                for _ in range(length):
                    self.take()
                name = replace(name, low=(*name.low, "new"))
            else:
                break
        found = Ref(name)
        return Transposed(found) if transposed else found

    def behind(self) -> int:
        """Tokens of a remark such as "(new)" or "(after the step)" behind a new weight's name."""
        inside = self.peek(1)
        if inside is None or inside.text not in BEHIND:
            return 0
        return next((k + 1 for k in range(2, 6) if self.kind(k) == ")"), 0)

    def marks(self, name: Name, text: str) -> bool:
        """Whether what stands above a name belongs to it, and is no power."""
        if text.strip().isdigit() and self.kind() == "_":
            return True  # s^2_1 is no square
        if text.strip().isdigit():
            return name.base in ("W", "w", "b", "z", "δ", "a", "x", "grad W", "v", "m", "h")
        return True

    def index(self) -> tuple[int, ...] | None:
        """[0], [0,1]: indices right behind a name."""
        mark, found = self.at, []
        if self.tokens[mark].space:
            return None
        self.take()
        while self.kind() == "number" and self.tokens[self.at].text.isdigit():
            found.append(int(self.take().text[:6]))
            if self.kind() == ",":
                self.take()
        if self.kind() == "]" and found and len(found) <= 3:
            self.take()
            return tuple(found)
        self.at = mark
        return None


def pieces(text: str) -> tuple[str, ...]:
    """What stands below a name, apart: "1,2" is 1 and 2, "o_1" is o1."""
    parts = [re.sub(r"[_\s()\[\]{}]", "", p) for p in re.split(r"[,;]|\s(?=\w+$)|→|to", text)]
    return tuple(p for p in parts if p)
