"""Layers that are not looked at in every watched step, where watched steps are close together:
those with large outputs take turns, and what was seen of one holds until its turn comes again.

None rests as long as the rules look at every watched step; later these look at steps that lie
further apart than a layer rests.
"""

from __future__ import annotations

from collections.abc import Callable

from .rules import EARLY
from .seen import Glimpse

NEAR = 8  # steps that lie at least between two looks at a layer that rests
LARGE = 8_192  # numbers of a layer's outputs in one step, from which it rests


class Resting:
    """every: so many steps lie between two watched ones. seen: of each layer that may rest, what
    was seen last. ages: of each that rested in the step that is over, how many steps ago that was.
    first: the layer that counts the examples, also while it rests."""

    def __init__(self, every: int) -> None:
        self.every, self.period = every, -(-NEAR // every)  # the second in watched steps
        self.now = False  # whether any rests in the step that is under way
        self.seen: dict[int, Glimpse] = {}
        self.ages: dict[int, int] = {}
        self.first: int | None = None
        self.turn = 0

    def open(self, turn: int, *, whole: bool) -> None:
        """A watched step begins. whole: no layer rests in it."""
        self.turn = turn
        self.now = self.period > 1 and turn > EARLY and not whole and bool(self.seen)

    def rests(self, layer: int) -> bool:
        """Layers next to each other have their turns at different steps."""
        return self.now and layer in self.seen and (self.turn + layer) % self.period != 0

    def fill(
        self, glimpses: dict[int, Glimpse], first: int | None, trains: Callable[[int], bool]
    ) -> None:
        """After a step: what was not looked at is as it was. trains: whether a layer has a gradient
        in it; without one it was left out."""
        if self.period == 1:
            return
        rested = {
            k: g for k, g in self.seen.items() if self.rests(k) and k not in glimpses and trains(k)
        }
        glimpses.update(rested)
        self.ages = {k: self.ages.get(k, 0) + self.every for k in rested}
        self.seen = {k: g for k, g in glimpses.items() if is_large(g)}
        self.first = first


def is_large(glimpse: Glimpse) -> bool:
    return glimpse.numbers >= LARGE and glimpse.pressure is not None
