"""Names that a heading or the words before them complete: z under "Hidden unit 1" is z_{h1}."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from ...core.written import Binary, Call, Chain, Name, Ref, Transposed, Tree
from .labels import Entity
from .naming import FAMILIES

LOCAL = ("z", "a", "δ", "σ", "W", "b")


@dataclass
class Place:
    """The layer and the neuron that were last named."""

    layer: Entity | None = None
    neuron: Entity | None = None

    def now(self, found: Entity) -> None:
        if found.whole:
            self.layer, self.neuron = found, None
        else:
            self.neuron = found

    @property
    def entity(self) -> Entity | None:
        if self.neuron is not None and self.layer is not None and not self.neuron.kind:
            return self.neuron.joined(self.layer) or self.neuron
        return self.neuron or self.layer


def completed(chains: list[tuple[Chain, Entity | None]]) -> list[Chain]:
    """Each chain with its first name completed, where the page needs it to tell names apart."""
    places: dict[str, set[Entity]] = defaultdict(set)
    values: dict[str, set[str]] = defaultdict(set)
    placeless: set[str] = set()  # weights that are given where no neuron or layer was named
    for chain, where in chains:
        name = _subject(chain.sides[0])
        if where is None and _parameter(chain):
            placeless.add(_key(chain.sides[0]))
        if name is not None and where is not None:
            key = _key(chain.sides[0])
            places[key].add(where)
            if not (_parameter(chain) and any(isinstance(s, Binary) for s in chain.sides)):
                values[key].add(_key(chain.sides[-1]))
    letters = {
        _letter(name)
        for chain, _ in chains
        if (name := _subject(chain.sides[0]))
        and len(places[_key(chain.sides[0])]) > 1
        and len(values[_key(chain.sides[0])]) > 1  # the same number again is the same quantity
    }
    found = []
    for chain, where in chains:
        name = _subject(chain.sides[0])
        if name is not None and where is not None and _lacking(name, where):
            several = _letter(name) in letters
            bare = not (name.low or name.up or name.index)
            bare = bare and _key(chain.sides[0]) not in placeless
            if several or bare:
                side = _applied(chain.sides[0], where)
                chain = replace(chain, sides=(side, *chain.sides[1:]))
        found.append(chain)
    return found


def _parameter(chain: Chain) -> bool:
    """Whether a weight or a bias is stated, which an update states with another number."""
    side = chain.sides[0]
    return isinstance(side, Ref) and not side.wrt and FAMILIES.get(side.name.base) in ("W", "b")


def _subject(tree: Tree) -> Name | None:
    match tree:
        case Ref(name, wrt):
            return wrt or name
        case Transposed(of):
            return _subject(of)
        case Call(function, Ref(name)) if function.endswith("'"):
            return name
    return None


def _letter(name: Name) -> str:
    """w of w_3 and ∂E/∂w_3: where w_1 needs its place, so does w_3."""
    numbers = sum(p.isdigit() for p in name.low)
    return f"{name.base.removeprefix('grad ')} {numbers} {len(name.index)}"


def _key(tree: Tree) -> str:
    return repr(tree)


def _lacking(name: Name, where: Entity) -> bool:
    """Whether the name leaves open what the place says."""
    base = name.base.removeprefix("grad ")
    if FAMILIES.get(base) not in LOCAL or name.up or base in ("ŷ", "y", "p"):
        return False
    if base in "hHoO" and where.whole:
        return False
    words = [p for p in name.low if not p.isdigit() and p not in ("new", "old", "+", "prime")]
    return not words


def _applied(tree: Tree, where: Entity) -> Tree:
    match tree:
        case Ref(_, wrt) if wrt is not None:
            return replace(tree, wrt=where.apply(wrt))
        case Ref(name):
            return replace(tree, name=where.apply(name))
        case Transposed(of):
            return Transposed(_applied(of, where))
        case Call(function, of):
            return Call(function, _applied(of, where))
    return tree
