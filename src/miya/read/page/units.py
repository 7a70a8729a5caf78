"""Neurons with letters of their own: w_ca leads from input a to unit c, w_c0 is c's bias.

They are numbered through the layers, so that w_ca is w_{31}, the input a is x_1 and o_c is o_3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from ...core.written import Chain, Name, Ref
from .givens import given_values
from .letters import renamed
from .naming import FAMILIES

Pair = tuple[str, str]
PAIR = re.compile(r"([A-Za-z])([A-Za-z0])$")
TAGS = frozenset("hox")  # what a heading may have put below a letter
PLACED = ("z", "a", "δ", "σ", "y", "b")  # what a neuron's letter stands below


def lettered(chains: list[Chain]) -> list[Chain]:
    """Chains with numbers for the letters of neurons, where the weights are given between such."""
    pairs = list(dict.fromkeys(_given_pairs(chains)))
    edges = [p for p in pairs if p[1] != "0"]
    for turned in (False, True):
        places = _numbered([p[::-1] for p in edges] if turned else edges)
        if places is not None:
            change = _change(*places)
            return [renamed(c, change) for c in chains]
    return chains


def _given_pairs(chains: list[Chain]) -> Iterator[Pair]:
    for chain in chains:
        side = chain.sides[0]
        if isinstance(side, Ref) and side.wrt is None and FAMILIES.get(side.name.base) == "W":
            pair = _pair(side.name)
            if pair is not None and set(given_values(chain)) == {()}:
                yield pair


def _pair(name: Name) -> Pair | None:
    low = name.low[:2]
    if len(low) == 2 and all(len(p) == 1 for p in low) and low[0].isalpha():
        return (low[0], low[1]) if low[1].isalpha() or low[1] == "0" else None
    found = PAIR.match(low[0]) if low else None
    return (found[1], found[2]) if found else None


def _numbered(edges: list[Pair]) -> tuple[dict[str, int], set[str]] | None:
    """The number of each letter, and the letters of inputs; edges: to and from."""
    sources, ends = dict.fromkeys(b for _, b in edges), dict.fromkeys(a for a, _ in edges)
    inputs = [u for u in sources if u not in ends]
    hidden = [u for u in ends if u in sources]
    outputs = [u for u in ends if u not in sources]
    whole = {(a, b) for a in hidden for b in inputs} | {(a, b) for a in outputs for b in hidden}
    if not (inputs and hidden and outputs) or whole != set(edges):
        return None
    order = [*inputs, *hidden, *outputs]
    return {unit: k for k, unit in enumerate(order, 1)}, set(inputs)


def _change(numbers: dict[str, int], inputs: set[str]) -> Callable[[Name], Name]:
    def placed(unit: str) -> str:
        return str(numbers.get(unit, unit))

    def change(name: Name) -> Name:
        bare = TAGS.issuperset(name.low) and not (name.up or name.index)
        if name.base in inputs and bare:
            return Name("x", (placed(name.base),))
        family = FAMILIES.get(name.base)
        pair = _pair(name) if family in ("W", "ΔW") else None
        if pair is not None and pair[0] in numbers:
            used = 2 if len(name.low[0]) == 1 else 1
            return replace(name, low=(placed(pair[0]), placed(pair[1]), *name.low[used:]))
        if family in PLACED and name.low and name.low[0] in numbers:
            return replace(name, low=(placed(name.low[0]), *name.low[1:]))
        return name

    return change
