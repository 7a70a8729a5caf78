"""The computation as boxes: what one module did at once, or one operation, and what goes where.

Calls are taken in their order, so a box's operands come from boxes before it. Movement of numbers
(reshapes, transposes, selections) is no box, nor is what is made of constants alone (masks). Where
there are many, what a module's calls did is folded into one, the innermost kinds first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ...core.calls import Call, Value
from ...core.model import ModelTrace
from ..outline import of_constants

MOST = 40
LOSS = "loss"
_MOVEMENT = (
    "view reshape flatten transpose permute squeeze unsqueeze __getitem__ getitem chunk split "
    "tensor_split unbind contiguous expand expand_as view_as reshape_as to float double half type "
    "type_as bfloat16 clone detach movedim moveaxis swapaxes swapdims unflatten t narrow select "
    "repeat flip roll T mT H alias identity cpu cuda changed_in_place"
)
MOVEMENT = frozenset(_MOVEMENT.split())


@dataclass(frozen=True, eq=False)
class Unit:
    """path: of the module, or of the one that called a single operation; kind: the module's class,
    or "" for an operation. calls: in order. many: how many boxes it stands for."""

    path: str
    kind: str
    calls: tuple[Call, ...]
    many: int = 1
    last: str = ""  # of a folded run, the path of its last module

    @property
    def title(self) -> str:
        if self.many > 1:
            return f"{self.path} … {self.last}"
        return self.path if self.kind else self.calls[0].name.strip("_")

    @property
    def result(self) -> Value:
        return self.calls[-1].results[0]


@dataclass(frozen=True)
class Link:
    """The value that goes from one box to another, by their places; −1 − k is input k."""

    source: int
    target: int
    value: Value


@dataclass(frozen=True, eq=False)
class Boxes:
    """units: in the order of computation. links: what they read of each other and of the inputs.
    into_loss: what the loss reads. same: pairs of units that hold the same parameters."""

    units: tuple[Unit, ...]
    inputs: tuple[Value, ...]
    links: tuple[Link, ...]
    into_loss: tuple[int, ...]
    same: tuple[tuple[int, int], ...]


def boxes_of(trace: ModelTrace, most: int = MOST) -> Boxes:
    """At most `most` boxes."""
    needed = _needed(trace)
    loss = [c for c in needed if _of_loss(trace, c)]
    masks: dict[Call, bool] = {}
    shown = [
        c
        for c in needed
        if c.name not in MOVEMENT and not _of_loss(trace, c) and not of_constants(c, masks)
    ]
    units = _folded(trace, _units(trace, shown), most)
    home = {id(call): k for k, unit in enumerate(units) for call in unit.calls}
    inputs = [v for v in trace.inputs if any(v is o for c in needed for o in c.operands.values())]
    links = tuple(_links(units, home, inputs))
    ends = loss or [trace.root.call] if trace.root.call else []
    into = [
        home[id(s.call)]
        for call in ends
        if call is not None
        for operand in call.operands.values()
        for s in _sources(operand)
        if s.call is not None and id(s.call) in home
    ]
    if not loss and trace.root.call is not None and id(trace.root.call) in home:
        into = [home[id(trace.root.call)]]
    return Boxes(
        tuple(units), tuple(inputs), links, tuple(dict.fromkeys(into)), tuple(_same(units))
    )


def _of_loss(trace: ModelTrace, call: Call) -> bool:
    return call.module.split(".")[0] == LOSS and call.module not in trace.modules


def _needed(trace: ModelTrace) -> list[Call]:
    """The calls that the loss is made of, in order."""
    found: dict[int, Call] = {}
    waiting = [trace.root]
    while waiting:
        call = waiting.pop().call
        if call is not None and call.number not in found:
            found[call.number] = call
            waiting += call.operands.values()
    return [found[k] for k in sorted(found)]


def _units(trace: ModelTrace, calls: Sequence[Call]) -> list[Unit]:
    parents = {path.rpartition(".")[0] for path in trace.modules if path}
    called = {c.module for c in calls}
    inner = {p for p in parents if any(m.startswith(f"{p}.") or (not p and m) for m in called)}

    def key(call: Call) -> tuple[str, int]:
        whole = call.module in trace.modules and call.module not in inner and call.module
        return (call.module, -1) if whole else (call.module, call.number)

    units = []
    for (path, number), some in groupby(calls, key):
        kind = trace.modules[path].kind if number < 0 else ""
        units.append(Unit(path, kind, tuple(some)))
    return units


def _folded(trace: ModelTrace, units: list[Unit], most: int) -> list[Unit]:
    """Fold kind after kind, the innermost first, all of a kind but its first where that does."""
    while len(units) > most:
        runs = _innermost(trace, units)
        if not runs:
            break
        kind = trace.modules[runs[0][0]].kind
        alike = [run for run in runs if trace.modules[run[0]].kind == kind]
        for some in (alike[1:], alike):
            made = _fold(trace, units, some)
            if len(made) <= most:
                break
        units = made
    units = _runs_merged(units, most)
    return units if len(units) <= most else _squeezed(units, most)


def _innermost(trace: ModelTrace, units: list[Unit]) -> list[tuple[str, int, int]]:
    """Runs (path, start, stop) of at least two units inside one module, the deepest modules'."""
    found: list[tuple[str, int, int]] = []
    for path in trace.modules:
        if not path:
            continue
        inside = [u.path == path or u.path.startswith(f"{path}.") for u in units]
        k = 0
        for within, some in groupby(inside):
            count = len(list(some))
            if within and count > 1:
                found.append((path, k, k + count))
            k += count
    deepest = max((p.count(".") for p, _, _ in found), default=0)
    return [run for run in found if run[0].count(".") == deepest]


def _fold(trace: ModelTrace, units: list[Unit], runs: Sequence[tuple[str, int, int]]) -> list[Unit]:
    made, start = [], 0
    for path, low, high in sorted(runs, key=lambda run: run[1]):
        made += units[start:low]
        calls = tuple(c for unit in units[low:high] for c in unit.calls)
        made.append(Unit(path, trace.modules[path].kind, calls))
        start = high
    return made + units[start:]


def _runs_merged(units: list[Unit], most: int) -> list[Unit]:
    """Neighbours of one kind as one box, all but the first and the last of each run."""
    if len(units) <= most:
        return units
    made: list[Unit] = []
    for kind, some in groupby(units, lambda u: (u.kind, u.path.rpartition(".")[0])):
        run = list(some)
        if kind[0] and len(run) > 3:
            middle = run[1:-1]
            calls = tuple(c for unit in middle for c in unit.calls)
            joined = Unit(middle[0].path, kind[0], calls, len(middle), middle[-1].path)
            run = [run[0], joined, run[-1]]
        made += run
    return made


def _squeezed(units: list[Unit], most: int) -> list[Unit]:
    """What no module holds together: neighbours joined until they are few."""
    each = -(-len(units) // most)
    made = []
    for k in range(0, len(units), each):
        some = units[k : k + each]
        calls = tuple(c for unit in some for c in unit.calls)
        first, last = some[0], some[-1]
        joined = Unit(first.title, "", calls, len(some), last.title)
        made.append(first if len(some) == 1 else joined)
    return made


def _sources(value: Value) -> Iterator[Value]:
    """What a value was before it was only moved."""
    while value.call is not None and value.call.name in MOVEMENT:
        operands = list(value.call.operands.values())
        if not operands:
            return
        value = operands[0]
    yield value


def _links(units: Sequence[Unit], home: dict[int, int], inputs: Sequence[Value]) -> Iterator[Link]:
    given = {id(v): -1 - k for k, v in enumerate(inputs)}
    seen: set[tuple[int, int]] = set()
    for k, unit in enumerate(units):
        for call in unit.calls:
            for operand in call.operands.values():
                for source in _sources(operand):
                    made = source.call
                    start = given.get(id(source))
                    if made is not None:
                        start = home.get(id(made))
                    if start is None or start == k or (start, k) in seen:
                        continue
                    seen.add((start, k))
                    yield Link(start, k, source)


def _same(units: Sequence[Unit]) -> Iterator[tuple[int, int]]:
    """Each pair of neighbours among the units that read one parameter."""
    last: dict[str, int] = {}
    seen: set[tuple[int, int]] = set()
    for k, unit in enumerate(units):
        for name in parameters_read(unit):
            before = last.get(name)
            if before is not None and before != k and (before, k) not in seen:
                seen.add((before, k))
                yield before, k
            last[name] = k


def parameters_read(unit: Unit) -> list[str]:
    """The parameters that a unit's calls read, also those that were moved first."""
    names = [
        source.name
        for call in unit.calls
        for operand in call.operands.values()
        for source in _sources(operand)
        if source.kind == "parameter"
    ]
    return list(dict.fromkeys(names))
