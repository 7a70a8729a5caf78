"""Whether all ranks run a split model once more, which none of them can do alone.

Where FSDP2 has split the parameters, every forward pass gathers them from all ranks: one that ran
the model again while another, whose watch is off, goes on would hang the training. So before each
run the ranks vote, in the store that the process group was made with and by no collective. What
was decided first holds for all.
"""

from __future__ import annotations

import time
from typing import Any

from .ranks import rank, store, world

PATIENCE = 5.0  # seconds that a vote is waited for; without it nothing is run again any more
PAUSE = 1e-3
RUN, OFF = "run", "off"
_made = 0  # how many were made in this process, as in every other


class Agreement:
    """Of one watch. All ranks must make theirs in the same order."""

    def __init__(self) -> None:
        global _made
        _made += 1
        self.store: Any = store()
        self.name, self.turn, self.off = f"miya/again/{_made}", 0, self.store is None

    def holds(self) -> bool:
        """Whether all ranks run now. A rank that hears True must run, whatever happens."""
        if self.off or world() == 1:
            return not self.off
        self.turn += 1
        votes, decision = f"{self.name}/votes", f"{self.name}/{self.turn}"
        self.store.add(votes, 1)
        due, end = world() * self.turn, time.monotonic() + PATIENCE
        while (found := self.store.add(votes, 0)) < due and time.monotonic() < end:
            time.sleep(PAUSE)
        said = self.store.compare_set(decision, "", RUN if found >= due else OFF)
        self.off = said.decode() != RUN
        if rank() == 0 and not self.off:  # all have read the one before
            self.store.delete_key(f"{self.name}/{self.turn - 1}")
        return not self.off
