"""Finding one number of a trace by its name and index: "layer2.weight[3,17]", "z1[0,2]"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import prod

from ..core.calls import Value
from ..core.graph import Index
from ..core.model import ModelTrace, ParameterStep
from ..core.network_calls import NetworkCalls
from ..core.trace import Trace
from ..errors import MiyaInputError

WRITTEN = re.compile(r"^\s*(?:∂C/∂)?(?P<name>[^\[\]]+?)\s*(?P<index>(?:\[[^\[\]]*\]\s*)*)$")
# how a story writes the quantities of a network, and the names that its trace has for them
LETTERS = {"W": "weight", "b": "bias", "δ": "z", "delta": "z"}


@dataclass(frozen=True, eq=False)
class Element:
    """One number. value: None where a parameter is never read by the computation."""

    name: str
    index: Index
    shape: tuple[int, ...]
    value: Value | None
    parameter: ParameterStep | None = None


def element_of_model(trace: ModelTrace, text: str) -> Element:
    """Raises MiyaInputError E620 for an unknown name and E621 for an index that is not there."""
    name, written = _read(text)
    aliases = {alias: p for p in trace.parameters.values() for alias in p.aliases}
    parameter = trace.parameters.get(name) or aliases.get(name)
    if parameter is not None:
        index = _index(name, written, parameter.shape)
        return Element(name, index, parameter.shape, parameter.value, parameter)
    if name not in trace.values:
        raise _unknown(name, [*trace.parameters, *aliases, *trace.values])
    value = trace.values[name]
    return Element(name, _index(name, written, value.shape), value.shape, value)


def element_of_network(trace: Trace, calls: NetworkCalls, text: str) -> Element:
    """Of a single example the example's index, 0, may be left out."""
    name, written = _read(text)
    head = name.rstrip("0123456789")
    known = LETTERS[head] + name[len(head) :] if head in LETTERS else name
    if known not in calls.values:
        raise _unknown(name, calls.values)
    value = calls.values[known]
    if not trace.network.batch and value.kind != "parameter" and len(written) < len(value.shape):
        written = ["0", *written]
    return Element(known, _index(name, written, value.shape), value.shape, value)


def _read(text: str) -> tuple[str, list[str]]:
    match = WRITTEN.match(text)
    if match is None:
        raise MiyaInputError(
            "E620", f"{text!r} is no name and index", hint='write it as "layer2.weight[3,17]"'
        )
    inside = re.findall(r"\[([^\[\]]*)\]", match["index"])
    return match["name"], [part.strip() for group in inside for part in group.split(",")]


def _index(name: str, written: list[str], shape: tuple[int, ...]) -> Index:
    if not written and prod(shape) == 1:
        return (0,) * len(shape)
    good = len(written) == len(shape) and all(
        part.isascii() and part.isdigit() and int(part) < n
        for part, n in zip(written, shape, strict=True)
    )
    if not good:
        example = ",".join(str(n - 1) for n in shape)
        size = " x ".join(map(str, shape)) if shape else "a single number"
        raise MiyaInputError(
            "E621",
            f"{name} is {size}, and the index is [{','.join(written)}]",
            hint=f"give one index a dimension, from 0: {name}[{example}] is the last"
            if shape
            else "leave the index out",
        )
    return tuple(int(part) for part in written)


def _unknown(name: str, known: Iterable[str] | Mapping[str, Value]) -> MiyaInputError:
    names = list(dict.fromkeys(known))
    near = get_close_matches(name, names, 3, 0.4)
    told = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(names[:12])}"
    return MiyaInputError("E620", f"the trace has no {name!r}", hint=told)
