"""Setup: the modules, what is given, the loss, the optimizer, what a reader must know."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...analysis.explain_element import why_none
from ...analysis.outline import module_rows
from ...core.calls import Call
from ..blocks import Block, Heading, Table
from ..numbers import number
from .narrator import Narrator, listed, shape_of

GIVEN_DIGITS = 10
MOST_ROWS = 40  # of the table of modules


def setup(n: Narrator) -> Iterator[Block]:
    trace, v = n.trace, n.v
    yield Heading(n.text("setup_heading"))
    yield n.say(
        "model",
        title=trace.title,
        numbers=v.count(trace.size),
        parameters=len(trace.parameters),
        dtype=trace.dtype,
        device=trace.device,
    )
    yield from _modules(n)
    yield from _given(n)
    loss = n.outline.loss
    yield n.say("loss_is", operation=v.operation(loss), options=_options(loss))
    yield from _optimizer(n)
    yield from _notes(n)
    yield n.say("carry", digits=v.digits)
    trained = sum(p.size for p in trace.parameters.values() if p.trained)
    yield from v.remark(
        "suspects",
        "calm",
        numbers=v.count(trained),
        modules=len([m for m in trace.modules if m]),
        calls=len(trace.calls),
    )


def _modules(n: Narrator) -> Iterator[Block]:
    rows = module_rows(n.trace)
    if not rows:
        return
    told = []
    for path, kind, says, size in rows[:MOST_ROWS]:
        made_by = n.trace.values.get(path)
        shape = shape_of(made_by) if made_by is not None else "–"
        told.append((path, _kind(kind, says), shape, n.v.count(size)))
    yield Table(n.header("module", "kind", "gives", "numbers"), tuple(told))
    if len(rows) > len(told):
        yield n.say("more_modules", told=len(told), all=len(rows))
    for path, alike in n.outline.alike.items():
        key = "alike_one" if len(alike) == 1 else "alike"
        yield n.say(key, path=path, paths=listed(alike))


# what most modules say of themselves, and what one class is also called
USUAL = re.compile(
    r"(?:bias|affine|elementwise_affine|track_running_stats)=True|(?:inplace|ceil_mode)=False"
    r"|(?:eps=1e-05|momentum=0\.1|dilation=1|padding=0|padding=\(0,\)|approximate='none')"
)
ALIASES = {"NonDynamicallyQuantizableLinear": "Linear"}


def _kind(kind: str, says: str) -> str:
    """A module's class and what it says of itself, without what is usual."""
    kept = ", ".join(
        part for part in re.split(r", (?![^()]*\))", says) if not USUAL.fullmatch(part)
    )
    kind = ALIASES.get(kind, kind)
    return f"{kind}({kept})" if kept else kind


def _given(n: Narrator) -> Iterator[Block]:
    header = n.header("given", "shape", "dtype", "least", "greatest")
    rows = []
    for value in (*n.trace.inputs, *n.trace.targets):
        array = value.array
        if array.size:
            ends = (n.v.number(float(array.min())), n.v.number(float(array.max())))
            rows.append((value.name, shape_of(value), value.dtype, *ends))
    if rows:
        yield Table(header, tuple(rows))


def _options(call: Call) -> str:
    """What the operation was told besides its tensors, where it says something."""
    plain = {
        k: x
        for k, x in call.arguments.items()
        if k in TOLD and isinstance(x, (int, float, str)) and x not in (False, 0, -100)
    }
    return f" ({', '.join(f'{k} = {x}' for k, x in plain.items())})" if plain else ""


TOLD = ("reduction", "label_smoothing", "ignore_index", "beta", "delta", "margin", "p")


def _optimizer(n: Narrator) -> Iterator[Block]:
    use = n.trace.optimizer
    if use is None:
        return
    for k, group in enumerate(use.groups):
        told = ", ".join(
            f"{key} = {_option(x)}"
            for key, x in group.items()
            if x not in (None, False, 0) and isinstance(x, (int, float, str, tuple, list))
        )
        key = "optimizer" if len(use.groups) == 1 else "optimizer_group"
        yield n.say(key, name=use.name, options=told, group=k)


def _option(value: object) -> str:
    if isinstance(value, (tuple, list)):
        return "(" + ", ".join(_option(x) for x in value) + ")"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return number(float(value), GIVEN_DIGITS)
    return str(value)


def _notes(n: Narrator) -> Iterator[Block]:
    """Tied, frozen and unused parameters, each said once."""
    for parameter in n.trace.parameters.values():
        if parameter.aliases:
            names = ", ".join((parameter.name, *parameter.aliases))
            uses = 0 if parameter.value is None else len(parameter.value.uses)
            yield n.say("tied", names=names, uses=uses)
    root = n.trace.root
    for kind in ("frozen", "unused", "stopped"):
        listing = [p.name for p in n.trace.parameters.values() if why_none(p, root) == kind]
        if listing:
            yield n.say(kind, names=listed(listing), count=len(listing))
