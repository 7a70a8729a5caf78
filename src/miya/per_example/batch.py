"""One batch: the loss, the gradient's norms and the pressures of each of its examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils._pytree import tree_map

from .book import Book
from .capture import Capture
from .evidence import DOUBLE
from .losses import losses
from .singles import example, gradients, norm, run
from .sources import Unknown

Tensor = torch.Tensor


@dataclass(frozen=True, eq=False)
class Measured:
    """loss: (B,), norms: (B, parameters), both float64 on the CPU. pressures: δ of the neurons
    by layer, (B, neurons); empty where they were not asked for or not measured."""

    loss: Tensor
    norms: Tensor
    pressures: dict[str, Tensor]


def together(
    model: nn.Module,
    loss: Any,
    named: dict[str, nn.Parameter],
    inputs: Any,
    target: Any,
    batch: int,
    *,
    neurons: bool = True,
    still: bool = False,
) -> Measured:
    """All examples in one forward and one backward pass. Raises Unknown where that cannot be."""
    book = Book(batch, named, neurons)
    capture = Capture(book, next(iter(named.values())).device, still=still)
    given = tree_map(lambda t: capture.given(t) if isinstance(t, Tensor) else t, inputs)
    with capture:
        output = run(model, given)
    each = losses(loss, output, target, batch, capture.where)
    if each is None:
        raise Unknown("gives an output in which the examples are not found")
    if each.requires_grad:
        left = torch.autograd.grad(each.sum(), [capture.anchor, *named.values()], allow_unused=True)
        reached = [n for n, g in zip(named, left[1:], strict=True) if g is not None]
        if reached:
            raise Unknown(f"uses {reached[0]} in a way that no function of torch shows")
        book.close()
    return Measured(each.detach().to(DOUBLE).cpu(), book.norms(), book.pressures)


def one_by_one(
    model: nn.Module,
    loss: Any,
    named: dict[str, nn.Parameter],
    inputs: Any,
    target: Any,
    batch: int,
) -> Measured:
    """The same by a forward and a backward pass of each example."""
    found, norms = [], []
    for k in range(batch):
        cost, slopes = gradients(
            model, loss, named, example(inputs, k, batch), example(target, k, batch)
        )
        found.append(cost.detach().to(DOUBLE).cpu())
        norms.append(norm(slopes, named))
    return Measured(torch.stack(found), torch.stack(norms), {})
