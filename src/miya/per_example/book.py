"""The gradients' norms of a batch, parameter by parameter, as the uses come in."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

import torch
from torch import nn

from .evidence import DOUBLE, Dense, Evidence, chunks, joined, squares_of
from .sources import Source


@dataclass(eq=False)
class Book:
    """named: the parameters that are measured. uses: how often each is used in this batch.

    A parameter with one use is worked out at once and its operands are let go; the uses of a tied
    one wait for each other, since their gradients add up before the norm is taken.
    """

    batch: int
    named: dict[str, nn.Parameter]
    neurons: bool = True
    uses: Counter[str] = field(default_factory=Counter)
    squares: dict[str, torch.Tensor] = field(default_factory=dict)
    waiting: list[tuple[Source, Evidence]] = field(default_factory=list)
    pressures: dict[str, torch.Tensor] = field(default_factory=dict)

    def expect(self, source: Source) -> None:
        self.uses.update(source.names)

    def put(self, source: Source, evidence: Evidence) -> None:
        name = source.names[0]
        if source.plain and self.uses[name] == 1:
            self.squares[name] = evidence.squares()
        else:
            self.waiting.append((source, evidence))

    def press(self, source: Source | None, delta: torch.Tensor) -> None:
        """δ of a layer's neurons, (B, neurons); calls of one layer add up."""
        if self.neurons and source is not None and len(source.names) == 1:
            layer = layer_of(source.names[0])
            before = self.pressures.get(layer)
            if before is None or before.shape != delta.shape:
                self.pressures[layer] = delta
            else:
                self.pressures[layer] = before + delta

    def put_bias(self, bias: Source | None, summed: torch.Tensor) -> None:
        """(B, ...) δ summed over the positions is the gradient of a bias, where there is one."""
        if bias is not None:
            self.put(bias, Dense(summed))

    @torch.no_grad()
    def close(self) -> None:
        """Work out what has waited."""
        for group in self._groups():
            sources = {id(s.tensor) for s, _ in group}
            together = joined([e for _, e in group]) if len(sources) == 1 else None
            if together is not None and group[0][0].plain:
                self.squares[group[0][0].names[0]] = together.squares()
            else:
                self._add_up(group)
        self.waiting = []

    def _groups(self) -> list[list[tuple[Source, Evidence]]]:
        """What waits, apart where no parameter is shared."""
        groups: list[tuple[set[str], list[tuple[Source, Evidence]]]] = []
        for source, evidence in self.waiting:
            names, members = set(source.names), [(source, evidence)]
            apart = []
            for others, theirs in groups:
                if others & names:
                    names, members = names | others, theirs + members
                else:
                    apart.append((others, theirs))
            groups = [*apart, (names, members)]
        return [members for _, members in groups]

    def _add_up(self, group: list[tuple[Source, Evidence]]) -> None:
        names = sorted({name for source, _ in group for name in source.names})
        each = sum(self.named[name].numel() for name in names)
        each += sum(math.prod(source.tensor.shape) for source, _ in group)
        parts: dict[str, list[torch.Tensor]] = {name: [] for name in names}
        for rows in chunks(self.batch, each):
            sums: dict[str, torch.Tensor] = {}
            for source, evidence in group:
                for name, g in source.back(evidence.gradient(rows), self.named).items():
                    sums[name] = sums[name] + g if name in sums else g
            for name, g in sums.items():
                parts[name].append(squares_of(g))
        for name, found in parts.items():
            if found:
                self.squares[name] = torch.cat(found)

    def norms(self) -> torch.Tensor:
        """(B, parameters) float64, in the order of `named`; 0 where the loss does not use one."""
        zero = torch.zeros(self.batch, dtype=DOUBLE, device=next(iter(self.named.values())).device)
        return torch.stack([self.squares.get(n, zero) for n in self.named], 1).sqrt().cpu()


def layer_of(name: str) -> str:
    """The layer that a parameter's neurons are told by: the module of a weight or a bias."""
    head, _, last = name.rpartition(".")
    return head or name if last in ("weight", "bias") else name
