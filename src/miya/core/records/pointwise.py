"""Losses that are made one element at a time and then reduced: what each row of `pointwise_rows`
says, told as terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..calls import Call, Factor, Terms, Value, Worked, element, local, picked
from ..graph import Index
from ..rounding import Array
from .formula import evaluate, names_in
from .grid import broadcast_rows, readers
from .record import Record, back, record

CONSTANTS = {"π": np.pi}


@dataclass(frozen=True)
class Piece:
    """The loss of the elements for which `when` holds, and its derivative by role: formulas of
    the elements' short names, which are both worked out and shown."""

    formula: str
    slopes: Mapping[str, str]
    when: str = ""


@dataclass(frozen=True)
class Pointwise:
    """names: the short name of each tensor, by role. options: of each option, with its default.
    pieces(call): those of the options given; the first that holds of an element is its own.
    weighted: whether a mean divides by the sum of the weights."""

    name: str
    names: Mapping[str, str]
    pieces: Callable[[Call], tuple[Piece, ...]]
    source: str
    options: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    weighted: bool = False


TABLE: dict[str, Pointwise] = {}


def always(*pieces: Piece) -> Callable[[Call], tuple[Piece, ...]]:
    """The same pieces whatever the options."""
    return lambda call: pieces


def reduction_of(call: Call) -> str:
    """What is made of the elements' losses; the older size_average and reduce say it too."""
    averaged, reduced = (call.arguments.get(word) for word in ("size_average", "reduce"))
    if averaged is None and reduced is None:
        return str(call.option("reduction", "mean"))
    if reduced is False:
        return "none"
    return "sum" if averaged is False else "mean"


def _shape(call: Call, role: str) -> tuple[int, ...]:
    """An operand's shape as it is broadcast: a variance may lack the last dimension."""
    shape, whole = call.operands[role].shape, call.operands[next(iter(call.operands))].shape
    return (*shape, 1) if role == "var" and shape == whole[:-1] and shape != whole else shape


def _roles(call: Call) -> list[str]:
    known = TABLE[call.name].names
    return [role for role in call.operands if role in known or role == "weight"]


def _whole(call: Call) -> tuple[int, ...]:
    shapes = [_shape(call, role) for role in _roles(call)]
    return tuple(int(n) for n in np.broadcast_shapes(*shapes))


def _place(call: Call, role: str, at: Array) -> Array:
    """Where an operand is read for the broadcast places: (terms, dimensions of the operand)."""
    return broadcast_rows(at, _shape(call, role))[:, : len(call.operands[role].shape)]


def _numbers(call: Call, at: Array) -> dict[str, Array]:
    """What each short name stands for at the broadcast places."""
    row = TABLE[call.name]
    found = {
        short: picked(call.operands[role].array, _place(call, role, at))
        for role, short in row.names.items()
        if role in call.operands
    }
    for role, short in row.names.items():
        if role not in found and isinstance(call.option(role), (int, float)):
            found.setdefault(short, np.full(len(at), float(call.option(role))))
    fixed = {short: float(call.option(word, usual)) for word, (short, usual) in row.options.items()}
    wide = {name: np.full(len(at), number) for name, number in {**fixed, **CONSTANTS}.items()}
    return {**wide, **found}


def _own(call: Call, numbers: Mapping[str, Array], count: int) -> list[tuple[Piece, Array]]:
    """Each piece with the places that are its own."""
    left, found = np.ones(count, dtype=bool), []
    for piece in TABLE[call.name].pieces(call):
        holds = evaluate(piece.when, numbers) if piece.when else np.True_
        mine = left & np.broadcast_to(holds, (count,))
        left &= ~mine
        if mine.any():
            found.append((piece, mine))
    return found


def _each(formula: str, numbers: Mapping[str, Array], mine: Array) -> Array:
    """(places,): what the formula gives at each place that is a piece's own."""
    found = evaluate(formula, {name: array[mine] for name, array in numbers.items()})
    return np.broadcast_to(np.asarray(found, np.float64), (int(mine.sum()),))


def share(call: Call, whole: tuple[int, ...]) -> tuple[str, float]:
    """The factor that the reduction gives each element, as written and as a number."""
    reduction = reduction_of(call)
    if reduction == "batchmean":
        return "1 / N", 1 / call.operands["input"].shape[0]
    if reduction != "mean":
        return "1", 1.0
    row = TABLE.get(call.name)
    if row is not None and row.weighted and "weight" in call.operands:
        total = np.asarray(call.operands["weight"].array, dtype=np.float64).sum()
        return "1 / Σ w", float(1 / total)
    return "1 / N", 1 / max(int(np.prod(whole)), 1)


def _scale(call: Call, at: Array) -> tuple[Factor, ...]:
    """The weight of each element and its share in the mean."""
    symbol, number = share(call, _whole(call))
    given: tuple[Factor, ...] = ()
    if "weight" in call.operands:
        given = (element(call.operands["weight"], _place(call, "weight", at)),)
    return given if symbol == "1" else (*given, local(np.full(len(at), number), symbol))


def _backward(call: Call, role: str, index: Index) -> list[Terms] | None:
    if role not in TABLE[call.name].names:
        return None
    shape = _shape(call, role)
    at = readers(shape, (*index, *[0] * (len(shape) - len(index))), _whole(call))
    numbers, found = _numbers(call, at), []
    for piece, mine in _own(call, numbers, len(at)):
        if role not in piece.slopes:
            return None
        slope = piece.slopes[role]
        to = at[mine] if reduction_of(call) == "none" else at[mine][:, :0]
        reads = _reads(call, slope, numbers, at, mine)
        factor = local(_each(slope, numbers, mine), slope, f"ℓ = {piece.formula}", reads=reads)
        found.append(back(call, to, factor, *_scale(call, at[mine])))
    return found


def _reads(
    call: Call, slope: str, numbers: Mapping[str, Array], at: Array, mine: Array
) -> dict[str, Factor]:
    """What the names in a slope stand for at the places that are a piece's own."""
    roles = {short: role for role, short in TABLE[call.name].names.items() if role in call.operands}
    return {
        short: element(call.operands[roles[short]], _place(call, roles[short], at[mine]))
        if short in roles
        else local(numbers[short][mine], short)
        for short in names_in(slope)
    }


def _forward(call: Call, slot: int, index: Index) -> list[Terms] | Worked:
    whole = _whole(call)
    if reduction_of(call) == "none":
        return _worked(call, index)
    at = readers((), (), whole)
    numbers, found = _numbers(call, at), []
    for piece, mine in _own(call, numbers, len(at)):
        losses = _each(piece.formula, numbers, mine)
        told = local(losses, "ℓ[{}]", f"ℓ = {piece.formula}", at[mine])
        found.append(Terms((told, *_scale(call, at[mine]))))
    return found


def _worked(call: Call, index: Index) -> Worked:
    row, at = TABLE[call.name], np.asarray([index], dtype=np.int64).reshape(1, len(index))
    numbers = _numbers(call, at)
    (piece, _), *_rest = _own(call, numbers, 1)
    formula = f"w * ({piece.formula})" if "weight" in call.operands else piece.formula
    roles = {short: role for role, short in (*row.names.items(), ("weight", "w"))}
    names: dict[str, tuple[Value | None, Index, float]] = {}
    for short in names_in(formula):
        operand = call.operands.get(roles.get(short, ""))
        if operand is None:
            names[short] = (None, (), float(numbers[short][0]))
        else:
            own = tuple(int(k) for k in _place(call, roles[short], at)[0])
            names[short] = (operand, own, float(operand.array[own]))
    return Worked(formula, names)


def pointwise(row: Pointwise) -> None:
    """File a row, and the record that it makes."""
    TABLE[row.name] = row
    slopes = {
        role: f"∂C/∂{short}[i] = w[i] / N · ∂ℓ/∂{short}[i] · δ" for role, short in row.names.items()
    }
    formula = "C = Σ_i w[i] ℓ[i] / N"
    record(Record(row.name, formula, slopes, row.source, _backward, _forward))
