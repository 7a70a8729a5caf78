"""How one name is said: "the gradient of the weight from x1 to h2", "h1's net input"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...core.written import Name
from .labels import (
    CHANGED,
    FILLERS,
    GRADIENT,
    HEADS,
    KINDS,
    LAYER,
    NOUNS,
    ORDER,
    TAGGED,
    Entity,
    entity,
    head,
    tagged,
    text_at,
)
from .tokens import Token, identifier

Made = tuple[list[Token], int]
LOSS = {"loss", "cost", "error", "c", "e", "l", "j", "total", "squared"}
VERBS = (
    ("comes", "to"), ("come", "to"), ("turns", "out", "to", "be"), ("works", "out", "to"),
    ("works", "out", "as"), ("works", "out", "at"), ("amounts", "to"), ("evaluates", "to"),
    ("adds", "up", "to"), ("comes", "out", "as"), ("comes", "out", "at"), ("comes", "out", "to"),
    ("is", "equal", "to"), ("has", "the", "value"), ("has", "value"), ("sums", "to"), ("will",
    "be"),
    ("ends", "up", "at"), ("ends", "up", "as"), ("must", "be"), ("evaluates", "as"), ("shrinks",
    "to"),
    ("grows", "to"), ("moves", "to"), ("changes", "to"), ("drops", "to"), ("rises", "to"),
    ("falls", "to"), ("is", "set", "to"), ("starts", "at"), ("squashes", "to"), ("is", "squashed",
    "to"),
)  # fmt: skip
MOVES = {"moves", "changes", "goes", "shifts", "drops", "rises", "falls", "grows", "steps", "went",
         "shrinks", "is", "moved", "updated", "becomes", "slides", "nudged",
         "adjusted"}  # fmt: skip
NAMED = {"w": ("W", "w", "θ", "v", "V", "U"), "b": ("b", "B"), "z": ("z", "net", "s", "Z"),
         "a": ("a", "out", "h", "A", "o"), "σ": (), "δ": ("δ",)}  # fmt: skip
OPENING = frozenset((  # first words of all that is looked for
    *(words[0] for words in (*VERBS, *HEADS)), *CHANGED, *GRADIENT, *ORDER, *KINDS, *NOUNS, *LAYER,
    "loss", "error", "cost", "weight", "bias", "activation", "output", "result", "input", "outputs",
    "value", "h", "o", "x", "i",
))  # fmt: skip
LINKS = ("to", "→", "->", "and", "with", "into", "onto")


def _joined(tokens: Sequence[Token], k: int) -> Made | None:
    """w_h1,x2 as one name."""
    token = tokens[k]
    if token.kind != "name" or not token.extra.low or k + 2 >= len(tokens):
        return None
    comma, after = tokens[k + 1], tokens[k + 2]
    if comma.kind != "," or comma.space or after.space or after.kind not in ("name", "number"):
        return None
    if not (TAGGED.match(after.text) or (after.text.isdigit() and len(after.text) < 3)):
        return None
    name = replace(token.extra, low=(*token.extra.low, after.text))
    return [replace(token, text=f"{token.text},{after.text}", extra=name)], k + 3


def made_of(tokens: list[Token], k: int) -> Made | None:
    """What the words from `k` on name together, and where they end; None where they do not."""
    after = tokens[k + 1].text if k + 1 < len(tokens) else ""
    if after == "=" and len(tokens[k].text) == 1:  # "z =" says no more than it is
        return None
    text = tokens[k].text.lower()
    if text not in OPENING and after not in (".", ",") and not TAGGED.match(text):
        return None
    for maker in (_verb, _joined, _dotted, _gradient, _quantity, _owned, _place):
        made = maker(tokens, k)
        if made is not None:
            return made
    return None


def as_token(token: Token, kind: str, text: str, extra: object = None) -> Token:
    return replace(token, kind=kind, text=text, extra=extra, maths=False)


def _verb(tokens: Sequence[Token], k: int) -> Made | None:
    first = text_at(tokens, k)
    for words in VERBS:
        if words[0] == first and all(text_at(tokens, k + n) == w for n, w in enumerate(words)):
            return [as_token(tokens[k], "is", " ".join(words))], k + len(words)
    return None


def _dotted(tokens: Sequence[Token], k: int) -> Made | None:
    """h1.net as one name."""
    if k + 2 >= len(tokens) or tokens[k + 1].text != "." or tokens[k + 2].space:
        return None
    if tokens[k + 1].space or not all(
        t.kind in ("name", "word") for t in (tokens[k], tokens[k + 2])
    ):
        return None
    text, at = tokens[k].text, k
    while at + 2 < len(tokens) and tokens[at + 1].text == "." and not tokens[at + 2].space:
        if tokens[at + 2].kind not in ("name", "word"):
            break
        text, at = f"{text}_{tokens[at + 2].text}", at + 2
    name = identifier(text)
    return ([as_token(tokens[k], "name", text, name)], at + 1) if name else None


def skipped(tokens: Sequence[Token], k: int, words: set[str], most: int = 6) -> int:
    start = k
    while k - start < most and (
        text_at(tokens, k) in words or text_at(tokens, k) in ("'", "’", "(")
    ):
        k += 1
    return k


def _places(tokens: Sequence[Token], k: int) -> tuple[list[Entity], int] | None:
    """One entity, or two that a weight leads from and to."""
    at = skipped(
        tokens, k, FILLERS | {"from", "between", "connecting", "joining", "that", "connects"}
    )
    first = entity(tokens, at) or alone(tokens, at)
    if first is None:
        return None
    places, end = [first[0]], first[1]
    link = skipped(tokens, end, {")", ",", "-", ">"}, 2)
    if text_at(tokens, link) in LINKS:
        more = skipped(tokens, link + 1, {"the", "of"})
        second = entity(tokens, more) or alone(tokens, more)
        if second is not None:
            places, end = [first[0], second[0]], second[1]
    return places, end


def alone(tokens: Sequence[Token], k: int) -> tuple[Entity, int] | None:
    """A neuron by its own name, such as h1."""
    found = tagged(tokens, k)
    return (Entity(found[0], found[1]), found[2]) if found and found[0] else None


def _named(base: str, places: list[Entity], new: bool, grad: bool) -> Name | None:
    name = Name(base, prime=base == "σ")
    for place in places:
        name = place.apply(name)
    if new and base in ("w", "b"):
        name = replace(name, low=(*name.low, "new"))
    if grad:
        if base not in ("w", "b", "a", "z"):
            return None
        name = replace(name, base=f"grad {base}")
    return name


def _finish(
    tokens: Sequence[Token], k: int, end: int, name: Name | None, places: list[Entity]
) -> Made | None:
    if name is None:
        return None
    made = [as_token(tokens[k], "name", " ".join(t.text for t in tokens[k:end]), name)]
    if len(places) == 1:  # what follows may be of the same neuron
        made.insert(0, as_token(tokens[k], "word", "", places[0]))
    return made + stated(tokens, end), end


def stated(tokens: Sequence[Token], k: int) -> list[Token]:
    """A sign of equality where a number follows at once: "activation 0.56"."""
    sign = k < len(tokens) and tokens[k].text == "-" and tokens[k].kind == "op"
    at = k + 1 if sign else k
    if at < len(tokens) and tokens[at].kind == "number" and "." in tokens[at].text:
        return [as_token(tokens[at], "is", "is")]
    return []


def _quantity(tokens: Sequence[Token], k: int) -> Made | None:
    """[new] head [of] entity."""
    at = k
    new = text_at(tokens, at) in CHANGED
    at += new
    base, end = head(tokens, at) or _output(tokens, at) or (None, at)
    if base is None:
        return None
    if base in NAMED:  # the net input net_h1
        after = tokens[end] if end < len(tokens) else None
        if after is not None and after.kind == "name" and after.extra.base in NAMED[base]:
            return None
    behind = skipped(tokens, end, {"(", "after", "the", "update", ")"}, 5)
    updated = "update" in [text_at(tokens, n) for n in range(end, behind)]
    found = _places(tokens, behind if updated else end)
    if found is None:
        return None
    return _finish(tokens, k, found[1], _named(base, found[0], new or updated, False), found[0])


def _output(tokens: Sequence[Token], k: int) -> tuple[str, int] | None:
    """ "Output of" a neuron is its activation, "input to" it is z, "error of" it is δ."""
    bases = {"output": "a", "result": "a", "input": "z", "error": "δ", "outputs": "a", "value": "a"}
    base = bases.get(text_at(tokens, k))
    if base is None or text_at(tokens, k + 1) not in ("of", "to", "from", "at", "for", "into"):
        return None
    at = skipped(tokens, k + 2, {"the"})
    found = entity(tokens, at) or alone(tokens, at)
    return (base, k + 1) if found and found[0].kind in ("h", "o", "") else None


def _gradient(tokens: Sequence[Token], k: int) -> Made | None:
    """Gradient of the loss with respect to the weight from input 1 to hidden unit 2."""
    at = k
    if text_at(tokens, at) in ("loss", "error", "cost"):
        at += 1
    before = None
    if text_at(tokens, at) in ("weight", "bias", "activation"):
        before, at = text_at(tokens, at), at + 1
    if text_at(tokens, at) not in GRADIENT or tokens[at].kind == "op":
        return None
    end = skipped(tokens, at + 1, FILLERS | LOSS | {"derivative"} | {"wrt"}, 10)
    if before is not None:
        found = _places(tokens, end)
        base = {"weight": "w", "bias": "b", "activation": "a"}[before]
        if found is not None:
            return _finish(tokens, k, found[1], _named(base, found[0], False, True), found[0])
    told, behind = head(tokens, end) or _output(tokens, end) or (None, end)
    if told is not None:
        found = _places(tokens, behind)
        if found is not None:
            return _finish(tokens, k, found[1], _named(told, found[0], False, True), found[0])
        end = behind
    return _of_name(tokens, k, end)


def _of_name(tokens: Sequence[Token], k: int, at: int) -> Made | None:
    """Gradient of w_11: the name with what stands below it stays as it is."""
    token = tokens[at] if at < len(tokens) else None
    if token is None or token.kind != "name" or not isinstance(token.extra, Name):
        return None
    if token.extra.base not in ("W", "w", "b", "v", "V", "U", "a", "z", "net", "out", "θ"):
        return None
    name = replace(token.extra, base=f"grad {token.extra.base}")
    return [replace(token, extra=name)], at + 1


def _owned(tokens: Sequence[Token], k: int) -> Made | None:
    """Hidden unit 1's activation, h1 net input."""
    found = entity(tokens, k) or alone(tokens, k)
    if found is None:
        return None
    at = skipped(tokens, found[1], {"'", "’", "s", "has", "an", "a", "the", "gets", "-"}, 4)
    if text_at(tokens, at) == "" or (
        "s" not in [text_at(tokens, n) for n in range(found[1], at)] and (at > found[1] + 2)
    ):
        return None
    named = head(tokens, at)
    base, end = named or (None, at)
    if base is None and text_at(tokens, at) in ("output", "out") and at > found[1]:
        base, end = "a", at + 1
    if base is None or base in ("C", "η", "w"):
        return None
    after = text_at(tokens, end)
    if after not in ("=", "is", "≈", ":", "gives", "equals", "comes") and not stated(tokens, end):
        return None
    return _finish(tokens, k, end, _named(base, [found[0]], False, False), [found[0]])


def _place(tokens: Sequence[Token], k: int) -> Made | None:
    """An entity by itself, which what follows belongs to."""
    found = entity(tokens, k)
    if found is None and _starts(tokens, k):
        found = alone(tokens, k)
        if found is not None and text_at(tokens, found[1]) not in ("", ":"):
            found = None
        if found is not None and text_at(tokens, found[1]) == ":":
            after = tokens[found[1] + 1] if found[1] + 1 < len(tokens) else None
            if after is not None and (after.kind in ("number", "[", "(") or after.text == "-"):
                return None
    if found is None:
        return None
    text = " ".join(t.text for t in tokens[k : found[1]])
    if (
        text_at(tokens, found[1]) in ("is", "=", "≈", "has the value")
        and found[0].number is not None
    ):
        base = {"x": "x", "h": "a", "o": "a"}.get(found[0].kind)
        name = base and found[0].apply(Name(base))
        if base == "x":
            name = Name("x", (str(found[0].number),))
        if name:
            return _finish(tokens, k, found[1], name, [found[0]])
    return [as_token(tokens[k], "word", text, found[0])], found[1]


def _starts(tokens: Sequence[Token], k: int) -> bool:
    while k > 0 and tokens[k - 1].text in ("*", "-", "#", "(", "+", ".", "|"):
        k -= 1
    return k == 0 or tokens[k - 1].kind in ("break", "end")
