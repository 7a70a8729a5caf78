"""The hooks on a model's modules that are there while a watched step is under way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from .hook import Fail, Hook, Place
from .kept import is_emptied
from .layers import WatchedLayer, compiled_parts, gates, plain
from .leaves import Leaf, Leaves
from .resting import Resting
from .seen import Seen, first_tensor, tensors


class Sights:
    """Puts the hooks in and takes them away. seen: where what they see goes; live: whether they
    look.

    A layer inside something compiled is not looked at: a hook there would be compiled in.
    resting: which layers are not looked at in this step. discard: called when a forward pass begins
    anew and the gradients of the one before are gone.
    """

    def __init__(
        self,
        model: nn.Module,
        layers: Sequence[WatchedLayer],
        fail: Fail,
        discard: Callable[[], None],
        every: int,
    ) -> None:
        self.fail, self.discard, self.layers = fail, discard, layers
        self.seen, self.live, self.resting = Seen(), False, Resting(every)
        self.root = root = plain(model)
        compiled = compiled_parts(model)
        behind = gates(root, layers)
        self.places: list[Place] = []
        gated: dict[nn.Module, list[Place]] = {}
        for k, layer in enumerate(layers):
            module, gate = layer.seen_at, behind.get(k)
            if module is None or module in compiled or (k in behind and gate is None):
                continue
            place = Place(module, Look(self, k, layer, module))
            (self.places if gate is None else gated.setdefault(gate, [])).append(place)
        self.inner = [place for places in gated.values() for place in places]
        hooks = (place.hook for place in (*self.places, *self.inner))
        self.looks = {hook.layer: hook for hook in hooks if isinstance(hook, Look)}
        found = {k: look.leaf for k, look in self.looks.items() if look.leaf is not None}
        self.leaves = Leaves(found)
        for gate, places in gated.items():
            self.places += self._gate(gate, places)
        rooted = root not in compiled and not isinstance(root, nn.TransformerEncoderLayer)
        self.at_root = [Place(root, Hook(self._leave, fail))] if rooted else []

    def open(self, seen: Seen, *, whole: bool) -> None:
        """A watched step begins; the hooks go in, where they are not yet. To find what reads which
        output takes one on the whole model too. whole: no layer rests."""
        self.seen, self.live = seen, True
        self.resting.open(seen.turn, whole=whole or seen.following is not None)
        self.leaves.open()
        for place in self.places:
            if self._is_wanted(place):
                place.put()
            else:
                place.take()
            place.hook.met = False
        for place in self.at_root:
            place.hook.met = False
            if seen.following is not None:
                place.put()
            else:
                place.take()

    def settle(self) -> None:
        """The step is over, and there were gradients."""
        glimpses = self.seen.glimpses
        if self.seen.following is None:
            self.leaves.fill(glimpses)
        else:
            self.leaves.judge(glimpses)
            for place in (*self.places, *self.at_root):
                place.settle()
        self.resting.fill(glimpses, self.seen.first, self._trains)

    def _trains(self, layer: int) -> bool:
        held = self.looks[layer].held
        return held is not None and held.grad is not None

    def _is_wanted(self, place: Place) -> bool:
        """Whether a hook is there in this step."""
        hook, resting = place.hook, self.resting
        if not resting.now or not isinstance(hook, Look):
            return True
        return hook.layer == resting.first or not resting.rests(hook.layer)

    def close(self) -> None:
        """They are taken away again."""
        self.live = False
        self.leaves.close()
        for place in (*self.places, *self.inner, *self.at_root):
            place.take()

    def let_go(self) -> None:
        self.leaves.close()
        for place in (*self.places, *self.inner, *self.at_root):
            place.take(for_good=True)
        self.places, self.inner, self.at_root, self.looks = [], [], [], {}
        self.layers = []
        self.leaves, self.resting = Leaves({}), Resting(1)
        self.root, self.seen, self.live = nn.Identity(), Seen(), False
        self.discard = self.fail = _nothing

    def are_emptied(self) -> bool:
        """Whether the gradients of all layers whose δ came are 0, though δ was not."""
        came = {k: g for k, g in self.seen.glimpses.items() if g.passes}
        return all(is_emptied(self.layers[k].held) for k in came) and any(
            bool(g.squares != 0) for g in came.values()
        )

    def _gate(self, gate: nn.Module, places: Sequence[Place]) -> tuple[Place, Place]:
        def enter(*_: Any) -> None:
            if self.live and torch.is_grad_enabled():
                for place in filter(self._is_wanted, places):
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


class Look(Hook):
    """Looks at the output of one layer when `watched` has made it."""

    __slots__ = ("axis", "held", "layer", "leaf", "sights", "watched")

    def __init__(self, sights: Sights, k: int, layer: WatchedLayer, watched: nn.Module) -> None:
        super().__init__(_nothing, sights.fail)
        self.sights, self.layer, self.axis, self.watched = sights, k, layer.axis, watched
        probe = layer.probe
        self.held = None if probe is None else probe.whole
        own = probe is not None and probe.is_bias and probe.here
        self.leaf = Leaf(probe.whole) if probe is not None and own else None

    def __call__(self, module: nn.Module, arguments: Any, output: Any) -> None:
        if torch.compiler.is_compiling():
            return
        self.met = True
        if not self.sights.live or module is not self.watched or not torch.is_grad_enabled():
            return
        try:
            self._look(output)
        except Exception as fault:
            self.fail(fault)

    def _look(self, output: Any) -> None:
        found = first_tensor(output)
        if found is None or not found.is_floating_point() or found.dim() < -self.axis:
            return
        sights, leaf = self.sights, self.leaf
        seen = sights.seen
        if seen.gathered and self.held is not None and self._thrown_away(self.held):
            sights.discard()
            seen = sights.seen
        if sights.resting.rests(self.layer):
            seen.count(self.layer, found)
            return
        trusted = False
        if leaf is not None:
            if leaf.handle is None:
                leaf.put(found)
            trusted = seen.following is None and leaf.trusted and leaf.handle is not None
        seen.look(self.layer, self.axis, found, self.held, trusted)

    def _thrown_away(self, held: torch.Tensor) -> bool:
        """Whether a layer's gradient came in this step, and is gone again, or all are 0. In a
        backward pass it may not be there yet, where torch computes a checkpointed part again."""
        seen = self.sights.seen
        glimpse = seen.glimpses.get(self.layer)
        if glimpse is None or not glimpse.passes or not held.requires_grad:
            return False
        if torch._C._current_graph_task_id() != -1:
            return False
        if held.grad is None:
            return True
        if glimpse.backward == seen.kept_of and self.layer != seen.first:
            return False
        seen.kept_of = glimpse.backward
        return self.sights.are_emptied()


def _nothing(*_: Any) -> None:
    return None
