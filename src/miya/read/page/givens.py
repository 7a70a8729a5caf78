"""The network that a page gives: sizes, weights, biases, data, and how it names them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from ...core.page import Note
from ...core.written import Binary, Chain, Name, Ref, Tree, Vector, names
from .names import Binder, Style, subjects
from .naming import FAMILIES, HIDDEN, LAST, NEW, key, parts, upper, without_zero, zero_place
from .values import Cell, Element, cells, shape, squeeze

Values = dict[Element, Cell]
Rows = list[list[Decimal | None]]


@dataclass
class Given:
    """What was gathered on the way to a network."""

    style: Style = field(default_factory=Style)
    weights: dict[int, Rows] = field(default_factory=dict)
    biases: dict[int, list[Decimal | None] | Decimal] = field(default_factory=dict)
    inputs: list[list[Decimal]] = field(default_factory=list)
    targets: list[list[Decimal]] = field(default_factory=list)
    rate: Decimal | None = None
    lines: dict[str, int] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    chains: set[int] = field(default_factory=set)  # id of each chain that gives something
    missing: list[str] = field(default_factory=list)
    either_way: bool = False  # the weights fit as (out, in) and as (in, out)


def given_values(chain: Chain) -> Values:
    """The numbers of a chain that states without working out; empty for any other."""
    for side in chain.sides[1:]:
        found = cells(side, chain.lines[chain.sides.index(side)])
        if found and not any(c.work for c in found.values()):
            return found
        if not isinstance(side, Vector | Ref) or any(isinstance(i, Binary) for i in _items(side)):
            return {}
    return {}


def _items(tree: Tree) -> tuple[Tree, ...]:
    return tree.items if isinstance(tree, Vector) else ()


def given_names(chains: list[Chain]) -> list[tuple[Ref, Chain]]:
    """Each name that a chain gives; of a^1 = x = [0.1, 0.2] the second."""
    found = []
    for ref, chain in subjects(chains):
        second = chain.sides[1] if len(chain.sides) == 3 else None
        data = isinstance(second, Ref) and FAMILIES.get(second.name.base) in ("x", "y")
        found.append((second if isinstance(second, Ref) and data else ref, chain))
    return found


class Gatherer:
    def __init__(
        self, chains: list[Chain], sizes: tuple[int, ...] | None = None, turned: bool = False
    ) -> None:
        self.chains, self.found = chains, Given()
        self.turned = turned  # read weights as (in, out) where both ways fit
        self.sizes = sizes
        self.first: dict[tuple[str, str], tuple[Name, Values, Chain]] = {}
        self.y_family = "y"

    def gather(self) -> Given:
        self.collect()
        self.data()
        matrices = self.matrices()
        if not matrices:
            self.scalars()
        self.finish_style()
        self.bias_values()
        return self.found

    def collect(self) -> None:
        bases = {r.name.base for r, c in subjects(self.chains) if given_values(c) and r.wrt is None}
        if ("t" in bases or "T" in bases) and "target" not in bases:
            computed = any(
                r.name.base in ("y", "Y") and not given_values(c) for r, c in subjects(self.chains)
            )
            self.found.style.y_is_output = computed or bool(bases & {"t", "T"})
        named = given_names(self.chains)
        weights = [
            r.name
            for r, c in named
            if r.wrt is None and FAMILIES.get(r.name.base) == "W" and given_values(c)
        ]
        self.found.style.bias_zero = zero_place(weights)
        plain = any(
            c.signs[0] == "=" and FAMILIES.get(r.name.base) == "W" and given_values(c)
            for r, c in named
        )
        for ref, chain in named:
            name = ref.name
            family = FAMILIES.get(name.base) if ref.wrt is None else None
            if family == "W" and self.found.style.bias_zero is not None:
                short = without_zero(name, self.found.style.bias_zero)
                family, name = ("b", short) if short else (family, name)
            if family == "y" and self.found.style.y_is_output and name.base in ("y", "Y"):
                continue
            if family not in ("W", "b", "x", "y", "η") or parts(name)[2] & NEW:
                continue
            if name.base == "i" and not parts(name)[1]:
                continue
            if chain.signs[0] == "→" or (chain.signs[0] == "←" and plain):
                continue  # a new value, and no given one
            values = given_values(chain)
            identity = (family, key(name) + str(upper(name)) + str(name.index))
            if values and identity not in self.first:
                self.first[identity] = (name, values, chain)

    def of(self, family: str) -> list[tuple[Name, Values, Chain]]:
        return [v for (f, _), v in self.first.items() if f == family]

    def use(self, symbol: str, chain: Chain, values: Values) -> None:
        self.found.lines.setdefault(symbol, next(iter(values.values())).line)
        self.found.chains.add(id(chain))

    # data

    def data(self) -> None:
        for family, into in (("x", self.found.inputs), ("y", self.found.targets)):
            into.extend(self.rows(family))
        rates = [g for g in self.of("η") if set(g[1]) == {()}]
        rates.sort(key=lambda g: g[0].base != "η")
        if rates:
            _, values, chain = rates[0]
            self.found.rate = values[()].written.value
            self.use("η", chain, values)

    def rows(self, family: str) -> list[list[Decimal]]:
        whole = [g for g in self.of(family) if not g[0].low or g[0].low == ("0",)]
        scalars: dict[int, Decimal] = {}
        for _name, values, chain in whole:
            kinds = {len(e) for e in values}
            many = len(self.found.inputs) if family == "y" else 1
            if many > 1 and kinds in ({1}, {2}) and len({e[0] for e in values}) == many:
                self.use(family, chain, values)
                alone = [[c.written.value] for c in values.values()]
                return _matrix(values) if kinds == {2} else alone
            if kinds == {2}:
                flat = squeeze(values)
                if {len(e) for e in flat} == {2}:
                    self.use(family, chain, values)
                    return _matrix(flat)
                values = flat
            if {len(e) for e in values} == {1}:
                self.use(family, chain, values)
                return [[c.written.value for c in values.values()]]
        for name, values, chain in self.of(family):
            if set(values) != {()}:
                continue
            words, numbers, _ = parts(name)
            place = (numbers or list(name.index) or [0])[-1]
            indexed = bool(words) and words[0] in "ijkmn" and not numbers  # a_k are the 3 inputs
            if indexed or (words and words[0] == "total"):
                continue
            if family == "x" and self.found.style.bias_zero is not None and numbers == [0]:
                self.found.chains.add(id(chain))
                continue  # x_0 = 1, which a bias w_{j0} multiplies
            scalars.setdefault(place, values[()].written.value)
            self.use(family + (str(place) if numbers else ""), chain, values)
        return [[scalars[k] for k in sorted(scalars)]] if scalars else []

    # weights as matrices

    def matrices(self) -> bool:
        found: list[tuple[str, Name, Values, Chain]] = []
        for name, values, chain in self.of("W"):
            if name.index or {len(e) for e in values} in ({0}, set()):
                continue
            words, numbers, _ = parts(name)
            above = upper(name)
            if above is None and numbers:
                identity = str(numbers[0])
            elif above is not None:
                identity = str(above)
            else:
                identity = f"{name.base}:{''.join(words)}"
            found.append((identity, name, values, chain))
        if not found:
            return False
        order = [f[0] for f in found]
        if all(i.isdigit() for i in order):
            found.sort(key=lambda f: int(f[0]))
        elif any(_tagged(f[1]) == 1 for f in found):
            found.sort(key=lambda f: _tagged(f[1]))
        for layer, (identity, _, values, chain) in enumerate(found, 1):
            self.found.style.layer_ids[identity] = layer
            if not identity.isdigit():
                self.found.style.layer_ids.setdefault(identity.split(":")[1], layer)
            self.use(f"W{layer}", chain, values)
        self.orient([f[2] for f in found])
        return True

    def orient(self, values: list[Values]) -> None:
        """(out, in) of each matrix, turned where the page has them the other way round."""
        inputs = len(self.found.inputs[0]) if self.found.inputs else None
        shapes = [_shape(v) for v in values]
        outputs = len(self.found.targets[0]) if self.found.targets else None
        good = _fits(shapes, inputs, outputs, turned=False)
        other = _fits(shapes, inputs, outputs, turned=True)
        self.found.either_way = good and other and any(len(s) == 2 and s[0] > 1 for s in shapes)
        turned = other and (not good or self.turned)
        self.found.style.in_out = turned
        if turned and not good:
            self.found.notes.append(Note("assumed_turned", {}))
        sizes = [inputs or 0]
        for layer, v in enumerate(values, 1):
            rows = _as_rows(v, sizes[-1] or None, turned)
            self.found.weights[layer] = rows
            if not sizes[-1]:
                sizes[-1] = len(rows[0])
            sizes.append(len(rows))
        self.found.style.sizes = tuple(sizes)

    # weights one by one

    def scalars(self) -> None:
        singles = [(n, v[()].written.value, c) for n, v, c in self.of("W") if set(v) == {()}]
        if not singles and self.sizes is None:
            self.found.missing.append("weights")
            return
        for name, _, chain in singles:
            self.found.chains.add(id(chain))
            self.found.lines.setdefault(key(name), chain.lines[0])
        from .scalars import place_scalars

        place_scalars(self, singles)

    def finish_style(self) -> None:
        style = self.found.style
        if self.sizes is not None:
            style.sizes = self.sizes
        if not style.sizes:
            return
        low: list[bool] = []
        has_index: list[int] = []
        for ref, chain in subjects(self.chains):
            name = ref.name if ref.wrt is None else ref.wrt
            has_index += name.index
            family = FAMILIES.get(name.base)
            if name.base in ("h", "H") and shape(chain.sides[-1]) == () and style.sizes[1] > 1:
                style.h_is_layer = False
            if (
                family not in ("z", "a", "δ", "σ")
                or upper(name) is not None
                or name.base in "ohOHŷp"
            ):
                continue
            words, numbers, _ = parts(name)
            values = shape(chain.sides[-1])
            if words or len(numbers) != 1 or name.index:
                if name.index and len(numbers) == 1:
                    low.append(True)
                continue
            if values == () and 1 <= numbers[0] <= style.layers and style.sizes[numbers[0]] == 1:
                if all(s == 1 for s in style.sizes[1:]):
                    low.append(True)
                continue
            if values is not None:
                low.append(values != ())
        style.low_is_layer = (sum(low) * 2 >= len(low)) if low else True
        biggest = max(style.sizes)
        if has_index and 0 not in has_index and biggest in has_index:
            style.index_from_1 = True
        self.lowest()

    def lowest(self) -> None:
        """Whether subscripts count from 0, and which number the page gives to the input."""
        zero = False
        tops: list[int] = []
        for chain in self.chains:
            for ref in names(chain):
                for name in (ref.name, ref.wrt):
                    if name is None or FAMILIES.get(name.base) not in (
                        "z",
                        "a",
                        "δ",
                        "x",
                        "W",
                        "b",
                    ):
                        continue
                    place = self.found.style.bias_zero
                    if place is not None and without_zero(name, place) is not None:
                        continue
                    _, numbers, _ = parts(name)
                    always_one = FAMILIES[name.base] in ("x", "a") and _ones(chain)
                    if numbers == [0] and (always_one or (place is not None and name.base == "x")):
                        continue
                    above = upper(name)
                    if above is not None:
                        tops.append(above)
                        zero = zero or 0 in numbers
                    elif (len(numbers) == 2 and numbers[1] == 0) or (
                        name.base in ("x", "X") and numbers == [0]
                    ):
                        zero = True
        style = self.found.style
        style.low_from_0 = zero
        ids = sorted(int(i) for i in style.layer_ids if i.isdigit())
        neurons = [
            upper(r.name)
            for c in self.chains
            for r in names(c)
            if FAMILIES.get(r.name.base) in ("z", "δ") and upper(r.name) is not None
        ]
        top = max((n for n in neurons if n is not None), default=0)
        if top and top == style.layers + 1:
            style.input_layer = 1
        if ids and ids[0] == 2 and len(ids) == style.layers:
            style.input_layer = 1

    # biases

    def bias_values(self) -> None:
        style = self.found.style
        if not style.sizes:
            return
        binder = Binder(style)
        given = self.of("b")
        scalars = [g for g in given if set(g[1]) == {()} and not g[0].index]
        neurons = sum(style.sizes[1:])
        flat = [g for g in scalars if upper(g[0]) is None and not parts(g[0])[0]]
        flat = [g for g in flat if len(parts(g[0])[1]) == 1 and parts(g[0])[1][0] < 10]
        if len(flat) == neurons > style.layers and len(scalars) == len(flat):
            places = [(k, i) for k in range(1, style.layers + 1) for i in range(style.sizes[k])]
            for (name, _, _), place in zip(flat, places, strict=True):
                style.biases.setdefault(key(name), place)
        whole: set[int] = set()  # layers whose biases were given together
        for name, values, chain in given:
            values = squeeze(values)
            quantity = binder.bias(name, "b")
            if quantity is None and len(given) == 1 and style.layers == 1:
                quantity = binder.bias(Name("b", ("1",)), "b")
            if quantity is None or quantity.layer is None:
                self.found.notes.append(
                    Note("unplaced", {"name": key(name)}, next(iter(values.values())).line)
                )
                continue
            layer, size = quantity.layer, style.sizes[quantity.layer]
            if quantity.index and layer in whole:
                continue  # the new value of one, where all of them were given
            if len(values) == size and set(values) != {()}:
                whole.add(layer)
            self.use(str(quantity), chain, values)
            if set(values) == {()}:
                number = values[()].written.value
                if quantity.index:
                    row = self.found.biases.setdefault(layer, [None] * size)
                    if isinstance(row, list) and quantity.index[0] < len(row):
                        row[quantity.index[0]] = number
                else:
                    self.found.biases.setdefault(layer, [number] if size == 1 else number)
            elif len(values) == size:
                self.found.biases[layer] = [c.written.value for c in values.values()]
            else:
                self.found.missing.append(f"b{layer}")


def _ones(chain: Chain) -> bool:
    """Whether a chain says that something is 1: a_0 = 1, which a bias is multiplied with."""
    return all(c.written.value == 1 for s in chain.sides[1:] for c in cells(s, 0).values())


def _tagged(name: Name) -> int:
    text = "".join(parts(name)[0])
    if text in HIDDEN or text in ("xh", "ih", "hx"):
        return 1
    return (
        2 if text in LAST or text in ("hy", "ho", "yh", "oh") else (2 if name.base in "VU" else 1)
    )


def _matrix(values: Values) -> list[list[Decimal]]:
    found: dict[int, list[Decimal]] = defaultdict(list)
    for (i, _), cell in sorted(values.items()):
        found[i].append(cell.written.value)
    return [found[i] for i in sorted(found)]


def _shape(values: Values) -> tuple[int, ...]:
    if {len(e) for e in values} == {2}:
        return (len({e[0] for e in values}), len({e[1] for e in values}))
    return (len(values),)


def _fits(
    shapes: list[tuple[int, ...]], inputs: int | None, outputs: int | None, *, turned: bool
) -> bool:
    size = inputs
    for one in shapes:
        if len(one) == 2:
            out, into = one[::-1] if turned else one
            if size is not None and into != size:
                return False
            size = out
        elif size is None or one[0] == size:
            size = 1
        elif size == 1:
            size = one[0]
        else:
            return False
    return outputs is None or size == outputs


def _as_rows(values: Values, inputs: int | None, turned: bool) -> Rows:
    if {len(e) for e in values} == {2}:
        rows: Rows = [list(r) for r in _matrix(values)]
        return [list(column) for column in zip(*rows, strict=False)] if turned else rows
    flat: list[Decimal | None] = [c.written.value for c in values.values()]
    return [[v] for v in flat] if inputs == 1 and len(flat) > 1 else [flat]
