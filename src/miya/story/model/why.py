"""The story of one number: what it is made of, the chain of its gradient, what the step does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from ...analysis.explain_element import Answer
from ...analysis.why import Level, Made, Part, Sum
from ...core.calls import Value
from ...core.records import RECORDS
from ..blocks import Block, Calculations, Heading, Paragraph, Story
from ..quantity import Symbol
from ..symbols import plain_symbol
from .notation import formula, slope_written, written
from .sums import compared, one_term, share_of, sum_blocks, tensor_table
from .updates import update_blocks
from .voice import Voice
from .worked import worked_blocks

DIGITS = 5


def tell_why(
    answer: Answer, *, digits: int | None = None, language: str = "en", miya: bool = True
) -> Story:
    """The story of one number. Raises MiyaInputError E602 for a language that does not ship."""
    digits = digits or DIGITS
    v = Voice(language, digits, miya, answer.batch, answer.root)
    title = v.text("why", "title", element=shown(v, answer))
    blocks = (Heading(title, 1), *_blocks(v, answer))
    return Story(title, language, digits, "exact", blocks)


def shown(v: Voice, answer: Answer) -> str:
    element = answer.element
    if element.value is None:
        return plain_symbol(Symbol(element.name, None, element.index, own=True))
    return v.name(element.value, element.index)


def _blocks(v: Voice, answer: Answer) -> Iterator[Block]:
    yield Heading(v.text("why", "value_heading"))
    yield from value_blocks(v, answer)
    yield Heading(v.text("why", "gradient_heading"))
    if answer.absent or not answer.levels:
        key = f"absent_{answer.absent}" if answer.absent else "is_loss"
        yield v.say("why", key, element=shown(v, answer))
    else:
        yield from chain_blocks(v, answer.levels)
    if answer.update is not None or (answer.frozen and not answer.absent):
        yield Heading(v.text("why", "update_heading"))
    if answer.update is not None:
        element = answer.element
        symbol = (
            Symbol(element.name, None, element.index, own=True)
            if element.value is None
            else v.symbol(element.value, element.index)
        )
        yield from update_blocks(v, answer.update, symbol)
    elif answer.frozen and not answer.absent:
        yield v.say("why", "frozen", element=shown(v, answer))


def value_blocks(v: Voice, answer: Answer) -> Iterator[Block]:
    element, value = answer.element, answer.element.value
    if value is None or answer.made is None:
        number = element.parameter.before[element.index] if element.parameter else 0.0
        yield v.say("why", "never_read", element=shown(v, answer), value=v.number(float(number)))
        return
    yield from made_blocks(v, value, element.index, answer.made)


def made_blocks(v: Voice, value: Value, index: tuple[int, ...], made: Made) -> Iterator[Block]:
    """What one element of a value is made of."""
    name, number = v.name(value, index), v.number(made.number)
    symbol = v.symbol(value, index)
    if made.call is None:
        kind = v.words["why"][f"kind_{value.kind}"]
        yield v.say("why", "given", element=name, value=number, kind=kind)
        return
    operation = v.operation(made.call)
    record = RECORDS.get(made.call.name)
    if record is None or (made.sum is None and made.worked is None):
        key = "made_whole" if record is None else "made_untold"
        yield v.say("why", key, element=name, operation=operation, value=number)
        yield from tensor_table(v, made.call.results[0])
        return
    yield v.say("why", "made", element=name, operation=operation)
    said = written(record.formula, made.call)
    yield formula(v.formula(said))
    if made.sum is not None:
        yield from sum_blocks(v, made.sum, symbol, "made")
        yield from compared(
            v, made.sum.total, made.number, made.rounding, "recorded", made.confirmed
        )
    elif made.worked is not None:
        yield from worked_blocks(v, made.worked, symbol, made.number, said.partition(" = ")[2])
        if made.exact is not None:
            recorded, exact = v.number(made.number), v.number(made.exact)
            yield v.say("why", "lossy_recorded", recorded=recorded, exact=exact)


def chain_blocks(v: Voice, levels: Sequence[Level]) -> Iterator[Block]:
    """Each level of a chain; those that only hand one gradient on are told together."""
    many = "_one" if len(levels) == 1 else ""
    yield v.say("why", f"chain{many}", levels=len(levels))
    handed: list[Level] = []
    number = 0
    for level in levels:
        if level.passes_on and level.agrees:
            handed.append(level)
            continue
        if handed:
            yield from _handed_on(v, handed)
            handed = []
        number += 1
        name = v.name(level.value, level.index, gradient=True)
        yield from level_blocks(v, level, v.text("why", "level", number=number, name=name))
    if handed:
        yield from _handed_on(v, handed)
    if levels[-1].followed is not None:
        yield v.say("why", "end")
        yield from v.remark(
            f"trail{many}",
            "pointing",
            "pressure",
            element=v.name(levels[0].value, levels[0].index),
            gradient=v.signed(levels[0].sum.total),
            share=v.percent(prod(share_of(lv.sum, lv.followed) for lv in levels)),
            levels=len(levels),
        )
    else:
        yield from v.remark("asleep", "sleepy", element=v.name(levels[-1].value, levels[-1].index))


def _handed_on(v: Voice, levels: Sequence[Level]) -> Iterator[Block]:
    """Operations that only move numbers: the gradient comes back as it is."""
    first, last = levels[0], levels[-1]
    part = last.sum.parts[0]
    onward = part.onward
    assert onward is not None and onward.of is not None
    names = [v.operation(lv.sum.parts[0].call) for lv in levels if lv.sum.parts[0].call]
    yield v.say(
        "why",
        "handed_on",
        element=v.name(first.value, first.index, gradient=True),
        operations=", ".join(dict.fromkeys(names)),
        onward=v.name(onward.of, onward.index, gradient=True),
    )
    symbol = v.symbol(first.value, first.index, gradient=True)
    tree = v.tree(Sum((part,), 1, 0, 0.0, part.number, abs(part.number)))
    yield Calculations((v.calculation("handed_on", symbol, tree, part.number),))


def level_blocks(v: Voice, level: Level, title: str, *, follow: bool = True) -> Iterator[Block]:
    """∂C/∂ of one number as the sum of its terms. follow: say where the chain goes on."""
    yield Heading(title, 3)
    symbol = v.symbol(level.value, level.index, gradient=True)
    untold = [p for p in level.sum.parts if not p.pieces]
    if len(untold) < level.sum.count or not untold:
        yield _uses(v, level)
        yield from _formulas(v, level)
    for part in untold:
        yield from _untold(v, part)
    yield from sum_blocks(v, level.sum, symbol, "gradient")
    if level.gradient is None:
        yield v.say("why", "not_asked")
    else:
        exact = level.exact if level.lossy else None
        yield from compared(v, level.sum.total, level.gradient, level.rounding, "autograd", exact)
    if follow and level.followed is not None and level.sum.count > 1:
        yield _onward(v, level.followed)


def _onward(v: Voice, followed: Part) -> Paragraph:
    onward = followed.onward
    if onward is not None:
        to = v.piece(onward)
    else:
        assert followed.call is not None
        to = v.operation(followed.call)
    key = "follow" if followed.rank == 1 else "follow_other"
    return v.say("why", key, rank=followed.rank, onward=to)


def _uses(v: Voice, level: Level) -> Paragraph:
    reached = level.uses_with_terms
    told = [v.text("why", "use", operation=v.operation(u.call), role=u.role) for u in reached[:4]]
    if len(reached) > 4:
        told.append(v.text("why", "more_uses", count=v.count(len(reached) - 4)))
    if not reached:
        return v.say("why", "no_uses")
    uses = "; ".join(told)
    if level.sum.count == 1 and level.sum.parts[0].pieces:
        return v.say("why", "one_term", uses=uses, factors=one_term(v, level.sum))
    return v.say("why", "terms", uses=uses, count=v.count(level.sum.count))


def _formulas(v: Voice, level: Level) -> Iterator[Block]:
    """The formula of each operation that gives terms."""
    told = []
    for use in level.uses:
        record = RECORDS.get(use.call.name)
        found = record and record.gradients.get(use.role.partition(".")[0])
        if found and use.terms and found not in told:
            told.append(found)
            yield formula(v.formula(slope_written(found, use.call)))


def _untold(v: Voice, part: Part) -> Iterator[Block]:
    assert part.call is not None
    yield v.say("why", "whole", operation=v.operation(part.call), value=v.number(part.number))
    yield from tensor_table(v, *part.call.results)
