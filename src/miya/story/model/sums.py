"""A sum of terms by name and by number, and tensors told as wholes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...analysis.why import Part, Piece, Sum
from ...core.calls import Value
from ..blocks import Block, Calculations, Table
from ..quantity import Symbol
from .voice import Voice, told_pieces


def tensor_table(v: Voice, *values: Value) -> Iterator[Block]:
    """Tensors as wholes: shape, what the values are like, and the gradient that came back."""
    header = tuple(
        v.words["why"][k] for k in ("tensor", "shape", "least", "mean", "greatest", "back")
    )
    rows = []
    for value in values:
        array = np.asarray(value.array, np.float64)
        if not array.size:
            continue
        gradient = value.gradient
        back = "–" if gradient is None else v.number(float(np.abs(gradient).max(initial=0.0)))
        numbers = (array.min(), array.mean(), array.max())
        shape = " x ".join(map(str, value.shape)) or "1"
        rows.append((value.name, shape, *(v.number(float(n)) for n in numbers), back))
    if rows:
        yield Table(header, tuple(rows))


def sum_blocks(v: Voice, found: Sum, symbol: Symbol, kind: str) -> Iterator[Block]:
    """The terms by name and share, then the sum in numbers."""
    if found.count == 0:
        yield v.say("why", "empty")
        return
    if found.count > 1:
        header = tuple(v.words["why"][k] for k in ("rank", "term", "value", "share"))
        rows = [
            (
                str(part.rank),
                v.factors(part) if part.pieces else v.words["why"]["as_a_whole"],
                v.signed(part.number),
                v.percent(share_of(found, part)),
            )
            for part in found.parts
        ]
        yield Table(header, tuple(rows))
        if where := _where(v, found):
            yield v.say("why", "where", formulas=where)
    elif kind == "made":
        yield v.say("why", "single", factors=one_term(v, found))
    yield Calculations((v.calculation(kind, symbol, v.tree(found), found.total),))
    if found.others:
        yield v.say(
            "why",
            "others" if found.others > 1 else "other",
            count=v.count(found.others),
            total=v.number(found.others_total),
        )


def one_term(v: Voice, found: Sum) -> str:
    """The only term by its factors, and how a local one is worked out."""
    factors, where = v.factors(found.parts[0]), _where(v, found)
    return v.text("why", "factors_where", factors=factors, formulas=where) if where else factors


def _where(v: Voice, found: Sum) -> str:
    """How the local factors are worked out, each said once; of an only term, with its numbers."""
    pieces: list[Piece] = [p for part in found.parts for p in told_pieces(part)]
    told = [v.formula(_local(p)) for p in pieces if p.formula]
    if found.count == 1:
        told += [_read(v, name, r) for p in pieces for name, r in p.reads.items()]
    return "; ".join(dict.fromkeys(told))


def _read(v: Voice, name: str, read: Piece) -> str:
    of = f" ({v.piece(read)})" if read.of is not None else ""
    return f"{name} = {v.number(read.number)}{of}"


def _local(piece: Piece) -> str:
    """A formula, or a sentence about the symbol that is an equation itself ("p = 0.1")."""
    is_equation = " = " in piece.formula and "[" not in piece.formula.partition(" = ")[0]
    return piece.formula if is_equation else f"{piece.symbol} = {piece.formula}"


def compared(
    v: Voice, total: float, recorded: float, rounding: float, key: str, exact: float | None = None
) -> Iterator[Block]:
    """Nothing where the recorded number is the sum's in the digits shown; else what it is, and
    whether its dtype's rounding explains the difference. exact: what float64 gives, where that is
    the sum and the recorded number lost digits."""
    difference = total - recorded
    if exact is not None:
        found = v.number(recorded)
        yield v.say("why", f"lossy_{key}", recorded=found, exact=v.number(exact))
        return
    if not abs(difference) <= rounding:
        said = "differs"
    elif v.number(total) != v.number(recorded):
        said = "rounds"
    else:
        return
    found, off = v.number(recorded), v.number(difference)
    yield v.say("why", f"{said}_{key}", difference=off, recorded=found)


def share_of(found: Sum, part: Part | None) -> float:
    return abs(part.number) / found.size if part is not None and found.size else 0.0
