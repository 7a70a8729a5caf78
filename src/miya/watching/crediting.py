"""Credit by layer of a watched step: the measure of docs/blame.md, on the user's own step."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from ..analysis.model.credit import model_credit
from ..core.model import ModelTrace
from ..read.torch.runner import ModelRunner
from ..read.torch.values import to_array
from ..read.torch.whole import whole, whole_of
from .again import Batch
from .layers import WatchedLayer


class _Stepped:
    """What `model_credit` reads of a trace."""

    def __init__(self, runner: ModelRunner, parameters: dict[str, Any], predicted: float) -> None:
        self.runner, self.parameters, self.predicted_change = runner, parameters, predicted


class Before:
    """The parameters of a model right before a step, from which credits are worked out: of one
    that is split among processes all of them, on every process, so that all have to make it."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.parameters = {n: whole_of(p.detach()).clone() for n, p in model.named_parameters()}

    def credits(
        self, batch: Batch, criterion: nn.Module, layers: Sequence[WatchedLayer]
    ) -> dict[int, float] | None:
        """By layer that an optimizer holds, the sum of its parameters' credits; None where the
        model or the loss was called in a way that the runner cannot. Raises MiyaInputError
        E610."""
        assert batch.judged is not None
        rest, named, _ = batch.judged
        if named or len(rest) > 1 or (batch.named and batch.arguments):
            return None
        owners = {id(p): k for k, a in enumerate(layers) if a.optimized for p in a.own}
        of = {n: owners.get(id(p)) for n, p in self.model.named_parameters()}
        step = self._step(batch, criterion, rest[0] if rest else None)
        moved = {n: _moved(n, self.parameters[n], p) for n, p in step.named.items()}
        trace = _Stepped(ModelRunner(step), moved, 0.0)
        found = model_credit(cast(ModelTrace, trace)).values
        sums: dict[int, float] = {}
        for name, layer in of.items():
            if layer is not None:
                value = float(found[name].sum()) if name in found else 0.0
                sums[layer] = sums.get(layer, 0.0) + value
        return sums

    def _step(self, batch: Batch, criterion: nn.Module, target: Any) -> Any:
        """What a runner reads of a step."""
        model = whole(self.model)
        named = dict(model.named_parameters())
        return SimpleNamespace(
            model=model,
            criterion=criterion,
            inputs=batch.named or batch.arguments,
            target=target,
            named=named,
            values={name: SimpleNamespace(grad=p.grad) for name, p in named.items()},
            before=self.parameters,
            buffers=batch.state.buffers,
            generators=batch.state.generators,
            own_generators={},
            autocast=batch.state.autocast,
            attributes=batch.state.attributes,
            loss_prefix="loss.",
            only=None,
        )


def _moved(name: str, before: torch.Tensor, now: torch.Tensor) -> Any:
    """What `model_credit` reads of a parameter."""
    first = to_array(before)
    change = to_array(now.detach()).astype(np.float64) - first.astype(np.float64)
    return SimpleNamespace(name=name, trained=now.requires_grad, before=first, change=change)
