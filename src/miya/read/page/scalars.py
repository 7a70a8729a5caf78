"""Weights that a page gives one by one: w_{12}^{(1)}, w_5, W1[0][1]."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ...core.page import Note
from ...core.written import Binary, Chain, Name, Ref, Tree
from .names import subjects
from .naming import FAMILIES, HIDDEN, LAST, atoms, edge, key, parts, upper

if TYPE_CHECKING:
    from .givens import Gatherer

Single = tuple[Name, Decimal, Chain]
Place = tuple[int, int, int]


def place_scalars(gatherer: Gatherer, singles: list[Single]) -> None:
    """Fill the gatherer's weights and sizes, and remember which name is which weight."""
    if _edges(gatherer, singles) or _nodes(gatherer, singles):
        return
    indexed: list[tuple[tuple[int, int, int], Single]] = []
    flat: list[Single] = []
    paired = _paired([name for name, _, _ in singles])
    for single in singles:
        raw = _indices(single[0], paired)
        if raw is None:
            flat.append(single)
        else:
            indexed.append((raw, single))
    if indexed and len(indexed) >= len(flat):
        _indexed(gatherer, indexed)
    elif flat:
        _flat(gatherer, flat)


def _fill(gatherer: Gatherer, placed: list[tuple[Place, Single]]) -> bool:
    """Weights from the place of each, where they make up whole matrices."""
    grids: dict[int, dict[tuple[int, int], Decimal]] = {}
    for (layer, i, j), (_, value, _) in placed:
        grids.setdefault(layer, {})[i, j] = value
    sizes: list[int] = []
    for layer in range(1, len(grids) + 1):
        grid = grids.get(layer, {})
        if not grid:
            return False
        rows, columns = 1 + max(i for i, _ in grid), 1 + max(j for _, j in grid)
        if len(grid) != rows * columns or (sizes and sizes[-1] != columns):
            return False
        sizes += [columns, rows] if not sizes else [rows]
    found = gatherer.found
    found.style.sizes = tuple(sizes)
    for layer, grid in grids.items():
        found.weights[layer] = [
            [grid[i, j] for j in range(sizes[layer - 1])] for i in range(sizes[layer])
        ]
    for place, (name, _, _) in placed:
        found.style.weights.setdefault(key(name), place)
    return True


def _edges(gatherer: Gatherer, singles: list[Single]) -> bool:
    """Weights that name both of their neurons: w_{x2,h1}."""
    ends = [atoms(name) for name, _, _ in singles]
    kinds = {kind for pair in ends for kind, _ in pair}
    layers = 2 if "h" in kinds else 1
    placed = []
    for pair, single in zip(ends, singles, strict=True):
        place = edge(pair, layers)
        if place is not None and not single[0].index:
            placed.append((place, single))
    return len(placed) * 2 > len(singles) and _fill(gatherer, placed)


def _nodes(gatherer: Gatherer, singles: list[Single]) -> bool:
    """Weights between neurons that are numbered through: w13 leads from input 1 to neuron 3."""
    pairs: list[tuple[int, int]] = []
    for name, _, _ in singles:
        words, numbers, _ = parts(name)
        if len(numbers) == 1 and 10 < numbers[0] < 100:
            numbers = [int(c) for c in str(numbers[0])]
        if words or len(numbers) != 2 or name.index or upper(name) is not None:
            return False
        pairs.append((numbers[0], numbers[1]))
    for turned in (False, True):
        edges = [p[::-1] for p in pairs] if turned else pairs  # (from, to)
        layers = _numbered({a for a, _ in edges}, {b for _, b in edges}, set(edges))
        inputs = len(gatherer.found.inputs[0]) if gatherer.found.inputs else None
        if layers is None or (inputs is not None and len(layers[0]) != inputs):
            continue
        nodes = {n: (k, i) for k, layer in enumerate(layers) for i, n in enumerate(layer)}
        placed = [
            ((nodes[b][0], nodes[b][1], nodes[a][1]), single)
            for (a, b), single in zip(edges, singles, strict=True)
        ]
        if _fill(gatherer, placed):
            gatherer.found.style.nodes = nodes
            gatherer.found.style.biases |= {f"b{n}": at for n, at in nodes.items() if at[0]}
            return True
    return False


def _numbered(
    sources: set[int], ends: set[int], edges: set[tuple[int, int]]
) -> list[list[int]] | None:
    """The neurons of each layer, where every neuron leads to all of the next."""
    layers = [sorted(sources - ends), sorted(sources & ends), sorted(ends - sources)]
    if not all(layers):
        return None
    flat = [n for layer in layers for n in layer]
    whole = {(a, b) for k in (0, 1) for a in layers[k] for b in layers[k + 1]}
    return layers if flat == sorted(flat) and whole == edges else None


def _paired(names: list[Name]) -> bool:
    """Whether w_11 is weight 1, 1 of a layer, and no eleventh weight: there is no w_1 beside it."""
    below = [parts(n)[1] for n in names if n.base in ("w", "W") and upper(n) is None]
    return bool(below) and all(len(b) == 1 and 11 <= b[0] <= 99 and b[0] % 10 for b in below)


def _indices(name: Name, paired: bool) -> Place | None:
    """Layer and the two numbers below; layer 0 where none is said. The last is -1 of one number."""
    words, numbers, _ = parts(name)
    above = upper(name)
    if name.index and len(name.index) == 2:
        layer = numbers[0] if numbers else 0
        return above or layer, name.index[0] + 1, name.index[1] + 1
    if words:
        return None
    digits = [int(c) for n in numbers for c in (str(n) if n >= 10 else [n])]
    if above is not None and len(digits) in (1, 2):
        return above, digits[0], digits[1] if len(digits) == 2 else -1
    if len(digits) == 3:
        return digits[0], digits[1], digits[2]
    if len(numbers) == 2 or (paired and len(digits) == 2):
        return _base(name), digits[0], digits[1]
    if paired and len(digits) == 1 and _base(name):
        return _base(name), digits[0], -1
    return None


def _base(name: Name) -> int:
    return {"v": 2, "V": 2, "u": 2, "U": 2}.get(name.base, 0)


def _indexed(gatherer: Gatherer, indexed: list[tuple[Place, Single]]) -> None:
    style = gatherer.found.style
    zero = any(0 in raw[1:] for raw, _ in indexed)
    ids = sorted({raw[0] for raw, _ in indexed})
    layer_of = {identity: k for k, identity in enumerate(ids, 1)}
    style.layer_ids |= {str(identity): k for identity, k in layer_of.items()}
    start = 0 if zero else 1
    inputs = len(gatherer.found.inputs[0]) if gatherer.found.inputs else None
    highest: dict[int, tuple[int, int]] = {}
    for (identity, i, j), _ in indexed:
        layer = layer_of[identity]
        top = highest.get(layer, (0, 0))
        highest[layer] = (max(top[0], i - start + 1), max(top[1], j - start + 1))
    single = {layer for (identity, _, j), _ in indexed if j == -1 for layer in [layer_of[identity]]}
    shapes = [highest[k] for k in sorted(highest)]
    outputs = len(gatherer.found.targets[0]) if gatherer.found.targets else None
    good = _chained(shapes, inputs, outputs)
    other = _chained([s[::-1] for s in shapes], inputs, outputs)
    gatherer.found.either_way = good and other and any(s[0] > 1 for s in shapes)
    style.from_to = other and (not good or gatherer.turned)
    if style.from_to and not good:
        gatherer.found.notes.append(Note("assumed_from_to", {}))
    sizes = [inputs or 0]
    for layer in sorted(highest):
        rows, columns = highest[layer][::-1] if style.from_to else highest[layer]
        if layer in single:
            rows, columns = (1, highest[layer][0])
        grid: list[list[Decimal | None]] = [[None] * columns for _ in range(rows)]
        for (identity, i, j), (name, value, _) in indexed:
            if layer_of[identity] != layer:
                continue
            a, b = (i - start, j - start)
            row, column = (0, a) if j == -1 else ((b, a) if style.from_to else (a, b))
            if 0 <= row < rows and 0 <= column < columns:
                grid[row][column] = value
                own = upper(name) is None and not name.index
                style.weights[key(name) if own else ""] = (
                    layer,
                    row,
                    column,
                )
        style.weights.pop("", None)
        gatherer.found.weights[layer] = grid
        if not sizes[-1]:
            sizes[-1] = columns
        sizes.append(rows)
    style.sizes = tuple(sizes)


def _chained(shapes: list[tuple[int, int]], inputs: int | None, outputs: int | None) -> bool:
    size = inputs
    for rows, columns in shapes:
        if size is not None and columns != size:
            return False
        size = rows
    return outputs is None or size == outputs


def _flat(gatherer: Gatherer, flat: list[Single]) -> None:
    """w1, w2, ...: placed by the page's own formulas, else in their order."""
    style, found = gatherer.found.style, gatherer.found
    inputs = len(found.inputs[0]) if found.inputs else 0
    outputs = len(found.targets[0]) if found.targets else 0
    flat = sorted(flat, key=lambda s: (parts(s[0])[1] or [0])[0])
    count = len(flat)
    if not inputs or not outputs:
        found.missing.append("x" if not inputs else "y")
        return
    sizes = _sizes(count, inputs, outputs, _hidden(gatherer))
    if sizes is None:
        found.missing.append("weights")
        return
    style.sizes = sizes
    values = {key(name): value for name, value, _ in flat}
    placed = _by_formula(gatherer, set(values), sizes)
    if len(placed) < count:
        places = [
            (k, i, j)
            for k in range(1, len(sizes))
            for i in range(sizes[k])
            for j in range(sizes[k - 1])
        ]
        free = [p for p in places if p not in placed.values()]
        for name, _, _ in flat:
            if key(name) not in placed:
                placed[key(name)] = free.pop(0)
        if max(sizes) > 1:
            found.notes.append(Note("assumed_order", {"first": key(flat[0][0])}))
    for k in range(1, len(sizes)):
        found.weights[k] = [[None] * sizes[k - 1] for _ in range(sizes[k])]
    for flat_name, (layer, i, j) in placed.items():
        style.weights[flat_name] = (layer, i, j)
        found.weights[layer][i][j] = values[flat_name]


def _hidden(gatherer: Gatherer) -> int:
    """How many hidden neurons the page names."""
    most = 0
    for ref, _ in subjects(gatherer.chains):
        name = ref.wrt or ref.name
        words, numbers, _ = parts(name)
        if numbers and ((words and words[0] in HIDDEN) or name.base in ("h", "H")):
            most = max(most, numbers[-1])
    return most


def _sizes(count: int, inputs: int, outputs: int, hidden: int) -> tuple[int, ...] | None:
    if count == inputs * outputs and not hidden:
        return inputs, outputs
    if hidden and count == hidden * (inputs + outputs):
        return inputs, hidden, outputs
    if inputs == outputs == 1 and not hidden:
        return (1,) * (count + 1)
    if count % (inputs + outputs) == 0:
        return inputs, count // (inputs + outputs), outputs
    return None


def _by_formula(gatherer: Gatherer, known: set[str], sizes: tuple[int, ...]) -> dict[str, Place]:
    """Places from lines such as net_h1 = w1 x1 + w2 x2 + b1."""
    placed: dict[str, Place] = {}
    rows: dict[str, int] = {}
    for ref, chain in subjects(gatherer.chains):
        if FAMILIES.get(ref.name.base) not in ("z", "a") or ref.wrt is not None:
            continue
        products = [p for side in chain.sides[1:] for p in _products(side, known)]
        if not products:
            continue
        sources = [s for _, s in products]
        layer = 1 if all(FAMILIES.get(s.base) == "x" for s in sources) else len(sizes) - 1
        row = _row(ref.name, layer, rows, sizes)
        for weight, source in products:
            numbers = parts(source)[1]
            column = (numbers or [1])[-1] - 1
            if weight in placed or not (row < sizes[layer] and 0 <= column < sizes[layer - 1]):
                continue
            placed[weight] = (layer, row, column)
    if len(set(placed.values())) < len(placed):
        return {}
    return placed


def _row(name: Name, layer: int, rows: dict[str, int], sizes: tuple[int, ...]) -> int:
    """The neuron that a name stands for, in its layer."""
    words, numbers, _ = parts(name)
    tagged = (words and words[0] in HIDDEN | LAST) or name.base in "hHoOŷ"
    identity = "".join(name.low) or name.base
    if identity in rows:
        return rows[identity]
    if tagged or layer == 1:
        row = (numbers or [1])[-1] - 1
    else:
        row = (numbers or [1])[-1] - 1
        if row >= sizes[layer]:
            row -= sum(sizes[1:layer])
    rows[identity] = max(row, 0)
    return rows[identity]


def _products(tree: Tree, known: set[str]) -> list[tuple[str, Name]]:
    """Each weight in a sum of products, with the name that it multiplies."""
    match tree:
        case Binary("+" | "-", left, right):
            return _products(left, known) + _products(right, known)
        case Binary("*", Ref() as left, Ref() as right):
            for a, b in ((left, right), (right, left)):
                if (
                    key(a.name) in known
                    and a.wrt is None
                    and FAMILIES.get(b.name.base) in ("x", "a")
                ):
                    return [(key(a.name), b.name)]
    return []
