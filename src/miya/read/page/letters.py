"""Letters that tell layers apart: biases b of the hidden neurons and c of the outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ...core.written import (
    Binary,
    Call,
    Chain,
    Name,
    Negative,
    Ref,
    Transposed,
    Tree,
    Vector,
    literal,
)
from .naming import upper

Change = Callable[[Name], Name]


def by_layer(chains: list[Chain]) -> list[Chain]:
    """Chains with the biases c of the output as b of the output, where b and c are both given."""
    given = {_given(c) for c in chains}
    if "θ" in given and given & {"w", "W"} and "b" not in given:  # thresholds

        def threshold(name: Name) -> Name:
            base = name.base.removeprefix("grad ")
            return replace(name, base=name.base[:-1] + "b") if base == "θ" else name

        return [renamed(c, threshold) for c in chains]
    if not {"b", "c"} <= given:
        return chains

    def change(name: Name) -> Name:
        base = name.base.removeprefix("grad ")
        if (
            base not in ("b", "c")
            or upper(name) is not None
            or any(not p.isdigit() for p in name.low[:1])
        ):
            return name
        tag = "h" if base == "b" else "o"
        low = (tag + name.low[0], *name.low[1:]) if name.low else (tag,)
        return replace(name, base=name.base[:-1] + "b", low=low)

    return [renamed(c, change) for c in chains]


def _given(chain: Chain) -> str:
    side, value = chain.sides[0], chain.sides[-1]
    stated = literal(value) is not None or isinstance(value, Vector)
    if isinstance(side, Ref) and side.wrt is None and stated and not side.name.up:
        return side.name.base
    return ""


def renamed(chain: Chain, change: Change) -> Chain:
    return replace(chain, sides=tuple(_tree(s, change) for s in chain.sides))


def _tree(tree: Tree, change: Change) -> Tree:
    match tree:
        case Ref(name, wrt):
            return replace(tree, name=change(name), wrt=wrt and change(wrt))
        case Binary(sign, left, right):
            return Binary(sign, _tree(left, change), _tree(right, change))
        case Negative(of):
            return Negative(_tree(of, change))
        case Transposed(of):
            return Transposed(_tree(of, change))
        case Call(function, of):
            return Call(function, _tree(of, change))
        case Vector(items):
            return replace(tree, items=tuple(_tree(i, change) for i in items))
        case Chain():
            return renamed(tree, change)
    return tree
