"""The hooks on a model's modules that are there while a watched step is under way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from .hook import Call, Fail, Hook, Place
from .layers import WatchedLayer, compiled_parts, gates, plain
from .seen import Seen, first_tensor, tensors


class Sights:
    """Puts the hooks in and takes them away. seen: where what they see goes; live: whether they
    look.

    A layer inside something compiled is not looked at: a hook there would be compiled in.
    discard: called when a forward pass begins anew and the gradients of the one before are gone.
    """

    def __init__(
        self,
        model: nn.Module,
        layers: Sequence[WatchedLayer],
        fail: Fail,
        discard: Callable[[], None],
    ) -> None:
        self.fail, self.discard = fail, discard
        self.seen, self.live = Seen(), False
        self.root = root = plain(model)
        compiled = compiled_parts(model)
        behind = gates(root, layers)
        self.places: list[Place] = []
        gated: dict[nn.Module, list[Place]] = {}
        for k, layer in enumerate(layers):
            module, gate = layer.seen_at, behind.get(k)
            if module is None or module in compiled or (k in behind and gate is None):
                continue
            place = Place(module, Hook(self._look(k, layer, module), fail))
            (self.places if gate is None else gated.setdefault(gate, [])).append(place)
        self.inner = [place for places in gated.values() for place in places]
        for gate, places in gated.items():
            self.places += self._gate(gate, places)
        rooted = root not in compiled and not isinstance(root, nn.TransformerEncoderLayer)
        self.at_root = [Place(root, Hook(self._leave, fail))] if rooted else []

    def open(self, seen: Seen) -> None:
        """A watched step begins; the hooks go in, where they are not yet. To find what reads which
        output takes one on the whole model too."""
        self.seen, self.live = seen, True
        for place in self.places:
            place.put()
            place.hook.met = False
        for place in self.at_root:
            place.hook.met = False
            if seen.following is not None:
                place.put()
            else:
                place.take()

    def settle(self) -> None:
        """The step is over, and there were gradients."""
        for place in (*self.places, *self.at_root):
            place.settle()

    def close(self) -> None:
        """They are taken away again."""
        self.live = False
        for place in (*self.places, *self.inner, *self.at_root):
            place.take()

    def let_go(self) -> None:
        for place in (*self.places, *self.inner, *self.at_root):
            place.take(for_good=True)
        self.places, self.inner, self.at_root = [], [], []
        self.root, self.seen, self.live = nn.Identity(), Seen(), False
        self.discard = self.fail = _nothing

    def _look(self, k: int, layer: WatchedLayer, watched: nn.Module) -> Call:
        probe = layer.probe
        held = None if probe is None else probe.whole
        bias = held if probe is not None and probe.is_bias else None

        def look(module: nn.Module, arguments: Any, output: Any) -> None:
            if not self.live or module is not watched or not torch.is_grad_enabled():
                return
            found = first_tensor(output)
            if found is None or not found.is_floating_point() or found.dim() < -layer.axis:
                return
            if self.seen.gathered and held is not None and self._thrown_away(k, held):
                self.discard()
            self.seen.look(k, layer.axis, found, held, bias)

        return look

    def _thrown_away(self, k: int, held: torch.Tensor) -> bool:
        """Whether a layer's gradient came in this step, and is gone again. In a backward pass it
        may not be there yet, where torch computes a checkpointed part again."""
        glimpse = self.seen.glimpses.get(k)
        came = glimpse is not None and glimpse.pressure is not None and held.requires_grad
        return came and held.grad is None and torch._C._current_graph_task_id() == -1

    def _gate(self, gate: nn.Module, places: Sequence[Place]) -> tuple[Place, Place]:
        def enter(*_: Any) -> None:
            if self.live and torch.is_grad_enabled():
                for place in places:
                    place.put()

        def leave(*_: Any) -> None:
            for place in places:
                place.take()

        before = Place(gate, Hook(enter, self.fail), before=True)
        return before, Place(gate, Hook(leave, self.fail), always=True)

    def _leave(self, module: nn.Module, arguments: Any, output: Any) -> None:
        following = self.seen.following
        if module is self.root and following is not None and torch.is_grad_enabled():
            for tensor in tensors(output):
                following.output(tensor)


def _nothing(*_: Any) -> None:
    return None
