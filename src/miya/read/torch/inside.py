"""Expanding one call into the elementary ones that it stands for (an LSTM through time, fused
attention): an equivalent in torch is recorded on the same operands, and what went back to its
results is what went back to the real ones."""

from __future__ import annotations

import math
from typing import Any

import torch

from ...core.calls import Inside, Value
from .attention import ATTENTION
from .compound import COMPOUND
from .generators import drawing_from
from .recorder import Recorder
from .recurrent import RECURRENT
from .steps import Equivalent, Steps
from .values import WIDER, TensorCall, TensorValue, tensors_in

# by the name of the call: what works out the same by elementary calls
EQUIVALENT: dict[str, Equivalent] = {**ATTENTION, **RECURRENT, **COMPOUND}

# An expansion whose numbers are further from the recorded than this share of the largest one, in
# units of the last place, is another computation (another mask was drawn): it is not told.
UNITS, MOST = 2000.0, 0.1


def expand(call: TensorCall) -> Inside | None:
    """The elementary calls of a call, or None: it has no equivalent, or one that differs."""
    equivalent = EQUIVALENT.get(call.name)
    if equivalent is None:
        return None
    recorder, leaves = Recorder(), dict[str, TensorValue]()
    arguments = {role: _given(a, role, recorder, leaves) for role, a in call.arguments.items()}
    with torch.enable_grad(), drawing_from(call.random_state):
        with recorder:
            made = tensors_in(equivalent(arguments, Steps(recorder, call.results[0].name)))
        if len(made) != len(call.results):
            return None
        results = tuple(recorder.value_of(t) for t in made)
        for mine, outer in zip(results, call.results, strict=True):
            if mine.call is not None:
                mine.outer = outer
        _pass_back(call, made)
    for leaf in leaves.values():
        leaf.grad = leaf.tensor.grad
    recorder.finish()
    gaps = [_gap(a.tensor, _tensor(b)) for a, b in zip(results, call.results, strict=True)]
    if any(gap > _allowed(_tensor(r)) for gap, r in zip(gaps, call.results, strict=True)):
        return None
    return Inside(tuple(recorder.calls), leaves, results, max(gaps, default=0.0))


def _given(found: Any, role: str, recorder: Recorder, leaves: dict[str, TensorValue]) -> Any:
    """An argument with a leaf in the place of each tensor; narrow ones are widened, since fused
    operations too add up in single precision."""
    if isinstance(found, TensorValue):
        tensor = found.tensor.detach().clone()
        tensor = tensor.to(WIDER.get(tensor.dtype, tensor.dtype))
        if tensor.is_floating_point():
            tensor.requires_grad_()
        leaves[role] = recorder.given(tensor, found.name, found.kind, found.module)
        leaves[role].outer = found
        return tensor
    if isinstance(found, tuple):
        parts = enumerate(found)
        return tuple(_given(item, f"{role}.{k}", recorder, leaves) for k, item in parts)
    return found


def _pass_back(call: TensorCall, made: tuple[torch.Tensor, ...]) -> None:
    pairs = [
        (t, slope.to(t.dtype))
        for t, r in zip(made, call.results, strict=True)
        if t.requires_grad and isinstance(r, TensorValue) and (slope := r.from_uses()) is not None
    ]
    if pairs:
        torch.autograd.backward([t for t, _ in pairs], [g for _, g in pairs])


def _tensor(value: Value) -> torch.Tensor:
    assert isinstance(value, TensorValue)
    return value.tensor


def _gap(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """The largest difference; numbers that are no numbers in both do not differ."""
    if ours.numel() == 0:
        return 0.0
    wide = torch.promote_types(ours.dtype, theirs.dtype)
    ours, theirs = ours.detach().to(wide), theirs.detach().to(wide)
    apart = float((ours - theirs).abs().max())  # no number if one is none
    if math.isfinite(apart):
        return apart
    same = (ours == theirs) | (ours.isnan() & theirs.isnan())
    return float((ours - theirs).abs().nan_to_num(math.inf).masked_fill(same, 0.0).max())


def _allowed(result: torch.Tensor) -> float:
    step = torch.finfo(result.dtype).eps
    largest = float(result.abs().max()) if result.numel() else 0.0
    if not math.isfinite(largest):
        largest = float(result.abs().nan_to_num(0.0, 0.0, 0.0).max())
    return min(UNITS * step, MOST) * largest
