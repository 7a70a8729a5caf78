"""Credit in the story: whose the real change of the loss is, by layer, neuron and parameter."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...analysis.model.blame import model_blame
from ...analysis.model.credit import ModelCredit, cheap_credit
from ...analysis.model.ranking import ModelRow
from ..blocks import Block, Calculation, Calculations, Heading, Table
from ..closing import close_noise
from ..expression import Binary, Expression, Number, total
from ..quantity import Symbol

if TYPE_CHECKING:
    from .narrator import Narrator

MOST_LAYERS, MOST_ROWS = 12, 5
RESIDUAL_DIGITS = 2


def credits(n: Narrator) -> Iterator[Block]:
    """The credits, their sum and what it misses; where they ask for many runs of the model, how
    to have them worked out."""
    yield Heading(n.text("credit_heading"), 3)
    found = cheap_credit(n.trace)
    if found is None:
        yield n.say("credit_dear")
        return
    yield n.v.say("outcome", "credits")
    ranking = model_blame(n.trace, "credit")
    layers = ranking.layers[:MOST_LAYERS]
    yield _table(n, "layer", layers)
    if ranking.total_layers > len(layers):
        yield n.say("more_layers", told=len(layers), all=ranking.total_layers)
    if found.dtype != n.trace.dtype:
        yield n.say("credit_dtype", dtype=found.dtype)
    yield from _sum(n, found, layers, ranking.total_layers)
    for word, rows, every in (
        ("neuron", ranking.neurons, ranking.total_neurons),
        ("parameter", ranking.parameters, ranking.total_parameters),
    ):
        if rows:
            told = rows[:MOST_ROWS]
            yield n.say(f"credit_{word}s", told=len(told), all=n.v.count(every))
            yield _table(n, word, told)


def _table(n: Narrator, word: str, rows: Sequence[ModelRow]) -> Table:
    outcome, model = n.v.words["outcome"], n.v.words["model"]
    header = (model[word], outcome["credit"], outcome["share"])
    told = ((_name(row), n.v.signed(row.value), n.v.percent(row.share)) for row in rows)
    return Table(header, tuple(told))


def _name(row: ModelRow) -> str:
    return row.name if row.kind in ("layer", "parameter", "neuron") else f"{row.name} ({row.kind})"


def _sum(
    n: Narrator, found: ModelCredit, layers: Sequence[ModelRow], every: int
) -> Iterator[Block]:
    terms: list[Expression] = [Number(r.value, Symbol(f"credit {r.name}")) for r in layers]
    if every > len(layers):
        terms.append(Number(found.total - math.fsum(r.value for r in layers)))
    shown, real = Symbol("Σ credits"), Symbol("ΔC")
    yield Calculations((n.v.calculation("credit_sum", shown, total(terms), found.total),))
    yield n.v.say("outcome", "residual")
    missing = Binary("-", Number(found.total, shown), Number(found.real_change, real))
    closed = close_noise(missing, found.residual, RESIDUAL_DIGITS)
    yield Calculations((Calculation("residual", Symbol("residual"), closed),))


def credited(n: Narrator) -> list[str]:
    """The layers that lowered and raised the loss most."""
    if cheap_credit(n.trace) is None:
        return []
    rows = model_blame(n.trace, "credit").layers
    told = []
    for key, choose, sign in (("best", min, -1), ("worst", max, 1)):
        row = choose(rows, key=lambda r: r.value, default=None)
        if row is not None and row.value * sign > 0:
            value = n.v.signed(row.value)
            told.append(n.v.text("takeaways", f"credit_{key}", symbol=row.name, value=value))
    return told
