"""Tables: each cell as a chain, named by its row and its column."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

from ...core.written import Binary, Call, Chain, Name, Ref, Tree
from .around import cell_label
from .grids import header_chains, indexed_chains
from .labels import Entity, entity, head
from .naming import FAMILIES
from .parse import Parser, phrases
from .sayings import alone
from .states import column as state_column
from .tokens import Token

Row = list[tuple[list[Token], int]]
COLUMNS = (
    (re.compile(r"^\W*[wWθ]\w*\s*-\s*[ηαμελ\d]"), "new"),
    (re.compile(r"grad|∂|derivative|dC|dE|dL", re.IGNORECASE), "gradient"),
    (re.compile(r"new|after|updated", re.IGNORECASE), "new"),
    (
        re.compile(
            r"old|before|current|initial|start|value|number|result|answer|weight|exact|worked",
            re.IGNORECASE,
        ),
        "value",
    ),
)
CHANGE = re.compile(r"(?:Δ|delta|change)(?:\s*(?:w|b|weight|wij|w_?ij))?\W*$", re.IGNORECASE)
WORKING = re.compile(
    r"calculat|working|formula|computation|substitut|how|arithmetic", re.IGNORECASE
)
NEURON = re.compile(
    r"^\W*(h|hidden|o|out|output)[ _]*(?:neuron|unit|node)?[ _#]*(\d+)?\W*$", re.IGNORECASE
)
PRE = {"pre-activation": "z", "net": "z", "activation": "a", "out": "a", "delta": "δ", "error": "δ"}


def table_chains(rows: list[Row], spent: list[int]) -> list[Chain]:
    """The chains of a table whose first row says what its columns are."""
    if len(rows) < 2 or len(rows) > 2000:
        return []
    rows = _unnumbered(rows)
    if not any(_text(tokens) for tokens, _ in rows[0]):  # no header: cells speak for themselves
        cells = [cell for row in rows[1:] for cell in row]
        return [c for tokens, _ in cells for c in Parser(phrases(tokens), spent).chains()]
    bare, spoken = partial(_bare, spent=spent), partial(_tree, spent=spent)
    known = header_chains(rows, bare) or indexed_chains(rows, bare) or header_chains(rows, spoken)
    if known:
        return known
    heads = [(_tree(tokens, spent), _text(tokens)) for tokens, _ in rows[0]]
    spots = [_spot(tokens) for tokens, _ in rows[0]]
    labels = _labels(rows)
    found: list[Chain] = []
    for row in rows[1:]:
        if not row:
            continue
        label = (_tree(row[0][0], spent), _text(row[0][0]))
        places = [p for k in range(min(labels, len(row))) if (p := _spot(row[k][0]))]
        work: tuple[Tree, ...] = ()
        biased = any("bias" in _text(row[k][0]).lower() for k in range(min(labels, len(row))))
        for k, ((tree, text), (tokens, line)) in enumerate(zip(heads, row, strict=False)):
            if k < labels:
                continue
            name = _named(label, (tree, text)) if labels == 1 and k else None
            name = name or _placed(places, spots[k], biased, rows[0][k][0], tree)
            value = _tree(tokens, spent)
            if WORKING.search(text):
                work = (value,) if isinstance(value, Binary) else ()
                continue
            if name is None or value is None:
                continue
            sides: tuple[Tree, ...] = value.sides if isinstance(value, Chain) else (value,)
            sides, work = (*work, *sides), ()
            lines = (line,) * (len(sides) + 1)
            told = cell_label(rows, row, k)
            found.append(Chain((name, *sides), ("=",) * len(sides), lines, told))
    return found


def _unnumbered(rows: list[Row]) -> list[Row]:
    """Rows without a first column that only counts them."""
    head = _text(rows[0][0][0]).lower().strip(" .#") if rows[0] else "x"
    counted = [_text(r[0][0]).strip(" .()") if r else "" for r in rows[1:]]
    wide = len(rows[0]) > 2 and all(len(r) > 2 for r in rows)
    plain = head in ("", "no", "nr", "step", "line", "row", "n") and all(map(str.isdigit, counted))
    return [r[1:] for r in rows] if wide and plain and len(set(counted)) == len(counted) else rows


def _labels(rows: list[Row]) -> int:
    """How many columns from the left say what a row is of."""
    count = 0
    width = min(len(r) for r in rows)
    for k in range(max(1, width - 1)):
        cells = [_text(r[k][0]) for r in rows[1:]]
        if k and not all(_spot(r[k][0]) or "bias" in _text(r[k][0]).lower() for r in rows[1:]):
            break
        count += bool(cells)
    return max(count, 1)


def _spot(tokens: list[Token]) -> Entity | None:
    """The neuron that a cell names: h1, "hidden unit 1"."""
    kept = [t for t in tokens if t.kind not in ("break", "end") and t.text not in ("*", "→")]
    found = entity(kept, 0) or alone(kept, 0)
    if found is None or (found[0].whole and not found[0].kind):
        return None
    return found[0] if found[1] >= len(kept) else None


def _placed(
    places: list[Entity],
    column: Entity | None,
    biased: bool,
    header: list[Token],
    tree: Tree | None,
) -> Ref | None:
    """A cell named by the neurons of its row and of its column."""
    text = _text(header).lower()
    kind = next((k for pattern, k in COLUMNS if pattern.search(text)), "value")
    if column is not None:
        places = [*places, column]
    bias = biased or text.startswith("bias") or text in ("b", "θ")
    kept = [t for t in header if t.kind not in ("break", "end")]
    told = head(kept, 0)
    if len(places) == 1 and told and not bias:
        base = told[0]
        if base in ("z", "a", "δ", "σ", "y"):
            return Ref(places[0].apply(Name(base, prime=base == "σ")))
    if len(places) == 1 and not bias and text in ("target", "value", "output", "input"):
        base = {"x": "x"}.get(places[0].kind, "y" if text == "target" else "")
        return Ref(places[0].apply(Name(base))) if base else None
    if len(places) == 1 and not bias and isinstance(tree, Ref) and not _numbered(tree):
        name = tree.wrt or tree.name
        placed = places[0].apply(name)
        return Ref(tree.name, placed) if tree.wrt else Ref(placed)
    letter = "b" if bias and len(places) == 1 else "w" if len(places) == 2 else None
    if letter is None:
        return None
    name = Name(letter)
    for place in places:
        name = place.apply(name)
    if kind == "gradient":
        return Ref(Name("C"), name)
    return Ref(replace(name, low=(*name.low, "new"))) if kind == "new" else Ref(name)


def _numbered(tree: Ref) -> bool:
    name = tree.wrt or tree.name
    return bool(name.low or name.up or name.index)


def _tree(tokens: list[Token], spent: list[int]) -> Tree | None:
    kept = [t for t in phrases(tokens) if t.kind not in ("break", "end")]
    kept = [t for t in kept if not (t.kind == "word" and isinstance(t.extra, Entity))]
    parser = Parser(kept, spent)
    tree = parser.chain()
    return tree if parser.at >= len(kept) else None


def _bare(tokens: list[Token], spent: list[int]) -> Tree | None:
    """A formula as it stands, with no words made names."""
    kept = [t for t in tokens if t.kind not in ("break", "end")]
    parser = Parser(kept, spent)
    tree = parser.chain()
    return tree if parser.at >= len(kept) else None


def _text(tokens: list[Token]) -> str:
    return " ".join(t.text for t in tokens if t.kind not in ("break", "end")).strip()


def _named(row: tuple[Tree | None, str], column: tuple[Tree | None, str]) -> Ref | Call | None:
    label, words = row
    head, text = column
    kind = next((k for pattern, k in COLUMNS if pattern.search(text)), None)
    neuron = NEURON.match(words)
    base = PRE.get(text.lower().split("(")[0].strip())
    family = FAMILIES.get(label.name.base) if isinstance(label, Ref) and not label.wrt else None
    if isinstance(label, Ref) and family in ("W", "b"):
        state = (
            state_column(head.name, label.name) if isinstance(head, Ref) and not head.wrt else None
        )
        if state is not None:
            return Ref(state)
        if CHANGE.match(text):
            return Ref(replace(label.name, base="Δ" + label.name.base))
        if kind == "gradient":
            return Ref(Name("C"), label.name)
        if kind == "new" or (isinstance(head, Ref) and "new" in head.name.low + head.name.up):
            return Ref(replace(label.name, low=(*label.name.low, "new")))
        return label if kind == "value" else None
    slope = isinstance(head, Call) and head.function.endswith("'")
    if neuron and (isinstance(head, Ref) or base or slope):
        tag = "h" if neuron[1].lower().startswith("h") else "o"
        low = (tag + (neuron[2] or ""),)
        if base:
            return Ref(Name(base, low))
        if slope:
            return Ref(Name("σ", low, prime=True))
        assert isinstance(head, Ref)
        if head.wrt is not None:
            return Ref(head.name, replace(head.wrt, low=low))
        return Ref(replace(head.name, low=low)) if not head.name.low else None
    sloped = isinstance(label, Call) and label.function.endswith("'")
    if (
        isinstance(label, Ref | Call)
        and (sloped or isinstance(label, Ref))
        and (not neuron and kind == "value" and not isinstance(head, Ref))
    ):
        return label
    return None
