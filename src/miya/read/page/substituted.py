"""What the numbers of a formula stand for: `(T - O)^2 = (0 - 0.6469)^2` says that T is 0."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ...core.written import Binary, Call, Chain, Name, Negative, Ref, Tree, literal, names
from .naming import FAMILIES, parts

Pairs = list[tuple[Name, Decimal]]


def targets(chains: list[Chain], outputs: int) -> tuple[list[Decimal], int] | None:
    """What every formula has put in for the targets, in the order of their numbers, and the first
    line that does. None where lines differ, or they are not as many as the outputs."""
    found: dict[str, dict[int, Decimal]] = {}
    first: dict[str, int] = {}
    for chain in chains:
        for (name, value), line in _put_in(chain):
            words, numbers, _ = parts(name)
            if FAMILIES.get(name.base) != "y" or (words and not numbers):
                continue
            place = (numbers or list(name.index) or [0])[-1]
            first.setdefault(name.base, line)
            if found.setdefault(name.base, {}).setdefault(place, value) != value:
                return None
    own = [base for base in found if base not in ("y", "Y")] or list(found)  # y of t - y is output
    if len(own) != 1 or len(found[own[0]]) != outputs:
        return None
    values = found[own[0]]
    return [values[k] for k in sorted(values)], first[own[0]]


def _put_in(chain: Chain) -> Iterator[tuple[tuple[Name, Decimal], int]]:
    sides = zip(chain.sides, chain.sides[1:], chain.lines[1:], strict=False)
    for formula, worked, line in sides:
        if isinstance(formula, Ref) or not names(formula):
            continue
        for pair in _pairs(formula, worked) or ():
            yield pair, line


def _pairs(formula: Tree, worked: Tree) -> Pairs | None:
    """Each name with the number in its place; None where the two are not of one form."""
    number = literal(worked)
    match formula, worked:
        case Ref(name, None), _ if number is not None:
            return [(name, number.value)]
        case Binary(sign, a, b), Binary(other, c, d) if sign == other:
            left, right = _pairs(a, c), _pairs(b, d)
            return None if left is None or right is None else left + right
        case (Negative(a), Negative(b)):
            return _pairs(a, b)
        case Call(function, a), Call(other, b) if function == other:
            return _pairs(a, b)
    same = literal(formula)
    return [] if same is not None and number is not None and same.value == number.value else None
