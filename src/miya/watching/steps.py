"""What a step did to the parameters: measured around the optimizer's own step.

Before it the parameters are copied to buffers that are kept; after it the buffers become -Δθ in
place. Nothing of the user's is written to.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from .capture import Capture, Keys
from .layers import Held
from .seen import SAFE, WIDE, Number

NAMES = ("before", "after", "gradient")
DRIFT = 1e-4  # of its norm, that a weight may change by before the norm is worked out anew
NORMS = (1e-15, 1e15)  # norms whose squares float32 has neither lost nor let overflow


class Vectors:
    """Vectors of one dtype on one device, which travel whole and side by side: before and after
    the step, and their gradients."""

    def __init__(self, places: Sequence[tuple[int, Held]]) -> None:
        self.held = [h for _, h in places]
        sizes = [(k, h.parameter.numel()) for k, h in places]
        self.keys = {n: tuple((n, k, size) for k, size in sizes) for n in NAMES}
        self.begun: torch.Tensor | None = None

    def before(self) -> None:
        self.begun = _side_by_side([h.parameter for h in self.held])

    def after(self, capture: Capture, gradients: Sequence[torch.Tensor | None]) -> None:
        assert self.begun is not None
        capture.put(self.keys["before"], self.begun)
        capture.put(self.keys["after"], _side_by_side([h.parameter for h in self.held]))
        keys, found = present(self.keys["gradient"], gradients)
        if found:
            capture.put(keys, _side_by_side(found))
        self.begun = None


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
        )

    def moved(self, by: float, weight: torch.Tensor) -> None:
        self.drift, self.version = self.drift + by, weight._version


class Steps:
    """Measures the steps of one optimizer. places: each parameter with its number. told: numbers
    of those whose Δθ may be told from the gradient, as it is so large that θ's own rounding does
    not show in it.
    """

    def __init__(
        self, places: Sequence[tuple[int, Held]], optimizer: torch.optim.Optimizer
    ) -> None:
        self.optimizer: torch.optim.Optimizer | None = optimizer
        small = [place for place in places if place[1].small]
        self.vectors = [Vectors(alike) for alike in _sorted(small)]
        self.large = [place for place in places if not place[1].small]
        self.held = [h for v in self.vectors for h in v.held] + [h for _, h in self.large]
        self.keys = tuple(("gradient", k, h.neurons) for k, h in self.large)
        self.told: set[int] = set()
        self.copied: dict[int, torch.Tensor] = {}
        self.known: dict[int, Weight] = {}
        self.changes_gradients = False
        self.measuring = False
        self.norms: list[Number] = []
        self.rates: list[float | None] = []
        self.gradients: list[torch.Tensor | None] = []  # copied before the step
        self.versions: list[int] = []

    @torch.no_grad()
    def before(self, with_closure: bool) -> None:
        """Right before the optimizer's step. with_closure: it works the gradients out itself."""
        self.measuring = True
        for vectors in self.vectors:
            vectors.before()
        self.rates = [self._rate(k, h) for k, h in self.large]
        self.norms = self._norms()
        moving = zip(self.large, self.rates, strict=True)
        self._copy([place for place, rate in moving if rate is None])
        self.gradients, self.versions = [], []
        if with_closure or (self.rates and None not in self.rates):  # plain SGD leaves gradients
            return
        found = [h.gradient for h in self.held]
        if self.changes_gradients:
            self.gradients = [g.detach().clone() if g is not None else g for g in found]
        else:
            self.versions = [-1 if g is None else g._version for g in found]

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

    def _drift(self, rows: torch.Tensor, places: Keys) -> None:
        """The told steps move the weights on. rows: norms of the gradients' parts, of `places`."""
        told = {k: (h, rate) for (k, h), rate in zip(self.large, self.rates, strict=True) if rate}
        at = 0
        for _, k, count in places:
            part = rows[at : (at := at + count)]
            if k in told and part.device.type == "cpu":
                held, rate = told[k]
                self.known[k].moved(rate * float(part.norm()), held.parameter)

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

    def _rate(self, k: int, held: Held) -> float | None:
        """The learning rate of plain SGD; None for everything else."""
        if type(self.optimizer) is not torch.optim.SGD or k not in self.told:
            return None
        group = self.optimizer.param_groups[held.group]
        rate = group["lr"]
        plain = isinstance(rate, float) and held.parameter.dtype in (torch.float32, WIDE)
        other = group["momentum"] or group["weight_decay"] or group["maximize"] or group["fused"]
        return rate if plain and not other else None

    def after(self, capture: Capture) -> None:
        """Right after it: what it did goes into the capture."""
        self.measuring = False
        gradients = self._gradients()
        exact = [p for p, rate in zip(self.large, self.rates, strict=True) if rate is None]
        if exact:  # before - after: -Δθ
            minus = [self.copied[k] for k, _ in exact]
            torch._foreach_sub_(minus, [h.parameter.detach() for _, h in exact])
        at = 0
        for vectors in self.vectors:
            vectors.after(capture, gradients[at : (at := at + len(vectors.held))])
        keys, found = present(self.keys, gradients[at:])
        if found:
            held = [
                h for (_, h), g in zip(self.large, gradients[at:], strict=True) if g is not None
            ]
            rows = rows_of(found, held)
            capture.put(keys, rows)
            self._drift(rows, keys)
        for (k, h), g, weight, rate in zip(
            self.large, gradients[at:], self.norms, self.rates, strict=True
        ):
            if rate is None:
                self._moved(capture, k, h, g, weight)
            else:
                capture.tell((("weight", k, 1), ("rate", k, 1)), weight, rate)
        self.gradients = []

    def _gradients(self) -> list[torch.Tensor | None]:
        """The gradients that the step was made of. Where the optimizer changed them, None, and
        from then on they are copied before."""
        if self.gradients:
            return self.gradients
        found = [h.gradient for h in self.held]
        for k, version in enumerate(self.versions):
            g = found[k]
            if g is not None and g._version != version:
                self.changes_gradients, found[k] = True, None
        return [g.detach() if g is not None and g.layout is torch.strided else None for g in found]

    def _moved(
        self, capture: Capture, k: int, held: Held, gradient: torch.Tensor | None, weight: Number
    ) -> None:
        """A weight whose step is what it became minus what it was: norms of it, and Σ ∂C/∂θ Δθ."""
        minus = self.copied[k]
        capture.put((("moved", k, held.neurons),), rows_of([minus], [held]))
        capture.tell((("weight", k, 1),), weight)
        if gradient is not None:
            capture.tell((("product", k, 1),), dot(gradient, minus))

    def let_go(self) -> None:
        self.optimizer = None
        self.vectors, self.large, self.held, self.gradients = [], [], [], []
        self.copied.clear()
        self.known.clear()


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
    low, high = found.aminmax()
    if NORMS[0] < low.item() and high.item() < NORMS[1]:
        return found
    return torch.cat([_again(p, v, h) for p, v, h in zip(parts, views, held, strict=True)])


def _again(norms: torch.Tensor, view: torch.Tensor, held: Held) -> torch.Tensor:
    odd = ~((norms > NORMS[0]) & (norms < NORMS[1]))
    found = norms.to(WIDE)
    if held.dims == (1,) and len(held.shape) == 2:
        which = odd.nonzero().reshape(-1)
        found[which] = _norm(view[which], held.dims, WIDE)
        return found
    return _norm(view, held.dims, WIDE) if bool(odd.any()) else found


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
