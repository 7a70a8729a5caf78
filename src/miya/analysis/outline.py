"""The outline of a recorded model: what is told of it, in order, without drowning a reader.

A unit is what one module did at one go. Blocks that do the same as the block before them (the
layers of a transformer) are told once; where there are still too many, whole blocks are units.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from ..core.calls import Call, Value
from ..core.graph import Index
from ..core.model import ModelTrace
from ..core.records import RECORDS
from .why import Level, chain, level_of, strongest

MOST_UNITS = 24


@dataclass(frozen=True, eq=False)
class Unit:
    """path: of the module, "" for the model's own code. calls: its calls, in order. whole: it
    stands for all modules inside."""

    path: str
    kind: str
    calls: tuple[Call, ...]
    whole: bool = False

    @property
    def value(self) -> Value:
        """What it gave."""
        return self.calls[-1].results[0]


@dataclass(frozen=True, eq=False)
class Outline:
    """units: in the order of computation, the loss left out. thread: the chain from the first
    unit's most pressed number to the loss. alike: by the path of a block, the paths of those that
    do the same after it, and are not told."""

    units: tuple[Unit, ...]
    loss: Call
    thread: tuple[Level, ...]
    alike: Mapping[str, Sequence[str]]
    _fixed: dict[Call, bool] = field(default_factory=dict, repr=False)

    def place(self, value: Value) -> Index:
        """The element of a value that is told: the thread's, or the one under most pressure."""
        for level in self.thread:
            if level.value is value:
                return level.index
        return strongest(value)

    def fixed(self, call: Call) -> bool:
        """Whether it works on constants alone, such as masks: the same whatever the inputs are,
        and nothing is passed back through it."""
        return of_constants(call, self._fixed)

    def level(self, value: Value, top: int) -> Level:
        found = next((lv for lv in self.thread if lv.value is value), None)
        return found if found is not None else level_of(value, self.place(value), top)


def of_constants(call: Call, known: dict[Call, bool]) -> bool:
    """See `Outline.fixed`. known: what has been found out, added to."""
    if call not in known:
        known[call] = not any(r.has_gradient for r in call.results) and all(
            v.kind == "constant" if v.call is None else of_constants(v.call, known)
            for v in call.operands.values()
        )
    return known[call]


def outline(trace: ModelTrace, *, top: int) -> Outline:
    loss = trace.root.call
    assert loss is not None
    calls = [c for c in trace.calls if c is not loss and _reaches(c)]
    kept, alike = _without_repeats(calls)
    units = _units(trace, kept)
    start = next((u.value for u in units if u.value.has_gradient), None)
    thread = chain(trace.root, start, strongest(start), top=top) if start is not None else []
    return Outline(tuple(units), loss, tuple(thread), alike)


def _reaches(call: Call) -> bool:
    return any(r.has_gradient or r.uses for r in call.results)


def _units(trace: ModelTrace, calls: Sequence[Call]) -> list[Unit]:
    """At full depth, or with whole blocks as units where these are too many."""
    deepest = max((c.module.count(".") + 1 for c in calls if c.module), default=0)
    for depth in range(deepest, 0, -1):
        units = list(_grouped(trace, calls, depth, deepest))
        if len(units) <= MOST_UNITS or depth == 1:
            return units
    return list(_grouped(trace, calls, 1, 1))


def _grouped(trace: ModelTrace, calls: Sequence[Call], depth: int, deepest: int) -> Iterator[Unit]:
    for path, found in groupby(calls, lambda c: ".".join(c.module.split(".")[:depth])):
        inside = tuple(found)
        module = trace.modules.get(path)
        whole = depth < deepest and any(c.module != path for c in inside)
        yield Unit(path, module.kind if module and path else "", inside, whole)


def _without_repeats(calls: Sequence[Call]) -> tuple[list[Call], dict[str, list[str]]]:
    """The calls without those of blocks that repeat the numbered block before them; and, by the
    path of each block that is told, the paths of those that are not."""
    blocks: dict[str, list[tuple[str, str]]] = {}
    for call in calls:
        parts = call.module.split(".")
        for k, part in enumerate(parts):
            if part.isdigit():
                path = ".".join(parts[: k + 1])
                blocks.setdefault(path, []).append((".".join(parts[k + 1 :]), call.name))
    alike: dict[str, list[str]] = {}
    leader: dict[str, str] = {}
    for path, signature in blocks.items():
        parent, _, number = path.rpartition(".")
        before = f"{parent}.{int(number) - 1}" if parent else str(int(number) - 1)
        if len(signature) > 1 and blocks.get(before) == signature:
            leader[path] = leader.get(before, before)
            alike.setdefault(leader[path], []).append(path)
    kept = [c for c in calls if not any(_within(c.module, path) for path in leader)]
    return kept, alike


def _within(module: str, path: str) -> bool:
    return module == path or module.startswith(f"{path}.")


def module_rows(trace: ModelTrace) -> list[tuple[str, str, str, int]]:
    """(path, kind, what it says, parameters) of the modules that are told: those without
    modules inside, repeated blocks once."""
    _, alike = _without_repeats(trace.calls)
    hidden = [path for paths in alike.values() for path in paths]
    paths = [p for p in trace.modules if p and not any(_within(p, h) for h in hidden)]
    leaves = [p for p in paths if not any(q.startswith(f"{p}.") for q in paths)]
    found = []
    for path in leaves:
        module = trace.modules[path]
        size = sum(p.size for p in trace.parameters.values() if _within(p.name, path))
        says = re.sub(r"\s+", " ", module.says)
        found.append((path, module.kind, says, size))
    return found


def untold(trace: ModelTrace) -> list[Call]:
    """The calls that the loss depends on and that no record tells."""
    return [
        c
        for c in trace.calls
        if c.name not in RECORDS and c.inside is None and any(r.has_gradient for r in c.results)
    ]
