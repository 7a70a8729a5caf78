"""Prose names: "net input of hidden unit 1", "weight from input 2 to h1" as names of quantities."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ...core.written import Name
from .tokens import Token

KINDS = {"hidden": "h", "middle": "h", "inner": "h", "output": "o", "input": "x", "outer": "o"}
NOUNS = {
    "neuron", "unit", "node", "cell", "perceptron", "neurons", "units", "nodes", "component",
    "feature", "entry", "no", "number", "side",
}  # fmt: skip
LAYER = {"layer", "layers"}
ORDER = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "one": 1,
         "two": 2, "three": 3, "four": 4}  # fmt: skip
TAGGED = re.compile(r"(h|hid|hidden|o|out|output|x|i|in|input|n)_?(\d{1,2})$", re.IGNORECASE)
OUTPUT = re.compile(r"y\d{1,2}$")
TAGS = {"hid": "h", "hidden": "h", "out": "o", "output": "o", "i": "x", "in": "x", "input": "x"}
FILLERS = {
    "of", "for", "at", "in", "the", "to", "into", "on", "a", "an", "its", "s", "with", "respect",
    "wrt", "w.r.t", "this", "that", "our", "by", "entering", "reaching", "feeding", "leaving",
    "value",
    "values", "coming", "out", "arriving", "signal", "belonging", "going", "leading",
}  # fmt: skip
HEADS: dict[tuple[str, ...], str] = {
    tuple(phrase.split()): base
    for base, phrases in {
        "z": (
            "net input", "weighted sum", "weighted input", "pre activation", "preactivation",
            "total input", "summed input", "local field", "induced local field", "linear output",
            "net activation", "total net input", "pre activations", "preactivations", "net inputs",
            "weighted sums", "raw sum", "raw score", "logit", "logits", "input sum",
            "sum of inputs",
            "linear part", "linear sum", "affine sum", "dendritic sum",
        ),
        "a": (
            "activation", "activations", "activity", "activated value", "post activation",
            "firing rate",
            "squashed value", "activation value", "activated output", "response",
        ),
        "σ": (
            "slope", "slopes", "derivative of the activation", "activation derivative",
            "activation slope",
            "local slope", "sigmoid derivative", "derivative of activation", "tanh derivative",
            "derivative of the activation function", "slope of the activation", "steepness",
            "derivative of the sigmoid", "slope of the activation function", "slope of the sigmoid",
            "slope of the curve", "slope of tanh", "derivative of tanh", "derivative of the tanh",
            "slope of the squashing function", "slope of the logistic function",
            "slope of the tanh",
            "activation function slope", "activation function derivative", "local activation slope",
            "slope of the activation curve", "derivative of the logistic function", "local gain",
            "local derivative", "sigmoid slope", "tanh slope",
        ),
        "δ": (
            "error signal", "error term", "delta", "deltas", "local gradient", "local error",
            "sensitivity",
            "error signals", "error terms", "delta term", "backpropagated error", "blame signal",
            "responsibility", "blame",
        ),
        "y": ("target", "label", "desired output", "desired value", "target value", "target output",
              "expected output", "true value", "desired response", "wanted output", "desired"),
        "η": ("learning rate", "step size", "rate of learning", "step length", "learning constant"),
        "w": ("weight", "weights"),
        "b": ("bias", "biases", "threshold", "offset", "bias weight", "bias term"),
        "C": ("loss", "cost", "total error", "total loss", "squared error", "total cost"),
    }.items()
    for phrase in phrases
}  # fmt: skip
LONGEST = max(map(len, HEADS))
GRADIENT = {"gradient", "grad", "derivative", "gradients", "derivatives", "partial", "∂"}
CHANGED = {"new", "updated", "adjusted", "revised", "corrected", "improved", "next"}
WITH_INDEX = ("z", "a", "σ", "δ", "y", "x", "w", "b")


@dataclass(frozen=True)
class Entity:
    """A neuron, a layer, or one neuron of one. kind: h, o, x, or "" where only numbers say."""

    kind: str = ""
    number: int | None = None
    layer: int | None = None
    noun: bool = True  # "hidden unit", not "hidden"

    @property
    def whole(self) -> bool:
        """Whether it is a layer and no single neuron."""
        return self.number is None

    def apply(self, name: Name) -> Name:
        """`name` at this place."""
        low = name.low
        if self.kind:
            low = (*low, f"{self.kind}{'' if self.number is None else self.number}")
        elif self.number is not None:
            low = (*low, str(self.number))
        up = (*name.up, str(self.layer)) if self.layer is not None else name.up
        return replace(name, low=low, up=up)

    def joined(self, other: Entity) -> Entity | None:
        """Both as one place, where one is the layer of the other."""
        if self.whole and not other.whole:
            return other.joined(self)
        if not other.whole or (self.kind and other.kind) or self.whole:
            return None
        return Entity(self.kind or other.kind, self.number, self.layer or other.layer)


@dataclass
class Label:
    """What a label says. heads: bases of quantities in their order; grad, new: what of them."""

    heads: list[str] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)
    names: list[Name] = field(default_factory=list)
    grad: bool = False
    new: bool = False


def text_at(tokens: Sequence[Token], k: int) -> str:
    """The word at k in small letters; "" beyond the block."""
    if not 0 <= k < len(tokens) or tokens[k].kind in ("break", "end", "table"):
        return ""
    return tokens[k].text.lower()


def _small(tokens: Sequence[Token], k: int) -> int | None:
    text = text_at(tokens, k)
    if k < len(tokens) and tokens[k].kind == "number" and text.isdigit() and len(text) <= 2:
        after = tokens[k + 1] if k + 1 < len(tokens) else None
        if after is not None and after.kind == "op" and after.text in "*/+" and after.text:
            return None
        return int(text)
    return None


def entity(tokens: Sequence[Token], k: int) -> tuple[Entity, int] | None:
    """The entity that starts at k, and where it ends."""
    found = _one(tokens, k)
    if found is None:
        return None
    first, end = found
    at = end
    while text_at(tokens, at) in ("of", "in", "the", ",", "(", "at") and at - end < 4:
        at += 1
    more = _one(tokens, at)
    if more is not None:
        both = first.joined(more[0])
        if both is not None:
            end = more[1] + (text_at(tokens, more[1]) == ")" and text_at(tokens, at - 1) == "(")
            first = both
    return first, end


def _one(tokens: Sequence[Token], k: int) -> tuple[Entity, int] | None:
    text = text_at(tokens, k)
    at, kind, number, layer = k, "", None, False
    if text in ORDER and text not in ("one", "two", "three", "four"):
        number, at = ORDER[text], at + 1
    if text_at(tokens, at) in KINDS:
        kind, at = KINDS[text_at(tokens, at)], at + 1
        if text_at(tokens, at) in ("-", "_"):
            at += 1
    noun = text_at(tokens, at)
    if noun in LAYER:
        layer, at = True, at + 1
    elif noun in NOUNS:
        at += 1
    elif not kind:
        return None
    elif number is None and _small(tokens, at) is None and tagged(tokens, at) is None:
        return (Entity(kind), at) if kind != "x" and head(tokens, at) is not None else None
    while text_at(tokens, at) in ("#", "no", "number", ".", "_") and at < len(tokens):
        if _small(tokens, at + 1) is None:
            break
        at += 1
    if number is None:
        number = _small(tokens, at)
        tag = tagged(tokens, at)
        if number is not None:
            at += 1
        elif noun in NOUNS and not kind and OUTPUT.match(text_at(tokens, at)):
            return Entity("o", int(text_at(tokens, at)[1:])), at + 1
        elif tag is not None and (noun in NOUNS or kind):
            return Entity(kind or tag[0], tag[1]), tag[2]
        elif text_at(tokens, at) in ORDER and noun in NOUNS | LAYER:
            number, at = ORDER[text_at(tokens, at)], at + 1
    if layer:
        if kind or number is None:
            return (Entity(kind, None, None), at) if kind else None
        return Entity("", None, number), at
    if not kind and number is None:
        return None
    return Entity(kind, number), at


def tagged(tokens: Sequence[Token], k: int) -> tuple[str, int, int] | None:
    """A neuron's own name: h1, or h_1 of a formula; and where it ends."""
    found = TAGGED.match(text_at(tokens, k))
    if found and tokens[k].kind in ("name", "word"):
        tag = found[1].lower()
        return TAGS.get(tag, tag) if tag != "n" else "", int(found[2]), k + 1
    base = text_at(tokens, k)
    if base in ("h", "o", "x", "i") and k + 1 < len(tokens) and tokens[k + 1].kind == "_":
        sign = tokens[k + 1]
        text = sign.extra[0] if isinstance(sign.extra, tuple) else sign.extra
        if isinstance(text, str) and text.isdigit():
            return TAGS.get(base, base), int(text[:3]), k + 2
        if text is None:
            at = k + 2 + (text_at(tokens, k + 2) == "{")
            number = _small(tokens, at)
            if number is not None:
                return TAGS.get(base, base), number, at + 1 + (at > k + 2)
    return None


def head(tokens: Sequence[Token], k: int) -> tuple[str, int] | None:
    """The quantity that words at k name, and where they end."""
    words: list[str] = []
    ends: list[int] = []
    at = k
    while len(words) < LONGEST and (text := text_at(tokens, at)):
        if tokens[at].maths and tokens[at].kind == "name" and len(text) < 3:
            break
        if text not in ("-", "_") or not words:
            words.append(text)
            ends.append(at + 1)
        at += 1
    for size in range(len(words), 0, -1):
        base = HEADS.get(tuple(words[:size]))
        if base is not None:
            return base, ends[size - 1]
    return None
