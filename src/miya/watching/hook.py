"""One call of the watch's among the user's own hooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

Call = Callable[..., None]
Fail = Callable[[Exception], None]


class Hook:
    """Copied or pickled with a model it is nothing, so a saved or copied model has no part in the
    watch. met: whether it was called since that was last set back; what is compiled calls none."""

    __slots__ = ("call", "fail", "met")

    def __init__(self, call: Call, fail: Fail) -> None:
        self.call, self.fail, self.met = call, fail, False

    def __call__(self, *args: Any) -> None:
        if torch.compiler.is_compiling():
            return
        self.met = True
        try:
            self.call(*args)
        except Exception as fault:
            self.fail(fault)

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        return (Nothing, ())


class Nothing:
    """What a copied or loaded model has in place of a hook."""

    def __call__(self, *args: Any) -> None:
        return None


class Place:
    """A hook on a module, which is put in and taken away again and again.

    fixed: it stays, since what is compiled there was compiled with it: each change of a module's
    hooks would have it compiled anew. before: ahead of the module's forward, not after it.
    """

    def __init__(
        self, module: nn.Module, hook: Hook, *, before: bool = False, always: bool = False
    ) -> None:
        self.module, self.hook, self.before, self.always = module, hook, before, always
        self.handle: Any = None
        self.fixed = False

    def put(self) -> None:
        if self.handle is not None:
            return
        if self.before:
            self.handle = self.module.register_forward_pre_hook(self.hook)
        else:
            self.handle = self.module.register_forward_hook(self.hook, always_call=self.always)

    def take(self, *, for_good: bool = False) -> None:
        if self.handle is not None and (for_good or not self.fixed):
            self.handle.remove()
            self.handle = None

    def settle(self) -> None:
        """A pass has trained: where the hook was in and was not called, it stays."""
        if self.handle is not None and not self.hook.met:
            self.fixed = True
