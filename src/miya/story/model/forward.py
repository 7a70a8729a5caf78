"""Step 1: what each module does, with one thread of numbers worked out, and the loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from ...analysis.outline import Unit
from ...analysis.why import Made, made
from ...core.calls import Call
from ..blocks import Block, Heading, Paragraph
from .narrator import Narrator, shape_of
from .sums import tensor_table
from .why import made_blocks


def forward(n: Narrator) -> Iterator[Block]:
    yield Heading(n.text("forward_heading"))
    if not n.only:
        yield n.say("thread")
    for unit in n.units:
        yield from _unit_forward(n, unit)


def unit_title(n: Narrator, unit: Unit) -> str:
    if not unit.path:
        return n.text("own_code")
    return n.text("unit", path=unit.path, kind=unit.kind)


def _unit_forward(n: Narrator, unit: Unit) -> Iterator[Block]:
    yield Heading(unit_title(n, unit), 3)
    calls = _chosen(unit)
    if constants := [c for c in calls if n.outline.fixed(c)]:
        yield _named_group(n, "constants", constants)
    calls = [c for c in calls if c not in constants]
    for way, found in groupby(((_way(n, c), c) for c in calls), lambda pair: pair[0]):
        group = [call for _, call in found]
        if way == "moves":
            yield _moves(n, group)
        elif way == "whole" and len(group) > 1:
            names = ", ".join(dict.fromkeys(c.name.strip("_") for c in group))
            yield n.say("wholes", names=names)
            yield from tensor_table(n.v, *(c.results[0] for c in group))
        else:
            for call in group:
                yield from _worked_call(n, call)
    if len(calls) < len(unit.calls):
        yield n.say("block", told=len(calls), all=len(unit.calls))
        yield from tensor_table(n.v, unit.value)


def _way(n: Narrator, call: Call) -> str:
    """How a call is told: "moves", "whole", or "worked" with its numbers."""
    what = _made(n, call)
    if call.inside is None and _only_moves(what):
        return "moves"
    told = what.sum is not None or what.worked is not None or call.inside is not None
    return "worked" if told else "whole"


def _made(n: Narrator, call: Call) -> Made:
    value = call.results[0]
    return made(value, n.outline.place(value), top=n.terms)


def _worked_call(n: Narrator, call: Call) -> Iterator[Block]:
    value, what = call.results[0], _made(n, call)
    yield from made_blocks(n.v, value, n.outline.place(value), what)
    if call.inside is not None and _only_moves(what) and what.sum is not None:
        piece = next(p for p in what.sum.parts[0].pieces if p.of is not None)
        assert piece.of is not None
        yield from made_blocks(n.v, piece.of, piece.index, made(piece.of, piece.index, top=n.terms))
    yield from _through_time(n, call)


def _chosen(unit: Unit) -> Sequence[Call]:
    """Of a whole block, what its last parameter is used by, and what it gives at the end."""
    if not unit.whole or len(unit.calls) <= 3:
        return unit.calls
    heavy = [c for c in unit.calls if any(o.kind == "parameter" for o in c.operands.values())]
    picked = [*heavy[-1:], unit.calls[-1]]
    return list(dict.fromkeys(picked))


def _only_moves(what: Made) -> bool:
    found = what.sum
    if found is None or found.count != 1 or not found.parts:
        return False
    pieces = found.parts[0].pieces
    return sum(p.of is not None for p in pieces) == 1 and all(
        p.of is not None or p.number == 1 for p in pieces
    )


def _moves(n: Narrator, calls: Sequence[Call]) -> Block:
    if len(calls) == 1 and calls[0].name == "embedding":
        return _looked_up(n, calls[0])
    many = len({c.name for c in calls}) > 1
    return _named_group(n, "moves_many" if many else "moves", calls)


def _named_group(n: Narrator, key: str, calls: Sequence[Call]) -> Block:
    names = ", ".join(dict.fromkeys(c.name.strip("_") for c in calls))
    result = calls[-1].results[0]
    return n.say(key, names=names, name=result.name, shape=shape_of(result))


def _looked_up(n: Narrator, call: Call) -> Block:
    result, what = call.results[0], _made(n, call)
    assert what.sum is not None
    piece = next(p for p in what.sum.parts[0].pieces if p.of is not None)
    assert piece.of is not None
    return n.say(
        "looked_up",
        element=n.v.name(result, n.outline.place(result)),
        of=n.v.piece(piece),
        weight=piece.of.name,
        name=result.name,
        shape=shape_of(result),
    )


def _through_time(n: Narrator, call: Call) -> Iterator[Block]:
    """An expanded call: what it is made of inside, step by step."""
    inside = call.inside
    if inside is None:
        return
    names: dict[str, int] = {}
    calls = [c for c in inside.calls if any(r.has_gradient for r in c.results)] or inside.calls
    for inner in calls:
        word = inner.name.strip("_")
        names[word] = names.get(word, 0) + 1
    told = ", ".join(f"{count} x {word}" for word, count in names.items())
    yield n.say("inside", operation=n.v.operation(call), calls=len(calls), names=told)


def loss(n: Narrator) -> Iterator[Block]:
    root = n.trace.root
    yield Heading(n.text("loss_heading"), 3)
    index = (0,) * len(root.shape)
    yield from made_blocks(n.v, root, index, made(root, index, top=n.terms))
    yield Paragraph(n.text("loss", loss=n.v.number(n.trace.loss)), tells=True)
