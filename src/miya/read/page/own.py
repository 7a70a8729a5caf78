"""A page's tokens with its own names: each as it is written, whatever the field uses it for.

Other readers know letters and words. Where a page defines what it works with by formulas, any
word may be a name, "Sum", "Predicted", "fc1_weight", and its letters mean what the formulas say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ...core.written import Name
from .naming import NEW, OLD
from .tokens import LETTERS, Token

WORD = re.compile(rf"[{LETTERS}][{LETTERS}0-9_.]{{0,30}}$")
SPLIT = re.compile(rf"(?P<base>[{LETTERS}]+)(?P<rest>[0-9_].*)?$")
SIGNS = ("+", "-", "*", "/", "@", "⊙")
BOTH = ("+", "*", "/", "@", "⊙")  # a dash may belong to prose
KEPT = {"η", "σ", "exp", "ln", "log", "tanh", "relu", "softmax", "sqrt", "max", "∂", "∇"}
SQUASHED = {"sigmoid", "logistic", "expit", "sigm"}
HATS = ("ŷ",)
AGAIN = {"new": "new", "updated": "new", "old": "", "current": ""}  # words before a weight
FOR = {"for", "of", "wrt"}  # "step size for b4 = ..." states nothing of b4
OWN = "own "  # before a base of which the field's meaning is not the page's
DEEPEST = 20


@dataclass
class OwnNames:
    """Names as they are written. usual: what each would be by its letters."""

    usual: dict[Name, Name] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)

    def tokens(self, tokens: Sequence[Token]) -> list[Token]:
        """`tokens` with every name, and every word that is used as one, by its own letters."""
        parts = list(_parts(tokens, 0))
        self.words = {t.text for part in parts for t in _subjects(part)}
        return list(_multiplied(self.renamed(list(tokens))))

    def renamed(self, tokens: list[Token], deep: int = 0) -> list[Token]:
        made: list[Token] = []
        k = 0
        while k < len(tokens):
            token = tokens[k]
            if token.kind in ("frac", "table", "matrix") and deep < DEEPEST:
                made.append(replace(token, extra=self.inside(token, deep + 1)))
            elif self.differential(tokens, k):
                made += self.split(token)
            elif token.text.lower() in AGAIN and self.is_name(tokens, k + 1):
                mark = AGAIN[token.text.lower()]
                after = self.named(tokens, k + 1)
                name = after.extra
                if mark and not set(name.low) & NEW:
                    name = replace(name, low=(*name.low, mark))
                made.append(replace(after, extra=name, space=True))
                k += 1
            elif self.is_name(tokens, k):
                made.append(self.named(tokens, k))
                held = [t.text for t in tokens[k + 1 : k + 3]]
                if held in ([".", "grad"], [".", "data"]):  # w11.grad
                    k += 2
                    if held[1] == "grad":
                        name = made[-1].extra
                        made[-1].extra = replace(name, base=f"grad {name.base}")
                if _printed(tokens, k):
                    made.append(Token("rel", "=", token.line))
            else:
                made.append(token)
            k += 1
        return made

    def inside(self, token: Token, deep: int) -> object:
        if token.kind == "frac":
            return tuple(self.renamed(list(part), deep) for part in token.extra)
        if token.kind == "matrix":
            return [[self.renamed(cell, deep) for cell in row] for row in token.extra]
        return [[(self.renamed(cell, deep), line) for cell, line in row] for row in token.extra]

    def is_name(self, tokens: Sequence[Token], k: int) -> bool:
        token = tokens[k] if k < len(tokens) else None
        if token is None or token.kind not in ("name", "word"):
            return False
        if token.kind == "name":
            return True
        called = _called(tokens, k) and not token.maths and WORD.match(token.text) is not None
        return called or (token.text in self.words and _in_formula(tokens, k))

    def named(self, tokens: Sequence[Token], k: int) -> Token:
        """A name's token, by its own letters."""
        token = tokens[k]
        usual: Name = token.extra if token.kind == "name" else Name(OWN + token.text)
        name = raw(token.text, usual)
        if token.text.lower() in SQUASHED:
            name = usual = Name("sigmoid")
        elif _called(tokens, k) and token.kind == "word":
            name = usual = Name("f")
        before = tokens[k - 1].text.lower() if k else ""
        if before in FOR and not token.maths and _stated(tokens, k):
            name = usual = Name(f"{OWN}{before} {name.base}", name.low)
        self.usual.setdefault(name, usual)
        return replace(token, kind="name", extra=name)

    def differential(self, tokens: Sequence[Token], k: int) -> bool:
        """Whether a d, alone or before a name, is of a derivative: d SSR/d w7, dh[0]/dz1[0]."""
        token = tokens[k]
        if token.kind not in ("name", "word") or token.text[:1] != "d" or token.maths:
            return False
        if token.text == "d" and not self.is_name(tokens, k + 1):
            after = tokens[k + 1] if k + 1 < len(tokens) else None
            return after is not None and after.kind == "word" and _above(tokens, k + 1)
        at = k + (token.text == "d")
        below = at > 0 and tokens[k - 1].text == "/" and tokens[k - 1].kind == "op"
        if below:
            return token.text == "d" or _derived(tokens, k - 2)
        return _above(tokens, at)

    def split(self, token: Token) -> list[Token]:
        sign = replace(token, kind="op", text="∂", extra=None)
        if token.text == "d":
            return [sign]
        text = token.text[1:]
        name = raw(text, Name(OWN + text))
        return [sign, replace(token, kind="name", text=text, extra=name, space=False)]


def raw(text: str, usual: Name) -> Name:
    """A name by the letters that stand there, with its marks for new and old values."""
    hat = usual.base in HATS or usual.base.startswith(("hat ", "state "))
    if " " in text or usual.base in KEPT or (hat and len(text) == 1):
        return usual
    marks = tuple(p for p in usual.low if p in NEW or p in OLD)
    grad = usual.base.startswith("grad ") and not text.startswith("d")
    plain = re.sub(r"^(?:grad|new|old)_(?=.)|_(?:grad|new|old)$", "", text)
    found = SPLIT.match(plain)
    if found is None:
        return usual
    rest = [p for p in re.split(r"[_.]", found["rest"] or "") if p and p not in marks]
    base = ("grad " if grad else "") + found["base"]
    return Name(base, (*rest, *marks), usual.up, usual.index, usual.prime)


def _parts(tokens: Sequence[Token], deep: int) -> Iterator[Sequence[Token]]:
    """The tokens, and those within them."""
    yield tokens
    for token in tokens if deep < DEEPEST else ():
        if token.kind == "frac":
            for part in token.extra:
                yield from _parts(part, deep + 1)
        elif token.kind == "table":
            for row in token.extra:
                for cell, _ in row:
                    yield from _parts(cell, deep + 1)


def _subjects(tokens: Sequence[Token]) -> Iterator[Token]:
    """Words that something is stated of, or derived by."""
    for k, token in enumerate(tokens):
        if token.kind != "word" or not WORD.match(token.text):
            continue
        before = tokens[k - 1] if k else None
        alone = before is None or before.kind not in ("word", "name")
        marked = before is not None and before.text in ("d", "∂", *AGAIN, *map(str.title, AGAIN))
        at = _behind(tokens, k)
        after = tokens[at].kind if at < len(tokens) else ""
        derived = marked and (after == "op" and tokens[at].text == "/")
        if (after == "rel" and (alone or marked)) or derived:
            yield token


def _behind(tokens: Sequence[Token], k: int) -> int:
    """Where what stands below, above and in brackets behind a name ends."""
    k += 1
    while k < len(tokens):
        kind = tokens[k].kind
        if kind in ("_", "^") and tokens[k].extra is not None:
            k += 1
        elif kind in ("_", "^"):
            k += 2
        elif kind == "[" and not tokens[k].space:
            end = next((n for n in range(k, min(k + 8, len(tokens))) if tokens[n].kind == "]"), 0)
            if not end:
                return k
            k = end + 1
        else:
            return k
    return k


def _above(tokens: Sequence[Token], k: int) -> bool:
    """Whether the name at `k` is derived: / d follows it."""
    at = _behind(tokens, k)
    pair = [t.text for t in tokens[at : at + 2]]
    return len(pair) == 2 and pair[0] == "/" and pair[1][:1] in ("d", "∂")


def _derived(tokens: Sequence[Token], k: int) -> bool:
    """Whether the name that ends at `k` begins with a d, or stands behind one."""
    while k > 0 and tokens[k].kind in ("]", "number", ",", "["):
        k -= 1
    return tokens[k].text[:1] in ("d", "∂") or (k > 0 and tokens[k - 1].text in ("d", "∂"))


def _in_formula(tokens: Sequence[Token], k: int) -> bool:
    """Whether a word stands beside a sign of a formula."""
    at = _behind(tokens, k)
    after = tokens[at] if at < len(tokens) else None
    before = tokens[k - 1] if k else None
    if after is not None and (after.kind in ("rel", "^") or after.text in BOTH):
        return True
    if before is not None and (before.kind == "rel" or before.text in (*BOTH, "d", "∂")):
        return True
    inside = before is not None and before.kind == "("
    signed = after is not None and (after.text in SIGNS or after.kind == ")")
    dash = before is not None and before.text == "-" and after is not None and after.kind == ")"
    return (inside and signed) or dash or _called(tokens, k)


def _called(tokens: Sequence[Token], k: int) -> bool:
    """Whether a word is a function of what stands in the brackets behind it."""
    after = tokens[k + 1] if k + 1 < len(tokens) else None
    return after is not None and after.kind == "(" and not after.space


def _stated(tokens: Sequence[Token], k: int) -> bool:
    at = _behind(tokens, k)
    return at < len(tokens) and tokens[at].kind == "rel"


def _multiplied(tokens: Sequence[Token]) -> Iterator[Token]:
    """Tokens with a sign between names that stand side by side in a sum: w_ca a + w_cb b."""
    start = 0  # of the name before, with what stands below it
    for k, token in enumerate(tokens):
        yield token
        if token.kind == "name" and not token.maths:
            start = k
        end = _behind(tokens, start) if tokens[start].kind == "name" else 0
        after = tokens[end] if end == k + 1 < len(tokens) else None
        if after is None or after.kind != "name" or after.maths or not start:
            continue
        before, last = tokens[start - 1], _behind(tokens, end)
        goes_on = tokens[last].kind if last < len(tokens) else "end"
        if before.kind in ("rel", "op", "(") and goes_on in ("rel", "op", ")", "end", "break"):
            yield Token("op", "*", token.line, True)


def _printed(tokens: Sequence[Token], k: int) -> bool:
    """Whether a line of its own shows the values of a name: z1 [0.1, 0.2]."""
    first = k == 0 or tokens[k - 1].kind in ("break", "end")
    row = [t.kind for t in tokens[k + 1 : k + 5]]
    if not first or tokens[k].maths:
        return False
    lone = row[:1] + row[2:3] == ["(", ")"] and row[1] == "number" and row[3:] != ["rel"]
    return row[:2] == ["(", "["] or lone or (row[:1] == ["["] and tokens[k + 1].space)
