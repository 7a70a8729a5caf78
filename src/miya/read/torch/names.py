"""Names of values: a module's output has the module's path, an operation in a container is
"block.add", a second call is "fc@2", a further result "lstm:1"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...core.calls import Value
from .values import TensorValue


@dataclass
class Visit:
    """One call of a module. start: how many calls had been recorded before. whole: whether it
    called no module inside. outputs: the values that it gave."""

    path: str
    start: int
    whole: bool
    outputs: list[TensorValue]


class Names:
    def __init__(self, made: list[TensorValue], visits: list[Visit]) -> None:
        self.made, self.visits = made, visits
        self.taken: Counter[str] = Counter()

    def give(self) -> None:
        """Give each value without a name a unique one."""
        titles = self._titles()
        self.taken.update(v.name for v in self.made if v.name and v.kind != "constant")
        self.taken.subtract(self.taken.keys())
        firsts: dict[int, str] = {}
        for value in self.made:
            if value.name and value.kind != "constant":
                value.name = self._unique(value.name)
                continue
            call, slot = value.call, value.slot
            if (title := titles.get(id(value))) is not None:
                value.name = self._unique(*title)
            elif call is None or len(call.results) == 1:
                value.name = self._unique(_base(value))
            else:
                first = firsts.setdefault(id(call), "") or self._unique(_base(value))
                firsts[id(call)] = first
                value.name = f"{first}:{slot}" if slot else first

    def _titles(self) -> dict[int, tuple[str, int]]:
        """The path, and which of several outputs, of each value that is a module's output."""
        found: dict[int, tuple[str, int]] = {}
        for visit in self.visits:
            if not visit.whole or not visit.path:
                continue
            for k, value in enumerate(visit.outputs):
                if value.call is not None and value.call.number >= visit.start:
                    found.setdefault(id(value), (visit.path, k))
        return found

    def _unique(self, base: str, slot: int = 0) -> str:
        key = f"{base}:{slot}" if slot else base
        self.taken[key] += 1
        count = self.taken[key]
        return (base if count == 1 else f"{base}@{count}") + (f":{slot}" if slot else "")


def _base(value: TensorValue) -> str:
    word = value.name or (value.call.name.strip("_") if value.call else "constant")
    return ".".join(filter(None, (value.module, word.replace(" ", "_"))))


def by_name(made: Iterable[TensorValue], visits: Iterable[Visit]) -> dict[str, Value]:
    """Every value by its name, and every module's output by the module's path, "@2" and so on for
    further calls, ":1" for further outputs."""
    found: dict[str, Value] = {v.name: v for v in made}
    seen: Counter[str] = Counter()
    for visit in visits:
        path = visit.path or "output"
        seen[path] += 1
        called = path if seen[path] == 1 else f"{path}@{seen[path]}"
        for k, value in enumerate(visit.outputs):
            found.setdefault(f"{called}:{k}" if k else called, value)
    return found


def also(found: dict[str, Value], aliases: Mapping[str, str]) -> None:
    """Further names of what already has one."""
    for alias, name in aliases.items():
        if name in found:
            found.setdefault(alias, found[name])
