"""The user's model as it was: its buffers, and the process's random generators."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from ..read.torch.generators import Generators, process_untouched


@contextmanager
def untouched(model: nn.Module) -> Iterator[None]:
    """The model may be run inside; afterwards nothing of it has changed. Its parameters and their
    gradients are never written to."""
    kept: dict[int, dict[str, Any]] = {
        id(module): {name: (b, None if b is None else b.detach().clone(), _version(b))
                     for name, b in module._buffers.items()}
        for module in model.modules()
    }  # fmt: skip
    generators = Generators()
    try:
        with process_untouched():
            yield
    finally:
        generators.restore()
        with torch.no_grad():
            for module in model.modules():
                for name, (held, copy, version) in kept[id(module)].items():
                    module._buffers[name] = held
                    if held is not None and _version(held) != version:
                        held.copy_(copy)


def _version(found: torch.Tensor | None) -> int:
    return -1 if found is None or found.is_inference() else found._version
