"""The network of a page whose names give none: the one that its numbers come from.

Layers are found by what they give (`layers`), targets by the differences from the outputs that
stand on the page, the learning rate by its label or by the new weights. Labels say of some numbers
what they are; of the networks that may be, the one under which most of the page's numbers come
out, to their digits, is taken; where none does, there is no network.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from ...core.build import network as build
from ...core.network import Network
from ...core.page import Figure, Note, Page, Statement
from ...core.rounding import Array
from ...errors import MiyaError
from .agree import Explained, Telling, telling
from .layers import NONE, Found, alike, behind, first
from .world import SIMPLE

ROLES = (
    ("η", r"learning (?:rate|const|coef)|\brate\b|step (?:size|length)|\blr\b|\beta\b|η"),
    ("b", r"bias|offset|threshold"),
    ("W", r"\bfrom\b|weight|\bwts?\b|synap|connect|→"),
    ("y", r"target|desired|\bwant|label|teacher|truth|goal|correct|expected|should|answer"),
    ("x", r"\bin\b|input|feature|pattern|sample|stimul"),
)
MOST_TRIED = 400  # numbers of a page that networks are tried on
SHARE = 0.7  # of the page's different numbers, which must come out
NEARLY = 0.94  # from which no other is looked for
LEAST = 4  # later numbers that must come out
FEW = 5  # numbers that give a network
MOST_GIVEN = 70  # numbers that may be given
HIDDEN = ("sigmoid", "tanh")
OUTPUT = ("identity", "sigmoid", "tanh", "relu")
LOSSES = ("squared_error", "half_squared_error", "mean_squared_error")
SAID = (*LOSSES, "binary_cross_entropy")  # that words may say
COARSE = 0.01  # of a given number's last digit, where it stands among worked ones
FIRST, BEHIND, LIKELY, TARGETS = 16, 8, 14, 3  # how many of each are gone on with


@dataclass(frozen=True)
class Guess:
    """A network, and the numbers that give it: line and digits, and how many so."""

    network: Network
    given: Mapping[tuple[int, str], int]
    agreement: float  # the share of the page's numbers that come out

    def applied(self, page: Page) -> Page:
        """`page` with its names as labels alone, and the numbers that give the network gone."""
        spent = Counter(self.given)

        def left(line: int, text: str) -> bool:
            key = line, text.lstrip("-")
            spent[key] -= 1
            return spent[key] < 0

        every = (s for s in _numbers(page) if left(s.line, s.stated.text))
        loose = tuple(replace(s, of=None, others=(), flipped=False, pattern="") for s in every)
        note = Note("guessed", {"sizes": "-".join(map(str, self.network.sizes))})
        spent = Counter(self.given)
        held = Counter((s.line, s.stated.text.lstrip("-")) for s in loose)
        held -= Counter((line, text.lstrip("-")) for text, line, _ in page.unread)
        rows = [u for u in page.unread if left(u[1], u[0])]
        rows += [(text, line, "") for (line, text), n in held.items() for _ in range(n)]
        return replace(
            page,
            description=None,
            choices={},
            statements=(),
            loose=loose,
            givens=(),
            unread=tuple(sorted(rows, key=lambda row: row[1])),
            assumed=(note, *(n for n in page.assumed if n.key != "no_network")),
        )


def agreement(page: Page, network: Network) -> float:
    """The share of a page's different numbers that come out on a network, slips followed."""
    sizes = Telling([f for f in page.figures if f.free and telling(f)], sizes=True)
    if not LEAST <= len(sizes.values) <= MOST_TRIED:
        return 1.0
    return Explained(network, sizes).score / len(sizes.values)


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
    search = _Search(page)
    if not LEAST <= len(search.sizes.values) <= MOST_TRIED:
        return None
    every = len(search.sizes.values)
    best: tuple[int, Network, frozenset[int]] | None = None
    for layers in search.layers()[:LIKELY]:
        for network, places in search.networks(layers):
            made = Explained(network, search.sizes)
            if made.lost:
                break
            if best is None or made.score > best[0]:
                best = made.score, network, places
        if best is not None and best[0] >= NEARLY * every:
            break
    if best is None or best[0] < max(LEAST, SHARE * every):
        return None
    given = Counter((search.given[p].line, search.given[p].text) for p in best[2])
    return Guess(best[1], given, best[0] / every)


class _Search:
    """What is looked through: the numbers that may be given, and those that tell."""

    def __init__(self, page: Page) -> None:
        self.hints = page.hints
        self.given, start, worked = _given(page.figures)
        # decimals that stand where the network is given
        self.first = {k for k, f in enumerate(self.given[:start]) if f.unit and not telling(f)}
        self.values = np.array([f.value for f in self.given])
        self.telling, self.sizes = Telling(worked), Telling(worked, sizes=True)
        self.roles = _placed(self.given, _numbers(page))

    def layers(self) -> list[tuple[Found, ...]]:
        """Networks of one hidden layer by the places of their numbers, likeliest first."""
        if len(self.values) < 5 or not len(self.telling.values):
            return []
        found: list[tuple[float, tuple[Found, ...]]] = []
        hidden, output = (self._said(p, o) for p, o in (("hidden", HIDDEN), ("output", OUTPUT)))
        starts = [f for f in first(self.values, self.telling, hidden) if not self.twice(f)]
        for one in sorted(starts, key=lambda f: -self.likely((f,)))[:FIRST]:
            for two in behind(self.values, one, self.outputs(one), self.telling, output)[:BEHIND]:
                if not self.twice(two):
                    found.append((self.likely((one, two)), (one, two)))
        found.sort(key=lambda f: -f[0])
        return [layers for _, layers in found]

    def twice(self, layer: Found) -> bool:
        """Whether two neurons are the same: a list that the page gives again."""
        rows = np.column_stack([layer.weights(self.values), layer.bias(self.values)])
        return len(np.unique(rows, axis=0)) < len(rows)

    def _said(self, place: str, every: tuple[str, ...]) -> tuple[str, ...]:
        said = self.hints.get(place)
        return (said,) if said in SIMPLE else every

    def likely(self, layers: tuple[Found, ...]) -> float:
        """Hits, what labels say of the numbers, how much is left over, how alike the layers are."""
        told = 0.0
        for layer in layers:
            for role, places in (
                ("x", layer.inputs),
                ("W", tuple(p for row in layer.rows for p in row)),
                ("b", layer.biases),
            ):
                for p in places:
                    said = self.roles[p] if p >= 0 else None
                    told += (said == role) - (said is not None and said != role)
        used = frozenset().union(*(layer.places for layer in layers))
        values = {float(self.values[p]) for p in used}
        left = len({float(self.values[p]) for p in self.first} - values)
        lost = sum(len(layer.rows) - layer.hits for layer in layers)
        shared = sum(len(f.biases) > 1 and len({*f.biases, NONE}) == 2 for f in layers)
        same = sum(alike(one, two) for one, two in pairwise(layers))
        worked = sum(telling(self.given[p]) or not self.given[p].unit for p in used)
        hits = sum(layer.hits for layer in layers)
        return 2 * hits - lost + told / 4 - left / 2 - shared + same / 2 - worked / 2

    def outputs(self, layer: Found, into: Array | None = None) -> Array:
        """A layer's activations, as the page states them where it does."""
        into = self.values[list(layer.inputs)] if into is None else into
        sums = layer.weights(self.values) @ into + layer.bias(self.values)
        made = []
        for value in sums.tolist():
            own = self.telling.one(value, 1.0)
            exact = SIMPLE[layer.activation](value if own is None else own)
            stated = self.telling.one(exact, 0.5)
            made.append(exact if stated is None else stated)
        return np.array(made)

    def networks(self, layers: tuple[Found, ...]) -> Iterator[tuple[Network, frozenset[int]]]:
        """The networks of some layers with the targets, losses and the rate that fit."""
        into: Array | None = None
        for layer in layers:
            into = self.outputs(layer, into)
        assert into is not None
        used = frozenset().union(*(layer.places for layer in layers))
        said = self.hints.get("loss")
        for places in self.targets(into, used)[:TARGETS]:
            names = LOSSES[: 2 + (len(places) > 1)]
            for loss in (said,) if said in SAID else names:
                rate, at = self.rate({*used, *places})
                made = self.built(layers, [self.values[p] for p in places], loss, rate)
                if made is not None:
                    yield made, frozenset({*used, *places, *at})

    def targets(self, outputs: Array, used: frozenset[int]) -> list[tuple[int, ...]]:
        """Places of what may be the targets, likeliest first."""
        size = len(outputs)
        found: dict[tuple[int, ...], float] = {}
        for start in range(len(self.given) - size + 1):
            places = tuple(range(start, start + size))
            if used & set(places):
                continue
            errors = outputs - self.values[start : start + size]
            squares = float(errors @ errors)
            hits = sum(self.stands(f * e) for e in errors.tolist() for f in (1, 2, -1, -2))
            hits += sum(self.stands(f * squares) for f in (0.5, 1, 1 / size))
            told = sum(self.roles[p] == "y" for p in places)
            wrong = sum(self.roles[p] not in ("y", None) for p in places)
            beside = start - 1 in used or start + size in used
            found[places] = hits + 0.6 * told - 0.4 * wrong + 0.2 * beside
        best: dict[tuple[float, ...], tuple[int, ...]] = {}  # one place for each
        for places in sorted(found, key=lambda p: -found[p]):
            best.setdefault(tuple(float(self.values[p]) for p in places), places)
        return list(best.values())

    def stands(self, value: float) -> bool:
        return self.telling.one(value, 1.0) is not None

    def rate(self, used: set[int]) -> tuple[float, tuple[int, ...]]:
        """The learning rate that a label says, and its place."""
        for k, role in enumerate(self.roles):
            if role == "η" and k not in used and 0 < self.values[k] <= 10:
                return float(self.values[k]), (k,)
        return 0.1, ()

    def built(
        self, layers: tuple[Found, ...], targets: list[float], loss: str, rate: float
    ) -> Network | None:
        made: dict[str, Any] = {
            "learning_rate": rate,
            "loss": loss,
            "layers": [
                {
                    "weight": layer.weights(self.values).tolist(),
                    "bias": layer.bias(self.values).tolist(),
                    "activation": layer.activation,
                }
                for layer in layers
            ],
            "examples": [
                {"input": self.values[list(layers[0].inputs)].tolist(), "target": targets}
            ],
        }
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return build(made)
        except MiyaError:
            return None


def _given(figures: Sequence[Figure]) -> tuple[list[Figure], int, list[Figure]]:
    """The numbers that may give the network, those before the first work and short ones; how many
    stand before; and the numbers that tell."""
    start = next(
        (k for k, f in enumerate(figures) if f.unit and not f.free and _works(figures, k)),
        len(figures),
    )
    plain = [k for k, f in enumerate(figures[:start]) if f.free and f.unit and not telling(f)]
    first = next((k for k, f in enumerate(figures[:start]) if f.free and telling(f)), start)
    if sum(k < first for k in plain) >= FEW:  # what is given has fewer digits
        start = first
    before = [f for f in figures[:start] if f.free]
    rest = (f for f in figures[start:] if f.free and not telling(f))
    behind_it = [f for f in rest if not f.unit or f.unit >= COARSE]
    worked = [f for f in figures if f.free and telling(f)]
    return [*before, *behind_it][:MOST_GIVEN], len(before), worked


def _works(figures: Sequence[Figure], k: int) -> bool:
    """Whether arithmetic of several decimals begins here."""
    after = figures[k + 1 : k + 3]
    return any(f.unit and not f.free and f.line == figures[k].line for f in after)


def _placed(given: Sequence[Figure], items: Sequence[Statement]) -> list[str | None]:
    """What labels, or names, say of each number."""
    said: dict[tuple[int, str], list[str | None]] = {}
    for s in items:
        said.setdefault((s.line, s.stated.text.lstrip("-")), []).append(_role(s))
    found: list[str | None] = []
    for f in given:
        rows = said.get((f.line, f.text))
        found.append(rows.pop(0) if rows else None)
    return found


def _role(s: Statement) -> str | None:
    """What a name, or the words of a label, say; a matrix is one of weights."""
    if s.of is not None and s.of.head in ("η", "x", "y", "W", "b"):
        return s.of.head
    if len(s.element) == 2:
        return "W"
    text = " ".join(s.label)
    found = {role: m.start() for role, pattern in ROLES if (m := re.search(pattern, text, re.I))}
    if "W" in found and "b" in found:
        found.pop(max("Wb", key=lambda role: found[role]))
    return next((role for role, _ in ROLES if role in found), None)
