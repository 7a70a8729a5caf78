"""Random generators and other state of the process that a step may touch: kept, and put back."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from .garbage import collecting

DEVICES = ("cpu", "cuda")


@dataclass(frozen=True)
class Generators:
    """The states of Python's, NumPy's and torch's own generators, of CUDA's where it is in use."""

    python: Any = field(default_factory=random.getstate)
    numpy: Any = field(default_factory=np.random.get_state)
    cpu: torch.Tensor = field(default_factory=torch.get_rng_state)
    cuda: tuple[torch.Tensor, ...] = field(default_factory=lambda: _cuda_states())

    def restore(self) -> None:
        random.setstate(self.python)
        np.random.set_state(self.numpy)
        torch.set_rng_state(self.cpu)
        for device, state in enumerate(self.cuda):
            torch.cuda.set_rng_state(state, device)


def _cuda_states() -> tuple[torch.Tensor, ...]:
    if not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        return ()
    return tuple(torch.cuda.get_rng_state_all())


@dataclass(frozen=True)
class Torch:
    """The states of torch's generators alone: what one random operation draws from."""

    cpu: torch.Tensor = field(default_factory=torch.get_rng_state)
    cuda: tuple[torch.Tensor, ...] = field(default_factory=_cuda_states)

    def restore(self) -> None:
        torch.set_rng_state(self.cpu)
        for device, state in enumerate(self.cuda):
            torch.cuda.set_rng_state(state, device)


Own = Mapping[int, tuple[torch.Generator, torch.Tensor]]  # the user's, and their states


@contextmanager
def drawing_from(state: Torch | Generators | None, own: Own | None = None) -> Iterator[None]:
    """Draw from these states, and put the generators back as they were."""
    if state is None:
        yield
        return
    kept = type(state)()
    theirs = [(g, g.get_state()) for g, _ in (own or {}).values()]
    try:
        state.restore()
        for generator, started in (own or {}).values():
            generator.set_state(started)
        yield
    finally:
        kept.restore()
        for generator, now in theirs:
            generator.set_state(now)


@contextmanager
def autocast_as(states: tuple[tuple[str, bool, torch.dtype], ...]) -> Iterator[None]:
    """Autocast as it stood when `autocast_now` was asked, and then as it is now again."""
    before = autocast_now()
    cached = torch.is_autocast_cache_enabled()
    try:
        _set_autocast(states)
        torch.set_autocast_cache_enabled(False)
        yield
    finally:
        _set_autocast(before)
        torch.set_autocast_cache_enabled(cached)


def autocast_now() -> tuple[tuple[str, bool, torch.dtype], ...]:
    return tuple((d, torch.is_autocast_enabled(d), torch.get_autocast_dtype(d)) for d in DEVICES)


def _set_autocast(states: tuple[tuple[str, bool, torch.dtype], ...]) -> None:
    for device, enabled, dtype in states:
        torch.set_autocast_enabled(device, enabled)
        torch.set_autocast_dtype(device, dtype)


@contextmanager
def process_untouched() -> Iterator[None]:
    """Gradients are recorded inside; afterwards grad mode, autocast and the default dtype are as
    before, also when an error is raised."""
    autocast, dtype = autocast_now(), torch.get_default_dtype()
    cached = torch.is_autocast_cache_enabled()
    try:
        with torch.inference_mode(False), torch.enable_grad(), _eager(), collecting():
            yield
    finally:
        _set_autocast(autocast)
        torch.set_autocast_cache_enabled(cached)
        torch.set_default_dtype(dtype)


@contextmanager
def _eager() -> Iterator[None]:
    """What torch.compile made runs as it was written, where the compiler is in use at all."""
    import sys

    if "torch._dynamo" not in sys.modules:
        yield
        return
    with torch.compiler.set_stance("force_eager"):
        yield
