"""Letters in the role that the page itself gives them: p = U x + b makes p the pre-activation.

A page may call its loss e, its targets d, its learning rate μ, and have a letter of its own for
each layer. Formulas, derivatives and the words in front of a number say which is which.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

from ...core.written import Binary, Call, Chain, Name, Ref, Tree, names
from .evidence import loss
from .givens import given_values
from .grids import settled
from .letters import renamed
from .naming import FAMILIES, upper

LETTER = r"(?<![A-Za-z\\])\\?(?P<letter>mu|epsilon|varepsilon|gamma|lambda|rho|kappa|[A-Za-zΑ-ω])"
GREEK = {"mu": "μ", "epsilon": "ε", "varepsilon": "ε", "gamma": "γ", "lambda": "λ", "rho": "ρ"}
GIVEN = r"(?:_\{?\w{1,4}\}?|\^\{?\(?\w\)?\}?)*\s*(?:=|:=|\\gets)\s*[(\[]?\s*(?:-?\d|\\begin)"
BEFORE = r"\b[^.\n=\d]{0,30}?"
TARGET = re.compile(
    rf"(?:desired (?:response|output|value)s?|targets?|labels?|wanted|teacher signal){BEFORE}"
    rf"(?<![A-Za-z\\]){LETTER}{GIVEN}",
    re.IGNORECASE,
)
RATE = re.compile(
    rf"(?:learning[- ]rate|step[- ](?:size|length)|learning constant){BEFORE}{LETTER}{GIVEN}",
    re.IGNORECASE,
)
MINUS = re.compile(
    r"(?P<letter>Err|δ|\\?delta)\s*(?:[_^]\{?\(?\w{1,3}\)?\}?)*\s*=\s*-\s*(?:\\[dt]?frac\s*\{\s*)?"
    r"(?:∂|\\partial|d[A-Z]/d)"
)
INPUT = re.compile(
    rf"\b(?:inputs?|patterns?|stimul\w+|features?)\b{BEFORE}(?<![A-Za-z\\]){LETTER}{GIVEN}",
    re.IGNORECASE,
)
BOLD = re.compile(r"\\(?:mathbf|boldsymbol|bm|vec|mathrm|mathcal|hat)\s*\{\s*(\w)\s*\}")
BACKWARDS = re.compile(r"\^?L(?:-(?P<back>\d))?$")  # layer L, L-1
WANTED = frozenset(("target", "true", "desired", "wanted", "expected", "goal", "teacher"))
LOSS = ("L", "E", "J", "ℓ")  # C may be a table's
SEVERAL = 3  # derivatives of one letter that make it the loss
ARGUMENT = re.compile(
    r"(?:\b[fgh]|σ|φ|\\sigma|\\(?:var)?phi)(?:[_^]\{?\w\}?)?\s*\(\s*(?P<letter>[a-zξζ])\s*\)\s*="
)
POTENTIAL = ("v", "V", "n", "I", "q", "r", "ξ", "ζ", "N")  # in σ'(v) no weight
Change = Callable[[Name], Name]


def in_role(chains: list[Chain], said: str) -> list[Chain]:
    """Chains with their letters renamed to those that the field uses. said: the page's text."""
    said = BOLD.sub(r"\1", said)
    for find in (
        _relative,
        _marked_targets,
        _loss,
        _rate_and_target,
        _potential,
        _stages,
        _outputs,
    ):
        change = find(chains, said)
        if change is not None:
            chains = [_changed(c, change) for c in chains]
    name, sure = loss(said, chains, 1)
    half = {"half_squared_error": True, "squared_error": False}.get(name or "")
    minus = MINUS.search(said)
    letter = minus and minus["letter"].lstrip("\\").replace("delta", "δ")
    return settled(chains, half if sure else None, letter)


def _changed(chain: Chain, change: Change) -> Chain:
    def prefixed(name: Name) -> Name:
        bare = name.base.removeprefix("grad ")
        made = change(replace(name, base=bare))
        return replace(made, base=name.base[: -len(bare)] + made.base) if bare else name

    return renamed(chain, prefixed)


def _swap(letters: dict[str, str]) -> Change | None:
    if not letters:
        return None

    def change(name: Name) -> Name:
        return replace(name, base=letters.get(name.base, name.base))

    return change


def _loss(chains: list[Chain], said: str) -> Change | None:
    """The letter that is derived by most, where no usual one is."""
    below: dict[str, set[Name]] = defaultdict(set)
    for chain in chains:
        for ref in names(chain):
            if ref.wrt is not None and not ref.name.low:
                below[ref.name.base].add(ref.wrt)
    if any(below[b] for b in LOSS):
        return None
    own = [b for b in below if FAMILIES.get(b) is None]
    most = max(own, key=lambda b: len(below[b]), default="")
    if not own or len(below[most]) < SEVERAL:
        return None
    return _swap({most: "C"})


def _relative(chains: list[Chain], said: str) -> Change | None:
    """Layers counted back from the last: L, L-1, and L-2 for the input."""
    every = [n for c in chains for s in c.sides for ref in names(s) for n in (ref.name, ref.wrt)]
    steps = {n: k for n in every if n is not None and (k := _back(n)) is not None}
    weights = [k for n, k in steps.items() if FAMILIES.get(n.base) == "W"]
    if not weights or max(weights) < 1:
        return None
    last = max(weights) + 1

    def change(name: Name) -> Name:
        back = _back(name)
        if back is None or back > last:
            return name
        if back == last:  # what goes into the first layer
            return replace(name, base="x", up=()) if FAMILIES.get(name.base) == "a" else name
        up = tuple(str(last - back) if BACKWARDS.match(u) else u for u in name.up)
        return replace(name, up=up)

    return change


def _back(name: Name) -> int | None:
    """How many layers before the last a name says: 1 of L-1."""
    found = (BACKWARDS.match(u) for u in name.up)
    return next((int(m["back"] or 0) for m in found if m), None)


def _marked_targets(chains: list[Chain], said: str) -> Change | None:
    """y_target as t, where other y are worked out."""
    every = {ref.name for c in chains for side in c.sides for ref in names(side)}
    marked = any(n.base in ("y", "Y") and WANTED & set(n.low) for n in every)
    worked = any(
        isinstance(c.sides[0], Ref)
        and c.sides[0].name.base in ("y", "Y")
        and any(isinstance(s, Binary | Call) for s in c.sides[1:])
        for c in chains
    )
    if not (marked and worked):
        return None

    def change(name: Name) -> Name:
        if name.base not in ("y", "Y") or not WANTED & set(name.low):
            return name
        return replace(name, base="t", low=tuple(p for p in name.low if p not in WANTED))

    return change


def _rate_and_target(chains: list[Chain], said: str) -> Change | None:
    letters: dict[str, str] = {}
    rate = RATE.search(said)
    if rate:
        letter = GREEK.get(rate["letter"], rate["letter"])
        if FAMILIES.get(letter) is None:
            letters[letter] = "η"
    target = TARGET.search(said)
    if target and FAMILIES.get(target["letter"]) is None and len(target["letter"]) == 1:
        letters[target["letter"]] = "t"
    given = INPUT.search(said)
    if given and given["letter"] in ("p", "s", "u", "a", "r", "f", "q"):
        letters[given["letter"]] = "x"
    return _swap(letters)


def _potential(chains: list[Chain], said: str) -> Change | None:
    """v of σ'(v), which is no weight where none is given by that letter."""
    found = {b for c in chains for side in c.sides for b in _sloped(side)}
    given = {c.sides[0].name.base for c in chains if _given(c) and isinstance(c.sides[0], Ref)}
    found |= {m["letter"] for m in ARGUMENT.finditer(said)}
    for letter in _arguments(chains):
        return _swap({letter: "z"})
    return _swap(dict.fromkeys(found & set(POTENTIAL) - given, "z"))


def _arguments(chains: list[Chain]) -> set[str]:
    """The letter of an activation that is only ever the argument of one: y3 = F(a3)."""
    outside = {
        (of.base, side.name.base)
        for chain in chains
        if isinstance(side := chain.sides[0], Ref) and side.wrt is None
        for told in chain.sides[1:2]
        if isinstance(told, Call) and isinstance(told.of, Ref) and not told.function.endswith("'")
        for of in (told.of.name,)
    }
    inner, outer = {a for a, b in outside if a != b}, {b for _, b in outside}
    known = {ref.name.base for c in chains for ref in names(c.sides[0])}
    found = {b for b in inner - outer if FAMILIES.get(b) == "a"}
    return found if len(found) == 1 and not known & {"z", "net", "Z"} else set()


def _sloped(tree: Tree) -> list[str]:
    match tree:
        case Call(function, Ref(name, None)) if function.endswith("'"):
            return [name.base]
        case Binary(_, left, right):
            return [*_sloped(left), *_sloped(right)]
    return []


def _given(chain: Chain) -> bool:
    return (
        isinstance(chain.sides[0], Ref)
        and chain.sides[0].wrt is None
        and bool(given_values(chain))
        and len(chain.sides) == 2
    )


def _stages(chains: list[Chain], said: str) -> Change | None:
    """A letter for each layer: p = U x + b, h = tanh(p), q = V h + c, o = σ(q)."""
    sums: dict[str, set[str]] = defaultdict(set)  # of each pre-activation, what it is made of
    maps: dict[str, set[str]] = defaultdict(set)  # of each activation, its pre-activation
    for chain in chains:
        side = chain.sides[0]
        if not isinstance(side, Ref) or side.wrt or side.name.low or side.name.up:
            continue
        for told in chain.sides[1:]:
            match told:
                case Binary("+", Binary("*" | "@", Ref(), Ref(of)), Ref()):
                    sums[side.name.base].add(of.base)
                case Call(_, Ref(of, None)) | Ref(of, None) if not (of.low or of.up):
                    maps[side.name.base].add(of.base)
    layers: dict[str, int] = {}
    made = {b: next(iter(s)) for b, s in maps.items() if len(s) == 1}
    source, layer = {"x"}, 1
    while layer < 20:
        found = [b for b, s in sums.items() if s == source or (s <= source and len(s) == 1)]
        outs = [a for a, z in made.items() if found and z == found[0]]
        if len(found) != 1 or len(outs) != 1 or found[0] in layers:
            break
        layers[found[0]] = layers[outs[0]] = layer
        source, layer = {outs[0]}, layer + 1
    if not layers:
        return None

    def change(name: Name) -> Name:
        at = layers.get(name.base)
        if at is None or name.up or name.prime:
            return name
        return replace(name, base="z" if name.base in sums else "a", up=(str(at),))

    return change


def _outputs(chains: list[Chain], said: str) -> Change | None:
    """x^(1) as the output of layer 1, where x^(0) is the input."""
    tops = {
        (ref.name.base, upper(ref.name))
        for c in chains
        for side in c.sides[:1]
        for ref in names(side)
        if upper(ref.name) is not None
    }
    letters = {b for b, up in tops if up == 0 and b == "x"}
    if len({up for b, up in tops if b == "y"}) > 1:  # targets have no layers
        letters.add("y")
    if not any(b in letters and up for b, up in tops):
        return None

    def change(name: Name) -> Name:
        if name.base not in letters or upper(name) is None:
            return name
        return replace(name, up=()) if upper(name) == 0 else replace(name, base="a")

    return change


ITERATION = re.compile(r"(?<=[\w}])\s*\((?P<letter>[nk])\s*(?P<next>\+\s*1\s*)?\)")
NUMBERED = re.compile(
    r"(?P<name>(?<![A-Za-z])(?:\\(?:mathbf|boldsymbol|bm|vec)\s*\{\s*)?[WwbBVUθ]\}?"
    r"(?:\s*[_^](?:\{[^{}\n]{1,9}\}|\w))*)\s*\(\s*(?P<number>[01])\s*\)"
)


def untimed(text: str) -> str:
    """w(n) as w and w(n+1) as the new w, on a page that counts its iterations so; w(0), w(1)."""
    counted = {m["letter"] for m in ITERATION.finditer(text) if m["next"]}
    if {m["number"] for m in NUMBERED.finditer(text)} == {"0", "1"}:
        text = NUMBERED.sub(lambda m: m["name"] + "^{new}" * int(m["number"]), text)

    def put(found: re.Match[str]) -> str:
        if found["letter"] not in counted:
            return found[0]
        return "^{new}" if found["next"] else ""

    return ITERATION.sub(put, text) if counted else text
