"""Example credit: the real change of the loss over a data set, shared over examples and
parameters.

Creditᵢₚ = Δθₚ · ∫₀¹ ∂ℓᵢ/∂θₚ(θ + uΔθ) du, over the number of examples where the loss is a mean; the
credits of all examples and parameters add up to what the step does to the loss. Δθ is given, or is
what an optimizer does with the gradient of the whole data set. All of it in float64.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..core.rounding import Array
from ..errors import MiyaInputError
from ..read.torch.copies import copies
from ..read.torch.named import optimizer_named
from ..render.files import write_whole
from . import fingerprint
from .capture import measured
from .columns import CREDIT
from .data import Batch, Data
from .engine import Engine
from .integrate import Integrated, integrate
from .rows import Rows, widened
from .share import Share
from .singles import cost, example
from .sources import Unknown

Tensor = torch.Tensor
STEP = "_step.npz"
ALONE = Share()


@dataclass(eq=False)
class Credits:
    """change: Δθ by parameter, float64. scale: what one example's loss counts in the whole."""

    engine: Engine  # of a copy of the model in float64
    change: dict[str, Tensor]
    scale: float
    says: str  # where Δθ comes from, in words
    alone: bool = False
    proven: bool = field(default=False)

    def save(self, folder: Path) -> None:
        """Δθ, so that a run that goes on shares out the same step. Raises MiyaOutputError E508."""
        made = io.BytesIO()
        np.savez(made, **{n: t.cpu().numpy() for n, t in self.change.items()})  # type: ignore[arg-type]
        write_whole(folder / STEP, made.getvalue())

    def of(self, batch: Batch) -> dict[str, Array]:
        """The columns of a batch's examples: "credit", "credit:<parameter>", "loss_after" and
        "residual", which is Σ credits − the example's share of the real change.

        Raises MiyaInputError E775 where the loss is drawn anew each time.
        """
        found = self._integrated(batch)
        values = found.values * self.scale
        total = values.sum(axis=1)
        names = list(self.engine.named)
        return {
            "credit": total,
            **{CREDIT + n: values[:, k] for k, n in enumerate(names)},
            "loss_after": found.after,
            "residual": total - (found.after - found.before) * self.scale,
        }

    def _integrated(self, batch: Batch) -> Integrated:
        inputs, target = widened(batch.inputs), widened(batch.target)
        given = (self.engine, inputs, target, batch.size, self.change)
        drawn = torch.get_rng_state()
        if not self.alone:
            try:
                rows = Rows(*given)
                if not self.proven:
                    self._prove(rows, Rows(*given, alone=True), drawn)
                return integrate(rows, batch.size, len(self.engine.named))
            except Unknown:
                self.alone = True
        rows = Rows(*given, alone=True)
        rows.losses(np.zeros(1, np.int64), np.zeros(1))
        _refuse_draws(drawn)
        return integrate(rows, batch.size, len(self.engine.named))

    def _prove(self, rows: Rows, single: Rows, drawn: Tensor) -> None:
        """Both ways must give the same slopes in the middle of the way. Raises Unknown."""
        which = np.array([0, rows.size - 1])
        place = np.full(2, 0.5)
        mine = rows.slopes(which, place), rows.losses(which, place)
        _refuse_draws(drawn)
        losses, slopes = single._single(which, place)
        for a, b in zip(mine, (slopes, losses), strict=True):
            if not np.allclose(a, b, rtol=1e-8, atol=1e-10 * np.abs(b).max(), equal_nan=True):
                raise Unknown("has other slopes in single runs")
        self.proven = True


def _refuse_draws(before: Tensor) -> None:
    if not torch.equal(before, torch.get_rng_state()):
        raise MiyaInputError(
            "E775",
            "the model draws random numbers (dropout in training mode): its loss is another at "
            "every place of the step's way, and no credits add up",
            hint="call model.eval() first, or leave optimizer and step out",
        )


def credits_of(
    engine: Engine,
    data: Data,
    optimizer: torch.optim.Optimizer | str | None,
    step: Mapping[str, Tensor] | None,
    out: str | PathLike[str] | None,
    share: Share = ALONE,
) -> Credits | None:
    """None where neither an optimizer nor a step is given. Raises MiyaInputError E776."""
    if optimizer is None and step is None:
        return None
    if optimizer is not None and step is not None:
        raise _refused("both an optimizer and a step are given", "give one of them")
    if data.once:
        raise _refused(
            "credits take a second pass over the data, which goes by only once",
            "give a Dataset, a DataLoader or a list of batches",
        )
    if engine.loss is None:
        raise _refused("credits need a loss", "give loss=, a function of output and target")
    first = next(data.start())
    engine.measure(first.inputs, first.target, first.size, 0)  # refuses what has no examples
    count = data.examples or sum(batch.size for batch in data.start())
    saved = Path(out) / STEP if out is not None else None
    if step is not None:
        change, says = _given(engine, step), f"given {fingerprint.of_tensors(_given(engine, step))}"
    else:
        optimizer = _made(engine, optimizer)
        says = _words(optimizer)
        if saved is not None and saved.exists():
            with np.load(saved) as kept:
                change = {n: torch.from_numpy(kept[n]) for n in kept.files}
        else:
            change = _stepped(engine, data, optimizer, count, share)
    wide = copies(engine.model, None, engine.loss)
    model = wide.model.double()
    criterion = wide.criterion
    if isinstance(criterion, torch.nn.Module):
        criterion = criterion.double()
    names = list(engine.named)
    named = {n: p for n, p in measured(model).items() if n in names}
    device = next(iter(named.values())).device
    change = {n: change[n].to(device) for n in names}
    scale = 1.0 if getattr(engine.loss, "reduction", "mean") == "sum" else 1.0 / count
    return Credits(Engine(model, criterion, named, False, engine.seed), change, scale, says)


def _refused(what: str, hint: str) -> MiyaInputError:
    return MiyaInputError("E776", what, hint=hint)


def _given(engine: Engine, step: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Δθ of every parameter, 0 where none is given. Raises MiyaInputError E776."""
    for name, change in step.items():
        if name not in engine.named:
            raise _refused(
                f"the step moves {name!r}, which is no parameter that is measured",
                f"it has {', '.join(list(engine.named)[:8])}",
            )
        want, met = tuple(engine.named[name].shape), tuple(np.shape(change))
        if want != met:
            raise _refused(f"the step of {name} has shape {met}, the parameter {want}", "fit them")
    zero = {n: torch.zeros_like(p, dtype=torch.float64) for n, p in engine.named.items()}
    given = {n: torch.as_tensor(t).detach().to(torch.float64) for n, t in step.items()}
    return {**zero, **given}


def _made(engine: Engine, optimizer: Any) -> torch.optim.Optimizer:
    if isinstance(optimizer, str):
        return optimizer_named(optimizer, list(engine.named.values()), None)
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise _refused(
            f"the optimizer is {type(optimizer).__name__}", "give a torch.optim.Optimizer"
        )
    mine = {id(p) for p in engine.model.parameters()}
    if not any(id(p) in mine for group in optimizer.param_groups for p in group["params"]):
        raise _refused(
            "the optimizer holds none of the model's parameters",
            "make it of model.parameters()",
        )
    return optimizer


def _words(optimizer: torch.optim.Optimizer) -> str:
    groups = [
        {k: str(v) for k, v in group.items() if k != "params"} for group in optimizer.param_groups
    ]
    state = {
        f"{k} {name}": t
        for k, held in enumerate(optimizer.state.values())
        for name, t in held.items()
        if isinstance(t, Tensor)
    }
    return f"{type(optimizer).__name__} {groups} {fingerprint.of_tensors(state)}"


def _stepped(
    engine: Engine, data: Data, optimizer: torch.optim.Optimizer, count: int, share: Share
) -> dict[str, Tensor]:
    """What the optimizer does with the gradient of the loss of all examples, on a copy."""
    twin = copies(engine.model, optimizer, engine.loss)
    named = {n: p for n, p in measured(twin.model).items() if n in engine.named}
    sums = {n: torch.zeros_like(p, dtype=torch.float64) for n, p in named.items()}
    scale = 1.0 if getattr(engine.loss, "reduction", "mean") == "sum" else 1.0 / count
    first, stop = share.span(data)
    for batch in data.start(first, stop=stop):
        for k in range(batch.size):
            parts = (example(t, k, batch.size) for t in (batch.inputs, batch.target))
            found = cost(twin.model, twin.criterion, *parts)
            if not found.requires_grad:
                continue
            slopes = torch.autograd.grad(found, list(named.values()), allow_unused=True)
            for total, slope in zip(sums.values(), slopes, strict=True):
                if slope is not None:
                    total.add_(slope, alpha=scale)
    share.added(sums)
    before = {n: p.detach().clone() for n, p in named.items()}
    for n, p in named.items():
        p.grad = sums[n].to(p.dtype)
    assert twin.optimizer is not None
    twin.optimizer.step()
    found_change = {n: p.detach().double() - before[n].double() for n, p in named.items()}
    bad = next((n for n, t in found_change.items() if not bool(t.isfinite().all())), None)
    if bad is not None:
        raise _refused(f"the step moves {bad} to what is not finite", "use a smaller learning rate")
    return found_change
