"""Sentences to names: words that together name a quantity become one name."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.written import Name
from .labels import LAYER, Entity, entity, text_at
from .sayings import Made, alone, as_token, made_of, skipped
from .tokens import Token


def spoken(tokens: list[Token]) -> list[Token]:
    found: list[Token] = []
    k = 0
    into: Entity | None = None  # the neuron whose weights are listed
    while k < len(tokens):
        token = tokens[k]
        if token.kind in ("end", "break"):
            into = None
        listed = _into(tokens, k)
        if listed is not None:
            into, end = listed
            found.append(as_token(token, "word", "", into))
            k = end
            continue
        if token.text in ("tensor", "array") and not token.maths and text_at(tokens, k + 1) == "(":
            k += 1  # tensor([0.1]) is what stands in it
            continue
        if token.kind == "name" and token.text in ("L", "l") and text_at(tokens, k - 1) in LAYER:
            found.append(as_token(token, "word", token.text))  # layer L = 3 is no loss
            k += 1
            continue
        if into is not None and (made := _listed(tokens, k, into)) is not None:
            found += made[0]
            k = made[1]
            continue
        made = None
        if token.kind in ("word", "name", "is") and not (token.maths and token.kind != "word"):
            made = made_of(tokens, k)
        if made is None:
            found.append(token)
            k += 1
        else:
            found += made[0]
            k = made[1]
    return found


def _into(tokens: Sequence[Token], k: int) -> tuple[Entity, int] | None:
    """ "The weights into hidden unit 1", where several numbers follow."""
    if text_at(tokens, k) != "weights":
        return None
    at = skipped(
        tokens, k + 1, {"into", "of", "for", "to", "entering", "feeding", "the", "going", "coming"}
    )
    found = entity(tokens, at) or alone(tokens, at)
    if found is None or (found[0].whole and found[0].kind != "o"):
        return None
    at = skipped(tokens, found[1], {"are", "is", ":"}, 2)
    at += text_at(tokens, at) == "-"
    after = tokens[at] if at < len(tokens) else None
    return (found[0], found[1]) if after is not None and after.kind == "number" else None


def _listed(tokens: Sequence[Token], k: int, into: Entity) -> Made | None:
    """ "0.13 from input 1" in a list of the weights into a neuron."""
    at = k + (text_at(tokens, k) == "-")
    if at >= len(tokens) or tokens[at].kind != "number":
        return None
    end = skipped(tokens, at + 1, {"("}, 1)
    if text_at(tokens, end) not in ("from", "for", "on"):
        return None
    end = skipped(tokens, end + 1, {"the"})
    found = entity(tokens, end) or alone(tokens, end)
    if found is None:
        return None
    name = found[0].apply(into.apply(Name("w")))
    token = tokens[k]
    made = [as_token(token, "name", "w", name), as_token(token, "is", "is"), *tokens[k : at + 1]]
    return [*made, as_token(token, "end", ",")], found[1]
