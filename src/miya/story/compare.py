"""A comparison of conventions as blocks: the formulas, what agrees, and the numbers in columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..analysis.compare import LARGEST_TERM, Comparison, Group, Relation, Variant
from .blocks import Block, Bullets, Formula, Heading, Paragraph, Remark, Story, Table
from .numbers import number, settled
from .quantity import Symbol
from .symbols import latex_formula, plain_symbol
from .words import load

STEPS = ("forward", "backward", "update")
MOST_ROWS, TOP = 64, 8  # entries of one array told in full; beyond, those that differ most
DIGITS = 5


def told(found: Comparison, *, digits: int | None, language: str, miya: bool) -> Story:
    """The comparison as a story. Raises MiyaInputError E602 for a language."""
    teller = Side(found, digits or DIGITS, load(language)["compare"])
    blocks = (Heading(teller.words["title"], 1), *teller.opening(miya), *teller.tables())
    return Story(teller.words["title"], language, teller.digits, "exact", blocks)


@dataclass(frozen=True)
class Side:
    """Tells one comparison in one language."""

    found: Comparison
    digits: int
    words: Mapping[str, str]

    def say(self, key: str, **values: object) -> str:
        return self.words[key].format(**values)

    def opening(self, miya: bool) -> Iterator[Block]:
        yield Paragraph(self.say("intro", count=len(self.found.variants)))
        for variant in self.found.variants:
            if {"loss", "reduction"} & set(variant.chosen):
                yield Paragraph(self.say("variant", name=self.name(variant)))
                yield _formula(variant)
        yield Heading(self.words["heading"])
        groups = self.found.groups
        agree = [_name(g) for g in groups if g.agrees]
        part = [g for g in groups if not g.agrees]
        yield Paragraph(self.say("agree", names=", ".join(agree)))
        if not part:
            yield Paragraph(self.words["nothing_parts"])
            return
        yield Paragraph(self.say("part", name=_name(part[0])))
        yield Bullets(tuple(self._parted(part)))
        if miya:
            key = "miya_factor" if part[0].relations[0].factor else "miya_part"
            yield Remark(self.say(key, name=_name(part[0])), "side-eye")

    def name(self, variant: Variant) -> str:
        parts = (self.say(f"name_{axis}", value=v) for axis, v in variant.chosen.items())
        return ", ".join(parts)

    def _parted(self, groups: list[Group]) -> Iterator[str]:
        """What stands alike to the first variant's is told together."""
        alike: dict[str, list[str]] = {}
        for group in groups:
            sides = zip(self.found.variants[1:], group.relations, strict=True)
            how = "; ".join(self._related(self.name(v), r) for v, r in sides)
            alike.setdefault(how, []).append(_name(group))
        for how, names in alike.items():
            yield self.say("parting", name=", ".join(names), how=how)

    def _related(self, name: str, relation: Relation) -> str:
        if relation.same:
            return self.say("is_same", variant=name)
        if relation.factor is None:
            return self.say("is_other", variant=name)
        if relation.factor == 0:
            return self.say("is_zero", variant=name)
        first = self.name(self.found.variants[0])
        factor = _written(relation.factor)
        return self.say("is_factor", variant=name, first=first, factor=factor)

    def tables(self) -> Iterator[Block]:
        for step in STEPS:
            yield Heading(self.words[step])
            rows = [row for g in self.found.groups if g.step == step for row in self._rows(g)]
            names = map(self.name, self.found.variants)
            yield Table((self.words["symbol"], *names, self.words["factor"]), tuple(rows))
            left = [g for g in self.found.groups if g.step == step and g.values[0].size > MOST_ROWS]
            if left:
                names_left = ", ".join(map(_name, left))
                yield Paragraph(self.say("left_out", told=TOP, names=names_left))

    def _rows(self, group: Group) -> Iterator[tuple[str | Symbol, ...]]:
        shorts = ["=" if r.same else _short(r) for r in group.relations]
        how = "=" if group.agrees else ", ".join(shorts)
        for index in _picked(group):
            symbol = Symbol(group.head, group.layer, index, group.mark)
            sizes = (float(np.abs(v).max()) for v in group.values)
            values = (
                settled(float(v[index]), size, self.digits)
                for v, size in zip(group.values, sizes, strict=True)
            )
            yield (symbol, *values, how)


def _formula(variant: Variant) -> Formula:
    network = variant.trace.network
    kind = network.loss.kind
    divisor = network.loss.divisor(*network.targets.shape)
    below = "" if divisor == 1 else f" / {divisor}"
    tex = r"\sum \ell" if divisor == 1 else rf"\frac{{1}}{{{divisor}}} \sum \ell"
    return Formula(
        f"ℓ = {kind.formula},  C = Σ ℓ{below}",
        rf"\ell = {latex_formula(kind.formula)}, \qquad C = {tex}",
    )


def _short(relation: Relation) -> str:
    if relation.factor is None:
        return "≠"
    return f"× {_written(relation.factor)}" if relation.factor else "0"


def _name(group: Group) -> str:
    return plain_symbol(Symbol(group.head, group.layer, (), group.mark))


def _written(factor: float) -> str:
    """1/3 as a fraction, 0.5 and 2 as they are."""
    near = Fraction(factor).limit_denominator(LARGEST_TERM)
    short = f"{factor:.12g}"
    return str(near) if len(short) > 6 and float(near) == factor else number(factor, 6, pad=False)


def _picked(group: Group) -> list[tuple[int, ...]]:
    """All entries of a small array; of a large one those that differ most from the first's."""
    first = group.values[0]
    if first.size <= MOST_ROWS:
        return list(np.ndindex(first.shape))
    spread = np.max([np.abs(v - first) for v in group.values[1:]], axis=0)
    order = np.argsort(-spread.ravel(), kind="stable")[:TOP]
    return [tuple(int(i) for i in np.unravel_index(k, first.shape)) for k in order]
