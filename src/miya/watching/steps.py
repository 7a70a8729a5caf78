"""What a step did to the parameters: measured around the optimizer's own step.

Before it the parameters are copied to buffers that are kept; after it the buffers become -Δθ in
place. Nothing of the user's is written to.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from .capture import Capture
from .layers import Held
from .seen import SAFE, WIDE, Number

NAMES = ("before", "after", "gradient")
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
        self.begun = torch.cat([h.parameter.reshape(-1) for h in self.held])

    def after(self, capture: Capture, gradients: Sequence[torch.Tensor | None]) -> None:
        assert self.begun is not None
        capture.put(self.keys["before"], self.begun)
        capture.put(self.keys["after"], torch.cat([h.parameter.reshape(-1) for h in self.held]))
        both = zip(self.keys["gradient"], gradients, strict=True)
        found = [(key, g) for key, g in both if g is not None]
        if len(found) == len(gradients):
            parts = [g.reshape(-1) for _, g in found]
            capture.put(self.keys["gradient"], torch.cat(parts))
        else:
            for key, g in found:
                capture.put((key,), g.reshape(-1))
        self.begun = None


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
        self.told: set[int] = set()
        self.copied: dict[int, torch.Tensor] = {}
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
        self.norms = norms([h.parameter for _, h in self.large])
        self.rates = [self._rate(k, h) for k, h in self.large]
        moving = zip(self.large, self.rates, strict=True)
        self._copy([place for place, rate in moving if rate is None])
        found = [h.parameter.grad for h in self.held]
        self.gradients, self.versions = [], []
        if self.changes_gradients and not with_closure:
            self.gradients = [g.detach().clone() if g is not None else g for g in found]
        elif not with_closure:
            self.versions = [-1 if g is None else g._version for g in found]

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

    @torch.no_grad()
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
        for (k, h), g, weight, rate in zip(
            self.large, gradients[at:], self.norms, self.rates, strict=True
        ):
            self._large(capture, k, h, g, weight, rate)
        self.gradients = []

    def _gradients(self) -> list[torch.Tensor | None]:
        """The gradients that the step was made of. Where the optimizer changed them, None, and
        from then on they are copied before."""
        if self.gradients:
            return self.gradients
        found = [h.parameter.grad for h in self.held]
        for k, version in enumerate(self.versions):
            g = found[k]
            if g is not None and g._version != version:
                self.changes_gradients, found[k] = True, None
        return [g.detach() if g is not None and g.layout is torch.strided else None for g in found]

    def _large(
        self,
        capture: Capture,
        k: int,
        held: Held,
        gradient: torch.Tensor | None,
        weight: Number,
        rate: float | None,
    ) -> None:
        """A weight: of its gradient and of its step only norms travel."""
        if gradient is not None:
            capture.put((("gradient", k, held.neurons),), row_norms(gradient, held))
        if rate is not None:
            capture.tell((("weight", k, 1), ("rate", k, 1)), weight, rate)
            return
        minus = self.copied[k]
        capture.put((("moved", k, held.neurons),), row_norms(minus, held))
        capture.tell((("weight", k, 1),), weight)
        if gradient is not None:
            capture.tell((("product", k, 1),), dot(gradient, minus))

    def let_go(self) -> None:
        self.optimizer = None
        self.vectors, self.large, self.held, self.gradients = [], [], [], []
        self.copied.clear()


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
    found = torch._foreach_norm(list(parameters), dtype=wide)
    return [t.item() if t.device.type == "cpu" else t for t in found]


def row_norms(tensor: torch.Tensor, held: Held) -> torch.Tensor:
    """The norm of each neuron's part, (neurons,). Where float32 could lose a square, that row is
    done again in float64."""
    view = tensor if tensor.shape == held.shape else tensor.reshape(held.shape)
    if tensor.dtype == WIDE or tensor.device.type != "cpu":
        return _norm(view, held.dims, WIDE)
    found = _norm(view, held.dims, torch.float32)
    low, high = found.aminmax()
    if NORMS[0] < low.item() and high.item() < NORMS[1]:
        return found
    if held.dims != (1,):
        return _norm(view, held.dims, WIDE)
    odd = (~((found > NORMS[0]) & (found < NORMS[1]))).nonzero().reshape(-1)
    found = found.to(WIDE)
    found[odd] = _norm(view[odd], held.dims, WIDE)
    return found


def _norm(view: torch.Tensor, dims: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    found: torch.Tensor = torch.linalg.vector_norm(view, dim=dims, dtype=dtype)
    return found.reshape(-1)


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
