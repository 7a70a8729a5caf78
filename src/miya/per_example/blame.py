"""`blame_examples`: which examples of a data set drive the loss and the gradient of a model."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .. import __version__
from ..core.rounding import Array
from ..errors import MiyaInputError, MiyaWarning
from ..read.torch.checks import check_kinds, check_model
from ..read.torch.copies import unwrapped
from ..read.torch.named import loss_named
from ..read.torch.whole import whole
from . import fingerprint
from .capture import measured
from .columns import NORM, Block, Memory
from .credit import Credits, credits_of
from .data import Batch, Data, data_from
from .engine import Engine
from .folder import Folder, Read
from .keeping import Keeper
from .neurons import Directory
from .portraits import portraits
from .progress import bar
from .result import ExamplesBlame, Facts, measure_of
from .share import Share, here, lost
from .untouched import untouched


def blame_examples(
    model: nn.Module,
    data: Any,
    loss: Any = None,
    *,
    optimizer: torch.optim.Optimizer | str | None = None,
    step: Mapping[str, torch.Tensor] | None = None,
    by: str = "gradient",
    top: int = 10,
    neurons: int = 5,
    batch_size: int = 64,
    out: str | PathLike[str] | None = None,
    image: tuple[int, ...] | None = None,
    seed: int = 0,
    progress: bool = True,
) -> ExamplesBlame:
    """The loss of each example of `data`, the norm of its gradient by parameter, and its most
    pushed neurons; with `optimizer` or `step` also its credit.

    data: (inputs, target) as tensors or arrays, a Dataset, a DataLoader that does not shuffle, or
    an iterable of batches. An example is known by its position. loss: as for `miya.explain`; of
    one example it is taken over a batch of one. The model runs in the mode that it is in.
    optimizer: the credits are of the step that it would make on the whole data set; step: of this
    Δθ, by parameter. by: what `top` examples are told by: "gradient", "loss", "credit" or a
    layer. out: a folder of Parquet files, which a run that was stopped goes on with. image: the
    shape of an input that is drawn, where it is not an image's already.

    Under torch.distributed the processes share the examples out, and each gets the whole result;
    `out` is then a folder that all of them reach.

    Raises MiyaInputError E760 to E772, E781 to E783, and `miya.explain`'s for what the model or
    the loss raises on the first example of a batch alone too; warns W773 where single runs were
    needed, W774 where an example's loss or gradient is not finite.
    """
    job = prepare(model, data, loss, batch_size=batch_size, neurons=neurons, seed=seed)
    check_options(job, by, top, neurons, batch_size)
    share = here()
    share.check(job.data, out)
    with untouched(job.model):
        credits = credits_of(job.engine, job.data, optimizer, step, out, share)
        manifest = job.manifest(neurons, batch_size, credits)
        sink: Folder | Memory = Memory() if out is None else Folder(Path(out), manifest, share)
        if credits is not None and isinstance(sink, Folder) and share.rank == 0:
            credits.save(sink.path)
        facts = Facts(job.names, job.dtype, credits is not None)
        measure = measure_of(facts, by)
        keeper = Keeper(job.data, measure, top, sink)
        try:
            _measure_all(job, sink, keeper, credits, neurons, progress, share)
        except BaseException:
            sink.close()
            raise
        sink.close()
        share.wait()
        columns = sink if isinstance(sink, Memory) else Read(sink.path)
        if share.world > 1 and columns.done != job.data.examples:
            raise lost(f"of {job.data.examples} examples {columns.done} are measured")
        facts = replace(facts, method=job.engine.method, why=job.engine.why)
        shown = portraits(job.engine, columns, keeper, measure, top, image)
    found = ExamplesBlame(columns, facts, by, shown)
    for note in found.notes():
        warnings.warn(note, MiyaWarning, stacklevel=2)
    return found


@dataclass(eq=False)
class Job:
    """What is measured, how and on what."""

    model: nn.Module
    engine: Engine
    data: Data

    @property
    def names(self) -> list[str]:
        return list(self.engine.named)

    @property
    def dtype(self) -> str:
        return str(next(iter(self.engine.named.values())).dtype).removeprefix("torch.")

    def manifest(self, neurons: int, batch_size: int, credits: Credits | None) -> dict[str, Any]:
        first = next(self.data.start()) if not self.data.once else None
        return {
            "miya": __version__,
            "model": fingerprint.of_model(self.model),
            "loss": fingerprint.of_loss(self.engine.loss),
            "parameters": self.names,
            "dtype": self.dtype,
            "examples": self.data.examples,
            "first batch": fingerprint.of_batch(first.inputs, first.target) if first else None,
            "neurons": neurons,
            "seed": self.engine.seed,
            "step": None if credits is None else credits.says,
        }


def prepare(
    model: nn.Module, data: Any, loss: Any, *, batch_size: int, neurons: int, seed: int
) -> Job:
    """Raises MiyaInputError E760, E761, E770, and those of a model or a loss."""
    if isinstance(loss, str):
        loss = loss_named(loss)
    check_kinds(model, loss)
    model = whole(unwrapped(model, []))
    check_model(model)
    named = measured(model)
    if not named:
        many = sum(1 for _ in model.parameters())
        raise MiyaInputError(
            "E760",
            f"none of the model's {many} parameters requires a gradient"
            if many
            else "the model has no parameters",
            hint="call requires_grad_(True) on those to measure"
            if many
            else "give a model that has some",
        )
    device = next(iter(named.values())).device
    found = data_from(data, batch_size=batch_size, with_target=loss is not None, device=device)
    return Job(model, Engine(model, loss, named, neurons > 0, seed), found)


def check_options(job: Job, by: str, top: int, neurons: int, batch_size: int) -> None:
    """Raises MiyaInputError E771."""
    for name, value, least in (
        ("top", top, 1),
        ("neurons", neurons, 0),
        ("batch_size", batch_size, 1),
    ):
        if value < least:
            raise MiyaInputError("E771", f"{name} is {value}", hint=f"give at least {least}")


def _measure_all(
    job: Job,
    sink: Folder | Memory,
    keeper: Keeper,
    credits: Credits | None,
    neurons: int,
    progress: bool,
    share: Share,
) -> None:
    directory = Directory()
    first, stop = share.span(job.data)
    total = None if stop is None else stop - first
    missing = sink.missing(first, stop)
    left = sum((b or a) - a for a, b in missing)
    with bar(total, 0 if total is None else total - left, progress and not share.rank) as advance:
        for batch in _batches(job.data, sink, missing, keeper):
            found = job.engine.measure(batch.inputs, batch.target, batch.size, batch.first)
            numbers: dict[str, Array] = {
                "loss": found.loss.numpy(),
                "gradient": torch.linalg.vector_norm(found.norms, dim=1).numpy(),
                **{NORM + n: found.norms[:, k].numpy() for k, n in enumerate(job.names)},
            }
            if credits is not None:
                numbers |= credits.of(batch)
            places, deltas = directory.most(found.pressures, neurons)
            block = Block(batch.first, numbers, places, deltas, directory.names)
            keeper.see(batch, block)
            sink.add(block)
            advance(batch.size)


def _batches(
    data: Data, sink: Folder | Memory, missing: Sequence[tuple[int, int | None]], keeper: Keeper
) -> Iterator[Batch]:
    """Those of the examples that are missing. A file holds examples that follow each other."""
    spans = list(missing)
    if data.dataset is None:
        spans = spans[:1] or [(sink.done, None)]  # the data may go by only once
    for first, stop in spans:
        yield from data.start(first, keeper.skipped, stop)
        sink.flush()
