"""Names for what an expanded call works out: by part, by layer, by time step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from .recorder import Recorder

Arguments = Mapping[str, Any]  # of a call, with tensors in place


class Steps:
    """What an equivalent names its parts with: "lstm.l1.reverse.t3.i" is the value `i` of time step
    3, backwards, in the second layer of the call that "lstm" names."""

    def __init__(self, recorder: Recorder, base: str) -> None:
        self.recorder = recorder
        self.recorder.modules = [base]

    @contextmanager
    def within(self, *path: str) -> Iterator[None]:
        """Calls made inside are those of this part."""
        modules = self.recorder.modules
        modules.append(".".join((modules[-1], *filter(None, path))))
        try:
            yield
        finally:
            modules.pop()

    def named(self, word: str, tensor: torch.Tensor) -> torch.Tensor:
        """The tensor, from now on known by the word."""
        self.recorder.value_of(tensor).name = f"{self.recorder.modules[-1]}.{word}"
        return tensor


Equivalent = Callable[[Arguments, Steps], Any]  # None where it cannot say
