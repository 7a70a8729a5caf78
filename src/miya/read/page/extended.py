"""Matrices that hold the biases too: a column for the unit that is always 1, taken apart.

A page may multiply extended vectors (1, x) with extended matrices, whose first or last column (or
row, where weights are (in, out)) is the bias. What is stated of such a matrix is stated of the
weights and of the biases, and w_{j0} is b_j.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isclose

from ...core.written import Chain, Name, Ref, Transposed, Tree, Vector, names
from .givens import Values, given_values
from .letters import renamed
from .naming import FAMILIES, NEW, OLD, parts, upper, without_zero
from .values import cells, shape

Grid = list[list[float]]
CLOSE = 2e-3  # relative: a stated sum and the sum of given numbers
TURNED = {True: 0, False: -1}  # which number of w_{j0} says that it is a bias, by (in, out)


@dataclass(frozen=True)
class Extended:
    """rows: weights are (in, out), so that the biases are a row; last: it is the last one.

    sizes: neurons of each layer; order: what tells the matrices apart, in their order.
    """

    rows: bool
    last: bool
    sizes: tuple[int, ...]
    order: tuple[str, ...]

    def shape(self, layer: int) -> tuple[int, int]:
        into, out = self.sizes[layer - 1] + 1, self.sizes[layer]
        return (into, out) if self.rows else (out, into)


def apart(chains: Sequence[Chain]) -> list[tuple[Chain, ...]]:
    """Each chain, as two where it states an extended matrix."""
    found = _extended(chains)
    if found is None:
        return [(c,) for c in chains]
    change = _zero_named(found.rows)
    return [tuple(renamed(c, change) for c in _parts_of(chain, found)) for chain in chains]


def _extended(chains: Sequence[Chain]) -> Extended | None:
    """How the page's matrices hold its biases; None where they hold none."""
    given: dict[str, Chain] = {}
    data: dict[str, list[float]] = {}
    seen: set[tuple[str, str]] = set()
    for chain in chains:
        side = chain.sides[0]
        if not isinstance(side, Ref) or side.wrt is not None or parts(side.name)[2] & NEW:
            continue
        family, values = FAMILIES.get(side.name.base), given_values(chain)
        if family == "b" and values:
            return None
        if family in ("x", "y") and values:
            _add(data, seen, side.name, family, values)
        if family == "W" and values and max(map(len, values)) > 0 and not side.name.index:
            given.setdefault(_identity(side.name), chain)
    if len(given) < 2 or set(data) != {"x", "y"}:
        return None
    order = sorted(given) if all(k.isdigit() for k in given) else list(given)
    shapes = [_shape(given[k]) for k in order]
    inputs = len(data["x"])
    for first in (inputs, inputs - 1) if 1.0 in (data["x"][0], data["x"][-1]) else (inputs,):
        for rows in (False, True):
            sizes = _sizes(shapes, first, len(data["y"]), rows)
            if sizes is not None:
                x = data["x"] if first == inputs else None
                last = _last(given[order[0]], x, chains, rows, sizes)
                return Extended(rows, last, sizes, tuple(order))
    return None


def _add(
    data: dict[str, list[float]],
    seen: set[tuple[str, str]],
    name: Name,
    family: str,
    values: Values,
) -> None:
    """Remember inputs or targets: a list of them, or one by one."""
    low = "".join(name.low)
    found = [float(c.written.value) for c in values.values()]
    if low == "0" or (family, low) in seen or ((family, "") in seen):
        return  # x_0 = 1, which the biases are multiplied with, or given before
    if set(values) != {()}:
        data[family], low = found, ""
    else:
        data.setdefault(family, []).extend(found)
    seen.add((family, low))


def _identity(name: Name) -> str:
    """What tells a matrix from the others: its number, or its letter."""
    above, numbers = upper(name), parts(name)[1]
    if above is not None:
        return str(above)
    return str(numbers[0]) if numbers else name.base + "".join(name.low)


def _shape(chain: Chain) -> tuple[int, int]:
    """Rows and columns; of a plain list (1, n), of a column (n, 1)."""
    side = next(s for s in chain.sides[1:] if cells(s, 0))
    found = shape(side) or ()
    if len(found) == 2:
        return found[0], found[1]
    column = isinstance(side, Vector) and side.column
    return (found[0], 1) if column else (1, found[0])


def _sizes(
    shapes: list[tuple[int, int]], inputs: int, outputs: int, rows: bool
) -> tuple[int, ...] | None:
    """Neurons of each layer where every matrix has one column (or row) more; else None."""
    sizes = [inputs]
    for one in shapes:
        into, out = one if rows else one[::-1]
        if into != sizes[-1] + 1 or inputs < 1:
            return None
        sizes.append(out)
    return tuple(sizes) if sizes[-1] == outputs else None


def _last(
    given: Chain, x: list[float] | None, chains: Sequence[Chain], rows: bool, sizes: tuple[int, ...]
) -> bool:
    """Whether the biases stand last: by the page's own sums, else first where names have a 0."""
    place = TURNED[rows]
    zero = any(
        FAMILIES.get(n.base) == "W" and without_zero(n, place) is not None
        for chain in chains
        for ref in names(chain.sides[0])
        for n in (ref.name, ref.wrt)
        if n is not None
    )
    grid = _grid(given, rows)
    if x is None:
        return not zero
    stated = [abs(float(c.written.value)) for ch in chains for c in cells(ch.sides[-1], 0).values()]
    counts = {}
    for last in (False, True):
        sums = (_sum(row, x, last) for row in grid)
        counts[last] = sum(
            any(isclose(abs(s), v, rel_tol=CLOSE, abs_tol=1e-9) for v in stated) for s in sums
        )
    return counts[True] > counts[False] or (counts[True] == counts[False] and not zero)


def _grid(given: Chain, rows: bool) -> Grid:
    """A neuron a row, with its weights and its bias."""
    values = given_values(given)
    height, width = _shape(given)
    flat = [float(c.written.value) for c in values.values()]
    grid = [flat[k * width : (k + 1) * width] for k in range(height)]
    return [list(column) for column in zip(*grid, strict=True)] if rows else grid


def _sum(row: list[float], x: list[float], last: bool) -> float:
    weights, bias = (row[:-1], row[-1]) if last else (row[1:], row[0])
    return sum(w * v for w, v in zip(weights, x, strict=True)) + bias


def _parts_of(chain: Chain, how: Extended) -> tuple[Chain, ...]:
    """The chain of the weights and that of the biases, where a chain states both."""
    side = chain.sides[0]
    if isinstance(side, Transposed):
        side = side.of
    if not isinstance(side, Ref):
        return (chain,)
    name = side.wrt or side.name
    base = name.base.removeprefix("grad ")
    if FAMILIES.get(base) == "x" and side.wrt is None:
        return (_bare(chain, how),)
    if FAMILIES.get(base) not in ("W", "ΔW") or _identity(name) not in how.order or name.index:
        return (chain,)
    wanted = how.shape(how.order.index(_identity(name)) + 1)
    pieces = [_split(s, wanted, how) for s in chain.sides[1:]]
    if not any(p is not None for p in pieces) or not cells(chain.sides[-1], 0):
        return (chain,)
    bias = replace(name, base=name.base[: -len(base)] + ("Δb" if base[0] == "Δ" else "b"))
    subject = replace(side, wrt=bias) if side.wrt is not None else replace(side, name=bias)
    kept = [(k, p) for k, p in enumerate(pieces, 1) if p is not None]
    lines = (chain.lines[0], *(chain.lines[k] for k, _ in kept))
    signs = tuple(chain.signs[k - 1] for k, _ in kept)
    made = ((side, *(w for _, (w, _) in kept)), (subject, *(b for _, (_, b) in kept)))
    return tuple(replace(chain, sides=s, signs=signs, lines=lines) for s in made)


def _split(tree: Tree, wanted: tuple[int, int], how: Extended) -> tuple[Tree, Tree] | None:
    """The weights and the biases of an extended matrix; None of what is none."""
    if not isinstance(tree, Vector) or not cells(tree, 0):
        return None
    at = -1 if how.last else 0
    found = shape(tree)
    if found == wanted:
        items = [i for i in tree.items if isinstance(i, Vector)]
        if how.rows:
            return Vector(_without(tree.items, at)), items[at]
        weights = tuple(Vector(_without(row.items, at)) for row in items)
        bias = Vector(tuple(row.items[at] for row in items))
        return (weights[0] if len(weights) == 1 else Vector(weights)), bias
    if found == (max(wanted),) and min(wanted) == 1:
        return Vector(_without(tree.items, at)), Vector((tree.items[at],))
    return None


def _without(items: tuple[Tree, ...], at: int) -> tuple[Tree, ...]:
    return items[:-1] if at else items[1:]


def _bare(chain: Chain, how: Extended) -> Chain:
    """The input without the 1 that its bias is multiplied with."""
    at = -1 if how.last else 0
    last = chain.sides[-1]
    if not isinstance(last, Vector) or shape(last) != (how.sizes[0] + 1,):
        return chain
    return replace(chain, sides=(*chain.sides[:-1], Vector(_without(last.items, at), last.column)))


def _zero_named(rows: bool) -> Callable[[Name], Name]:
    """w_{j0} as b_j, where the biases have the number 0."""
    place = TURNED[rows]

    def change(name: Name) -> Name:
        base = name.base.removeprefix("grad ")
        if FAMILIES.get(base) != "W" or len([p for p in name.low if p not in NEW | OLD]) == 0:
            return name
        short = without_zero(replace(name, base=base), place)
        return name if short is None else replace(short, base=name.base[: -len(base)] + "b")

    return change
