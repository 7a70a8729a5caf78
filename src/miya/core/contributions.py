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
    library's own number for this use.
    """

    call: Call
    role: str
    terms: list[Terms] | None
    total: float


def contributions(value: Value, index: Index) -> list[Contribution]:
    """Those of every use that the loss depends on, in the order of computation; an expanded call
    gives those of its elementary calls. They add up to `value.gradient[index]`."""
    found = []
    for call, role in value.uses:
        if not any(r.has_gradient for r in call.results):
            continue
        inside = call.inside
        if inside is not None and role in inside.leaves:
            found += contributions(inside.leaves[role], index)
            continue
        found.append(_contribution(call, role, index))
    if value.call is not None and value.outer is not None:  # what the outside does with a result
        found += contributions(value.outer, index)
    return found


def _contribution(call: Call, role: str, index: Index) -> Contribution:
    record = RECORDS.get(call.name)
    terms = record.backward(call, role, index) if record is not None else None
    if terms is not None:
        return Contribution(call, role, terms, float(sum(t.total for t in terms)))
    passed = call.passed(role)
    return Contribution(call, role, None, 0.0 if passed is None else float(passed[index]))
