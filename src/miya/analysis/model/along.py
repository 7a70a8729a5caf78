"""The straight way that a step takes a model along, integrated piece by piece.

Each piece is summed by Gauss-Legendre quadrature and accepted where its credits add up to its own
change of the loss; the way is cut where an operation crosses a kink, and halved where that is not
enough. Three sets of gradients are held at once: the sum, the piece's and the one just worked out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...core.rerun import Runner
from ...core.rounding import Array
from .sides import Sides, crossings

ULPS = 8.0  # of the loss: its changes cannot be told finer than this
NOISY = (1e-13, 2e-13, 3e-13)  # places so near the start that the loss differs by its rounding
NARROWEST = 1e-13  # of the way: a piece this narrow is taken as it is
# The nodes that a piece of at most so much of the way starts with. Few pieces are wide; the
# narrow ones lie between kinks.
STARTS = ((1e-5, 1), (2e-2, 2), (0.1, 4), (1.0, 8))
# with so many nodes, those whose own rule is compared with the whole one
COARSE = {4: (0, 3), 8: (1, 3, 4, 6)}


@dataclass(frozen=True, eq=False)
class Place:
    """A place of the way, from 0 (before) to 1 (after), the loss there and its kinks' sides."""

    u: float
    loss: float
    sides: Sides


class Budget:
    """How many evaluations are left; `spent` counts them."""

    def __init__(self, most: int) -> None:
        self.most, self.spent = most, 0

    @property
    def empty(self) -> bool:
        return self.spent >= self.most


class Along:
    """One runner's way. weight: what its loss counts in the whole."""

    def __init__(
        self,
        runner: Runner,
        weight: float,
        before: Mapping[str, Array],
        change: Mapping[str, Array],
        total: dict[str, Array],
    ) -> None:
        self.runner, self.weight, self.before, self.change = runner, weight, before, change
        self.total, self.pieces = total, 0

    def place(self, u: float) -> Place:
        self.budget.spent += 1
        loss, sides = self.runner.loss_and_sides(self._at(u))
        return Place(u, loss, sides)

    def _at(self, u: float) -> dict[str, Array]:
        if u == 0:
            return {name: self.before[name] for name in self.change}
        return {name: self.before[name] + u * d for name, d in self.change.items()}

    def integrate(self, tolerance: float, budget: Budget) -> None:
        """Adds ∫ gᵢ du, times the weight, to `total`. tolerance: of the way's sum of credits."""
        self.budget = budget
        self.pending = {name: np.zeros_like(d) for name, d in self.change.items()}
        start = self.place(0.0)
        waiting = [(start, self.place(1.0), False)]
        self.noise = 2 * max(abs(self.place(u).loss - start.loss) for u in NOISY)
        while waiting:
            low, high, halve = waiting.pop()
            middle = None if self.budget.empty else self._cut(low, high)
            if middle is None and halve and not self.budget.empty:
                middle = (low.u + high.u) / 2
            if middle is not None and low.u < middle < high.u:
                between = self.place(middle)
                waiting += [(between, high, False), (low, between, False)]
            elif not self._sum(low, high, tolerance):
                waiting.append((low, high, True))
        self.pending = {}

    def _cut(self, low: Place, high: Place) -> float | None:
        """The kink nearest the middle of those between, None where there is none."""
        if high.u - low.u <= NARROWEST:
            return None
        found = crossings(low.sides, high.sides)
        if not found.size:
            return None
        best = float(found[np.abs(found - 0.5).argmin()])
        return low.u + best * (high.u - low.u)

    def _sum(self, low: Place, high: Place, tolerance: float) -> bool:
        """Whether the piece added up, and was added. What cannot be made better is taken."""
        width, change = high.u - low.u, high.loss - low.loss
        last = width <= NARROWEST or self.budget.empty
        start = next(count for edge, count in STARTS if width <= edge)
        counts = [start] if last else [c for c in (1, 2, 4, 8) if c >= start][:2]
        for count in counts:
            nodes, weights = np.polynomial.legendre.leggauss(count)
            u, w = low.u + width * (nodes + 1) / 2, weights * width / 2
            speeds = self._gather(u, w)
            fine = w @ speeds
            size = float(np.abs(fine).sum())
            floor = ULPS * np.finfo(np.float64).eps * max(abs(low.loss), abs(high.loss), size)
            share = max(tolerance * width, floor, self.noise)
            apart = _apart(nodes, speeds, fine, width)
            good = abs(fine.sum() - change) <= share
            if last or (good and apart**3 <= share * max(size, apart) ** 2):
                self._accept()
                return True
        return False

    def _gather(self, u: Array, w: Array) -> Array:
        """The weighed gradients at the nodes into `pending`; (nodes, parameters) of g · Δθ."""
        speeds = np.zeros((len(u), len(self.change)))
        for array in self.pending.values():
            array[...] = 0
        for k, at in enumerate(u.tolist()):
            self.budget.spent += 1
            _, gradients = self.runner.loss_and_gradients(self._at(at))
            for j, (name, change) in enumerate(self.change.items()):
                gradient = gradients[name]
                # not vdot: BLAS's threads cost more than they bring to arrays so small
                speeds[k, j] = np.einsum("i,i->", gradient.ravel(), change.ravel())
                self.pending[name] += w[k] * gradient
        return speeds

    def _accept(self) -> None:
        self.pieces += 1
        for name, array in self.pending.items():
            self.total[name] += self.weight * array


def _apart(nodes: Array, speeds: Array, fine: Array, width: float) -> float:
    """How far a coarser rule on some of the nodes is from the whole one, at most. Where a piece
    has too few nodes for one it is so narrow that its own change has to do."""
    some = COARSE.get(len(nodes))
    if some is None:
        return 0.0
    powers = np.vander(nodes[list(some)], increasing=True).T
    moments = np.array([(1 - (-1) ** (k + 1)) / (k + 1) for k in range(len(some))])
    weights = np.linalg.solve(powers, moments) * width / 2
    return float(np.abs(weights @ speeds[list(some)] - fine).max(initial=0.0))
