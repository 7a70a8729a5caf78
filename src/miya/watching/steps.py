"""What a step did to the parameters: measured around the optimizer's own step.

Before it the parameters are copied to buffers that are kept; after it the buffers become -Δθ in
place. Nothing of the user's is written to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
import torch

from .capture import Capture, Keys
from .deltas import NORMS, PLAIN, SAFE, WIDE, Number, square_sum
from .layers import Held
from .records import Array

Put = Callable[[Keys, torch.Tensor], None]
DRIFT = 1e-3  # of its norm, that a weight may change by before the norm is worked out anew
EXACT = 1_024  # numbers of a weight up to which that is done in every watched step


class Vectors:
    """Vectors of one dtype on one device, which travel whole and side by side: before and after
    the step, and their gradients."""

    def __init__(self, places: Sequence[tuple[int, Held]]) -> None:
        self.held = [h for _, h in places]
        sizes = [(k, h.parameter.numel()) for k, h in places]
        self.keys = {
            name: tuple((name, k, size) for k, size in sizes)
            for name in ("before", "after", "gradient")
        }

    def before(self, put: Put, *, early: bool) -> None:
        """early: with the gradients, in one vector."""
        keys, found = self.keys["before"], [h.parameter for h in self.held]
        if early:
            more, gradients = present(self.keys["gradient"], [strided(h) for h in self.held])
            keys, found = keys + more, found + gradients
        put(keys, _side_by_side(found))

    def gradients(self, put: Put) -> None:
        keys, found = present(self.keys["gradient"], [strided(h) for h in self.held])
        if found:
            put(keys, _side_by_side(found))

    def after(self, put: Put) -> None:
        put(self.keys["after"], _side_by_side([h.parameter for h in self.held]))


def strided(held: Held) -> torch.Tensor | None:
    """Its gradient, where it has one and that is no sparse one."""
    found = held.whole.grad if held.here else held.gradient
    return found if found is not None and found.layout is torch.strided else None


def _side_by_side(vectors: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.cat([v if v.dim() == 1 else v.reshape(-1) for v in vectors])


def present(keys: Keys, tensors: Sequence[torch.Tensor | None]) -> tuple[Keys, list[torch.Tensor]]:
    """Those that are there, and their keys."""
    found = [t for t in tensors if t is not None]
    if len(found) == len(tensors):
        return keys, found
    both = zip(keys, tensors, strict=True)
    return tuple(key for key, t in both if t is not None), found


class Weight:
    """The norm of a weight, and by how much it may have changed since it was worked out. version:
    of the weight after the step that was seen last; -1 where none was."""

    __slots__ = ("drift", "norm", "version")

    def __init__(self, norm: Number) -> None:
        self.norm, self.drift, self.version = norm, 0.0, -1

    def holds(self, weight: torch.Tensor) -> bool:
        norm = self.norm
        return (
            weight._version == self.version
            and isinstance(norm, float)
            and self.drift <= DRIFT * norm
            and weight.numel() > EXACT
        )


class Steps:
    """Measures the steps of one optimizer. places: each parameter with its number. told: numbers
    of those whose Δθ may be told from the gradient, as it is so large that θ's own rounding does
    not show in it.

    Gradients are read right before the step, where the optimizer then finds them in the cache;
    after it, where it works them out or unscales them itself.
    """

    def __init__(
        self, places: Sequence[tuple[int, Held]], optimizer: torch.optim.Optimizer
    ) -> None:
        self.optimizer: torch.optim.Optimizer | None = optimizer
        small = [place for place in places if place[1].small]
        self.vectors = [Vectors(alike) for alike in _sorted(small)]
        self.large = [place for place in places if not place[1].small]
        self.keys = tuple(("gradient", k, h.neurons) for k, h in self.large)
        self.starts = starts_of(self.keys)
        self.told: set[int] = set()
        self.copied: dict[int, torch.Tensor] = {}
        self.known: dict[int, Weight] = {}
        self.changes_gradients = False
        self.measuring = False
        self.early = True  # whether gradients are read before the step
        self.begun: list[tuple[Keys, torch.Tensor]] = []  # what was read before it
        self.norms: list[Number] = []
        self.rates: list[float | None] = []
        self.moves: dict[int, float] = {}  # norms of the gradients of weights
        self.gradients: dict[int, torch.Tensor] = {}  # of those that are not told
        self.versions: dict[int, int] = {}

    @torch.no_grad()
    def before(self, with_closure: bool) -> None:
        """Right before the optimizer's step. with_closure: it works the gradients out itself."""
        self.measuring, self.early = True, not with_closure
        self.begun = []
        for vectors in self.vectors:
            vectors.before(self._hold, early=self.early)
        rates = self._rates()
        self.rates = [
            rates[h.group] if k in self.told and h.parameter.dtype in PLAIN else None
            for k, h in self.large
        ]
        moving = zip(self.large, self.rates, strict=True)
        exact = [place for place, rate in moving if rate is None]
        if self.early:
            self._read(self._hold)
            self._remember(exact)
        self.norms = self._norms()
        self._copy(exact)

    def _hold(self, keys: Keys, found: torch.Tensor) -> None:
        self.begun.append((keys, found))

    def _read(self, put: Put) -> None:
        """The gradients of weights that the step is made of."""
        self.moves = {}
        gradients = [strided(h) for _, h in self.large]
        keys, found = present(self.keys, gradients)
        if not found:
            return
        both = zip(self.large, gradients, strict=True)
        rows = rows_of(found, [h for (_, h), g in both if g is not None])
        put(keys, rows)
        if rows.device.type == "cpu":
            starts = self.starts if keys is self.keys else starts_of(keys)
            with np.errstate(over="ignore"):
                sums = np.add.reduceat(np.square(rows.numpy()), starts)
            self.moves = dict(zip([k for _, k, _ in keys], np.sqrt(sums).tolist(), strict=True))

    def _remember(self, exact: Sequence[tuple[int, Held]]) -> None:
        """The gradients themselves of those whose step is not told: copies, where this optimizer
        was seen to change them."""
        found = {k: g for k, h in exact if (g := strided(h)) is not None}
        if self.changes_gradients:
            found = {k: g.clone() for k, g in found.items()}
        self.gradients = found
        self.versions = {k: g._version for k, g in found.items()}

    def _norms(self) -> list[Number]:
        """Norms of the weights; one that cannot have changed by DRIFT since is not worked out anew:
        where nothing but told steps has changed the weight, by at most the sum of their norms."""
        known, waiting = self.known, []
        for (k, h), rate in zip(self.large, self.rates, strict=True):
            old = known.get(k)
            if rate is None or old is None or not old.holds(h.parameter):
                waiting.append((k, h))
        found = norms([h.parameter for _, h in waiting])
        for (k, _), norm in zip(waiting, found, strict=True):
            known[k] = Weight(norm)
        return [known[k].norm for k, _ in self.large]

    def _copy(self, places: Sequence[tuple[int, Held]]) -> None:
        kept, theirs = [], []
        for k, h in places:
            p = h.parameter.detach()
            copy = self.copied.get(k)
            if copy is None or not _alike(copy, p):
                copy = self.copied[k] = torch.empty_like(p)
            kept.append(copy)
            theirs.append(p)
        if kept:
            torch._foreach_copy_(kept, theirs)

    def _rates(self) -> list[float | None]:
        """The learning rate of each group, where it is plain SGD's; None for everything else."""
        if type(self.optimizer) is not torch.optim.SGD:
            return [] if self.optimizer is None else [None] * len(self.optimizer.param_groups)
        return [plain_rate(group) for group in self.optimizer.param_groups]

    def after(self, capture: Capture) -> None:
        """Right after it: what it did goes into the capture."""
        self.measuring = False
        for keys, begun in self.begun:
            capture.put(keys, begun)
        exact = [p for p, rate in zip(self.large, self.rates, strict=True) if rate is None]
        if not self.early:
            for vectors in self.vectors:
                vectors.gradients(capture.put)
            self._read(capture.put)
            self._remember(exact)
        if exact:  # before - after: -Δθ
            minus = [self.copied[k] for k, _ in exact]
            torch._foreach_sub_(minus, [h.parameter.detach() for _, h in exact])
        for vectors in self.vectors:
            vectors.after(capture.put)
        names: list[Keys] = []
        told: list[Number] = []
        for (k, h), weight, rate in zip(self.large, self.norms, self.rates, strict=True):
            if rate is None:
                self._moved(capture, k, h, weight)
                continue
            names.append(_told(k))
            told += (weight, rate)
            known = self.known[k]
            known.drift += rate * self.moves.get(k, 0.0)
            known.version = h.parameter._version
        if told:
            capture.tell(tuple(chain.from_iterable(names)), *told)
        self.begun, self.gradients = [], {}

    def _moved(self, capture: Capture, k: int, held: Held, weight: Number) -> None:
        """A weight whose step is what it became minus what it was: norms of it, and Σ ∂C/∂θ Δθ,
        which is left out once, where the optimizer has changed the gradient."""
        minus = self.copied[k]
        capture.put((("moved", k, held.neurons),), rows_of([minus], [held]))
        capture.tell((("weight", k, 1),), weight)
        gradient = self.gradients.get(k)
        if gradient is None:
            return
        if gradient._version != self.versions[k]:
            self.changes_gradients = True
            return
        capture.tell((("product", k, 1),), dot(gradient, minus))

    def let_go(self) -> None:
        self.optimizer = None
        self.vectors, self.large, self.gradients, self.begun = [], [], {}, []
        self.copied.clear()
        self.known.clear()


@cache
def _told(k: int) -> Keys:
    return ("weight", k, 1), ("rate", k, 1)


def starts_of(keys: Keys) -> Array:
    """Where each begins that lies in a vector as `keys` says."""
    ends = np.cumsum([0, *(count for _, _, count in keys)])
    starts: Array = np.minimum(ends[:-1], max(ends[-1] - 1, 0))  # one of nothing may be the last
    return starts


def plain_rate(group: dict[str, Any]) -> float | None:
    """A group's learning rate, where its step is that times the gradient and nothing else."""
    rate = group["lr"]
    other = group["momentum"] or group["weight_decay"] or group["maximize"] or group["fused"]
    return rate if isinstance(rate, float) and not other else None


def _sorted(places: Sequence[tuple[int, Held]]) -> list[list[tuple[int, Held]]]:
    """By dtype and device."""
    found: dict[tuple[object, ...], list[tuple[int, Held]]] = {}
    for place in places:
        p = place[1].parameter
        found.setdefault((p.dtype, p.device), []).append(place)
    return list(found.values())


def _alike(a: torch.Tensor, b: torch.Tensor) -> bool:
    return (a.shape, a.dtype, a.device) == (b.shape, b.dtype, b.device)


def norms(parameters: Sequence[torch.Tensor]) -> list[Number]:
    """The Euclidean norm of each."""
    if not parameters:
        return []
    wide = WIDE if any(p.dtype == WIDE for p in parameters) else torch.float32
    # from the last to the first, which the optimizer then finds in the cache
    found = torch._foreach_norm(list(reversed(parameters)), dtype=wide)
    return [t.item() if t.device.type == "cpu" else t for t in reversed(found)]


def rows_of(tensors: Sequence[torch.Tensor], held: Sequence[Held]) -> torch.Tensor:
    """The norm of each neuron's part of every tensor, side by side. Where float32 could lose a
    square, those are done again in float64."""
    views = [
        t if t.shape == h.shape else t.reshape(h.shape) for t, h in zip(tensors, held, strict=True)
    ]
    if any(t.dtype == WIDE or t.device.type != "cpu" for t in tensors):
        return torch.cat([_norm(v, h.dims, WIDE) for v, h in zip(views, held, strict=True)])
    parts = [_norm(v, h.dims, torch.float32) for v, h in zip(views, held, strict=True)]
    found = torch.cat(parts)
    values = found.numpy()
    if np.minimum.reduce(values) > NORMS[0] and square_sum(values) < SAFE[1]:
        return found
    odd, found, at = ~((values > NORMS[0]) & (values < NORMS[1])), found.to(WIDE), 0
    for view, h in zip(views, held, strict=True):
        part = slice(at, at := at + h.neurons)
        if np.count_nonzero(odd[part]):
            found[part] = _again(found[part], view, h.dims, odd[part])
    return found


def _again(
    norms: torch.Tensor, view: torch.Tensor, dims: tuple[int, ...], odd: Array
) -> torch.Tensor:
    """Those that are odd in float64; what is 0 throughout is 0."""
    if dims != (1,) or view.dim() != 2:
        return _norm(view, dims, WIDE)
    which = torch.from_numpy(odd)
    rows = view[which] if view.dtype not in PLAIN else torch.from_numpy(view.numpy()[odd])
    if view.dtype not in PLAIN or np.count_nonzero(rows.numpy()):  # no silent neurons, all 0
        norms[which] = _norm(rows, dims, WIDE)
    return norms


def _norm(view: torch.Tensor, dims: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    found: torch.Tensor = torch.linalg.vector_norm(view, dim=dims, dtype=dtype)
    return found if found.dim() == 1 else found.reshape(-1)


def dot(a: torch.Tensor, b: torch.Tensor) -> Number:
    """Σ a b; in float64 where float32 could lose it."""
    x, y = a.reshape(-1), b.reshape(-1)
    if x.device.type != "cpu":
        return torch.dot(x.to(WIDE), y.to(WIDE))
    if x.dtype == y.dtype == torch.float32:
        found = torch.dot(x, y).item()
        if SAFE[0] < abs(found) < SAFE[1]:
            return found
    return torch.dot(x.to(WIDE), y.to(WIDE)).item()
