"""Watching a model's forward pass for the places where parameters meet examples.

Every function of torch that the model calls passes through one mode. A tensor that depends on
examples carries where they lie (`layout`); one that depends on parameters alone carries which
(`sources`); where the two meet, an operation of `meetings` takes the place of torch's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from ..read.torch.functions import (
    COMPOSITE,
    NO_OPERATION,
    called,
    names_of,
    opened,
    plain_name,
    words,
)
from ..read.torch.recorder import functorch_at_work
from .attention import self_attention
from .book import Book
from .layout import Layout, Lost, Where, follow
from .meetings import Meeting
from .rules import RULES, Call, refuse_batch_statistics
from .sources import Source

MARK = "_miya_per_example"
MOVES = words(
    "view reshape flatten unflatten squeeze unsqueeze transpose swapaxes t T mT H mH permute "
    "movedim moveaxis contiguous clone detach_ narrow select unbind chunk split view_as "
    "reshape_as ravel"
)
SPREADS = words("expand expand_as repeat broadcast_to")
STILL = words("dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout")


class Capture(TorchFunctionMode):
    """Entered while the model runs on a batch whose inputs were `given`.

    still: dropout lets everything pass, as a check against single runs needs it.
    fused: a layer norm runs in one pass with its scale and shift.
    """

    fused = True

    def __init__(self, book: Book, device: torch.device, *, still: bool = False) -> None:
        super().__init__()
        self.book, self.still = book, still
        self.anchor = torch.zeros((), device=device, requires_grad=True)
        self.sources = {id(p): Source((name,), p, True) for name, p in book.named.items()}

    def given(self, tensor: torch.Tensor) -> torch.Tensor:
        """An input: its numbers, which the model may overwrite, with the examples along dimension
        0 where it has so many entries there."""
        tensor = tensor.detach().clone()
        if tensor.dim() and tensor.shape[0] == self.book.batch:
            self.mark(tensor, Layout(0))
        return tensor

    def standing_in(self, meeting: Meeting) -> Meeting:
        """What takes the place of an operation; a subclass may put its own there."""
        return meeting

    def leaf(self, made: torch.Tensor, source: Source, axis: int, inner: int) -> torch.Tensor:
        """A parameter repeated along `axis` for every example, by this class as it is."""
        return made

    def mark(self, tensor: torch.Tensor, found: Where | Source) -> None:
        setattr(tensor, MARK, (self, found))

    def where(self, tensor: torch.Tensor) -> Where | None:
        owner, found = getattr(tensor, MARK, (None, None))
        return found if owner is self and isinstance(found, (Layout, Lost)) else None

    def source(self, tensor: torch.Tensor) -> Source | None:
        if (known := self.sources.get(id(tensor))) is not None:
            return known
        owner, found = getattr(tensor, MARK, (None, None))
        return found if owner is self and isinstance(found, Source) else None

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = called(func)
        if name in NO_OPERATION or functorch_at_work():
            return func(*args, **kwargs)
        if name in COMPOSITE:
            return self._opened(func, name, args, kwargs)
        if self.still and name in STILL:
            args, kwargs = without_dropout(args, kwargs)
        return self._called(func, name, args, kwargs)

    def _opened(self, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A function by its parts, each of which comes by on its own."""
        with self:
            if name == "multi_head_attention_forward":
                found = self_attention(func, args, kwargs)
                if found is not None:
                    return found
            return opened(func)(*args, **kwargs)

    def _called(self, func: Any, full: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        name, _ = plain_name(full)
        tracked, held = [], []
        for tensor in tensors_in((args, kwargs)):
            if (where := self.where(tensor)) is not None:
                tracked.append((tensor, where))
            elif (source := self.source(tensor)) is not None:
                held.append(source)
        if tracked and name == "batch_norm":
            refuse_batch_statistics(Call(self, func, name, args, kwargs, tracked, held))
        if held and torch.is_grad_enabled() and (tracked or name in SPREADS):
            call, rule = Call(self, func, name, args, kwargs, tracked, held), RULES.get(name)
            found = rule(call) if rule else None
            if found is not None:
                return found
            if tracked:
                return call.apart()
        made = func(*args, **kwargs)
        if tracked:
            self._follow(func, name, args, kwargs, tracked, made)
        elif held:
            self.derive(func, name, args, kwargs, held, made)
        return made

    def _follow(
        self, func: Any, name: str, args: Any, kwargs: Any, tracked: Any, made: Any
    ) -> None:
        names = names_of(func, name, args)
        given = {(names[k] if k < len(names) else f"argument{k}"): a for k, a in enumerate(args)}
        given.update(kwargs)
        for tensor in tensors_in(made):
            if name == "__setitem__" or tensor is made is None:
                continue
            self.mark(tensor, follow(name, given, tracked, tensor, self.book.batch))

    def derive(
        self, func: Any, name: str, args: Any, kwargs: Any, held: list[Source], made: Any
    ) -> None:
        """Remember which parameters stand behind what was made of parameters alone."""
        names = tuple(sorted({n for source in held for n in source.names}))
        plain = len(held) == 1 and held[0].plain and (name in MOVES or _basic(name, args))
        for tensor in tensors_in(made):
            if tensor.requires_grad and self.source(tensor) is None:
                self.mark(tensor, Source(names, tensor, plain))


def tensors_in(found: Any) -> Iterator[torch.Tensor]:
    if isinstance(found, torch.Tensor):
        yield found
    elif isinstance(found, (tuple, list)):
        for item in found:
            yield from tensors_in(item)
    elif isinstance(found, dict):
        for item in found.values():
            yield from tensors_in(item)


def without_dropout(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return args[:1], {**{k: v for k, v in kwargs.items() if k == "input"}, "training": False}


def measured(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that require a gradient, a tied one under its first name."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def _basic(name: str, args: tuple[Any, ...]) -> bool:
    """Whether an index takes every entry at most once."""
    if name not in ("__getitem__", "getitem"):
        return False
    parts = args[1] if isinstance(args[1], tuple) else (args[1],)
    return all(p is None or p is Ellipsis or isinstance(p, (int, slice)) for p in parts)
