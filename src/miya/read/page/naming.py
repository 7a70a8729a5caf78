"""What stands below, above and in brackets of a page's names: words, numbers and marks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from ...core.written import Name

FAMILIES = {
    "W": "W", "w": "W", "θ": "W", "V": "W", "v": "W", "U": "W", "b": "b", "B": "b", "x": "x",
    "X": "x", "i": "x", "y": "y", "Y": "y", "t": "y", "T": "y", "z": "z", "Z": "z", "net": "z",
    "s": "z", "u": "z", "a": "a", "A": "a", "out": "a", "h": "a", "H": "a", "o": "a", "O": "a",
    "ŷ": "a", "p": "a", "C": "C", "L": "C", "E": "C", "J": "C", "ℓ": "C", "η": "η", "α": "η",
    "I": "z", "Err": "δ", "err": "δ", "δ": "δ", "Δ": "δ", "σ": "σ", "f": "σ", "g": "σ",
    "φ": "σ", "Δw": "ΔW",
    "ΔW": "ΔW", "Δb": "Δb", "Δv": "ΔW", "ΔV": "ΔW", "Δu": "ΔW", "ΔU": "ΔW", "Δθ": "ΔW",
    "ΔB": "Δb",
}  # fmt: skip
OUTPUTS = ("ŷ", "o", "O", "p")
GRADIENTS = {"W": "∂C/∂W", "b": "∂C/∂b", "z": "δ", "a": "∂C/∂a", "η": None, "x": None}
NEW = {"new", "+", "updated", "next", "after", "t+1", "*"}
OLD = {"old", "before", "total", "t"}
HIDDEN = {"h", "hidden", "hid", "H"}
FIRST = {"x", "i", "in", "input", "X", "I", "inp"}
UNITS = {"k": "o", "j": "h"}  # with a number behind: output k1, hidden j2
LAST = {"o", "out", "output", "y", "O", "k", "ŷ"}
ATOMS = re.compile(r"([A-Za-zŷ]+?)(\d+)")
ATOM_ROW = re.compile(r"(?:[A-Za-zŷ]{1,6}\d{1,3}){2,3}$")  # i1h2, x1toh2
PART = re.compile(r"([A-Za-zŷ]*?)(\d+)?$")


def parts(name: Name) -> tuple[list[str], list[int], set[str]]:
    """The words, the numbers and the marks below a name; h1 is h and 1."""
    words: list[str] = []
    numbers: list[int] = []
    marks: set[str] = set()
    for piece in name.low:
        if piece in NEW or piece in OLD:
            marks.add(piece)
            continue
        if piece[:1] == "0" and piece.isdigit() and 1 < len(piece) < 4:
            numbers += map(int, piece)  # w_{01} has a 0 and a 1
            continue
        found = PART.match(piece)
        if found is None:
            for tag, digits in ATOMS.findall(piece) if ATOM_ROW.match(piece) else ((piece, ""),):
                words.append(tag)
                numbers += [int(digits[:6])] if digits else []
            continue
        if found[1]:
            words.append(found[1])
        if found[2]:
            numbers.append(int(found[2][:6]))
    marks |= {u.lstrip("^") for u in name.up if not u.lstrip("^").isdigit()}
    if name.prime and FAMILIES.get(name.base) in ("W", "b"):
        marks.add("new")
    return words, numbers, marks


def upper(name: Name) -> int | None:
    return next((int(u.lstrip("^")[:6]) for u in name.up if u.lstrip("^").isdigit()), None)


def key(name: Name) -> str:
    """A flat name without its marks: w_5^+ and w5 are one."""
    words, numbers, _ = parts(name)
    letter = name.base.removeprefix("Δ") or name.base
    base = {"W": "w", "B": "b"}.get(letter, letter)
    return base + "".join(words) + ",".join(map(str, numbers))


def atoms(name: Name) -> list[tuple[str, int | None]]:
    """The neurons that a name has below: w_{x2,h1} has x2 and h1; a plain number has no letter."""
    found: list[tuple[str, int | None]] = []
    for piece in name.low:
        if piece in NEW or piece in OLD:
            continue
        row = ATOMS.findall(piece) if ATOM_ROW.match(piece) else None
        if row:
            found += [(kind_of(tag) or UNITS.get(tag, ""), int(n[:6])) for tag, n in row]
            continue
        one = PART.match(piece)
        if one is None or (not one[1] and not one[2]):
            return []
        tag = one[1] and kind_of(one[1])
        if one[2]:
            tag = tag or UNITS.get(one[1], "")
        if one[1] and not tag:
            return []
        found.append((tag or "", int(one[2][:6]) if one[2] else None))
    return found


def kind_of(tag: str) -> str:
    """x, h or o of a letter or word for a neuron of the input, a hidden layer or the output."""
    tag = tag.removeprefix("to") or tag
    return "x" if tag in FIRST else "h" if tag in HIDDEN else "o" if tag in LAST - {"k"} else ""


def without_zero(name: Name, place: int) -> Name | None:
    """b_j for w_{j0}; place: 0 for w_{0j}, -1 for w_{j0}."""
    numbers = _ends(name)
    if len(numbers) < 2 or numbers[place] not in ("0", "b", "bias"):
        return None
    kept = numbers[:-1] if place == -1 else numbers[1:]
    marks = tuple(p for p in name.low if p in NEW or p in OLD)
    return replace(name, base="b", low=(*kept, *marks), index=())


def _ends(name: Name) -> list[str]:
    low = [p for p in name.low if p not in NEW and p not in OLD]
    if name.index:
        return []
    if len(low) == 1 and low[0].isdigit() and 2 <= len(low[0]) <= 3:
        return list(low[0])
    return low


def zero_place(names: Iterable[Name]) -> int | None:
    """Which number of the weights is 0 for biases; None where no bias is written so."""
    ends = [_ends(n) for n in names]
    rows = [e for e in ends if len(e) > 1]
    if not rows or any(len(e) == 1 and e[0].isdigit() for e in ends):
        return None  # w_10 is the tenth
    for place, other in ((-1, 0), (0, -1)):
        zeros = [r for r in rows if r[place] in ("0", "b", "bias")]
        rest = [r for r in rows if r[place] not in ("0", "b", "bias")]
        if zeros and rest and not any(r[other] == "0" for r in rows):
            return place
    return None


def edge(ends: list[tuple[str, int | None]], layers: int) -> tuple[int, int, int] | None:
    """Layer, row and column of the weight between two neurons, in whichever order they stand."""
    if len(ends) != 2:
        return None
    place = {"x": 0, "h": 1, "o": layers}
    if "" in (ends[0][0], ends[1][0]):
        if ends[0][0] == ends[1][0] or None in (ends[0][1], ends[1][1]):
            return None
        named, plain = ends if ends[0][0] else ends[::-1]
        if named[0] == "x" or layers > 2:
            return None
        return place[named[0]], (named[1] or 1) - 1, (plain[1] or 1) - 1
    (a, i), (b, j) = sorted(ends, key=lambda e: place[e[0]])
    if place[b] != place[a] + 1:
        return None
    return place[b], (j or 1) - 1, (i or 1) - 1
