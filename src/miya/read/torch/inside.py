"""Expanding one call into the elementary ones that it stands for (an LSTM through time, fused
attention): an equivalent in torch is recorded on the same operands, and what went back to its
results is what went back to the real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from ...core.calls import Inside
from .recorder import Recorder
from .values import TensorCall, TensorValue, tensors_in

# by the name of the call: (arguments with tensors in place) -> the results, by elementary calls
EQUIVALENT: dict[str, Callable[[Mapping[str, Any]], Any]] = {}


def expand(call: TensorCall) -> Inside | None:
    equivalent = EQUIVALENT.get(call.name)
    if equivalent is None:
        return None
    recorder = Recorder()
    leaves: dict[str, TensorValue] = {}

    def given(found: Any, role: str) -> Any:
        if isinstance(found, TensorValue):
            tensor = found.tensor.detach().clone()
            if tensor.is_floating_point():
                tensor.requires_grad_()
            leaves[role] = recorder.given(tensor, found.name, found.kind, found.module)
            leaves[role].outer = found
            return tensor
        if isinstance(found, tuple):
            return tuple(given(item, f"{role}.{k}") for k, item in enumerate(found))
        return found

    recorder.modules = [call.results[0].name]
    arguments = {role: given(found, role) for role, found in call.arguments.items()}
    with torch.enable_grad(), torch.random.fork_rng(devices=[]):
        if call.random_state is not None:
            torch.set_rng_state(call.random_state)
        with recorder:
            made = tensors_in(equivalent(arguments))
        results = tuple(recorder.value_of(t) for t in made)
        pairs = [
            (t, r.grad)
            for t, r in zip(made, call.results, strict=True)
            if isinstance(r, TensorValue) and r.grad is not None and t.requires_grad
        ]
        if pairs:
            torch.autograd.backward([t for t, _ in pairs], [g for _, g in pairs])
    for leaf in leaves.values():
        leaf.grad = leaf.tensor.grad
    recorder.finish()
    difference = max(
        (float(np.max(np.abs(a.array - b.array), initial=0.0)) for a, b in zip(results, call.results, strict=True)),
        default=0.0,
    )  # fmt: skip
    return Inside(tuple(recorder.calls), leaves, results, difference)
