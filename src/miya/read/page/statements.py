"""Chains to statements: which number is stated of which quantity, and how it was worked out."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...core.page import Reading, Statement
from ...core.written import (
    Binary,
    Chain,
    Negative,
    Number,
    Quantity,
    Ref,
    Transposed,
    Tree,
    names,
    write,
)
from .names import Binder, Style
from .readings import Subject, pattern, readings, renewed, subject
from .values import Cell, Element, cells, squeeze

GIVEN = ("W", "b", "x", "y", "η")
TURNED = ("∂C/∂a", "δ", "∂C/∂W", "∂C/∂b")  # what a page may state with the other sign
PER_NEURON = ("z", "a", "σ'", "δ", "∂C/∂a", "y")


@dataclass
class Collector:
    """Statements in the order of the page. examples: rows of a batch."""

    binder: Binder
    examples: int = 1
    given: set[int] = field(default_factory=set)
    stated: list[Statement] = field(default_factory=list)
    flipped: bool = False  # the chain in hand states a negative gradient
    taken: set[int] = field(default_factory=set)  # id of each chain that gave a statement
    label: tuple[str, ...] = ()  # of the chain in hand
    at: int = 0

    def chain(self, chain: Chain) -> None:
        if id(chain) in self.given:
            self.taken.add(id(chain))
            return
        self.label, self.at = chain.label, chain.at
        target = self.subject(chain)
        named = self.named(chain)
        formula = write(chain.sides[0])
        work: list[Tree] = []
        symbolic: Tree | None = None
        for side, line in zip(chain.sides, chain.lines, strict=True):
            values = cells(side, line)
            if not values:
                bound = self.binder.bound(side)
                if names(side):
                    symbolic = bound
                work.append(bound)
                continue
            if side is chain.sides[0] and target is None:
                continue
            if target is None and not work and named is None:
                continue
            self.state(target, values, tuple(work), symbolic, formula, named)
            self.taken.add(id(chain))
            work = []

    def named(self, chain: Chain) -> Subject | None:
        """The name that the chain states, with all that it may mean."""
        for side in chain.sides[:2]:
            found = subject(side, self.binder)
            if found is not None:
                return found
            if self.binder.tree(side.of if isinstance(side, Negative) else side) is not None:
                return None
        return None

    def subject(self, chain: Chain) -> Quantity | None:
        updating = any(
            r.of is not None
            and (r.of.head in ("η", "∂C/∂W", "∂C/∂b") or r.of.head.endswith(("_W", "_b")))
            for s in chain.sides[1:]
            for r in names(self.binder.bound(s))
        )
        # a weight worked out from numbers is a new one: v_1 ← 0.7 - 0.1 · (-0.084)
        worked = any(isinstance(s, Binary) and not names(s) for s in chain.sides[1:-1])
        worked = worked or chain.signs[0] in ("←", "→")
        first = chain.sides[0]
        derived = len(chain.sides) > 2 and isinstance(first, Ref) and first.wrt is None
        for side in chain.sides[derived and _is_gradient(chain.sides[1], self.binder) : 3]:
            self.flipped = isinstance(side, Negative)
            found = self.binder.tree(side.of if isinstance(side, Negative) else side)
            if self.flipped and (found is None or found.head not in TURNED):
                continue
            if found is not None:
                if found.head == "η" and any(_worked(s) for s in chain.sides[1:]):
                    return None  # a step of the rate times a slope
                if found.head in ("W", "b") and (updating or worked):
                    return Quantity(f"{found.head}_new", found.layer, found.index)
                return found
        self.flipped = False
        for side in chain.sides[:2]:
            found = form_of(self.binder.bound(side))
            if found is not None:
                return found
        return None

    def state(
        self,
        target: Quantity | None,
        values: dict[Element, Cell],
        work: tuple[Tree, ...],
        symbolic: Tree | None,
        formula: str,
        named: Subject | None = None,
    ) -> None:
        others = dict(self.others(named, values)) if named is not None else {}
        placed = {e: e for e in values}
        if target is not None:
            found = self.placed(target, values)
            if found is None:
                target = None
            else:
                placed = found
        for element, cell in values.items():
            of = None
            if target is not None:
                of = Quantity(target.head, target.layer, placed[element])
            inner = tuple(self.binder.bound(w) for w in cell.work)
            again = ""
            if of is not None and of.head in ("W", "b"):
                again = f"{of.head} again"
                others[element] = renewed(of)
            open_ = tuple(others.get(element, ()))
            self.stated.append(
                Statement(
                    of,
                    cell.written,
                    cell.line,
                    formula,
                    inner or work,
                    symbolic,
                    () if inner else element,
                    pattern=pattern(named) if named is not None and open_ else again,
                    others=open_,
                    flipped=self.flipped and of is not None,
                    label=self.label,
                    at=self.at,
                )
            )

    def others(self, named: Subject, values: dict[Element, Cell]) -> dict[Element, list[Reading]]:
        """What else each stated element may be."""
        found: dict[Element, list[Reading]] = {e: [] for e in values}
        for reading in readings(named, self.binder):
            placed = self.placed(reading.of, values)
            for element, index in (placed or {}).items():
                of = Quantity(reading.of.head, reading.of.layer, index)
                found[element].append(Reading(reading.key, of, reading.flipped))
        return found

    def placed(
        self, target: Quantity, values: dict[Element, Cell]
    ) -> dict[Element, tuple[int, ...]] | None:
        """The index of each stated element in its quantity; None where the shape does not fit."""
        style = self.binder.style
        if target.head in ("C", "C_new", "η"):
            return {(): ()} if set(values) == {()} else None
        size = _size(target, style)
        if size is None:
            return None
        if target.index:
            return {(): self.full(target)} if set(values) == {()} else None
        kinds = {len(e) for e in values}
        if len(size) == 2:
            return _in_matrix(values, size, style)
        if kinds == {0} and size == (1,):
            return {(): self.full(Quantity(target.head, target.layer, (0,)))}
        if kinds == {2} and self.examples > 1 and target.head in (*PER_NEURON, "x"):
            return _in_batch(values, self.examples, size[0])
        flat = squeeze(values)
        if {len(e) for e in flat} != {1}:
            return None
        order = list(values)
        if self.examples > 1 and target.head in PER_NEURON:
            if size[0] == 1 and len(flat) == self.examples:
                return {e: (k, 0) for k, e in enumerate(order)}
            return None
        if len(flat) != size[0]:
            return None
        return {e: (k,) for k, e in enumerate(order)}

    def full(self, target: Quantity) -> tuple[int, ...]:
        if self.examples > 1 and target.head in PER_NEURON and len(target.index) == 1:
            return (0, *target.index)
        return target.index


def _worked(side: Tree) -> bool:
    """Whether a side works something out."""
    inner = side.of if isinstance(side, Negative) else side
    return isinstance(inner, Binary) and not cells(side, 0)


def _is_gradient(side: Tree, binder: Binder) -> bool:
    """Whether a side says ∂C/∂z: s = ∂F/∂n is what it is derived as, whatever the letter."""
    return isinstance(side, Ref) and side.wrt is not None and binder.tree(side) is not None


def _size(target: Quantity, style: Style) -> tuple[int, ...] | None:
    if not style.sizes:
        return None
    if target.head == "x":
        return (style.sizes[0],)
    if target.head in ("y", "l"):
        return (style.sizes[-1],)
    layer = target.layer
    if layer is None or not 1 <= layer <= style.layers:
        return None
    if "W" in target.head:
        return (style.sizes[layer], style.sizes[layer - 1])
    return (style.sizes[layer],)


def _in_matrix(
    values: dict[Element, Cell], size: tuple[int, ...], style: Style
) -> dict[Element, tuple[int, ...]] | None:
    rows, columns = size
    kinds = {len(e) for e in values}
    if kinds == {0}:
        return {(): (0, 0)} if size == (1, 1) else None
    if kinds == {1}:
        if len(values) != rows * columns or 1 not in size:
            return None
        return {e: (0, e[0]) if rows == 1 else (e[0], 0) for e in values}
    if kinds != {2}:
        return None
    found = (len({e[0] for e in values}), len({e[1] for e in values}))
    turned = found == (columns, rows) and (style.in_out or found != (rows, columns))
    if turned:
        return {e: (e[1], e[0]) for e in values}
    return {e: (e[0], e[1]) for e in values} if found == (rows, columns) else None


def _in_batch(
    values: dict[Element, Cell], examples: int, size: int
) -> dict[Element, tuple[int, ...]] | None:
    found = (len({e[0] for e in values}), len({e[1] for e in values}))
    if found == (examples, size):
        return {e: (e[0], e[1]) for e in values}
    if found == (size, examples):
        return {e: (e[1], e[0]) for e in values}
    return None


def form_of(tree: Tree) -> Quantity | None:
    """The quantity that a formula is: W a + b is z, δ aᵀ is ∂C/∂W, a (1 - a) is σ'."""
    match tree:
        case Binary("+", Binary("@" | "*", Ref(of=Quantity("W", layer, ())), Ref()), Ref()):
            return Quantity("z", layer)
        case Binary("@" | "*", Ref(of=Quantity("δ", layer, ())), Transposed(Ref())):
            return Quantity("∂C/∂W", layer)
        case Binary("*" | "⊙", Ref(of=Quantity("a", layer, i)), Binary("-", Number(), Ref(of=b))):
            return Quantity("σ'", layer, i) if b == Quantity("a", layer, i) else None
        case Binary("*" | "⊙", Binary("-", Number(), Ref(of=b)), Ref(of=Quantity("a", layer, i))):
            return Quantity("σ'", layer, i) if b == Quantity("a", layer, i) else None
        case Binary("-", Number(), Binary("^", Ref(of=Quantity("a", layer, i)), Number(power))):
            return Quantity("σ'", layer, i) if power.value == 2 else None
    return None
