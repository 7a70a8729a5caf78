"""Names of the optimizer's own numbers: v_{W_1}, m_hat_w1, "velocity of w1", m under "For w1:".

They are given names that nothing else uses, "state m_hat W", with what stands below, above and
behind the parameter, before the network is gathered: v is a weight elsewhere, s a pre-activation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ...core.written import Binary, Call, Chain, Name, Negative, Ref, Transposed, Tree, Vector
from .givens import given_values
from .naming import FAMILIES
from .tokens import Token
from .values import cells

PREFIX = "state "
# the optimizer's line that a letter stands for
LETTERS: dict[str, dict[str, str]] = {
    "sgd": {"v": "v", "V": "v", "m": "v", "u": "v", "n": "n"},
    "rmsprop": {
        "s": "s", "S": "s", "v": "s", "V": "s", "r": "s", "G": "s", "m": "m", "u": "v",
    },
    "adagrad": {"s": "s", "S": "s", "v": "s", "G": "s", "r": "s"},
    "adam": {
        "m": "m", "M": "m", "v": "v", "V": "v", "s": "v", "S": "v",
        "hat m": "m_hat", "hat M": "m_hat", "hat v": "v_hat", "hat V": "v_hat", "hat s": "v_hat",
        "hat S": "v_hat",
    },
}  # fmt: skip
LETTERS["adamw"] = LETTERS["adam"]
# where a page writes V for the first moment and S for the second
SHIFTED = {"v": "m", "V": "m", "hat v": "m_hat", "hat V": "m_hat"}
PARAMETER = re.compile(r"(?:d|∂|grad)?(?P<letter>[WwθbB])(?P<low>\d*)(?:\^(?P<up>\d+))?$")
OLD = {"0", "old", "prev", "previous", "before", "t-1", "last", "start", "initial", "init"}
NOW = {"t", "new", "hat", "now", "next", "updated"}
SPOKEN = re.compile(r"(velocity|cache|[mvs]_?hat)(?:_(.+))?$", re.IGNORECASE)
CALLED = {"velocity": "v", "cache": "s"}
MOMENT = {"first": "m", "second": "v"}
FORWARD = ("z", "a", "C", "δ")
SETTINGS = ("β", "μ", "ε", "ϵ", "ρ", "γ", "λ", "μ", "mom")


@dataclass
class States:
    """What was found. everywhere: a start that holds for all parameters, with its line."""

    chains: list[Chain | None] = field(default_factory=list)  # None of what is used up here
    everywhere: dict[str, tuple[float, int]] = field(default_factory=dict)
    times: list[tuple[int, int]] = field(default_factory=list)  # (line, t) of "t = 3"


def state_tokens(tokens: list[Token]) -> list[Token]:
    """ "velocity of w1", "first moment of b2", "velocity_w1" as names."""
    found: list[Token] = []
    k = 0
    while k < len(tokens):
        token, used = tokens[k], 1
        spoken = SPOKEN.match(token.text) if token.kind == "word" else None
        base = ""
        if spoken:
            head = spoken[1].lower().replace("_", "")
            base = CALLED.get(head) or f"hat {head[0]}"
        elif (
            token.kind == "word" and token.text.lower() in MOMENT and _said(tokens, k + 1, "moment")
        ):
            base, used = MOMENT[token.text.lower()], 2
        if not base:
            found.append(token)
            k += 1
            continue
        low = (spoken[2],) if spoken and spoken[2] else ()
        name, of = Name(base, low), k + used
        if not low and (_said(tokens, of, "of") or _said(tokens, of, "for")):
            after = tokens[of + 1] if of + 1 < len(tokens) else None
            if after is not None and after.kind == "name" and _is_parameter(after.extra):
                name, used = _below(Name(base), after.extra), used + 2
        found.append(replace(token, kind="name", extra=name))
        k += used
    return found


def _said(tokens: Sequence[Token], k: int, word: str) -> bool:
    return k < len(tokens) and tokens[k].text.lower() == word


def _is_parameter(name: object) -> bool:
    return (
        isinstance(name, Name) and FAMILIES.get(name.base) in ("W", "b") and name.base not in "vV"
    )


def _below(state: Name, parameter: Name) -> Name:
    """A state's name with a parameter below it: v of w_{12}^{(1)} is v_{w1,2}^{(1)}."""
    first, *rest = parameter.low or ("",)
    low = (f"{parameter.base}{first}", *rest, *state.low)
    return replace(state, low=low, up=(*parameter.up, *state.up), index=parameter.index)


def column(head: Name, label: Name) -> Name | None:
    """The name in a table's column `head` and the row of the parameter `label`."""
    known = any(head.base in letters for letters in LETTERS.values())
    return _below(head, label) if known and not head.index else None


def labels(tokens: list[Token]) -> list[tuple[int, Name]]:
    """Lines that open what is said of one parameter: "For w1:", "**W2**:", a heading "b1"."""
    found = []
    fresh = True
    for k, token in enumerate(tokens):
        after = tokens[k + 1] if k + 1 < len(tokens) else None
        if fresh and token.kind == "name" and _is_parameter(token.extra):
            ends = after is None or after.kind in ("end", "break", ":")
            if ends or (after is not None and after.text in ("*", ",")):
                found.append((token.line, token.extra))
        if token.kind in ("break", "end"):
            fresh = True
        elif not (
            token.kind == "op" or token.text.lower() in ("for", "parameter", "weight", "bias")
        ):
            fresh = False
    return found


class Marker:
    """Gives the chains of a page the names of states. kind: the page's optimizer."""

    def __init__(self, kind: str, opened: list[tuple[int, Name]]) -> None:
        self.kind, self.opened = kind, opened
        self.letters = LETTERS[kind]
        self.timed = False  # v_1 is the first step's
        self.started = False
        self.context: Name | None = None
        self.found = States()

    def mark(self, chains: list[Chain]) -> States:
        names = [r for c in chains for s in c.sides for r in _refs(s)]
        bare = [n for n in names if n.base in self.letters and not self.parameter(n)]
        self.timed = any("0" in n.low + n.up for n in bare)
        bases = {n.base for n in names if self.parameter(n)}
        if self.kind in ("adam", "adamw") and bases & {"s", "S"} and "m" not in bases:
            self.letters = {**self.letters, **SHIFTED}
        targets = any(FAMILIES.get(n.base) == "y" and n.base not in "tT" for n in names)
        for chain in chains:
            timed = self.time(chain, targets)
            self.found.chains.append(None if timed else self.chain(chain))
        return self.found

    def time(self, chain: Chain, targets: bool) -> bool:
        """Whether a chain only counts the step: t = 3."""
        side, values = chain.sides[0], given_values(chain)
        if not (isinstance(side, Ref) and side.name == Name("t") and set(values) == {()}):
            return False
        value = values[()].written.value
        if value != int(value) or not 1 <= value <= 10**6 or (self.kind == "sgd" and not targets):
            return False
        self.found.times.append((chain.lines[0], int(value)))
        return True

    def chain(self, chain: Chain) -> Chain | None:
        line = chain.lines[0]
        label = [name for at, name in self.opened if at <= line]
        first = _subject(chain.sides[0])
        if isinstance(first, Ref):
            if first.wrt is not None and _is_parameter(first.wrt):
                self.context, self.opened = first.wrt, [o for o in self.opened if o[0] > line]
            elif label:
                self.context = label[-1]
            forward = first.wrt is not None or FAMILIES.get(first.name.base) in FORWARD
            self.started |= forward and bool(cells(chain.sides[-1], line))
        given = bool(given_values(chain))
        sides = tuple(
            self.tree(_subject(s), given and k < len(chain.sides) - 1)
            for k, s in enumerate(chain.sides)
        )
        return None if self.start(chain, sides) else replace(chain, sides=sides)

    def start(self, chain: Chain, sides: tuple[Tree, ...]) -> bool:
        """Whether a chain says what all parameters start from: v_0 = 0."""
        values = given_values(chain)
        names = [s.name.base.split(" ") for s in sides[:-1] if isinstance(s, Ref)]
        every = [n[1] for n in names if n[0] == PREFIX.strip() and n[2:] == ["*"]]
        if set(values) != {()} or not every or not all(n.endswith("_before") for n in every):
            return False
        for state in every:
            self.found.everywhere[state] = (float(values[()].written.value), chain.lines[0])
        return True

    def tree(self, tree: Tree, given: bool = False) -> Tree:
        return _mapped(tree, lambda ref: self.ref(ref, given))

    def ref(self, ref: Ref, given: bool) -> Ref:
        name = ref.name
        if ref.wrt is not None:
            return ref
        base = self.base(name)
        parameter = self.parameter(name)
        if name.base == "g" and parameter:
            return Ref(Name("C"), parameter)
        if base is None:
            return ref
        old = bool(set(name.low + name.up) & OLD)
        if parameter is None and not self.timed:
            parameter = self.flat(name)
        if parameter is None:
            parameter = None if old and not self.context else self.context
        before = "_before" if old or (given and not self.started) else ""
        if parameter is None:
            return replace(ref, name=Name(f"{PREFIX}{base}{before} *"))
        made = replace(parameter, base=f"{PREFIX}{base}{before} {parameter.base}")
        return replace(ref, name=made)

    def base(self, name: Name) -> str | None:
        """The optimizer's line that a name stands for."""
        hat = "hat" in name.low and not name.base.startswith("hat ")
        return self.letters.get(f"hat {name.base}" if hat else name.base)

    def flat(self, name: Name) -> Name | None:
        """v_5 is that of w_5, where nothing else says what 5 is."""
        digits = tuple(p for p in name.low if p.isdigit())
        return Name("w", digits, name.up, name.index) if digits or name.index else None

    def parameter(self, name: Name) -> Name | None:
        """The parameter below a state's name."""
        for k, piece in enumerate(name.low):
            found = PARAMETER.match(piece.replace("_", ""))
            if found:
                rest = [p for p in name.low[k + 1 :] if p not in OLD | NOW]
                low = tuple(p for p in (found["low"], *rest) if p)
                up = tuple(u for u in name.up if u.lstrip("^") not in OLD | NOW)
                above = (found["up"],) if found["up"] else ()
                return Name(found["letter"], low, (*above, *up), name.index)
        return None


def _subject(tree: Tree) -> Tree:
    """v(w1), m^{(w_1)} and Δ w_1 as one name."""
    match tree:
        case Binary("*" | "^", Ref(name=Name(low=(), index=()) as state), Ref(name=of)):
            if state.base == "Δ" and FAMILIES.get(of.base) in ("W", "b"):
                return Ref(replace(of, base="Δb" if FAMILIES[of.base] == "b" else "ΔW"))
            if _is_parameter(of) and any(state.base in known for known in LETTERS.values()):
                return Ref(_below(state, of))
    return tree


def settings(chains: Sequence[Chain]) -> list[Chain]:
    """The chains that give an option of the optimizer: β_1 = 0.9."""
    return [
        c
        for c in chains
        if isinstance(c.sides[0], Ref)
        and c.sides[0].name.base in SETTINGS
        and c.sides[0].wrt is None
        and set(given_values(c)) == {()}
    ]


def subjects_joined(chain: Chain) -> Chain:
    """The chain with Δ w_1, which LaTeX takes apart, as one name."""
    return replace(chain, sides=(_subject(chain.sides[0]), *chain.sides[1:]))


def _refs(tree: Tree) -> list[Name]:
    found: list[Name] = []

    def note(ref: Ref) -> Ref:
        found.append(ref.name)
        return ref

    _mapped(_subject(tree), note)
    return found


def _mapped(tree: Tree, new: Callable[[Ref], Tree]) -> Tree:
    match tree:
        case Ref():
            return new(tree)
        case Binary(sign, left, right):
            return Binary(sign, _mapped(left, new), _mapped(right, new))
        case Negative(of):
            return Negative(_mapped(of, new))
        case Transposed(of):
            return Transposed(_mapped(of, new))
        case Call(function, of):
            return Call(function, _mapped(of, new))
        case Vector(items, column):
            return Vector(tuple(_mapped(i, new) for i in items), column)
        case Chain(sides):
            return replace(tree, sides=tuple(_mapped(s, new) for s in sides))
    return tree
