"""What the gradient of one element is the sum of: through each use of its value, term by term."""

from __future__ import annotations

from dataclasses import dataclass

from .calls import Call, Terms, Value
from .graph import Index
from .records import RECORDS


@dataclass(frozen=True, eq=False)
class Contribution:
    """What one use of a value passes back to one element of it.

    terms: sums of products; None where the operation has no record for it: then `total` is the
    library's own number for this use. No terms at all: the library passes nothing back here.
    """

    call: Call
    role: str
    terms: list[Terms] | None
    total: float


def contributions(value: Value, index: Index) -> list[Contribution]:
    """Those of every use that the loss depends on, in the order of computation; an expanded call
    gives those of its elementary calls. They add up to `value.gradient[index]`."""
    found = []
    if (goes_on := _goes_on(value)) is not None:
        found += _of_uses(goes_on, index)
    found += _of_uses(value, index)
    while value.call is not None and value.outer is not None:  # what the outside does with a result
        value = value.outer
        found += _of_uses(value, index)
    return found


def _goes_on(value: Value) -> Value | None:
    """What stands inside an expanded call for a result that the call itself goes on with."""
    call = value.call
    if call is None or value.slot not in call.goes_on or call.inside is None:
        return None
    return call.inside.results[value.slot]


def _of_uses(value: Value, index: Index) -> list[Contribution]:
    found = []
    for call, role in value.uses:
        if not any(r.has_gradient for r in call.results):
            continue
        inside = call.inside
        if inside is not None and role in inside.leaves:
            found += contributions(inside.leaves[role], index)
        else:
            found.append(_contribution(call, role, index))
    return found


def _contribution(call: Call, role: str, index: Index) -> Contribution:
    record = RECORDS.get(call.name)
    terms = record.backward(call, role, index) if record is not None else None
    if terms is not None:
        return Contribution(call, role, terms, float(sum(t.total for t in terms)))
    passed = call.passed(role)
    if passed is None:
        return Contribution(call, role, [], 0.0)
    return Contribution(call, role, None, float(passed[index]))
