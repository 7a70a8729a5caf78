"""Operations that weigh and add: each element of the result is Σ c · x, c from the options alone.

What c is is read from the operation itself, run on 1 at one element and 0 at all others; and what
one element of the result is made of, from the slopes that the library has for it.
"""

from __future__ import annotations

import numpy as np

from ..calls import Call, Terms, element, local
from ..graph import Index
from .record import ANY, Record, back, record

SYMBOL, RULE = "c", "c = ∂y[p]/∂x[q]"


def _alone(call: Call, role: str, index: Index) -> tuple[np.ndarray, ...]:
    """The results of 1 at an element of the operand that is weighed, and 0 at all its others."""
    given = np.zeros(call.operands[role].shape)
    given[index] = 1
    return call.replay({role: given})


def _backward(call: Call, role: str, index: Index) -> list[Terms] | None:
    if role != next(iter(call.operands)):
        return None
    found = []
    for slot, weights in enumerate(_alone(call, role, index)):
        at = np.argwhere(weights != 0)
        if call.results[slot].has_gradient:
            factor = local(weights[tuple(at.T)], SYMBOL, RULE)
            found.append(back(call, at, factor, slot=slot))
    return found


def _forward(call: Call, slot: int, index: Index) -> list[Terms] | None:
    role, x = next(iter(call.operands.items()))
    weights = call.weights(role, slot, index)
    if weights is None:
        return None
    at = np.argwhere(weights != 0)
    return [Terms((local(weights[tuple(at.T)], SYMBOL, RULE), element(x, at)))]


UP = ("upsample", "upsample_nearest", "upsample_bilinear")
# name, source, further names, the arguments that are known
TABLE = (
    ("interpolate", "torch.nn.Upsample", UP, ANY),
    ("fold", "torch.nn.Fold", (), ANY),
    ("affine_grid", "torch.nn.functional.affine_grid", (), ANY),
    ("grid_sample", "torch.nn.functional.grid_sample", ("grid_sampler",), ANY),
    ("diff", "torch.diff", (), frozenset({"input", "n", "dim"})),
)
for _name, _source, _names, _options in TABLE:
    record(
        Record(
            _name,
            "y[p] = Σ_q c[p, q] x[q]",
            {"input": "∂C/∂x[q] = Σ_p c[p, q] δ[p]"},
            _source,
            _backward,
            _forward,
            _options,
        ),
        *_names,
    )
