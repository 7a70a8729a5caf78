"""Why one number has its gradient: the terms that it is the sum of, and theirs, down to the loss.

At each level the largest term is followed: its factor ∂C/∂(something later) is the next level's
number. Everything is read from the trace; autograd's own number stands beside each sum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum

import numpy as np

from ..core.calls import Call, Factor, Terms, Value, Worked
from ..core.contributions import Contribution, contributions
from ..core.graph import Index
from ..core.records import RECORDS
from ..core.records.formula import evaluate
from ..core.rounding import Array
from ..errors import MiyaInputError

TOP = 5  # terms told a level
MOST_LEVELS = 2000
# what one operation's rounding may be of the numbers that it adds up, by dtype
EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
STEPS = 64  # roundings of the sum of the terms' sizes that a library's sum may be off by
# dtypes whose sums are added up in float32 and rounded once, and how many units of the last place
# of that number it may be off by: an operation made of some steps rounds each
NARROW, UNITS = ("float16", "bfloat16"), 4
SMALLEST = {"float16": 2.0**-24}  # the step of its numbers near 0


@dataclass(frozen=True, eq=False)
class Piece:
    """One factor of one term. of, index, gradient: the number is that element of `of`, or of
    ∂C/∂of; else a local derivative or a constant, `symbol`, worked out as `formula` says of the
    numbers in `reads`."""

    number: float
    of: Value | None = None
    index: Index = ()
    gradient: bool = False
    symbol: str = ""
    formula: str = ""
    reads: Mapping[str, Piece] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Part:
    """One term. pieces: its factors, none where the operation has no record: then `number` is
    what the library passes back through `call` as a whole. rank: by size, from 1."""

    number: float
    pieces: tuple[Piece, ...]
    call: Call | None
    role: str
    rank: int

    @property
    def onward(self) -> Piece | None:
        """The factor that is a gradient itself."""
        return next((p for p in self.pieces if p.gradient), None)


@dataclass(frozen=True, eq=False)
class Sum:
    """count terms that make `total`: the largest, and how many others there are with what sum.
    size: Σ |term|."""

    parts: tuple[Part, ...]
    count: int
    others: int
    others_total: float
    total: float
    size: float


@dataclass(frozen=True, eq=False)
class Level:
    """∂C/∂value at index. gradient: autograd's, None where it was not asked for it (an input).
    difference: the sum of the terms less it; rounding: what the dtype's rounding explains.
    exact: where it does not, what the library's own operations give in float64, if they can.
    followed: the term whose gradient is next."""

    value: Value
    index: Index
    gradient: float | None
    sum: Sum
    uses: tuple[Contribution, ...]
    followed: Part | None
    difference: float
    rounding: float
    exact: float | None = None

    @property
    def uses_with_terms(self) -> tuple[Contribution, ...]:
        """Those that pass something back, be it 0."""
        return tuple(u for u in self.uses if u.terms is None or u.terms)

    @property
    def agrees(self) -> bool:
        return not abs(self.difference) > self.rounding or self.lossy

    @property
    def lossy(self) -> bool:
        """Whether autograd's number lost digits in its dtype: in float64 the same operations give
        what the terms do."""
        if not abs(self.difference) > self.rounding or self.exact is None:
            return False
        return close(self.sum.total, self.exact, self.sum.size, self.value.dtype)

    @property
    def passes_on(self) -> bool:
        """Whether it is one gradient handed on as it is."""
        (first, *rest) = self.sum.parts or (None,)
        return first is not None and not rest and self.sum.count == 1 and _is_one(first)


def _is_one(part: Part) -> bool:
    others = [p for p in part.pieces if not p.gradient]
    return part.onward is not None and all(p.of is None and p.number == 1 for p in others)


@dataclass(frozen=True, eq=False)
class Made:
    """What a number itself is made of: a sum, or a formula with its names; neither where the
    operation has no record. call: None for what is given. exact: where the recorded number is
    further off than rounding explains, what the library's operation gives in float64."""

    call: Call | None
    sum: Sum | None
    worked: Worked | None
    number: float
    rounding: float
    exact: float | None = None

    @property
    def confirmed(self) -> float | None:
        """`exact`, where the sum is that number and the recorded one lost digits."""
        if self.sum is None or self.exact is None or self.call is None:
            return None
        dtype = max((o.dtype for o in self.call.operands.values()), key=lambda d: EPSILON.get(d, 0))
        return self.exact if close(self.sum.total, self.exact, self.sum.size, dtype) else None


def rounding(
    dtype: str, size: float, coarse: float = 0.0, whole: float | None = None, count: int = 1
) -> float:
    """How far a sum of numbers of that size together may be off. coarse: of values that are
    rounded to fewer digits. whole, count: the size of what is rounded to the dtype, and of how
    many such numbers it is the sum; None where every term is."""
    if dtype not in NARROW or whole is None:
        return max(EPSILON.get(dtype, 0.0), coarse) * STEPS * size
    once = EPSILON[dtype] * (UNITS + (count - 1) / 2) * whole
    return once + EPSILON["float32"] * STEPS * size + count * SMALLEST.get(dtype, 0.0)


def close(number: float, exact: float, size: float, dtype: str) -> bool:
    """Whether a number is what float64 gives, worked out from numbers that the dtype rounded."""
    allowed = 2 * EPSILON.get(dtype, 0.0) * abs(exact) + EPSILON["float64"] * STEPS * size
    return abs(number - exact) <= allowed


def chain(
    root: Value,
    value: Value,
    index: Index,
    *,
    top: int = TOP,
    follow: Sequence[int] = (),
    coarse: float = 0.0,
) -> list[Level]:
    """The levels from ∂C/∂value[index] to ∂C/∂C = 1.

    follow: the rank of the term to follow at each level; 1 where it says nothing.
    Raises MiyaInputError E622 where a level has no term of that rank.
    """
    levels: list[Level] = []
    ranks = iter(follow)
    while value is not root and len(levels) < MOST_LEVELS:
        level = level_of(value, index, top, next(ranks, 1), coarse)
        levels.append(level)
        if level.followed is None:
            break
        onward = _next(level.followed)
        if onward is None:
            break
        value, index = onward
    return levels


def level_of(value: Value, index: Index, top: int, rank: int = 1, coarse: float = 0.0) -> Level:
    """The terms of ∂C/∂value[index], the one of that rank to be followed."""
    uses = contributions(value, index)
    found = largest(uses, max(top, rank))
    if rank > 1 and rank > found.count:
        raise MiyaInputError(
            "E622",
            f"{value.name} has {found.count} terms, and number {rank} is to be followed",
            hint=f"choose 1 to {found.count}",
        )
    followed = next((p for p in found.parts if p.rank == rank), None)
    if followed is not None and followed.number == 0 and rank == 1:
        followed = None
    gradient = value.gradient
    recorded = None if gradient is None else float(gradient[index])
    whole = sum(abs(use.total) for use in uses)
    allowed = max(
        rounding(dtype, found.size, coarse, whole, max(len(uses), 1))
        for dtype in _dtypes(value, uses)
    )
    difference = 0.0 if recorded is None else found.total - recorded
    off = abs(difference) > allowed
    exact = _exactly(uses, index) if off else None
    return Level(value, index, recorded, found, tuple(uses), followed, difference, allowed, exact)


def _exactly(uses: Sequence[Contribution], index: Index) -> float | None:
    """The sum of what each use passes back, worked out by the library in float64."""
    parts = [use.call.passed_exactly(use.role) for use in uses if use.terms != []]
    known = [float(part[index]) for part in parts if part is not None]
    return fsum(known) if len(known) == len(parts) else None


def _dtypes(value: Value, uses: Sequence[Contribution]) -> set[str]:
    """In which its gradient is added up: autocast reads a parameter in a narrower dtype."""
    return {value.dtype, *(r.dtype for use in uses for r in use.call.results)}


def _next(part: Part) -> tuple[Value, Index] | None:
    """Where a term leads: its gradient, or of an operation told as a whole the largest gradient
    that came back to it."""
    piece = part.onward
    if piece is not None:
        assert piece.of is not None
        return outside(piece.of), piece.index
    if part.pieces or part.call is None:
        return None
    results = [r for r in part.call.results if r.gradient is not None]
    if not results:
        return None
    widest = max(results, key=lambda r: float(np.max(np.abs(_back(r)), initial=0.0)))
    return outside(widest), strongest(widest)


def _back(value: Value) -> Array:
    assert value.gradient is not None
    return value.gradient


def strongest(value: Value) -> Index:
    """The element with the largest |∂C/∂value|, or without one the largest |value|."""
    array = value.array if value.gradient is None else value.gradient
    flat = np.abs(np.nan_to_num(np.asarray(array, np.float64)))
    return tuple(int(i) for i in np.unravel_index(int(flat.argmax()), flat.shape))


def outside(value: Value) -> Value:
    """A result inside an expanded call that nothing inside reads is the call's own result."""
    stands = value.call is not None and value.outer is not None and not value.uses
    return value.outer if stands and value.outer is not None else value


def largest(uses: Sequence[Contribution], top: int) -> Sum:
    """All terms of the uses as one sum, the `top` largest told."""
    groups = [(u, t) for u in uses for t in (u.terms if u.terms is not None else [None])]
    numbers = [np.array([u.total]) if t is None else t.values for u, t in groups]
    return _sum(
        [(u.call, u.role, t) for u, t in groups],
        numbers,
        top,
    )


def _sum(
    groups: Sequence[tuple[Call | None, str, Terms | None]],
    numbers: Sequence[np.ndarray],
    top: int,
) -> Sum:
    if not numbers:
        return Sum((), 0, 0, 0.0, 0.0, 0.0)
    every = np.concatenate([np.asarray(n, np.float64) for n in numbers])
    starts = np.cumsum([0, *(len(n) for n in numbers)])
    sizes = np.abs(every)
    count = min(top, len(every))
    best = np.argpartition(-sizes, count - 1)[:count] if count else np.array([], dtype=int)
    best = best[np.lexsort((best, -sizes[best]))]
    parts = []
    for rank, k in enumerate(best.tolist(), 1):
        g = int(np.searchsorted(starts, k, "right")) - 1
        call, role, terms = groups[g]
        pieces = () if terms is None else _pieces(terms, k - int(starts[g]))
        parts.append(Part(float(every[k]), pieces, call, role, rank))
    rest = np.ones(len(every), dtype=bool)
    rest[best] = False
    left = every[rest]
    return Sum(
        tuple(parts),
        len(every),
        len(left),
        fsum(left.tolist()) if len(left) < 100_000 else float(left.sum()),
        fsum(every.tolist()) if len(every) < 100_000 else float(every.sum()),
        float(sizes.sum()),
    )


def _pieces(terms: Terms, k: int) -> tuple[Piece, ...]:
    return tuple(_piece(factor, k) for factor in terms.factors)


def _piece(factor: Factor, k: int) -> Piece:
    index = () if factor.index is None else tuple(int(i) for i in factor.index[k])
    number = float(factor.values[k])
    if factor.of is None:
        symbol = factor.symbol.replace("{}", ",".join(map(str, index)))
        reads = {name: _piece(read, k) for name, read in factor.reads.items()}
        return Piece(number, symbol=symbol, formula=factor.formula, reads=reads)
    return Piece(number, factor.of, index, factor.gradient)


def made(value: Value, index: Index, *, top: int = TOP, coarse: float = 0.0) -> Made:
    """What value[index] is made of."""
    number = float(value.array[index])
    call, slot = value.call, value.slot
    if call is not None and call.inside is not None:
        inner = call.inside.results[slot]
        if inner.call is not None:
            call, slot = inner.call, inner.slot
    record = RECORDS.get(call.name) if call is not None else None
    if call is None or record is None:
        return Made(call, None, None, number, 0.0)
    told = record.forward(call, slot, index)
    if told is None or isinstance(told, Worked):
        allowed = rounding(value.dtype, abs(number), coarse, abs(number))
        exact = None if told is None else _unlike(told, call, slot, index, number, allowed)
        return Made(call, None, told, number, allowed, exact)
    found = _sum([(call, "", t) for t in told], [t.values for t in told], top)
    allowed = rounding(value.dtype, found.size, coarse, abs(found.total))
    off = abs(found.total - number) > allowed
    exact = _forward(call, slot, index) if off else None
    return Made(call, found, None, number, allowed, exact)


def _unlike(
    told: Worked, call: Call, slot: int, index: Index, number: float, allowed: float
) -> float | None:
    """What float64 gives, where a formula's number is not the recorded one but that."""
    try:
        found = float(evaluate(told.formula, {n: x for n, (_, _, x) in told.names.items()}))
    except (KeyError, ValueError, SyntaxError, TypeError):  # words, no arithmetic
        return None
    if not abs(found - number) > allowed:
        return None
    exact = _forward(call, slot, index)
    return exact if exact is not None and close(found, exact, abs(found), "float32") else None


def _forward(call: Call, slot: int, index: Index) -> float | None:
    """One element of a result, worked out by the library in float64."""
    wide = {
        role: np.asarray(operand.array, np.float64)
        for role, operand in call.operands.items()
        if operand.dtype in EPSILON
    }
    try:
        return float(call.moved(wide)[slot][index])
    except (RuntimeError, ValueError, TypeError, NotImplementedError):
        return None
