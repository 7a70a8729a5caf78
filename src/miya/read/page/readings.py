"""What else a name may stand for, where letters and numbers leave it open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ...core.page import Reading
from ...core.written import Call, Name, Negative, Quantity, Ref, Transposed, Tree
from .names import Binder
from .naming import atoms, parts, upper

# what each letter or word is used for by somebody, the usual first
HEADS: dict[str, tuple[str, ...]] = {
    "z": ("z", "a"), "Z": ("z", "a"), "net": ("z",), "s": ("z", "a"), "u": ("z", "a"), "v": ("z",),
    "a": ("a", "z"), "A": ("a", "z"), "h": ("a", "z"), "H": ("a", "z"), "o": ("a", "z"),
    "O": ("a",),
    "y": ("a",), "Y": ("a",), "ŷ": ("a",), "out": ("a",), "p": ("a",), "n": ("z",), "I": ("z",),
    "i": ("z",), "in": ("z",), "act": ("a", "z"), "f": ("a",), "q": ("z", "a"), "r": ("z", "a"),
    "δ": ("δ",), "Δ": ("δ",), "e": ("∂C/∂a", "δ"), "err": ("δ", "∂C/∂a"), "d": ("δ", "∂C/∂a"),
    "Err": ("δ", "∂C/∂a"), "g": ("δ", "∂C/∂a", "σ'"), "ε": ("δ", "∂C/∂a"), "β": ("δ", "∂C/∂a"),
    "x": ("a", "z"), "γ": ("δ", "∂C/∂a"), "m": ("z", "a"),
    "φ": ("a", "σ'"), "σ": ("a", "σ'"), "D": ("δ", "∂C/∂a"), "c": ("z", "a"), "t": (), "k": ("z",),
    "S": ("z", "a"), "N": ("z",), "G": ("δ", "∂C/∂a"), "ξ": ("δ",), "ζ": ("z", "δ"),
}  # fmt: skip
SLOPES = {"z": "δ", "a": "∂C/∂a"}


@dataclass(frozen=True)
class Subject:
    """What a chain states: heads that its name may mean, and the name that says where.

    kind: "" for the quantity of the name itself, "∂" for the gradient at it, "σ'" for the slope.
    """

    heads: tuple[str, ...]
    name: Name
    kind: str
    flipped: bool = False


def subject(tree: Tree, binder: Binder) -> Subject | None:
    match tree:
        case Negative(of):
            inner = subject(of, binder)
            if inner is None:
                return None
            return Subject(inner.heads, inner.name, f"-{inner.kind}", not inner.flipped)
        case Transposed(of):
            return subject(of, binder)
        case Call(function, Ref(name, None)) if function.endswith("'"):
            return Subject(HEADS.get(name.base, ()), name, "σ'")
        case Ref(top, wrt) if wrt is not None:
            return _derivative(top, wrt, binder)
        case Ref(name):
            return _plain(name)
    return None


def _plain(name: Name) -> Subject | None:
    if name.base.startswith("grad "):
        bare = replace(name, base=name.base[5:])
        heads = tuple(h for h in HEADS.get(bare.base, ()) if h in SLOPES)
        return Subject(heads, bare, "∂") if heads else None
    if name.prime:
        return Subject(("σ'",), name, "") if name.base in HEADS else None
    heads = HEADS.get(name.base, ())
    return Subject(heads, name, "") if heads else None


def _derivative(top: Name, wrt: Name, binder: Binder) -> Subject | None:
    above = binder.family(top)
    if binder.output_of(top) is not None:
        return None
    heads = HEADS.get(wrt.base, ())
    if above == "C" or (above is None and top.base in ("E", "L", "C", "J", "S")):
        found = tuple(h for h in heads if h in SLOPES)
        return Subject(found, wrt, "∂") if found else None
    if HEADS.get(top.base) and heads:
        return Subject(heads, wrt, "σ'")
    return None


def pattern(subject: Subject) -> str:
    """How a name is built: its letter, words and the places of its numbers."""
    name = subject.name
    words, numbers, _ = parts(name)
    row = "".join(kind + "#" * (n is not None) for kind, n in atoms(name)) or "".join(words)
    above = "^" if upper(name) is not None else ""
    shape = f"{row}|{len(numbers)}{above}{len(name.index)}"
    return f"{name.base}{chr(39) if name.prime else ''}{shape}"


def readings(subject: Subject, binder: Binder) -> list[Reading]:
    """Every quantity that the name may stand for, the likely ones first."""
    found: dict[tuple[str, Quantity], Reading] = {}
    for letter in subject.heads:
        head = {"": letter, "σ'": "σ'"}.get(subject.kind.lstrip("-")) or SLOPES[letter]
        for where, layer, index in _places(subject.name, binder):
            of = Quantity(head, layer, index)
            found.setdefault((letter, of), Reading(f"{letter} {where}", of, subject.flipped))
    return list(found.values())


def renewed(of: Quantity) -> list[Reading]:
    """A weight that may be the old or the new one."""
    old = of.head.removesuffix("_new")
    new = Quantity(f"{old}_new", of.layer, of.index)
    return [Reading("old", Quantity(old, of.layer, of.index)), Reading("new", new)]


def _places(name: Name, binder: Binder) -> Iterator[tuple[str, int, tuple[int, ...]]]:
    """Layer and index of a neuron in each way that its numbers may be meant."""
    style = binder.style
    usual = (
        binder.neuron(name) if name.base not in ("y", "Y") else binder.neuron(name, style.layers)
    )
    if usual is not None and usual[0]:
        yield "usual", *usual
    _, numbers, _ = parts(name)
    for where, layer, index in _raw(numbers, name, style.layers):
        if 1 <= layer <= style.layers and (not index or 0 <= index[0] < style.sizes[layer]):
            yield where, layer, index
    if len(numbers) == 1 and not name.index and upper(name) is None:
        place = _running(numbers[0], style.sizes)
        for where, found in place:
            yield where, found[0], (found[1],)


def _raw(numbers: list[int], name: Name, last: int) -> Iterator[tuple[str, int, tuple[int, ...]]]:
    above = upper(name)
    if len(numbers) == 1 and numbers[0] >= 10:
        numbers = [int(c) for c in str(numbers[0])]
    rest = [*numbers, *name.index]
    for start in (1, 0):
        if above is not None and len(rest) <= 1:
            for shift in (0, 1, -1):
                yield f"up{shift} {start}", above - shift, tuple(n - start for n in rest)
            if len(rest) == 1:
                for shift in (0, 1):
                    yield f"low{shift} {start}", rest[0] - shift, (above - start,)
        elif len(rest) == 2:
            for shift in (0, 1, -1):
                yield f"first{shift} {start}", rest[0] - shift, (rest[1] - start,)
                yield f"second{shift} {start}", rest[1] - shift, (rest[0] - start,)
        elif len(rest) == 1:
            yield f"hidden {start}", 1, (rest[0] - start,)
            yield f"output {start}", last, (rest[0] - start,)
    if len(rest) == 1 and above is None:
        for shift in (0, 1, -1):
            yield f"layer{shift}", rest[0] - shift, ()
    if not rest:
        yield "hidden", 1, ()
        yield "output", last, ()


def _running(number: int, sizes: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, int]]]:
    """A neuron by its number through the layers, with the inputs counted or not."""
    for first in (0, 1):
        for start in (1, 0):
            left = number - start
            for layer in range(first, len(sizes)):
                if 0 <= left < sizes[layer]:
                    if layer:
                        yield f"running {first} {start}", (layer, left)
                    break
                left -= sizes[layer]
