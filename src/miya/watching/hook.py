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
        self.inside = self.fixed = False

    def put(self) -> None:
        if self.inside:
            return
        self.inside = True
        if self.handle is None:
            self.handle = self._registered()
        else:  # the same again, without all that torch makes anew
            self._hooks()[self.handle.id] = self.hook
            if self.always:
                self.module._forward_hooks_always_called[self.handle.id] = True

    def _registered(self) -> Any:
        if self.before:
            return self.module.register_forward_pre_hook(self.hook)
        return self.module.register_forward_hook(self.hook, always_call=self.always)

    def _hooks(self) -> Any:
        return self.module._forward_pre_hooks if self.before else self.module._forward_hooks

    def take(self, *, for_good: bool = False) -> None:
        if self.inside and (for_good or not self.fixed):
            self._hooks().pop(self.handle.id, None)
            if self.always:
                self.module._forward_hooks_always_called.pop(self.handle.id, None)
            self.inside = False

    def settle(self) -> None:
        """A pass has trained: where the hook was in and was not called, it stays."""
        if self.inside and not self.hook.met:
            self.fixed = True
