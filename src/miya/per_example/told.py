"""What the user's model or loss raises, told as a full trace of that step tells it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from ..errors import MiyaError, MiyaInputError
from .singles import example


@contextmanager
def told(model: nn.Module, loss: Any, inputs: Any, target: Any, batch: int) -> Iterator[None]:
    """Raises MiyaInputError in the place of an error that the first example raises alone too;
    any other passes."""
    try:
        yield
    except (MiyaError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        parts = (example(inputs, 0, batch), example(target, 0, batch))
        found = _traced(model, loss, *parts)
        if found is None or _said(found.__cause__) != _said(error):
            raise
        raise found from error


def _said(error: BaseException | None) -> tuple[type, str]:
    """An error's kind and its text, without the numbers: a batch has another size than an
    example."""
    return type(error), re.sub(r"\d+", "", str(error))


def _traced(model: nn.Module, loss: Any, inputs: Any, target: Any) -> MiyaInputError | None:
    from ..read.torch.step import model_step

    try:
        model_step(model, inputs, target, loss=loss)
    except MiyaInputError as found:
        return found
    except Exception:
        return None
    return None
