"""Step 6: what the step brought, and the takeaways of this run."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ...analysis.blame import BlameRow
from ...analysis.credit import Credit
from ...core.trace import ParameterUpdate
from .. import remarks
from ..blocks import Block, Bullets, Calculation, Calculations, Heading, Table
from ..closing import close_noise
from ..expression import Binary, Expression, Number, product, total
from ..numbers import signed
from ..quantity import Symbol
from ..symbols import plain_symbol
from ..teller import Teller

RESIDUAL_DIGITS = 2
LETTERS = {"weight": "W", "bias": "b", "neuron": "δ"}


def row_symbol(row: BlameRow) -> Symbol:
    return Symbol(LETTERS[row.kind], row.layer, row.index)


def outcome(t: Teller) -> Iterator[Block]:
    trace = t.trace
    yield Heading(t.text("outcome", "heading"))
    yield t.say("outcome", "loss", before=t.number(trace.loss), after=t.number(trace.loss_after))
    if not math.isfinite(trace.loss_after):
        yield t.say("outcome", "infinite")
        return
    change = _change(t)
    yield Calculations((change,))
    yield from _promise(t)
    if t.credit is not None:
        yield from _credits(t, t.credit)
    else:
        yield t.say("outcome", "infinite")
    yield from remarks.on_outcome(t)


def _change(t: Teller) -> Calculation:
    trace = t.trace
    after, before = (
        Number(trace.loss_after, Symbol("C", mark="new")),
        Number(trace.loss, Symbol("C")),
    )
    difference = float(trace.carry(np.asarray(trace.loss_after - trace.loss)))
    return t.calculation("change", Symbol("ΔC"), Binary("-", after, before), difference)


def _promise(t: Teller) -> Iterator[Block]:
    predicted, promised = t.trace.predicted_change, Symbol("ΔC", mark="predicted")
    yield t.say("outcome", "predicted")
    if not math.isfinite(predicted):
        yield t.say("outcome", "beyond")
        return
    yield Calculations((t.calculation("predicted", promised, _first_order(t), predicted),))
    yield from _kept(t, promised)


def _kept(t: Teller, promised: Symbol) -> Iterator[Block]:
    """The real change as a part of the promised one."""
    trace = t.trace
    if not trace.predicted_change:
        return
    change = float(trace.carry(np.asarray(trace.loss_after - trace.loss)))
    tree = Binary("/", Number(change, Symbol("ΔC")), Number(trace.predicted_change, promised))
    kept = float(trace.carry(np.asarray(change / trace.predicted_change)))
    yield t.say("outcome", "kept")
    yield Calculations((t.calculation("kept", Symbol("ΔC / ΔC_predicted"), tree, kept),))


def _updates(t: Teller) -> Iterator[tuple[str, int, ParameterUpdate]]:
    for layer in t.layers:
        yield "W", layer.number, layer.weight
        yield "b", layer.number, layer.bias


def _first_order(t: Teller) -> Expression:
    pairs: list[tuple[Number, Number]] = []
    for letter, k, update in _updates(t):
        for index in t.top(update.gradient * update.change):
            pairs.append(
                (
                    Number(float(update.gradient[index]), Symbol(f"∂C/∂{letter}", k, index)),
                    Number(float(update.change[index]), Symbol(f"Δ{letter}", k, index)),
                )
            )
    told, rest = t.largest(
        [p for p in pairs if p[0].value * p[1].value != 0], lambda p: p[0].value * p[1].value
    )
    every = sum(u.before.size for u in t.trace.updates.values())
    if rest or len(pairs) < every:
        shown = math.fsum(g.value * d.value for g, d in told)
        rest = [Number(t.trace.predicted_change - shown)]
    return total([*(product(p) for p in told), *rest])


def _credits(t: Teller, found: Credit) -> Iterator[Block]:
    ranking = t.blame("credit")
    key = "credits" if t.trace.digits is None else "credits_unrounded"
    yield t.say("outcome", key)
    every = ranking.total_parameters
    rows = ranking.parameters[: every if every <= t.most_terms else t.top_count]
    yield Table(
        tuple(t.words["outcome"][k] for k in ("parameter", "credit", "share")),
        tuple((row_symbol(r), signed(r.value, t.digits), t.percent(r.share)) for r in rows),
    )
    values = [r.value for r in rows]
    terms: list[Expression] = [
        Number(r.value, Symbol(f"credit {LETTERS[r.kind]}", r.layer, r.index)) for r in rows
    ]
    if ranking.total_parameters > len(rows):
        terms.append(Number(found.total - math.fsum(values)))
        yield t.say(
            "general",
            "left_out",
            told=len(rows),
            all=ranking.total_parameters,
            what=t.words["general"]["parameters"],
        )
    sum_symbol = Symbol("Σ credits")
    told = t.calculation("credit_sum", sum_symbol, total(terms), found.total, carried=False)
    yield Calculations((told,))
    yield t.say("outcome", "residual")
    missing = Binary("-", Number(found.total, sum_symbol), Number(found.real_change, Symbol("ΔC")))
    closed = close_noise(missing, found.residual, RESIDUAL_DIGITS)
    yield Calculations((Calculation("residual", Symbol("residual"), closed),))


def takeaways(t: Teller) -> Iterator[Block]:
    yield Heading(t.text("takeaways", "heading"))
    items = [_pressed(t), _moved(t)]
    items += _credited(t) if t.credit is not None else []
    items.append(_bias(t))
    items += [_loss(t)] if math.isfinite(t.trace.loss_after) else []
    yield Bullets(tuple(items))


def _pressed(t: Teller) -> str:
    pressure = t.blame("pressure")
    top, neuron = pressure.parameters[0], pressure.neurons[0]
    if top.value == 0:
        return t.text("takeaways", "unpressed")
    return t.text(
        "takeaways",
        "pressure",
        symbol=plain_symbol(row_symbol(top)),
        value=signed(top.value, t.digits),
        share=t.percent(top.share),
        neuron=neuron.name,
        delta=signed(neuron.value, t.digits),
    )


def _moved(t: Teller) -> str:
    rows, top = t.blame("step").parameters, t.blame("pressure").parameters[0]
    moved = rows[0]
    size = t.number(abs(moved.value))
    alike = sum(t.number(abs(row.value)) == size for row in rows)
    same = (moved.kind, moved.layer, moved.index) == (top.kind, top.layer, top.index)
    key = "step_same" if same else "step_other"
    if moved.value == 0:
        key = "unmoved"
    elif alike > 1:
        key = "step_alike"
    return t.text(
        "takeaways",
        key,
        symbol=plain_symbol(row_symbol(moved)),
        value=signed(moved.value, t.digits),
        other=plain_symbol(row_symbol(top)),
        size=size,
        count=alike,
    )


def _credited(t: Teller) -> list[str]:
    items = []
    credit = t.blame("credit")
    best = min(credit.parameters, key=lambda r: r.value)
    worst = max(credit.parameters, key=lambda r: r.value)
    if best.value < 0:
        items.append(
            t.text(
                "takeaways",
                "credit_best",
                symbol=plain_symbol(row_symbol(best)),
                value=t.number(best.value),
            )
        )
    if worst.value > 0:
        items.append(
            t.text(
                "takeaways",
                "credit_worst",
                symbol=plain_symbol(row_symbol(worst)),
                value=signed(worst.value, t.digits),
            )
        )
    return items


def _bias(t: Teller) -> str:
    """The bias as the weight of a constant input 1, from the output layer's own numbers."""
    layer = t.layers[-1]
    stays = float(layer.bias.before[0]) == float(layer.bias.after[0])
    key = "bias_still" if stays else "bias"
    if not layer.bias.mask.any():
        key = "bias_frozen"
    return t.text(
        "takeaways",
        key,
        symbol=f"b{layer.number}[0]",
        gradient=t.number(layer.bias.gradient[0]),
        before=t.number(layer.bias.before[0]),
        after=t.number(layer.bias.after[0]),
    )


def _loss(t: Teller) -> str:
    trace = t.trace
    change = _change(t).closed
    size = trace.loss_after - trace.loss
    rose = "rose" if trace.predicted_change < 0 else "rose_promised"
    return t.text(
        "takeaways",
        "fell" if size < 0 else rose if size > 0 else "same",
        before=change.write(trace.loss),
        after=change.write(trace.loss_after),
        predicted=t.number(trace.predicted_change),
        change=change.result,
    )
