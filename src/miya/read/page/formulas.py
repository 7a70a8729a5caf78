"""The network that a page's own formulas define: z0 = w00*x0 + w01*x1 + b0, a0 = sigmoid(z0).

Formulas are read as definitions over the page's own names. A sum of products is what goes into a
neuron, the one name in a function, or alone, what a neuron gives; in a sum, what such a neuron
gives is a source, and what stands with it its weight; the first sums' sources are the names that
several of them have. The rest are biases. What is taken from an output is its target. So every
name gets its place in the network, and what follows is read as if the page had named it so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from ...core.written import Chain, Name
from .equations import Sum, System, activated, gives, summed
from .letters import renamed
from .naming import FAMILIES, NEW
from .own import OWN
from .stems import Stems, bare, numbers_of, stem

GIVEN = ("W", "b", "x", "y")  # families that a name without a place may not be read as
NOT_ITS = ("η", "C", "x", "y", "z", "a")  # families of names that are no weights
FIRST = 0.5  # what the letters of a name count, where its uses leave open what it is


@dataclass
class Layer:
    """The sums of a layer in the order of its neurons, and what each goes on as.

    rows: (weight, source) of each product. outputs: the names of what the neurons give.
    """

    sums: list[Sum]
    rows: list[list[tuple[Name, Name]]]
    outputs: list[list[Name]]
    whole: bool = False  # names are of all neurons: z = W x + b


class Definitions:
    """The layers that a page's formulas make up, and the place of each name in them."""

    def __init__(self, system: System, usual: dict[Name, Name]) -> None:
        self.system, self.usual = system, usual
        self.layers: list[Layer] = []
        self.names: dict[Name, Name] = {}
        self.sums = {s.of: s for s in self._sums()}
        self.gives: dict[Name, list[Name]] = defaultdict(list)  # by sum
        for name, of in self.links():
            if name not in self.gives[of] and name != of:
                self.gives[of].append(name)
        self.layer_up()
        if self.layers:
            self.place()

    def _sums(self) -> Iterator[Sum]:
        for name, sides in self.system.formulas.items():
            if name.base.startswith(("grad ", OWN)):
                continue
            found = next((s for t in sides if (s := summed(name, t))), None)
            if found is not None:
                yield found

    # what a neuron gives

    def links(self) -> Iterator[tuple[Name, Name]]:
        """What is said to be a function of a sum, with that sum."""
        system = self.system
        alike = {stem(n) for n in self.sums if numbers_of(n)}
        for name, sides in system.formulas.items():
            for tree in sides:
                of = activated(tree)
                if of in self.sums or (of is not None and stem(of) in alike and not of.index):
                    yield name, of
                elif of is not None and not (of.index or name.index):
                    for s in self.sums:  # h = sigmoid(z) of every neuron
                        if s.index and replace(s, index=()) == of:
                            yield replace(name, index=s.index), s
        for name, value, place in system.applied:
            before = [n for n, v, _ in system.stated[:place] if v == value and n != name]
            if before and (before[-1] in self.sums or stem(before[-1]) in alike):
                yield name, before[-1]
        linked = {of for of in self.gives if self.gives[of]}
        for (name, before_it, _), (after, value, half) in zip(
            system.stated, system.stated[1:], strict=False
        ):
            if name in self.sums and name not in linked and gives(before_it, value, half):
                yield after, name

    # layers

    def layer_up(self) -> None:
        inputs = {n for n in self.system.values if self.usual_of(n) == "x"}
        first = self.first() or (self.by_numbers(inputs, alone=True) if inputs else None)
        while first is not None:
            self.layers.append(first)
            given = {n for many in first.outputs for n in many}
            if not given or given & self.outputs:
                return
            layer = {stem(s.of) for s in first.sums}
            given |= {n for of, many in self.gives.items() if stem(of) in layer for n in many}
            given -= self.outputs
            alike = {stem(n) for n in given if numbers_of(n)}
            sources = given | {n for n in self.system.every if stem(n) in alike}
            first = self.behind(sources) or self.by_numbers(sources)

    @cached_property
    def outputs(self) -> set[Name]:
        """What a neuron gives, and given targets are taken from."""
        pairs = (p for a, b in self.system.differences for p in ((a, b), (b, a)))
        made = {n for many in self.gives.values() for n in many}
        return {a for a, b in pairs if a in made and b not in made and self.system.valued(b)}

    def first(self) -> Layer | None:
        """The sums of given names alone that have the same sources."""
        valued = self.system.valued
        open_ = [
            s
            for s in self.sums.values()
            if all(valued(n) for pair in s.products for n in pair) and all(map(valued, s.added))
        ]
        uses = Counter(n for s in open_ for pair in s.products for n in {*pair})
        groups: dict[frozenset[Name], list[Sum]] = defaultdict(list)
        sides: dict[frozenset[Name], int] = {}
        for s in open_:
            side = max((0, 1), key=lambda k: sum(self.source(p[k], uses) for p in s.products))
            key = frozenset(p[side] for p in s.products)
            sides[key] = side
            groups[key].append(s)
        best = max(groups, key=lambda k: len(groups[k]), default=None)
        if best is None:
            return None
        return self.layer(groups[best], [p[sides[best]] for p in groups[best][0].products])

    def source(self, name: Name, uses: Counter[Name]) -> float:
        """How much speaks for an input and against a weight: several sums have it."""
        family = FAMILIES.get(name.base, "")
        letters = family in ("x", "a", "y") or name.base.lower().startswith(("in", "feat"))
        whole = self.system.values.get(name, {})
        matrix = any(len(e) == 2 for e in whole) and not name.index
        return uses[name] - 1 + FIRST * (letters - (family == "W")) - 4 * matrix

    def behind(self, sources: set[Name]) -> Layer | None:
        """The sums of what the layer before gives."""
        used = {s.of for layer in self.layers for s in layer.sums}
        found: dict[frozenset[Name], list[Sum]] = defaultdict(list)
        for s in self.sums.values():
            mine = [next((n for n in pair if n in sources), None) for pair in s.products]
            others = [n for pair in s.products for n in pair if n not in sources]
            whole = len(others) == len(mine) and all(map(self.system.valued, others))
            if s.of not in used and None not in mine and whole:
                found[frozenset(n for n in mine if n is not None)].append(s)
        best = max(found, key=lambda k: len(found[k]), default=None)
        if best is None:
            return None
        order = [n for pair in found[best][0].products for n in pair if n in best]
        return self.layer(found[best], order)

    def by_numbers(self, sources: set[Name], *, alone: bool = False) -> Layer | None:
        """The sums that only show numbers: those of the sources, and given ones with them.

        alone: of numbers that are of one name only.
        """
        placed = set(self.placed().named())
        stated = [(n, v) for n, v, _ in self.system.stated if n in sources]
        given = [
            (replace(n, index=(*n.index, *e)), float(c.written.value))
            for n, values in self.system.values.items()
            for e, c in values.items()
        ]
        given = [p for p in given if p[0] not in placed and self.usual_of(p[0]) not in NOT_ITS]
        given.sort(key=lambda pair: self.usual_of(pair[0]) == "b")
        if alone:
            often = Counter(v for _, v in dict([*stated, *given]).items())
            stated = [pair for pair in stated if often[pair[1]] == 1]
            given = [pair for pair in given if often[pair[1]] == 1]
        found: dict[frozenset[Name], list[Sum]] = defaultdict(list)
        for name, terms in self.system.worked.items():
            made = _matched(name, terms, stated, given)
            if name.base.startswith("grad ") or name in placed or name in sources:
                continue
            if made is not None:
                found[frozenset(b for _, b in made.products)].append(made)
        best = max(found, key=lambda k: (len(k), len(found[k])), default=None)
        if best is None:
            return None
        for s in found[best]:
            self.sums[s.of] = s
        alike = {s.of for s in found[best]}
        for name, of in list(self.links()):
            if of in alike and name not in self.gives[of]:
                self.gives[of].append(name)
        return self.layer(found[best], [b for _, b in found[best][0].products])

    def layer(self, sums: list[Sum], sources: list[Name]) -> Layer:
        order = list(dict.fromkeys(sources))
        by_number = sorted(order, key=numbers_of)
        order = by_number if len({numbers_of(n) for n in order}) == len(order) else order
        if len({numbers_of(s.of) for s in sums}) == len(sums):
            sums = sorted(sums, key=lambda s: numbers_of(s.of))
        rows = []
        for s in sums:
            row = {}
            for a, b in s.products:
                row.update({b: a} if b in order else {a: b})
            rows.append([(row[n], n) for n in order if n in row])
        outputs = [self.gives.get(s.of, []) for s in sums]
        whole = any(len(e) > 0 for w, _ in rows[0] for e in self.system.values.get(w, {}))
        return Layer(sums, rows, outputs, whole and len(sums) == 1 and len(order) == 1)

    # places

    def place(self) -> None:
        stems = self.placed()
        self.targets(stems)
        self.names = stems.named()
        loss = [n for n, _ in self.system.derived.most_common() if n not in self.names]
        if loss:
            self.names[loss[0]] = Name("C")

    def placed(self) -> Stems:
        """The places of what is in the layers so far."""
        stems = Stems(self.system.every, self.sizes())
        if self.layers and not self.layers[0].whole:
            for j, (_, source) in enumerate(self.layers[0].rows[0]):
                stems.put(source, "x", None, (j,))
        for k, layer in enumerate(self.layers, 1):
            places = self.neurons(k - 1)
            shared = Counter(n for s in layer.sums for n in s.added)
            for n, s in enumerate(layer.sums):
                i = places[n]
                index = () if layer.whole else (i,)
                stems.put(s.of, "z", k, index)
                for name in layer.outputs[n]:
                    stems.put(name, "a", k, index)
                for name in s.added:
                    stems.put(name, "b", k, () if shared[name] > 1 else index)
                for j, (weight, source) in enumerate(layer.rows[n]):
                    stems.put(weight, "W", k, () if layer.whole else (i, j))
                    if layer.whole and k == 1:
                        stems.put(source, "x", None, ())
        return stems

    @property
    def complete(self) -> bool:
        """Whether every neuron has its bias, where one of its layer has."""
        found: dict[tuple[str, tuple[str, ...]], set[tuple[int, ...]]] = defaultdict(set)
        for put in self.names.values():
            found[put.base, put.up].add(put.index)
        biased = ((up, at) for (base, up), at in found.items() if base == "b" and () not in at)
        return all(at == found["z", up] - {()} for up, at in biased)

    def sizes(self) -> list[int]:
        """Neurons of each layer, as far as formulas say."""
        if not self.layers or self.layers[0].whole:
            return []
        return [len(layer.rows[0]) for layer in self.layers]

    def neurons(self, k: int) -> list[int]:
        """The place of each sum's neuron in layer k, from 0: that of its output among the
        sources of the next."""
        layer = self.layers[k]
        if k + 1 < len(self.layers) and not layer.whole:
            order = {n: j for j, (_, n) in enumerate(self.layers[k + 1].rows[0])}
            told = [next((order[n] for n in many if n in order), -1) for many in layer.outputs]
            if -1 not in told:
                return told
        return list(range(len(layer.sums)))

    def targets(self, stems: Stems) -> None:
        last = self.layers[-1]
        of = {n: i for i, many in enumerate(last.outputs) for n in many}
        of |= {s.of: i for i, s in enumerate(last.sums)}
        for a, b in self.system.differences:
            for output, target in ((a, b), (b, a)):
                if output in of and self.system.valued(target):
                    stems.put(target, "y", None, () if last.whole else (of[output],))
        if any(head == "y" for head, _, _ in stems.known.values()):
            return
        rest = [n for n in self.system.values if n not in stems.known and self.usual_of(n) == "y"]
        for i, name in enumerate(sorted(rest, key=numbers_of)):
            stems.put(name, "y", None, () if last.whole else (i,))

    def usual_of(self, name: Name) -> str:
        """What a name's letters say."""
        usual = self.plain(name) or name
        return FAMILIES.get(usual.base, "")

    def change(self) -> Callable[[Name], Name]:
        """What each name is in the network; what has no place keeps its usual meaning, where that
        is no part of one."""

        def put(name: Name) -> Name:
            plain, marks = bare(name), tuple(p for p in name.low if p in NEW)
            if name.prime and plain in self.names:
                marks = ("new",)
            found = self.names.get(plain) or self.gradient(plain) or self.of_neuron(name)
            if found is not None:
                return replace(found, low=(*found.low, *marks))
            other = self.plain(name)
            base = other.base if other is not None else name.base
            if FAMILIES.get(base.removeprefix("grad ")) in GIVEN:
                return replace(name, base=OWN + name.base)
            if other is None:
                return name
            return replace(other, up=name.up, index=name.index, prime=name.prime or other.prime)

        return put

    def plain(self, name: Name) -> Name | None:
        return self.usual.get(name) or self.usual.get(replace(name, up=(), index=(), prime=False))

    def gradient(self, name: Name) -> Name | None:
        """dw00 and grad w00 as the gradient at w00."""
        for start in ("grad ", "grad", "d"):
            if name.base.startswith(start) and len(name.base) > len(start):
                found = self.names.get(replace(name, base=name.base[len(start) :]))
                if found is not None and found.base in ("W", "b", "z", "a"):
                    return replace(found, base=f"grad {found.base}")
        old = replace(name, base=name.base[1:]) if name.base.startswith("Δ") else None
        moved = self.names.get(old) if old is not None else None
        return replace(moved, base=f"Δ{moved.base}") if moved and moved.base in "Wb" else None

    def of_neuron(self, name: Name) -> Name | None:
        """δ_c and σ'_c of the neuron of which other names have c below."""
        usual = self.plain(name)
        if usual is None or not (usual.base == "δ" or (usual.base == "σ" and usual.prime)):
            return None
        places = self.neurons_below.get(_below(bare(name)), set())
        if len(places) != 1:
            return None
        layer, index = next(iter(places))
        return Name(usual.base, (), (str(layer),), index, prime=usual.prime)

    @cached_property
    def neurons_below(self) -> dict[str, set[tuple[int, tuple[int, ...]]]]:
        """The neurons by what stands below their names, or by the whole name."""
        found: dict[str, set[tuple[int, tuple[int, ...]]]] = defaultdict(set)
        for name, put in self.names.items():
            if put.base in ("z", "a") and put.up and put.index:
                below = _below(name)
                for text in {below, name.base + below} - {""}:
                    found[text].add((int(put.up[0]), put.index))
        return found


def _below(name: Name) -> str:
    return ",".join((*name.low, *name.up, *map(str, name.index)))


Numbers = list[tuple[Name, float]]


def _matched(name: Name, terms: list[list[float]], stated: Numbers, given: Numbers) -> Sum | None:
    """A sum of numbers as that of the names that have these; None where one has none."""
    left, free = list(stated), list(given)
    products: list[tuple[Name, Name]] = []
    added: list[Name] = []
    for term in terms:
        if len(term) == 1:
            own = _taken(free, term[0], last=True)
            if own is None:
                return None
            added.append(own)
            continue
        pair = next(
            (
                (a, b)
                for a, b in (term, term[::-1])
                if any(v == b for _, v in left) and any(v == a for _, v in free)
            ),
            None,
        )
        if pair is None:
            return None
        weight, source = _taken(free, pair[0]), _taken(left, pair[1])
        assert weight is not None and source is not None
        products.append((weight, source))
    return Sum(name, tuple(products), tuple(added)) if len(added) < 2 else None


def _taken(numbers: Numbers, value: float, *, last: bool = False) -> Name | None:
    """The first or last name with a value, taken out."""
    places = [k for k, (_, v) in enumerate(numbers) if v == value]
    return numbers.pop(places[-last])[0] if places else None


def defined(chains: list[Chain], usual: dict[Name, Name]) -> list[Chain] | None:
    """Chains with each name by its place in the network that their formulas define; None where
    they define none."""
    try:
        found = Definitions(System.of(chains), usual)
    except RecursionError:  # a sum of a thousand terms is no neuron's
        return None
    targets = any(n.base == "y" for n in found.names.values())
    if not found.layers or not targets or not found.complete:
        return None
    change = found.change()
    return [renamed(c, change) for c in chains]
