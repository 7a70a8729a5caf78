"""Several processes that measure one data set: which examples are whose (torch.distributed).

Each has a row of whole batches, so that every example is measured in the batch in which one process
would measure it. Nobody sends anything while measuring; at the end each waits for the others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
import torch.distributed as dist

from ..errors import MiyaInputError
from .data import Data

Span = tuple[int, int | None]


@dataclass(frozen=True)
class Share:
    """rank: this process's place among `world`."""

    rank: int = 0
    world: int = 1

    def check(self, data: Data, out: object) -> None:
        """Raises MiyaInputError E781 without a folder, E782 where examples cannot be asked for by
        their position."""
        if self.world == 1:
            return
        if out is None:
            raise MiyaInputError(
                "E781",
                f"{self.world} processes measure the examples together, and out is not given",
                hint="give out=, a folder that all of them reach; each writes its own files there",
            )
        if data.dataset is None:
            raise MiyaInputError(
                "E782",
                f"{self.world} processes cannot share this data: its examples cannot be asked for "
                "by their position",
                hint="give tensors, a Dataset, or a DataLoader in its order without a "
                "DistributedSampler: blame_examples shares the examples out itself",
            )

    def span(self, data: Data) -> Span:
        """The first example of this process, and the one after its last."""
        if self.world == 1 or data.examples is None:
            return 0, data.examples
        count, each = data.examples, data.batch_size
        batches = -(-count // each)
        first, stop = (batches * (self.rank + k) // self.world * each for k in (0, 1))
        return min(first, count), min(stop, count)

    def added(self, sums: dict[str, torch.Tensor]) -> None:
        """Every tensor becomes the sum of all processes'. Raises MiyaInputError E783."""
        if self.world > 1:
            with _Waiting():
                for tensor in sums.values():
                    dist.all_reduce(tensor)

    def wait(self) -> None:
        """Until every process has got here. Raises MiyaInputError E783 where one is lost."""
        if self.world > 1:
            with _Waiting():
                dist.barrier()


def here() -> Share:
    if dist.is_available() and dist.is_initialized():
        return Share(dist.get_rank(), dist.get_world_size())
    return Share()


def lost(said: str) -> MiyaInputError:
    return MiyaInputError(
        "E783",
        f"another process was lost: {said}",
        hint="what was measured is safe: run it again with the same out, with as many processes "
        "as there are, and it goes on",
    )


class _Waiting:
    """Turns what torch says of a lost process into MiyaInputError E783."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> None:
        if isinstance(fault, RuntimeError):  # dist.DistError is one
            raise lost(_first_sentence(str(fault))) from fault


def _first_sentence(said: str) -> str:
    """Without the place in torch's source that it begins with."""
    return re.sub(r"^\[\S+\]\s*", "", " ".join(said.split())).partition(". ")[0].rstrip(".")
