"""The data set as batches in a fixed order, so that an example is known by its position."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils._pytree import tree_flatten, tree_map
from torch.utils.data import DataLoader, Dataset, IterableDataset, default_collate
from torch.utils.data.sampler import BatchSampler, SequentialSampler

from ..errors import MiyaInputError

Tensor = torch.Tensor


@dataclass(frozen=True, eq=False)
class Batch:
    """Examples first … first + size − 1 of the data set."""

    first: int
    size: int
    inputs: Any
    target: Any


@dataclass(eq=False)
class Data:
    """Examples by position. dataset: where any example can be asked for, in batches of
    `batch_size` that `collate` puts together; else `batches` are gone through from the start.
    examples: how many there are, None where that is not known before."""

    batches: Iterable[Any]
    examples: int | None
    with_target: bool
    device: torch.device
    dataset: Any = None
    collate: Any = default_collate
    batch_size: int = 0
    options: dict[str, Any] | None = None

    def start(
        self,
        done: int = 0,
        skipped: Callable[[Batch], None] = lambda batch: None,
        stop: int | None = None,
    ) -> Iterator[Batch]:
        """Batches after the first `done` examples, up to the example before `stop`. skipped: is
        told of those before that had to be gone through. Raises MiyaInputError E761, E769."""
        first, source = 0, self.batches
        if self.dataset is not None:
            first, source = done, self._rest(done, stop)
        for found in source:
            if stop is not None and first >= stop:
                return
            inputs, target = self.parts(found)
            size = size_of((inputs, target))
            if first + size > done:
                if first < done:
                    raise MiyaInputError(
                        "E769",
                        f"the examples measured before end at {done}, inside the batch of "
                        f"{first} to {first + size - 1}",
                        hint="use the batch size of the first run, or a fresh folder",
                    )
                yield Batch(first, size, self.moved(inputs), self.moved(target))
            else:
                skipped(Batch(first, size, inputs, target))
            first += size

    def _rest(self, done: int, stop: int | None) -> Iterable[Any]:
        count, each = len(self.dataset) if stop is None else stop, self.batch_size
        rest = [list(range(a, min(a + each, count))) for a in range(done, count, each)]
        if isinstance(self.dataset, _Tensors):
            return (self.dataset.many(r[0], r[-1] + 1) for r in rest)
        return DataLoader(
            self.dataset, batch_sampler=rest, collate_fn=self.collate, **(self.options or {})
        )

    @property
    def once(self) -> bool:
        """Whether it goes by only once, as a generator does."""
        return self.dataset is None and iter(self.batches) is self.batches

    def example(self, k: int) -> Batch | None:
        """One example again, or None where the data goes by only once."""
        if self.dataset is None:
            return None
        if isinstance(self.dataset, _Tensors):
            found = self.dataset.many(k, k + 1)
        else:
            found = self.collate([self.dataset[k]])
        inputs, target = self.parts(found)
        return Batch(k, 1, self.moved(inputs), self.moved(target))

    def parts(self, found: Any) -> tuple[Any, Any]:
        """Inputs and target of a batch. Raises MiyaInputError E761."""
        if not self.with_target:
            return found, None
        if isinstance(found, (tuple, list)) and len(found) == 2:
            return found[0], found[1]
        many = f"{len(found)} parts" if isinstance(found, (tuple, list)) else type(found).__name__
        raise MiyaInputError(
            "E761",
            f"a batch is {many}, where inputs and target were expected",
            hint="let the data give (inputs, target); several inputs go in a tuple or a dict",
        )

    def moved(self, found: Any) -> Any:
        return tree_map(lambda t: t.to(self.device) if isinstance(t, Tensor) else _tensor(t), found)


class _Tensors(Dataset[Any]):
    """Tensors whose first dimension is the examples."""

    def __init__(self, whole: Any) -> None:
        self.whole = tree_map(_tensor, whole)
        self.count = size_of(self.whole)

    def __len__(self) -> int:
        return self.count

    def many(self, start: int, stop: int) -> Any:
        return tree_map(lambda t: t[start:stop] if _holds(t, self.count) else t, self.whole)


def _holds(t: Any, count: int) -> bool:
    return isinstance(t, Tensor) and t.dim() > 0 and t.shape[0] == count


def _tensor(found: Any) -> Any:
    return torch.from_numpy(found) if isinstance(found, np.ndarray) else found


def size_of(found: Any) -> int:
    """How many examples a batch has. Raises MiyaInputError E761."""
    leaves = [t for t in tree_flatten(found)[0] if isinstance(t, (Tensor, np.ndarray)) and t.ndim]
    if not leaves:
        raise MiyaInputError(
            "E761",
            f"a batch ({type(found).__name__}) holds no tensor with examples in it",
            hint="give tensors whose first dimension is the examples",
        )
    lengths = [len(t) for t in leaves]
    if lengths[-1] != lengths[0] or not lengths[0]:
        raise MiyaInputError(
            "E761",
            f"the inputs have {lengths[0]} examples, the target {lengths[-1]}",
            hint="give one target an example, in the same order",
        )
    return lengths[0]


def data_from(found: Any, *, batch_size: int, with_target: bool, device: torch.device) -> Data:
    """Tensors, a Dataset, a DataLoader or an iterable of batches, as it was given.

    Raises MiyaInputError E761, and E770 for a loader that shuffles.
    """
    given: dict[str, Any] = {"with_target": with_target, "device": device}
    if isinstance(found, DataLoader):
        return _of_loader(found, given)
    if isinstance(found, IterableDataset):
        return Data(DataLoader(found, batch_size=batch_size), _length(found), **given)
    if _is_tensors(found, with_target):
        dataset: Any = _Tensors(found)
    elif isinstance(found, Dataset) or (
        hasattr(found, "__getitem__") and hasattr(found, "__len__") and not _is_batches(found)
    ):
        dataset = found
    elif isinstance(found, Iterable):
        return Data(found, _known(found), **given)
    else:
        raise MiyaInputError(
            "E761",
            f"the data is {type(found).__name__}",
            hint="give (inputs, target), a Dataset, a DataLoader or an iterable of such batches",
        )
    if not len(dataset):
        raise MiyaInputError("E761", "the data has no examples", hint="give at least one")
    return Data((), len(dataset), dataset=dataset, batch_size=batch_size, **given)


def _of_loader(found: DataLoader[Any], given: dict[str, Any]) -> Data:
    sampler = found.sampler if found.batch_sampler is not None else None
    name = type(sampler).__name__
    if "Random" in name:
        raise MiyaInputError(
            "E770",
            f"the DataLoader shuffles ({name}): an example would have another position each time",
            hint="give it shuffle=False",
        )
    options = {
        k: getattr(found, k) for k in ("num_workers", "pin_memory", "timeout", "worker_init_fn")
    }
    if type(found.batch_sampler) is BatchSampler and type(sampler) is SequentialSampler:
        if found.drop_last and len(found.dataset) % found.batch_size:  # type: ignore[arg-type, operator]
            return Data(found, None, **given)
        return Data(
            found,
            len(found.dataset),  # type: ignore[arg-type]
            dataset=found.dataset,
            collate=found.collate_fn,
            batch_size=int(found.batch_size or 1),
            options=options,
            **given,
        )
    return Data(found, None, **given)


def _is_tensors(found: Any, with_target: bool) -> bool:
    """Whether it is one (inputs, target) rather than a sequence of batches."""
    if not with_target:
        return isinstance(found, (Tensor, np.ndarray, dict))
    return (
        isinstance(found, (tuple, list))
        and len(found) == 2
        and isinstance(found[1], (Tensor, np.ndarray))
        and isinstance(found[0], (Tensor, np.ndarray, dict, tuple))
    )


def _is_batches(found: Any) -> bool:
    """Whether a list holds batches rather than examples: a target with a first dimension."""
    if isinstance(found, (str, bytes, dict)) or not isinstance(found, (list, tuple)):
        return isinstance(found, (str, bytes, dict))
    return bool(found) and isinstance(found[0], (tuple, list, dict, Tensor))


def _length(found: Any) -> int | None:
    try:
        return len(found) if isinstance(found, Sized) else None
    except TypeError:
        return None


def _known(found: Iterable[Any]) -> int | None:
    """How many examples a list of batches holds."""
    if not isinstance(found, (list, tuple)):
        return None
    return sum(size_of(b) for b in found)
