"""Measuring batch after batch: on the short way where it is proven, else example by example.

The first batch of each kind is measured on both ways for two of its examples. Where their losses
differ the examples are mixed, and no example has a gradient of its own; where their gradients
differ, or no rule follows the model, single runs take over, and the result says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.utils._pytree import tree_flatten, tree_map

from ..errors import MiyaInputError
from ..read.torch.generators import Torch
from .batch import Measured, one_by_one, together
from .layout import Layout
from .losses import losses
from .singles import Still, cost, example, gradients, norm, run
from .sources import Unknown
from .told import told

Tensor = torch.Tensor
AGREE = {torch.float64: 1e-9, torch.float32: 2e-3}  # relative, of the two ways; else:
NARROW = 0.1
MIXING = ("mixes the examples", "sums over the examples", "joins tensors along the examples")


@dataclass(eq=False)
class Engine:
    """named: the parameters that are measured. seed: what random numbers start from, with the
    position of the batch. method: "together", or "single" with the reason in `why`."""

    model: nn.Module
    loss: Any
    named: dict[str, nn.Parameter]
    neurons: bool = True
    seed: int = 0
    method: str = "together"
    why: str = ""
    checked: set[Any] = field(default_factory=set)

    def measure(self, inputs: Any, target: Any, batch: int, first: int) -> Measured:
        """The batch whose first example has the position `first`.

        Raises MiyaInputError E762, E763, E764 and E765, and what `told` makes of the errors of the
        model or the loss.
        """
        if batch == 1:  # a second time beside itself, so that every batch has several
            one, other = (tree_map(_twice, t) for t in (inputs, target))
            found = self.measure(one, other, 2, first)
            pressures = {k: p[:1] for k, p in found.pressures.items()}
            return Measured(found.loss[:1], found.norms[:1], pressures)
        with self.seeded(first), told(self.model, self.loss, inputs, target, batch):
            if self.method == "together":
                try:
                    return self._together(inputs, target, batch, first)
                except Unknown as reason:
                    self._fall_back(str(reason), inputs, target, batch)
            return one_by_one(self.model, self.loss, self.named, inputs, target, batch)

    @contextmanager
    def seeded(self, first: int) -> Iterator[None]:
        kept = Torch()
        try:
            torch.manual_seed(self.seed * 1_000_003 + first)
            yield
        finally:
            kept.restore()

    def _together(self, inputs: Any, target: Any, batch: int, first: int) -> Measured:
        if self.loss is None:
            raise Unknown("gives the loss of a whole batch as one number")
        given = (self.model, self.loss, self.named, inputs, target, batch)
        kind = self.kind(inputs, target)
        try:
            found = together(*given, neurons=self.neurons)
            if kind not in self.checked:
                with self.seeded(first):
                    still = together(*given, neurons=False, still=True)
                self._check(still, inputs, target, batch)
                self.checked.add(kind)
        except (RuntimeError, NotImplementedError, TypeError, ValueError, IndexError) as error:
            if kind in self.checked or isinstance(error, torch.OutOfMemoryError):
                raise
            said = " ".join(str(error).split())[:200]
            raise Unknown(f"raised {type(error).__name__} on the short way: {said}") from error
        return found

    def kind(self, inputs: Any, target: Any) -> Any:
        """What a batch looks like beside its number of examples."""
        leaves, form = tree_flatten((inputs, target))
        shapes = tuple(
            (tuple(t.shape[1:]), t.dtype) if isinstance(t, Tensor) else repr(t)[:100]
            for t in leaves
        )
        return str(form), shapes, self.model.training

    def _check(self, found: Measured, inputs: Any, target: Any, batch: int) -> None:
        """Raises Unknown for another gradient's norm, MiyaInputError E765 for another loss."""
        agree = AGREE.get(next(iter(self.named.values())).dtype, NARROW)
        for k in (0, batch - 1):
            with Still():
                alone, slopes = gradients(
                    self.model,
                    self.loss,
                    self.named,
                    example(inputs, k, batch),
                    example(target, k, batch),
                )
            self._same_loss(float(found.loss[k]), float(alone.detach()), agree, k)
            mine, right = found.norms[k], norm(slopes, self.named)
            if not right.isfinite().all():
                continue
            off = (mine - right).abs() / right.max().clamp(min=1e-300)
            if not bool((off <= agree).all()):
                name = list(self.named)[int(off.argmax())]
                raise Unknown(f"uses {name} so that single runs give it other gradients")

    def _same_loss(self, mine: float, alone: float, agree: float, k: int) -> None:
        if mine == alone or (mine != mine and alone != alone):
            return
        if not abs(mine - alone) <= agree * max(abs(mine), abs(alone), 1e-3):
            raise mixed(f"in its batch example {k} has a loss of {mine:g}, alone of {alone:g}")

    def _fall_back(self, why: str, inputs: Any, target: Any, batch: int) -> None:
        if why.startswith(MIXING):
            raise mixed(f"the model {why}")
        self.method, self.why = "single", why
        if self.loss is None:
            return
        with torch.no_grad(), Still():
            output = run(self.model, tree_map(_copied, inputs))
            each = losses(
                self.loss, output, target, batch, lambda t: Layout(0) if len(t) == batch else None
            )
            if each is not None:
                agree = AGREE.get(each.dtype, NARROW)
                for k in (0, batch - 1):
                    parts = (example(inputs, k, batch), example(target, k, batch))
                    alone = float(cost(self.model, self.loss, *parts))
                    self._same_loss(float(each[k]), alone, agree, k)


def mixed(what: str) -> MiyaInputError:
    return MiyaInputError(
        "E765",
        f"the examples of a batch are mixed: {what}",
        hint="call model.eval(), or take out what computes over the batch; only then has each "
        "example a gradient of its own",
    )


def _copied(t: Any) -> Any:
    return t.clone() if isinstance(t, Tensor) else t


def _twice(t: Any) -> Any:
    whole = isinstance(t, Tensor) and t.dim() and t.shape[0] == 1
    return torch.cat([t, t]) if whole else t
