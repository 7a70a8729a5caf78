"""The parts of the story of one step of a model: the weights, their update, what it brought."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ...analysis.element_update import update_in_model
from ...analysis.outline import untold
from ...analysis.pressed import Pressed, pressed, promised
from ...analysis.why import level_of
from ...core.contributions import contributions
from ..blocks import Block, Bullets, Calculations, Heading, Table
from ..expression import Binary, Number, total
from ..quantity import Symbol
from ..symbols import plain_symbol
from .credit import credited, credits
from .narrator import Narrator
from .updates import element_blocks, optimizer_formulas
from .why import level_blocks

MOST_PARAMETERS = 20


def _told(n: Narrator) -> list[Pressed]:
    return [p for p in pressed(n.trace) if n.told(p.parameter.name)]


def symbol(found: Pressed) -> Symbol:
    return Symbol(found.parameter.name, None, found.index, own=True)


def weights(n: Narrator) -> Iterator[Block]:
    found = _told(n)
    yield Heading(n.text("weights_heading"))
    if not found:
        yield n.say("no_weights")
        return
    yield n.say("weights")
    header = n.header("parameter", "shape", "typical", "largest", "at")
    yield Table(header, tuple(_row(n, p) for p in found[:MOST_PARAMETERS]))
    if len(found) > MOST_PARAMETERS:
        yield n.say("more_parameters", told=MOST_PARAMETERS, all=len(found))
    for p in found[: n.top]:
        value = p.parameter.value
        if value is None:  # read where nothing was recorded
            continue
        level = level_of(value, p.index, n.terms)
        title = n.v.name(value, p.index, gradient=True)
        yield from level_blocks(n.v, level, title, follow=False)
    for p in found:
        yield from _tied(n, p)
    yield from n.v.remark(
        "pressure",
        "pointing",
        "pressure",
        symbol=plain_symbol(symbol(found[0])),
        gradient=n.v.signed(found[0].gradient),
        count=n.v.count(sum(p.parameter.size for p in found)),
    )


def _row(n: Narrator, p: Pressed) -> tuple[str, ...]:
    shape = " x ".join(map(str, p.parameter.shape)) or "1"
    at = f"[{','.join(map(str, p.index))}]"
    return (p.parameter.name, shape, n.v.number(p.typical), n.v.signed(p.gradient), at)


def _tied(n: Narrator, p: Pressed) -> Iterator[Block]:
    """A parameter with several uses: what each passes back to one element, and their sum."""
    value = p.parameter.value
    if value is None or (len(value.uses) < 2 and not p.parameter.aliases):
        return
    uses = [u for u in contributions(value, p.index) if u.terms is None or u.terms]
    if len(uses) < 2:
        return
    name = plain_symbol(symbol(p))
    yield Heading(n.text("uses_heading", name=p.parameter.name), 3)
    yield n.say("uses", name=name, count=len(uses))
    rows = tuple(
        (n.v.operation(u.call), u.role, n.v.signed(u.total)) for u in uses[:MOST_PARAMETERS]
    )
    yield Table(n.header("use", "role", "part"), rows)
    if len(uses) > MOST_PARAMETERS:
        yield n.say("more_uses", told=MOST_PARAMETERS, all=len(uses))
    numbers = [u.total for u in uses]
    told = [Number(x) for x in numbers[:MOST_PARAMETERS]]
    rest = numbers[MOST_PARAMETERS:]
    tree = total([*told, *([Number(math.fsum(rest))] if rest else [])])
    shown = Symbol(f"∂C/∂{p.parameter.name}", None, p.index, own=True)
    yield Calculations((n.v.calculation("uses", shown, tree, math.fsum(numbers)),))


def update(n: Narrator) -> Iterator[Block]:
    yield Heading(n.text("update_heading"))
    found = [p for p in _told(n) if p.parameter.trained]
    if not found:
        yield n.say("no_update")
        return
    use = n.trace.optimizer
    assert use is not None
    worked = [(p, update_in_model(p.parameter, use, p.index)) for p in found[: n.top]]
    shown = [(p, u) for p, u in worked if u is not None]
    known = bool(shown and shown[0][1].lines)
    yield n.v.say("why", "update" if known else "update_unknown", name=use.name)
    if shown:
        yield from optimizer_formulas(shown[0][1])
    for p, told in shown:
        yield Heading(plain_symbol(symbol(p)), 3)
        yield from element_blocks(n.v, told, symbol(p))
    yield Heading(n.text("moved_heading"), 3)
    yield n.say("moved")
    header = n.header("parameter", "at", "before", "gradient", "change", "after")
    yield Table(header, tuple(_moved(n, p) for p in found[:MOST_PARAMETERS]))
    if len(found) > MOST_PARAMETERS:
        yield n.say("more_parameters", told=MOST_PARAMETERS, all=len(found))


def _moved(n: Narrator, p: Pressed) -> tuple[str, ...]:
    parameter, index = p.parameter, p.moved
    assert parameter.gradient is not None
    before, after = float(parameter.before[index]), float(parameter.after[index])
    tree = Binary("+", Number(before), Number(p.moved_by))
    closed = n.v.calculation("after", Symbol(""), tree, after).closed
    change = closed.write(p.moved_by)
    return (
        parameter.name,
        f"[{','.join(map(str, index))}]",
        closed.write(before),
        n.v.signed(float(parameter.gradient[index])),
        change if change.startswith("-") else f"+{change}",
        closed.result,
    )


def outcome(n: Narrator) -> Iterator[Block]:
    trace, v = n.trace, n.v
    before, after = trace.loss, trace.loss_after
    yield Heading(n.text("outcome_heading"))
    if trace.optimizer is None:
        yield n.say("no_update")
        return
    yield v.say("outcome", "loss", before=v.number(before), after=v.number(after))
    if not (math.isfinite(before) and math.isfinite(after)):
        yield n.say("infinite")
        return
    change = Binary("-", Number(after, Symbol("C", mark="new")), Number(before, Symbol("C")))
    yield Calculations((v.calculation("change", Symbol("ΔC"), change, after - before),))
    yield from _promise(n, after - before)
    yield from credits(n)
    key, mood = ("fell", "proud") if after < before else ("rose", "alarm")
    if after != before:
        yield from v.remark(
            key,
            mood,  # type: ignore[arg-type]
            before=v.number(before),
            after=v.number(after),
            predicted=v.number(trace.predicted_change),
        )


def _promise(n: Narrator, change: float) -> Iterator[Block]:
    """First order, parameter by parameter, the largest parts told."""
    trace, v = n.trace, n.v
    yield v.say("outcome", "predicted")
    parts = sorted(promised(trace).items(), key=lambda pair: -abs(pair[1]))
    told, rest = parts[:MOST_PARAMETERS], parts[MOST_PARAMETERS:]
    yield Table(n.header("parameter", "promise"), tuple((name, v.signed(x)) for name, x in told))
    numbers = [Number(x) for _, x in told]
    if rest:
        numbers.append(Number(math.fsum(x for _, x in rest)))
        yield n.say("more_parameters", told=len(told), all=len(parts))
    whole = math.fsum(x for _, x in parts)
    shown = Symbol("ΔC", mark="predicted")
    yield Calculations((v.calculation("predicted", shown, total(numbers), whole),))
    if trace.predicted_change:
        tree = Binary("/", Number(change, Symbol("ΔC")), Number(whole, shown))
        yield v.say("outcome", "kept")
        kept = Symbol("ΔC / ΔC_predicted")
        yield Calculations((v.calculation("kept", kept, tree, change / whole),))


def takeaways(n: Narrator) -> Iterator[Block]:
    found = _told(n)
    trace, v = n.trace, n.v
    yield Heading(v.text("takeaways", "heading"))
    items = []
    if found:
        first = found[0]
        items.append(
            n.text(
                "pressed_most",
                symbol=plain_symbol(symbol(first)),
                gradient=v.signed(first.gradient),
            )
        )
    trained = [p for p in found if p.parameter.trained]
    if trained:
        mover = max(trained, key=lambda p: abs(p.moved_by))
        name = plain_symbol(Symbol(mover.parameter.name, None, mover.moved, own=True))
        items.append(n.text("moved_most", symbol=name, change=v.signed(mover.moved_by)))
    stepped = trace.optimizer is not None
    items += credited(n) if stepped else []
    names = sorted({c.name.strip("_") for c in untold(trace)})
    if names:
        items.append(n.text("untold", names=", ".join(names)))
    if stepped and math.isfinite(trace.loss_after):
        key = "fell" if trace.loss_after < trace.loss else "rose"
        items.append(
            n.text(
                f"took_{key}",
                before=v.number(trace.loss),
                after=v.number(trace.loss_after),
                predicted=v.number(trace.predicted_change),
            )
        )
    yield Bullets(tuple(items))
