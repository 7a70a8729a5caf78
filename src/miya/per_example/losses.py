"""The loss of each example alone: what the loss gives for a batch of one.

For torch's own losses that is a reduction left out; any other loss is run for every example by
torch.func.vmap, or where it does not let itself be run so, one example after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils._pytree import tree_flatten, tree_unflatten

from ..errors import MiyaInputError
from ..read.torch.named import SquaredError
from .layout import Layout

Tensor = torch.Tensor
ByExample = Callable[[Tensor, Tensor], Tensor]


def _reduced(loss: nn.Module, each: Tensor) -> Tensor:
    each = each.flatten(1) if each.dim() > 1 else each[:, None]
    return each.sum(1) if loss.reduction == "sum" else each.mean(1)


def _cross_entropy(loss: Any, out: Tensor, target: Tensor) -> Tensor | None:
    if loss.weight is not None or out.dim() != 2 or target.dim() != 1:
        return None
    if bool((target == loss.ignore_index).any()):
        return None
    return F.cross_entropy(out, target, reduction="none", label_smoothing=loss.label_smoothing)


def _plain(function: Callable[..., Tensor], *options: str) -> Callable[..., Tensor | None]:
    """A loss element by element; a target of another shape would be repeated."""

    def each(loss: Any, out: Tensor, target: Tensor) -> Tensor | None:
        if out.shape != target.shape or getattr(loss, "weight", None) is not None:
            return None
        given = {name: getattr(loss, name) for name in options}
        return _reduced(loss, function(out, target, reduction="none", **given))

    return each


def _squared(loss: Any, out: Tensor, target: Tensor) -> Tensor | None:
    if out.shape != target.shape:
        return None
    found: Tensor = loss.factor * (out - target).square().reshape(len(out), -1).sum(1)
    return found


KNOWN: Mapping[type, Callable[..., Tensor | None]] = {
    nn.CrossEntropyLoss: _cross_entropy,
    nn.MSELoss: _plain(F.mse_loss),
    nn.L1Loss: _plain(F.l1_loss),
    nn.SmoothL1Loss: _plain(F.smooth_l1_loss, "beta"),
    nn.HuberLoss: _plain(F.huber_loss, "delta"),
    nn.BCELoss: _plain(F.binary_cross_entropy),
    nn.BCEWithLogitsLoss: _plain(F.binary_cross_entropy_with_logits, "pos_weight"),
    SquaredError: _squared,
}


def losses(
    loss: Any, output: Any, target: Any, batch: int, where: Callable[[Tensor], Any]
) -> Tensor | None:
    """(B,) of a batch's output, or None where nobody knows where the examples lie in it."""
    tensors, form = tree_flatten(output)
    axes = [_axis(t, where) for t in tensors]
    if any(a == "lost" for a in axes) or all(a is None for a in axes):
        return None
    known = KNOWN.get(type(loss))
    plain = isinstance(output, Tensor) and isinstance(target, Tensor) and axes == [0]
    if known is not None and plain and gives_a_number(loss) and len(target) == batch:
        each = known(loss, output, target)
        if each is not None:
            return each
    goals, goal_form = tree_flatten(target)
    axes += [0 if isinstance(t, Tensor) and t.dim() and len(t) == batch else None for t in goals]
    every = [*tensors, *goals]
    moving = [k for k, a in enumerate(axes) if a is not None]

    def one(*parts: Tensor) -> Tensor:
        whole = list(every)
        for k, part in zip(moving, parts, strict=True):
            whole[k] = part.unsqueeze(axes[k])
        out = tree_unflatten(whole[: len(tensors)], form)
        goal = tree_unflatten(whole[len(tensors) :], goal_form)
        return single_number(loss(out, goal))

    return _each(one, [every[k] for k in moving], [axes[k] for k in moving], batch)


def gives_a_number(loss: Any) -> bool:
    """Whether the loss gives one number for a batch; it need not, without a reduction."""
    return getattr(loss, "reduction", "mean") in ("mean", "sum")


def _each(one: Callable[..., Tensor], parts: list[Tensor], axes: list[Any], batch: int) -> Tensor:
    try:
        return torch.func.vmap(one, in_dims=tuple(axes))(*parts)
    except MiyaInputError:
        raise
    except Exception:  # a loss that looks at its numbers runs one example after the other
        return torch.stack(
            [one(*(t.select(a, k) for t, a in zip(parts, axes, strict=True))) for k in range(batch)]
        )


def _axis(found: Any, where: Callable[[Tensor], Any]) -> Any:
    if not isinstance(found, Tensor):
        return None
    known = where(found)
    if known is None:
        return None
    plain = isinstance(known, Layout) and known.inner == 1
    return known.axis if plain else "lost"


def single_number(found: Any) -> Tensor:
    """The loss of one example as a number. Raises MiyaInputError E764."""
    if isinstance(found, Tensor) and found.numel() == 1:
        return found.reshape(())
    met = f"of shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
    raise MiyaInputError(
        "E764",
        f"the loss of one example is no single number but {met}",
        hint="let the loss be a function of output and target that gives one number: .mean()?",
    )
