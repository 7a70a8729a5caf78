"""A page's equations over its own names: what is given, what each name is said to be."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ...core.written import (
    Binary,
    Call,
    Chain,
    Name,
    Negative,
    Number,
    Ref,
    Transposed,
    Tree,
    literal,
    names,
)
from .givens import Values, given_values
from .naming import NEW, parts
from .stems import bare

TIMES = ("*", "@")
PROSE = ("is", ":")  # between a name and what words say of it
# what a neuron may do, where the page only shows what goes in and what comes out
USUAL = (lambda z: 1 / (1 + math.exp(-z)), math.tanh, lambda z: max(z, 0.0), lambda z: z)
LARGE = 500.0


@dataclass(frozen=True)
class Sum:
    """What goes into a neuron: pairs of names that are multiplied, and what is added."""

    of: Name
    products: tuple[tuple[Name, Name], ...]
    added: tuple[Name, ...]


@dataclass
class System:
    """A page's equations. values: what is given for a name; formulas: what it is said to be."""

    values: dict[Name, Values] = field(default_factory=dict)
    formulas: dict[Name, list[Tree]] = field(default_factory=lambda: defaultdict(list))
    derived: Counter[Name] = field(default_factory=Counter)  # above a derivative
    differences: list[tuple[Name, Name]] = field(default_factory=list)
    stated: list[tuple[Name, float, float]] = field(default_factory=list)  # with half a digit
    applied: list[tuple[Name, float, int]] = field(default_factory=list)  # to a number; place
    worked: dict[Name, list[list[float]]] = field(default_factory=dict)  # terms of numbers
    every: set[Name] = field(default_factory=set)

    @classmethod
    def of(cls, chains: Sequence[Chain]) -> System:
        made = cls()
        for chain in chains:
            made.add(chain)
        return made

    def add(self, chain: Chain) -> None:
        for ref in names(chain):
            if ref.wrt is not None:
                self.derived[bare(ref.name)] += 1
            self.every |= {bare(n) for n in (ref.name, ref.wrt) if n is not None}
        for side in chain.sides:
            self.differences += list(_differences(side))
        first = chain.sides[0]
        if not isinstance(first, Ref) or first.wrt is not None or parts(first.name)[2] & NEW:
            return
        name, given = bare(first.name), given_values(chain)
        first_given = chain.signs[0] not in ("→", "←") and not names(chain.sides[1])
        if given and first_given and not self.formulas.get(name):
            self.values.setdefault(name, given)
        if name in self.values and not given:
            return  # what was given first is moved
        pairs = zip(chain.sides[1:], chain.signs, strict=True)
        said = [s for s, sign in pairs if sign not in PROSE]
        self.formulas[name] += [s for s in said if names(s)]
        plain = [s for s in said if not names(s)]
        self.applied += [
            (name, v, len(self.stated)) for s in plain if (v := argument(s)) is not None
        ]
        terms = next((t for s in plain if (t := numeric(s))), None)
        if terms:
            self.worked.setdefault(name, terms)
        result = literal(chain.sides[-1])
        if result is not None:
            self.stated.append((name, float(result.value), result.half))

    def valued(self, name: Name) -> bool:
        """Whether the page gives a name's number, alone or in a list or matrix of that name."""
        if name in self.values:
            return True
        whole = self.values.get(replace(name, index=())) if name.index else None
        return bool(whole) and name.index in (whole or {})


def _differences(tree: Tree) -> Iterator[tuple[Name, Name]]:
    """Pairs of names of which one is taken from the other."""
    match tree:
        case Binary("-", Ref(a, None), Ref(b, None)):
            yield bare(a), bare(b)
        case Binary(_, left, right):
            yield from _differences(left)
            yield from _differences(right)
        case Negative(of) | Transposed(of) | Call(_, of):
            yield from _differences(of)


def summed(of: Name, tree: Tree) -> Sum | None:
    """A side as the sum of a neuron; None where it is none."""
    products: list[tuple[Name, Name]] = []
    added: list[Name] = []
    for term in _terms(tree):
        found = None if term is None else _factors(term)
        if found is None or not 1 <= len(found) <= 2:
            return None
        if len(found) == 2:
            products.append((found[0], found[1]))
        else:
            added.append(found[0])
    return Sum(of, tuple(products), tuple(added)) if products and len(added) < 2 else None


def _terms(tree: Tree) -> Iterator[Tree | None]:
    match tree:
        case Binary("+", left, right):
            yield from _terms(left)
            yield from _terms(right)
        case Binary("-", _, _) | Negative():
            yield None
        case _:
            yield tree


def _factors(tree: Tree) -> list[Name] | None:
    """The names that are multiplied; None where something else is."""
    match tree:
        case Ref(name, None) if not set(name.low) & NEW:
            return [bare(name)]
        case Transposed(of):
            return _factors(of)
        case Number(written) if written.value == 1:
            return []
        case Binary(sign, left, right) if sign in TIMES:
            a, b = _factors(left), _factors(right)
            return None if a is None or b is None else [*a, *b]
    return None


def activated(tree: Tree) -> Name | None:
    """The one name that a side is a function of, or is; None where it is no function."""
    inside = {r.name if r.wrt is None else None for r in names(tree)}
    one = next(iter(inside)) if len(inside) == 1 else None
    if one is None:
        return None
    match tree:
        case Ref():
            return bare(one)
        case Call(function, Ref()) if not function.endswith("'"):
            return bare(one)
        case Binary("/", _, below) if _calls(below):
            return bare(one)
    return None


def _calls(tree: Tree) -> bool:
    match tree:
        case Call("exp", _):
            return True
        case Binary(_, left, right):
            return _calls(left) or _calls(right)
        case Negative(of):
            return _calls(of)
    return False


def argument(tree: Tree) -> float | None:
    """The number that a side is a function of: sigmoid(0.49), 1/(1 + e^-0.49)."""
    match tree:
        case Call(function, of) if function != "exp" and not function.endswith("'"):
            found = literal(of)
            return None if found is None else float(found.value)
        case Binary("/", Number(), Binary("+", _, Call("exp", Negative(of)))):
            found = literal(of)
            return None if found is None else float(found.value)
    return None


def numeric(tree: Tree) -> list[list[float]] | None:
    """A sum of products of numbers, by term; None where a side is no such."""
    rows: list[list[float]] = []
    for sign, term in _signed(tree, 1.0):
        found = _multiplied(term)
        if found is None or not 1 <= len(found) <= 2:
            return None
        rows.append([sign * found[0], *found[1:]] if len(found) == 1 or sign < 0 else found)
    return rows if any(len(r) == 2 for r in rows) else None


def _signed(tree: Tree, sign: float) -> Iterator[tuple[float, Tree]]:
    match tree:
        case Binary("+" | "-" as sum_, left, right):
            yield from _signed(left, sign)
            yield from _signed(right, sign if sum_ == "+" else -sign)
        case _:
            yield sign, tree


def _multiplied(tree: Tree) -> list[float] | None:
    found = literal(tree)
    if found is not None:
        return [float(found.value)]
    match tree:
        case Binary("*", left, right):
            a, b = _multiplied(left), _multiplied(right)
            return None if a is None or b is None else [*a, *b]
        case Negative(of):
            inner = _multiplied(of)
            return None if inner is None else [-inner[0], *inner[1:]]
    return None


def gives(before: float, after: float, half: float) -> bool:
    """Whether a number is what a neuron may make of the one before."""
    return abs(before) < LARGE and any(abs(f(before) - after) <= 1.02 * half for f in USUAL)
