"""The network of a page whose names give none: its first numbers, in the order that agrees.

The numbers before the first line that works one out are inputs, targets, weights, biases and the
learning rate. Labels say of some what they are. Of the orders in which people write the rest, the
one under which the page's later numbers come out, to their digits, is taken; where none does,
there is no network.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import permutations, product
from typing import Any

import numpy as np

from ...core.build import network as build
from ...core.network import Network
from ...core.page import Note, Page, Statement
from ...core.step import take_step
from ...core.written import names
from ...errors import MiyaError
from .arrange import arranged, in_one
from .exact import table
from .infer import matched
from .world import SIMPLE, World

ROLES = (
    ("η", r"learning (?:rate|const|coef)|\brate\b|step (?:size|length)|\blr\b|\beta\b|η"),
    ("b", r"bias|offset|threshold"),
    ("W", r"\bfrom\b|weight|\bwts?\b|synap|connect|→"),
    ("y", r"target|desired|\bwant|label|teacher|truth|goal|correct|expected|should|answer"),
    ("x", r"\bin\b|input|feature|pattern|sample|stimul"),
)
LIKELY = ("d", "p", "i", "c", "t")
LETTER = re.compile(r"[^\W\d_]+")
LETTERS = {
    "W": "W", "w": "W", "V": "W", "v": "W", "U": "W", "θ": "W", "b": "b", "c": "b", "B": "b",
    "x": "x", "X": "x", "I": "x", "i": "x", "p": "x", "y": "y", "t": "y", "T": "y", "Y": "y",
    "d": "y", "in": "x", "inp": "x", "η": "η", "α": "η", "lr": "η",
}  # fmt: skip
MOST_TRIED = 400  # numbers of a page that networks are tried on
SHARE = 0.7  # of the page's different numbers, which must come out
LEAST = 4  # later numbers that must come out
MOST = 80  # numbers that may be given
HIDDEN = ("sigmoid", "tanh", "relu", "identity")
OUTPUT = ("identity", "sigmoid", "tanh", "relu")
LOSSES = ("squared_error", "half_squared_error", "mean_squared_error")
FULLY = 2  # and of those, how many with what follows from slips
TRIED = 4  # of the likeliest networks, how many the whole page is tried on


@dataclass(frozen=True)
class Order:
    """Where the page has what: values of x, y, the weights and biases of each layer."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    weights: tuple[tuple[tuple[float, ...], ...], ...]
    biases: tuple[tuple[float, ...], ...]
    rate: float


@dataclass(frozen=True)
class Guess:
    """A network, and the places of the numbers that give it."""

    network: Network
    given: frozenset[int]
    agreement: float  # the share of the page's numbers that come out

    def without_given(self, page: Page) -> Page:
        """`page`, read again, with the numbers that give the network stated no more."""
        kept = tuple(s for s in page.statements if s.at not in self.given)
        loose = tuple(s for s in page.loose if s.at not in self.given)
        spent = {(s.stated.text.lstrip("-"), s.line) for s in page.loose if s.at in self.given}
        unread = tuple(u for u in page.unread if (u[0].lstrip("-"), u[1]) not in spent)
        note = Note("guessed", {"sizes": "-".join(map(str, self.network.sizes))})
        notes = (note, *page.assumed)
        choices = {
            name: {option: self.without_given(p) for option, p in options.items()}
            for name, options in page.choices.items()
        }
        made = replace(page, statements=kept, loose=loose, unread=unread, assumed=notes)
        return replace(made, choices=choices)


def agreement(page: Page, network: Network) -> float:
    """The share of a page's different numbers that come out on a network, slips followed."""
    items = _numbers(page)
    later = _later(items)
    if len(items) > MOST_TRIED or len(later) < LEAST:
        return 1.0
    return _matched(network, items) / len(later)


def _later(items: Sequence[Statement]) -> set[Decimal]:
    """The different numbers that are written to the digits of worked ones."""
    return {abs(s.stated.value) for s in items if s.stated.unit and _digits(s) >= 3}


def _numbers(page: Page) -> list[Statement]:
    """All numbers of a page in their order."""
    return sorted((*page.givens, *page.statements, *page.loose), key=lambda s: s.at)


def doubted(page: Page) -> Page:
    """`page` without the network that its names give, on which its numbers do not come out."""
    if page.description is None:
        return page
    note = Note("network_doubted", {})
    return replace(page, description=None, choices={}, assumed=(note, *page.assumed))


def guess(page: Page) -> Guess | None:
    """The network under which most numbers of a page come out; None where none does."""
    items = _numbers(page)
    if len(items) > MOST_TRIED:
        return None
    first = next((k for k, s in enumerate(items) if _worked(s)), len(items))
    later = [s for s in items if s.stated.unit and s.stated.value]
    telling = np.array(sorted({abs(float(s.stated.value)) for s in later if _digits(s) >= 3}))
    found: list[tuple[int, Order, str, str, int]] = []
    for end in sorted({first, *_ends(items, first)}):
        for order in orders(items[:end]):
            for hidden, output in product(*_activations(page.hints)):
                count = _forward(order, hidden, output, telling)
                if count >= 2:
                    found.append((count, order, hidden, output, end))
    found.sort(key=lambda f: -f[0])
    tried: list[tuple[int, Network, int]] = []
    for _, order, hidden, output, end in found[:TRIED]:
        said = page.hints.get("loss")
        for name in sorted(LOSSES[: 2 + (len(order.y) > 1)], key=lambda loss: loss != said):
            made = _built(order, hidden, output, name)
            if made is not None:
                tried.append((_matched(made, items, quick=True), made, end))
    tried.sort(key=lambda t: -t[0])
    best: tuple[int, Network, int] | None = None
    for _, made, end in tried[:FULLY]:
        count = _matched(made, items)
        if count >= LEAST and (best is None or count > best[0]):
            best = count, made, end
    if best is None or best[0] < SHARE * len(telling):
        return None
    share = best[0] / len(_later(items))
    return Guess(best[1], frozenset(s.at for s in items[: best[2]]), share)


def _activations(hints: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """What may be the activation of the hidden layer, and of the output."""
    for place, every in (("hidden", HIDDEN), ("output", OUTPUT)):
        said = hints.get(place)
        yield (said,) if said in every else every


def _worked(s: Statement) -> bool:
    return any(not names(tree) for tree in s.work)


def _ends(items: Sequence[Statement], first: int) -> Iterator[int]:
    """Where what is given may end: each change of the digits that numbers are written to."""
    for k in range(1, first):
        if _digits(items[k]) >= 3 and abs(items[k].stated.unit) < 0.01:
            yield k
            return


def _digits(s: Statement) -> int:
    return len(str(abs(s.stated.value)).replace(".", "").lstrip("0"))


def orders(given: Sequence[Statement]) -> Iterator[Order]:
    """Every way in which the numbers may be inputs, targets, weights, biases and a rate."""
    if not 5 <= len(given) <= MOST:
        return
    given = [s for s in given if s.stated.unit or _role(s) or s.of is not None]
    told = _roles(given)
    by: dict[str, list[float]] = {role: [] for role, _ in ROLES}
    unknown: list[float] = []
    parameters: list[float] = []
    for role, s in zip(told, given, strict=True):
        value = float(s.stated.value)
        (unknown if role is None else by[role]).append(value)
        if role in (None, "W", "b"):
            parameters.append(value)
    rate = (by["η"] or [0.1])[-1]
    for x, y, w, b in _filled(by, unknown):
        for sizes in _sizes(len(x), len(y), len(w), len(b)):
            for weights, biases in arranged(sizes, w, b):
                yield Order(tuple(x), tuple(y), weights, biases, rate)
    for some in (
        parameters,
        [v for v, r in zip(map(_value, given), told, strict=True) if r in ("W", "b")],
    ):
        for sizes in _sizes(len(by["x"]), len(by["y"]), len(some), 0):
            for weights, biases in in_one(sizes, some):
                yield Order(tuple(by["x"]), tuple(by["y"]), weights, biases, rate)


def _value(s: Statement) -> float:
    return float(s.stated.value)


def _roles(given: Sequence[Statement]) -> list[str | None]:
    """Roles, of letters that may be anything only where nothing else has the role."""
    told = [_role(s) for s in given]
    weak = [LETTER.match(s.formula) and LETTER.match(s.formula)[0] in LIKELY for s in given]  # type: ignore[index]
    strong = {role for role, w in zip(told, weak, strict=True) if not w}
    return [None if w and role in strong else role for role, w in zip(told, weak, strict=True)]


def _role(s: Statement) -> str | None:
    """What the label's words say, or its letters; a matrix is one of weights."""
    if len(s.element) == 2:
        return "W"
    text = " ".join(s.label)
    own = LETTER.match(s.formula) if s.formula != text else None
    if own and own[0] in LETTERS:
        return LETTERS[own[0]]
    found = {role: m.start() for role, pattern in ROLES if (m := re.search(pattern, text, re.I))}
    if "W" in found and "b" in found:
        found.pop(max("Wb", key=lambda role: found[role]))
    if found:
        return next(role for role, _ in ROLES if role in found)
    letters = [LETTERS[p] for p in s.label if p in LETTERS]
    return letters[-1] if letters else None


def _filled(
    by: dict[str, list[float]], unknown: list[float]
) -> Iterator[tuple[list[float], list[float], list[float], list[float]]]:
    """The numbers by role, where those that no label tells fill up the roles that have none."""
    if not unknown:
        yield by["x"], by["y"], by["W"], by["b"]
        return
    empty = [role for role in "xyWb" if not by[role]]
    if len(empty) == 1:
        full = {**by, empty[0]: unknown}
        yield full["x"], full["y"], full["W"], full["b"]
    for order in permutations(empty) if 2 <= len(empty) <= 3 else ():
        for cut in _cuts(len(unknown), len(order)):
            full = dict(by)
            for role, (a, z) in zip(order, cut, strict=True):
                full[role] = unknown[a:z]
            yield full["x"], full["y"], full["W"], full["b"]


def _cuts(count: int, parts: int) -> Iterator[list[tuple[int, int]]]:
    if parts == 1:
        yield [(0, count)]
        return
    for first in range(1, min(count - parts + 2, 13)):
        for rest in _cuts(count - first, parts - 1):
            yield [(0, first), *((a + first, z + first) for a, z in rest)]


def _sizes(x: int, y: int, w: int, b: int) -> Iterator[tuple[int, ...]]:
    """Sizes of one hidden layer or none that as many numbers make."""
    if not x or not y:
        return
    if w == x * y and b in (0, 1, y):
        yield x, y
    if w % (x + y) == 0 and w:
        hidden = w // (x + y)
        if b in (0, 2, hidden, hidden + y):
            yield x, hidden, y
    if not b and (w - y) % (x + 1 + y) == 0 and w > y:  # biases among the weights
        yield x, (w - y) // (x + 1 + y), y


def _forward(order: Order, hidden: str, output: str, telling: Any) -> int:
    """How many pre-activations and activations are among the page's numbers."""
    into = np.array(order.x)
    last = len(order.weights) - 1
    count = 0
    for k, (weight, bias) in enumerate(zip(order.weights, order.biases, strict=True)):
        z = np.array(weight) @ into + np.array(bias)
        into = np.array([SIMPLE[output if k == last else hidden](v) for v in z.tolist()])
        for value in {*np.abs(z).tolist(), *np.abs(into).tolist()}:
            if len(telling) and value > 1e-6 and _among(value, telling):
                count += 1
    return count


def _among(value: float, telling: Any) -> bool:
    at = int(np.searchsorted(telling, value))
    near = telling[max(at - 1, 0) : at + 1]
    return bool((np.abs(near - value) <= 0.0006 * max(value, 0.05)).any())


def _built(order: Order, hidden: str, output: str, loss: str) -> Network | None:
    last = len(order.weights) - 1
    layers = [
        {
            "weight": [list(row) for row in weight],
            "bias": list(bias),
            "activation": output if k == last else hidden,
        }
        for k, (weight, bias) in enumerate(zip(order.weights, order.biases, strict=True))
    ]
    made = {
        "learning_rate": order.rate,
        "loss": loss,
        "layers": layers,
        "examples": [{"input": list(order.x), "target": list(order.y)}],
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return build(made)
    except MiyaError:
        return None


def _matched(network: Network, items: Sequence[Statement], quick: bool = False) -> int:
    trace = take_step(network)
    return matched(list(items), table(trace), World(network), quick)
